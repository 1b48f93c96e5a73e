from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, transaction
from django.utils import translation

from registration import audit, erasure, history, merging, partners, records, retention, rights, signup
from registration.models import (
    AuditEntry,
    Download,
    Event,
    Participant,
    Registration,
    RetentionPeriod,
    SensitiveAnswers,
    User,
)
from tests.factories import (
    ConsentFactory,
    InvitationFactory,
    OrganisationFactory,
    OutgoingMailFactory,
    ParticipantFactory,
    PartnerMemberFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

BLANK = {"actor_name": "", "object_name": "", "details": "", "network": "", "participant_id": None}


@pytest.fixture
def entry(now):
    participant = ParticipantFactory(name="Mama Teti")
    actor = UserFactory(organiser=True)
    return audit.note(AuditEntry.Action.LOOKED_AT, participant, actor=actor, participant=participant, now=now)


@pytest.mark.parametrize(
    "change",
    [{"action": "listed"}, {"actor_name": ""}, {"rows": 1}, {"object_name": "Siti"}, BLANK],
    ids=["action", "name", "rows", "object", "all that may be blanked"],
)
def test_an_entry_can_not_be_changed(entry, change):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(**change)
    assert AuditEntry.objects.filter(pk=entry.pk, object_name="Mama Teti").exists()


def test_an_entry_can_not_be_deleted(entry):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entry.delete()
    assert AuditEntry.objects.count() == 1


def test_who_blanks_can_blank_and_nothing_else(entry):
    later = {"at": entry.at + timedelta(days=1)}
    other = {"participant_id": entry.participant_id + 1}
    for change in (
        {**BLANK, "action": "listed"},
        {**BLANK, "actor_name": "Bait"},
        {"network": "192.0.2.1"},
        later,
        other,
    ):
        with pytest.raises(DatabaseError, match="append-only"), audit.blanking():
            AuditEntry.objects.filter(pk=entry.pk).update(**change)
    with audit.blanking():
        assert AuditEntry.objects.filter(pk=entry.pk).update(object_name="") == 1
        assert AuditEntry.objects.filter(pk=entry.pk).update(**BLANK) == 1


def test_the_key_to_blanking_is_given_back(entry):
    audit.forget([entry.participant_id])
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(**BLANK)


@pytest.mark.django_db(transaction=True)
def test_a_failure_while_blanking_gives_the_key_back_too(entry):
    with pytest.raises(DatabaseError, match="append-only"), audit.blanking():
        AuditEntry.objects.filter(pk=entry.pk).update(action="listed")
    with pytest.raises(DatabaseError, match="append-only"):
        AuditEntry.objects.filter(pk=entry.pk).update(**BLANK)


def test_an_entry_outlives_the_account_and_the_person(entry):
    actor, participant = entry.actor, entry.participant_id
    actor.delete()
    left = AuditEntry.objects.select_related("actor").get()
    assert (left.actor, left.actor_name, left.participant_id) == (None, actor.email, participant)


# ---- What rules note


@pytest.fixture
def organiser():
    return UserFactory(organiser=True)


def facts(*fields):
    return list(AuditEntry.objects.order_by("pk").values_list(*fields))


def test_what_staff_do_is_noted_with_the_step_and_what_people_do_themselves_is_not(now, organiser):
    seat = RegistrationFactory()
    person = seat.participant
    rights.correct(person, {"name": "Rosa"}, actor=person.account, language="id", now=now)
    assert AuditEntry.objects.count() == 0
    rights.correct(person, {"name": "Siti", "phone": ""}, actor=organiser, language="id", now=now)
    signup.cancel(seat, now=now, actor=organiser, reason="Siti is ill")
    assert facts("action", "object_type", "object_id", "participant_id", "details", "actor_name") == [
        ("changed", "registration.participant", str(person.pk), person.pk, "name, phone", organiser.email),
        ("acted", "registration.registration", str(seat.pk), person.pk, "cancelled", organiser.email),
    ]


def test_an_organisers_own_sign_up_is_no_deed_of_staff(now, organiser):
    own = ParticipantFactory(account=organiser, email=organiser.email)
    cared_for = ParticipantFactory(account=organiser, email="", phone="+6281200000001")
    for person in (own, cared_for):
        history.note(Event.Kind.RESTRICTED, person, now=now, actor=organiser)
    assert facts("participant_id") == [(cared_for.pk,)]


def test_a_deed_that_is_taken_back_leaves_no_entry(now, organiser):
    with transaction.atomic():
        rights.correct(ParticipantFactory(), {"name": "Siti"}, actor=organiser, language="id", now=now)
        assert AuditEntry.objects.count() == 1
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == 0


def test_many_steps_cost_as_much_as_one(now, organiser, django_assert_num_queries):
    seats = RegistrationFactory.create_batch(3)
    for some in (seats[:1], seats):
        with django_assert_num_queries(3):  # the steps, the people, the entries
            history.note_all(Event.Kind.PROMOTED, some, now=now, actor=organiser)


def test_a_look_counts_once_an_hour_and_one_at_sensitive_answers_each_time(now, organiser):
    seat = RegistrationFactory()
    answers = SensitiveAnswers.objects.create(participant=seat.participant, delete_on=now.date())
    for minutes in (0, 59, 61):
        at = now + timedelta(minutes=minutes)
        audit.look(seat, actor=organiser, now=at)
        audit.look(answers, actor=organiser, now=at)
    audit.look(seat, actor=UserFactory(organiser=True), now=now)
    assert facts("action", "at") == [
        ("looked_at", now),
        ("sensitive", now),
        ("sensitive", now + timedelta(minutes=59)),
        ("looked_at", now + timedelta(minutes=61)),
        ("sensitive", now + timedelta(minutes=61)),
        ("looked_at", now),
    ]
    assert set(AuditEntry.objects.values_list("participant_id", flat=True)) == {seat.participant_id}


# ---- What partners do


@pytest.fixture
def shared(now):
    """A seat whose holder shares with its host, the host's person, and bait beside them."""
    host = OrganisationFactory()
    seat = RegistrationFactory(webinar=WebinarFactory(hosts=[host]), created_at=now - timedelta(hours=2))
    ConsentFactory(participant=seat.participant, partner=host, granted_at=now - timedelta(hours=1))
    return seat, host, PartnerMemberFactory(organisation=host).user


def test_a_partners_download_is_noted_with_its_record(now, shared):
    seat, host, user = shared
    partners.record_download(user, host, seat.webinar, Download.Format.CSV, 1, now=now)
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.actor, entry.organisation, entry.webinar_id, entry.rows, entry.at) == (
        "downloaded",
        user,
        host,
        seat.webinar_id,
        1,
        now,
    )
    assert entry.details.startswith("registration_code, webinar, name, email")
    assert entry.participant_id is None


def test_a_persons_record_holds_lists_that_held_her_and_no_others(now, shared):
    seat, host, user = shared
    person, other = seat.participant, OrganisationFactory()
    elsewhere = WebinarFactory(hosts=[host])
    for organisation, webinar, minutes in (
        (host, seat.webinar, 0),
        (host, seat.webinar, 5),
        (host, seat.webinar, -90),  # before she agreed
        (other, seat.webinar, 0),  # which she does not share with
        (host, elsewhere, 0),  # where she has no seat
    ):
        at = now + timedelta(minutes=minutes)
        facts = {"organisation": organisation, "webinar": webinar, "rows": 1, "is_narrowed": True}
        audit.look_through(Registration, actor=user, now=at, **facts)
    audit.look(seat, actor=UserFactory(organiser=True, name="Nama Penyelenggara"), now=now)
    audit.look(RegistrationFactory(), actor=UserFactory(organiser=True), now=now)
    with translation.override("en"):
        found = records.accesses(person, person.account)
        who, title = host.name, seat.webinar.title
    assert sorted((access.who, access.what, access.times) for access in found) == [
        ("An organiser", "looked at: registration", 1),
        (who, f"looked through the list of “{title}”, in which this person stands", 2),
    ]


def test_a_list_taken_after_she_took_her_consent_back_is_not_hers(now, shared):
    seat, host, user = shared
    seat.participant.consents.update(withdrawn_at=now)
    for minutes in (-1, 1):
        at = now + timedelta(minutes=minutes)
        audit.look_through(Registration, actor=user, now=at, rows=1, organisation=host, webinar=seat.webinar)
    assert [entry.at for entry in audit.about(seat.participant)] == [now - timedelta(minutes=1)]


def test_an_organisations_entries_are_its_own(now, shared):
    seat, host, user = shared
    audit.look_through(Registration, actor=user, now=now, rows=1, organisation=host, webinar=seat.webinar)
    audit.look_through(Registration, actor=user, now=now, rows=1, organisation=OrganisationFactory())
    audit.look(seat, actor=UserFactory(organiser=True), now=now)
    assert [(entry.organisation, entry.rows) for entry in audit.of_organisation(host)] == [(host, 1)]


# ---- Names go


def log(row, organiser):
    LogEntry.objects.create(
        user=organiser,
        content_type=ContentType.objects.get_for_model(row),
        object_id=row.pk,
        object_repr=str(row),
        action_flag=2,
    )


def test_with_a_person_her_name_goes_at_once_and_who_looked_stays(now, organiser):
    seat, bait = RegistrationFactory(), RegistrationFactory()
    person = seat.participant
    guest = InvitationFactory(email=person.email, name=person.name, webinar=seat.webinar)
    mail = OutgoingMailFactory(participant=person, to=person.email)
    rows = [person, seat, guest, mail, person.account, bait, bait.participant]
    for row in rows:
        audit.look(row, actor=organiser, now=now)
    for row in (person, seat, guest, person.account, bait):
        log(row, organiser)
    before = {"name": person.name, "email": person.email, "pk": person.pk}
    erasure.erase(person, now=now)
    hers = AuditEntry.objects.filter(participant_id=before["pk"])
    assert set(hers.values_list("actor_name", "object_name")) == {(organiser.email, "")}
    assert hers.count() == 5
    everything = [
        *AuditEntry.objects.values_list("object_name", "details"),
        *LogEntry.objects.values_list("object_repr"),
    ]
    words = " ".join(" ".join(row) for row in everything)
    assert before["name"] not in words
    assert before["email"] not in words
    assert words.count(bait.participant.name) == 3


def test_merging_leaves_no_name_that_her_deletion_would_not_find(now, organiser):
    kept, other = ParticipantFactory(name="Siti Kept"), ParticipantFactory(name="Siti Other")
    audit.look(other, actor=organiser, now=now)
    other_id = other.pk
    merging.merge(kept, other, actor=organiser, now=now)
    assert list(AuditEntry.objects.filter(participant_id=other_id).values_list("object_name", "action")) == [
        ("", "looked_at")
    ]


def test_the_retention_job_blanks_what_is_older_than_its_period_and_no_more(now, organiser, time_machine):
    person = ParticipantFactory(name="Mama Teti", created_at=now)
    days = RetentionPeriod.objects.get(kind="audit").days
    assert days == 730
    old, young = now - timedelta(days=days + 1), now - timedelta(days=days - 9)
    for at in (old, young):
        audit.look(person, actor=organiser, now=at)
    log(person, organiser)
    LogEntry.objects.update(action_time=old, change_message="[]")
    retention.apply_all(now=now)
    assert AuditEntry.objects.filter(object_name="Mama Teti").count() == 2  # announced, not done
    later = now + timedelta(days=7, minutes=1)
    time_machine.move_to(later)
    [run] = [run for run in retention.apply_all(now=later) if run.kind == "audit"]
    run.refresh_from_db()
    assert (run.planned, run.removed) == (2, 2)
    assert facts("at", "action", "actor_name", "object_name", "participant_id") == [
        (old, "looked_at", "", "", None),
        (young, "looked_at", organiser.email, "Mama Teti", person.pk),
    ]
    assert AuditEntry.objects.exclude(blanked_at=None).count() == 1
    assert list(LogEntry.objects.values_list("object_repr", "change_message")) == [("", "")]
    assert (Participant.objects.count(), User.objects.filter(pk=organiser.pk).count()) == (1, 1)


# ---- What was refused


def test_refusals_can_not_fill_the_table(now, organiser):
    def refuse(at):
        return audit.refuse("x", "1", actor=organiser, now=at, organisation=None, details="GET")

    assert [refuse(now) for _try in range(35)] == [True] * 30 + [False] * 5
    assert refuse(now + timedelta(hours=1, seconds=1)) is True
    assert AuditEntry.objects.filter(action="refused").count() == 31
