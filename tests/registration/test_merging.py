from datetime import timedelta
from itertools import product

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from registration import consents, merging, signup
from registration.models import (
    Attendance,
    Certificate,
    Consent,
    Event,
    Feedback,
    Handover,
    Invitation,
    OutgoingMail,
    Participant,
    Registration,
    SeatCount,
    SensitiveAnswers,
    User,
)
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
# As `pairs` weighs them: the first of two that is met stays.
BY_WORTH = ["CONFIRMED", "offered", "WAITLISTED", "let pass", "held", "CANCELLED"]


@pytest.fixture
def kept(now):
    return factories.ParticipantFactory(name="Siti Aminah")


@pytest.fixture
def other(now):
    return factories.ParticipantFactory(name="Siti Aminah", email="siti.lain@example.org")


@pytest.fixture
def organiser(now):
    return factories.UserFactory(organiser=True)


def seat(participant, webinar, status, now):
    facts = {"offered_at": now} if status in {"offered", "let pass"} else {}
    name = {"offered": "PENDING", "held": "PENDING", "let pass": "WAITLISTED"}.get(status, status)
    return factories.RegistrationFactory(participant=participant, webinar=webinar, status=name, **facts)


def taken(webinar):
    return SeatCount.objects.filter(webinar=webinar).values_list("taken", flat=True).first() or 0


# ---- Registrations and seats


@pytest.mark.parametrize(("mine", "others"), list(product(BY_WORTH, BY_WORTH)))
def test_the_better_of_two_registrations_stays(mine, others, kept, other, now):
    webinar = factories.WebinarFactory(cancelled=True)  # so that nobody moves up meanwhile
    first, second = seat(kept, webinar, mine, now), seat(other, webinar, others, now)
    best = first if BY_WORTH.index(mine) <= BY_WORTH.index(others) else second
    assert merging.merge(kept, other, actor=None, now=now)
    stayed = Registration.objects.get()
    assert (stayed.pk, stayed.participant, stayed.status, stayed.code) == (best.pk, kept, best.status, best.code)
    assert taken(webinar) == (stayed.status in Registration.SEATED)


def test_the_second_seat_passes_on(kept, other, now, mailbox):
    webinar = factories.WebinarFactory(capacity=2)
    seat(kept, webinar, "CONFIRMED", now)
    seat(other, webinar, "CONFIRMED", now)
    waiting = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    merging.merge(kept, other, actor=None, now=now)
    waiting.refresh_from_db()
    assert waiting.is_confirmed
    assert taken(webinar) == 2
    assert OutgoingMail.objects.get(kind="promoted").participant == waiting.participant


def test_a_seat_is_not_lost_where_only_the_other_has_one(kept, other, now):
    webinar = factories.WebinarFactory(capacity=1)
    seat(other, webinar, "CONFIRMED", now)
    mine = seat(kept, webinar, "WAITLISTED", now)
    factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    merging.merge(kept, other, actor=None, now=now)
    assert [str(row.participant) for row in webinar.registrations.confirmed()] == ["Siti Aminah"]
    assert not Registration.objects.filter(pk=mine.pk).exists()
    assert webinar.registrations.waiting().count() == 1


def test_the_earlier_place_in_line_stays(kept, other, now):
    webinar = factories.WebinarFactory(capacity=1)
    factories.RegistrationFactory(webinar=webinar)
    seat(other, webinar, "WAITLISTED", now)
    between = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    mine = seat(kept, webinar, "WAITLISTED", now)
    for row, days in ((between, 1), (mine, 2)):
        Registration.objects.filter(pk=row.pk).update(waitlisted_at=now + days * DAY)
    merging.merge(kept, other, actor=None, now=now + 3 * DAY)
    mine.refresh_from_db()
    assert mine.place_in_line() == 1


def test_a_hold_over_a_cancelled_registration_runs_out_as_cancelled(kept, other, now):
    webinar = factories.WebinarFactory()
    seat(kept, webinar, "CANCELLED", now)
    seat(other, webinar, "held", now)
    merging.merge(kept, other, actor=None, now=now)
    signup.expire_holds(now=now + DAY)
    assert Registration.objects.get(participant=kept).status == "CANCELLED"


def test_webinars_of_one_entry_alone_move(kept, other, now):
    mine, others = (
        seat(kept, factories.WebinarFactory(), "CONFIRMED", now),
        factories.RegistrationFactory(participant=other),
    )
    stranger = factories.RegistrationFactory(webinar=mine.webinar)
    merging.merge(kept, other, actor=None, now=now)
    assert set(kept.registrations.all()) == {mine, others}
    assert Registration.objects.get(pk=stranger.pk).participant == stranger.participant


# ---- What hangs on a registration


def test_attendances_unite_and_the_same_entrance_counts_once(kept, other, now):
    webinar = factories.WebinarFactory()
    mine, others = seat(kept, webinar, "CONFIRMED", now), seat(other, webinar, "CONFIRMED", now)
    for registration, source, left in ((mine, "link", None), (others, "link", now + DAY), (others, "report", None)):
        Attendance.objects.create(registration=registration, source=source, joined_at=now, left_at=left)
    merging.merge(kept, other, actor=None, now=now)
    rows = Attendance.objects.order_by("source").values_list("registration", "source", "left_at")
    assert list(rows) == [(mine.pk, "link", now + DAY), (mine.pk, "report", None)]


@pytest.mark.parametrize(
    ("mine", "others", "stays"),
    [
        (None, {}, "other"),
        ({}, None, "kept"),
        ({}, {"version": 2}, "other"),
        ({"version": 2}, {}, "kept"),
        ({"revoked": True, "version": 2}, {}, "other"),
        ({}, {"revoked": True, "version": 2}, "kept"),
    ],
)
def test_of_two_certificates_the_one_in_force_stays(mine, others, stays, kept, other, now):
    webinar = factories.WebinarFactory()
    for participant, facts, code in ((kept, mine, "kept"), (other, others, "other")):
        registration = seat(participant, webinar, "CONFIRMED", now)
        if facts is not None:
            revoked_at = now if facts.get("revoked") else None
            version = facts.get("version", 1)
            Certificate.objects.create(
                registration=registration, code=code, name="Siti", version=version, revoked_at=revoked_at
            )
    merging.merge(kept, other, actor=None, now=now)
    assert Certificate.objects.get().code == stays
    assert Certificate.objects.get().registration.participant == kept


def test_the_later_answer_stays(kept, other, now):
    webinar = factories.WebinarFactory()
    for participant, rating, at in ((kept, 2, now), (other, 5, now + DAY)):
        registration = seat(participant, webinar, "CONFIRMED", now)
        Feedback.objects.create(registration=registration, rating=rating, created_at=at)
    merging.merge(kept, other, actor=None, now=now)
    assert Feedback.objects.get().rating == 5
    assert Feedback.objects.get().registration.participant == kept


def test_mails_steps_and_invitations_move(kept, other, now):
    webinar = factories.WebinarFactory()
    mine, others = seat(kept, webinar, "CONFIRMED", now), seat(other, webinar, "CONFIRMED", now)
    factories.OutgoingMailFactory(participant=other, registration=others, sent=True)
    Event.objects.create(participant=other, registration=others, kind="confirmed", at=now - DAY)
    Invitation.objects.create(
        webinar=webinar, name="Siti", email=other.email, status="accepted", expires_at=now, registration=others
    )
    merging.merge(kept, other, actor=None, now=now)
    assert (OutgoingMail.objects.get().participant, OutgoingMail.objects.get().registration) == (kept, mine)
    step = Event.objects.get(kind="confirmed")
    assert (step.participant, step.registration) == (kept, mine)
    assert Invitation.objects.get().registration == mine


# ---- What hangs on the person


def consent(participant, now, organisation=None, withdrawn=None, purpose=""):
    facts = {"purpose": purpose} if purpose else {}
    return factories.ConsentFactory(
        participant=participant, partner=organisation, granted_at=now, withdrawn_at=withdrawn, **facts
    )


def in_force(participant):
    rows = Consent.objects.in_force().filter(participant=participant)
    return set(rows.values_list("purpose", "organisation", "granted_at"))


def test_consents_unite_and_the_earlier_stands(kept, other, now):
    host, host_of_other = factories.OrganisationFactory.create_batch(2)
    consent(kept, now + DAY)
    consent(other, now)
    consent(kept, now, host)
    consent(other, now + DAY, host)
    consent(other, now, host_of_other)
    merging.merge(kept, other, actor=None, now=now)
    assert in_force(kept) == {("processing", None, now), ("partner", host.pk, now), ("partner", host_of_other.pk, now)}
    assert Consent.objects.count() == 3


@pytest.mark.parametrize(
    ("said_no_at", "said_yes_again_at", "stands"), [(1, None, False), (-1, None, True), (1, 2, True), (3, 2, False)]
)
def test_her_latest_word_holds(said_no_at, said_yes_again_at, stands, kept, other, now):
    host = factories.OrganisationFactory()
    consent(kept, now, host)
    consent(other, now - 2 * DAY, host, withdrawn=now + said_no_at * DAY)
    if said_yes_again_at:
        consent(other, now + said_yes_again_at * DAY, host)
    merging.merge(kept, other, actor=None, now=now + 9 * DAY)
    assert in_force(kept) == ({("partner", host.pk, now)} if stands else set())


def test_taking_part_is_not_taken_back_by_a_merger(kept, other, now):
    consent(kept, now)
    consent(other, now - DAY, withdrawn=now + DAY)
    merging.merge(kept, other, actor=None, now=now + 2 * DAY)
    assert in_force(kept) == {("processing", None, now)}


def test_a_consent_taken_back_in_a_merger_goes_the_usual_way(kept, other, now, monkeypatch):
    host = factories.OrganisationFactory()
    mine = consent(kept, now, host)
    consent(other, now - DAY, host, withdrawn=now + DAY)
    asked = []
    monkeypatch.setattr(consents, "withdraw", lambda row, **facts: asked.append(row))
    merging.merge(kept, other, actor=None, now=now + 2 * DAY)
    assert asked == [mine]
    assert asked[0].participant == kept


def answers(participant, now, **facts):
    consent(participant, now, purpose="sensitive")
    return SensitiveAnswers.objects.create(participant=participant, **({"delete_on": now.date()} | facts))


def test_sensitive_answers_move(kept, other, now):
    answers(other, now, seeing="some")
    merging.merge(kept, other, actor=None, now=now)
    assert SensitiveAnswers.objects.get().participant == kept


def test_sensitive_answers_unite(kept, other, now):
    answers(kept, now, seeing="some", needs=["captions"])
    earlier = now.date() - DAY
    answers(other, now, seeing="a_lot", hearing="none", needs=["captions", "companion"], delete_on=earlier)
    merging.merge(kept, other, actor=None, now=now)
    row = SensitiveAnswers.objects.get(participant=kept)
    assert (row.seeing, row.hearing, row.needs, row.delete_on) == ("some", "none", ["captions", "companion"], earlier)
    assert SensitiveAnswers.objects.count() == 1


def test_blanks_are_filled_in_and_what_she_has_said_stays(now):
    kept = factories.ParticipantFactory(phone="", gender="undisclosed", organisation="", province="73", regency="")
    other = factories.ParticipantFactory(name="S. Aminah", phone="+6281234567890", province="73", regency="7371")
    Participant.objects.filter(pk=other.pk).update(restricted_at=now)
    name, email = kept.name, kept.email
    merging.merge(kept, other, actor=None, now=now)
    kept = Participant.objects.get()
    assert (kept.name, kept.email, kept.phone, kept.gender) == (name, email, "+6281234567890", "female")
    assert (kept.organisation, kept.regency, kept.restricted_at) == ("Kelompok Contoh", "7371", now)


def test_two_in_care_with_one_phone_number_given_once(now):
    kept = factories.ParticipantFactory(email="", phone="")
    other = factories.ParticipantFactory(email="", phone="+6281234567890", contact_email="siti@example.org")
    merging.merge(kept, other, actor=None, now=now)
    kept = Participant.objects.get()
    assert (kept.phone, kept.contact_email) == ("+6281234567890", "siti@example.org")


@pytest.mark.parametrize(
    ("is_in_care", "mine", "others", "open_after"),
    [(False, False, True, 0), (True, False, True, 1), (True, True, True, 1), (False, False, False, 0)],
)
def test_one_handover_at_most_stays_open(is_in_care, mine, others, open_after, now):
    kept = factories.ParticipantFactory(**({"email": "", "phone": ""} if is_in_care else {}))
    other = factories.ParticipantFactory(email="")
    for participant, has_one in ((kept, mine), (other, others)):
        if has_one:
            Handover.objects.create(participant=participant, email="siti@example.org")
    merging.merge(kept, other, actor=None, now=now)
    rows = Handover.objects.filter(participant=kept)
    assert rows.count() == mine + others
    assert rows.filter(withdrawn_at=None).count() == open_after


# ---- The other entry and its account


def test_the_other_entry_and_its_bare_account_go(kept, other, organiser, now):
    account = other.account
    Event.objects.create(participant=other, kind="corrected", actor=account, at=now - DAY)
    assert merging.merge(kept, other, actor=organiser, now=now)
    assert list(Participant.objects.all()) == [kept]
    assert not User.objects.filter(pk=account.pk).exists()
    steps = Event.objects.values_list("kind", "participant", "actor", "note")
    assert list(steps) == [
        ("corrected", kept.pk, kept.account_id, ""),
        ("merged", kept.pk, organiser.pk, "Siti Aminah · siti.lain@example.org"),
    ]


@pytest.mark.parametrize("hold", ["care", "staff", "partner", "actor"])
def test_an_account_with_something_on_it_stays(hold, kept, other, now):
    account = other.account
    if hold == "care":
        factories.ParticipantFactory(email="", account=account)
    elif hold == "staff":
        User.objects.filter(pk=account.pk).update(is_staff=True)
    elif hold == "partner":
        factories.PartnerMemberFactory(user=account)
    else:
        Event.objects.create(participant=factories.ParticipantFactory(), kind="moved", actor=account)
    merging.merge(kept, other, actor=None, now=now)
    assert User.objects.filter(pk=account.pk).exists()
    assert not Participant.objects.filter(pk=other.pk).exists()


def test_a_carer_keeps_her_account_and_her_other_people(now):
    carer = factories.ParticipantFactory()
    first = factories.ParticipantFactory(email="", account=carer.account)
    bystander = factories.RegistrationFactory(participant__email="", participant__account=carer.account)
    own = factories.ParticipantFactory()
    assert merging.merge(own, first, actor=own.account, now=now)
    assert set(Participant.objects.all()) == {carer, own, bystander.participant}
    assert Registration.objects.get().participant == bystander.participant
    assert User.objects.filter(pk=carer.account_id).exists()


def test_merging_twice_or_with_herself_changes_nothing(kept, other, now):
    gone = Participant.objects.get(pk=other.pk)
    merging.merge(kept, other, actor=None, now=now)
    assert not merging.merge(kept, gone, actor=None, now=now)
    assert not merging.merge(kept, kept, actor=None, now=now)
    assert Event.objects.filter(kind="merged").count() == 1


def test_nothing_is_written_when_a_step_fails(kept, other, now, monkeypatch):
    factories.RegistrationFactory(participant=other)
    monkeypatch.setattr(merging.history, "note", lambda *args, **facts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        merging.merge(kept, other, actor=None, now=now)
    assert Registration.objects.get().participant == other
    assert Participant.objects.count() == 2


# ---- Locks, and what later models bring


def test_locks_come_in_the_houses_order(now):
    other, kept = factories.ParticipantFactory.create_batch(2)  # the lower ids to the one that goes
    webinars = factories.WebinarFactory.create_batch(2)
    for participant, webinar in product((kept, other), reversed(webinars)):
        seat(participant, webinar, "CONFIRMED", now)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        merging.merge(kept, other, actor=None, now=now)
    locks = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]][:4]
    tables = ["registration_announcement", "registration_user", "registration_participant", "conference_webinar"]
    assert [next(table for table in tables if f'FROM "{table}"' in sql) for sql in locks] == tables
    assert all(f'ORDER BY "{table}"."id" ASC' in sql for table, sql in zip(tables, locks, strict=True))
    first_write = next(q["sql"] for q in queries if q["sql"].startswith(("UPDATE", "DELETE", "INSERT")))
    assert queries.captured_queries.index(next(q for q in queries if q["sql"] == locks[-1])) < (
        queries.captured_queries.index(next(q for q in queries if q["sql"] == first_write))
    )


UNITED = {
    Registration: {("participant", "webinar")},
    Attendance: {("registration", "source", "joined_at")},
    Consent: {("participant", "purpose", "organisation")},
    Handover: {("participant",)},
    Certificate: {("registration",)},
    Feedback: {("registration",)},
    SensitiveAnswers: {("participant",)},
}


def test_whatever_may_be_only_once_is_united_before_it_moves():
    """A new table with such a rule needs its place in `merge`."""
    found = {}
    for relation in (*merging.references(Participant), *merging.references(Registration)):
        name, model = relation.field.name, relation.related_model
        unique = [
            tuple(constraint.fields)
            for constraint in model._meta.constraints
            if isinstance(constraint, models.UniqueConstraint) and name in constraint.fields
        ]
        if relation.one_to_one:
            unique.append((name,))
        if unique:
            found.setdefault(model, set()).update(unique)
    assert found == UNITED
