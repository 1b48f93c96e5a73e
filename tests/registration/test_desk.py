from datetime import timedelta

import pytest

from registration import care, desk, letters, signup
from registration.models import Consent, Event, OutgoingMail, Participant, Registration, SeatCount, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser(now):
    return factories.UserFactory(organiser=True, name="Ibu Pengurus")


@pytest.fixture
def webinar(now):
    return factories.WebinarFactory(capacity=1)


def answers(*webinars, partners=(), **person):
    fields = dict.fromkeys(signup.Person.__annotations__, "")
    fields |= {"name": "Maria Contoh", "email": "maria@example.org", "province": "53", "gender": "female"}
    fields |= {"age_group": "25_34"} | person
    return {
        "person": fields,
        "webinars": [webinar.pk for webinar in webinars],
        "partners": [host.pk for host in partners],
        "language": "id",
        "given_at": "2027-06-01T09:00:00+08:00",
    }


def entry(*webinars, partners=(), **person):
    fields = dict.fromkeys(care.PERSONAL, "")
    fields |= {"name": "Mama Contoh", "province": "53", "gender": "female", "age_group": "55_plus"} | person
    return {
        **fields,
        "webinars": [webinar.pk for webinar in webinars],
        "partners": [host.pk for host in partners],
        "needs": [],
        "access_needs": "",
        "is_namesake": False,
    }


def steps(participant):
    return list(Event.objects.filter(participant=participant).order_by("pk").values_list("kind", "actor", "note"))


# ---- Signing up


def test_a_person_with_an_address_is_signed_up(organiser, webinar, now):
    [host] = webinar.hosts.set([factories.OrganisationFactory()]) or webinar.hosts.all()
    done = desk.sign_up(answers(webinar, partners=[host]), note="Map Kupang", actor=organiser, now=now)
    participant = Participant.objects.get()
    assert done.participant == participant
    assert (participant.name, participant.email, participant.proven_at) == ("Maria Contoh", "maria@example.org", now)
    assert (participant.account.email, participant.account.name) == ("maria@example.org", "Maria Contoh")
    assert [row.status for row in Registration.objects.all()] == ["CONFIRMED"]
    assert set(Consent.objects.values_list("purpose", "organisation")) == {("processing", None), ("partner", host.pk)}
    assert {(kind, actor) for kind, actor, _note in steps(participant)} == {
        ("consented", organiser.pk),
        ("signed_up", organiser.pk),
        ("confirmed", organiser.pk),
    }
    assert Event.objects.get(kind="signed_up").note == "Map Kupang"
    sent = OutgoingMail.objects.get()
    assert (sent.kind, sent.to, sent.participant) == ("confirmation", "maria@example.org", participant)


def test_without_a_seat_she_comes_onto_the_waiting_list(organiser, webinar, now):
    factories.RegistrationFactory(webinar=webinar)
    [registration] = desk.sign_up(answers(webinar), note="Telepon", actor=organiser, now=now).changed
    assert registration.status == "WAITLISTED"
    assert SeatCount.objects.get(webinar=webinar).taken == 1


def test_signing_up_twice_changes_nothing_and_sends_one_mail(organiser, webinar, now):
    desk.sign_up(answers(webinar), note="Telepon", actor=organiser, now=now)
    again = answers(webinar, email="Maria+kpt@example.org".lower())
    assert desk.sign_up(again, note="Telepon", actor=organiser, now=now + timedelta(hours=1)).changed == []
    assert (Participant.objects.count(), Registration.objects.count(), OutgoingMail.objects.count()) == (1, 1, 1)


def test_who_is_known_keeps_her_data(organiser, webinar, now):
    known = factories.ParticipantFactory(email="maria@example.org", name="Maria G. Contoh", province="73")
    desk.sign_up(answers(webinar, name="Maria"), note="Kertas", actor=organiser, now=now)
    known.refresh_from_db()
    assert (known.name, known.province) == ("Maria G. Contoh", "73")
    assert known.registrations.get().is_confirmed


def test_what_a_stranger_typed_with_her_address_goes(organiser, webinar, now):
    signup.begin(answers(webinar, name="Orang Lain", phone="+628110000000"), now=now)
    desk.sign_up(answers(webinar), note="Kertas", actor=organiser, now=now)
    participant = Participant.objects.get()
    assert (participant.name, participant.phone, participant.proven_at) == ("Maria Contoh", "", now)
    assert Registration.objects.get().is_confirmed


def test_a_closed_webinar_takes_nobody(organiser, now):
    closed = factories.WebinarFactory(draft=True)
    assert desk.sign_up(answers(closed), note="Kertas", actor=organiser, now=now).changed == []
    assert not Registration.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_a_person_without_an_address_is_in_care(organiser, webinar, now):
    carer = factories.UserFactory(email="pendamping@example.org")
    facts = {"language": "id", "note": "Telepon 12 Mei", "actor": organiser, "now": now}
    done = desk.sign_up_in_care(carer, entry(webinar, phone="+6281234567890"), **facts)
    participant = Participant.objects.get()
    assert (participant.email, participant.account, participant.phone) == ("", carer, "+6281234567890")
    assert [row.status for row in done.changed] == ["CONFIRMED"]
    assert {actor for _kind, actor, _note in steps(participant)} == {organiser.pk}
    assert ("signed_up", organiser.pk, "Telepon 12 Mei") in steps(participant)
    assert OutgoingMail.objects.get().to == "pendamping@example.org"


def test_a_phone_that_another_person_in_care_has_is_refused_and_nothing_is_written(organiser, webinar, now):
    factories.ParticipantFactory(email="", phone="+6281234567890")
    facts = {"language": "id", "note": "Telepon", "actor": organiser, "now": now}
    with pytest.raises(care.Refused):
        desk.sign_up_in_care(organiser, entry(webinar, phone="+6281234567890"), **facts)
    assert Participant.objects.count() == 1
    assert not Event.objects.exists()


# ---- Moving


def test_moving_takes_a_seat_there_and_passes_the_old_one_on(organiser, webinar, now):
    target = factories.WebinarFactory(capacity=1, title="Hutan")
    moving = factories.RegistrationFactory(webinar=webinar)
    waiting = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    new = desk.move(moving, target.pk, actor=organiser, now=now)
    moving.refresh_from_db()
    waiting.refresh_from_db()
    assert (moving.status, moving.cancel_reason, waiting.status) == ("CANCELLED", "→ Hutan", "CONFIRMED")
    assert (new.participant, new.webinar, new.is_confirmed) == (moving.participant, target, True)
    assert steps(moving.participant) == [("moved", organiser.pk, webinar.title)]
    assert list(OutgoingMail.objects.order_by("kind").values_list("kind", "to")) == [
        ("confirmation", moving.participant.email),
        ("promoted", waiting.participant.email),
    ]


@pytest.mark.parametrize(("language", "title"), [("id", "Hutan"), ("en", "Forest")])
def test_the_one_mail_says_where_she_was_moved_from(language, title, organiser, now):
    left = factories.WebinarFactory(title="Hutan", title_en="Forest")
    moving = factories.RegistrationFactory(webinar=left, participant__language=language)
    target = factories.WebinarFactory(title="Laut", title_en="Sea")
    desk.move(moving, target.pk, actor=organiser, now=now)
    message = letters.compose(OutgoingMail.objects.get(), now=now)
    html = message.alternatives[0][0]
    assert f"“{title}”" in message.body
    assert f"“{title}”" in html


def test_an_ordinary_confirmation_speaks_of_no_move(now):
    participant = factories.RegistrationFactory().participant
    row = factories.OutgoingMailFactory(participant=participant, language="en")
    assert "moved" not in letters.compose(row, now=now).body


def test_moving_back_revives_the_first_registration(organiser, webinar, now):
    target = factories.WebinarFactory()
    first = factories.RegistrationFactory(webinar=webinar)
    second = desk.move(first, target.pk, actor=organiser, now=now)
    back = desk.move(second, webinar.pk, actor=organiser, now=now + timedelta(minutes=1))
    assert back.pk == first.pk
    assert {row.status for row in Registration.objects.all()} == {"CONFIRMED", "CANCELLED"}
    assert Registration.objects.get(pk=first.pk).cancel_reason == ""


def seated_elsewhere(registration, target):
    factories.RegistrationFactory(webinar=target, participant=registration.participant)


def waits_there(registration, target):
    factories.RegistrationFactory(webinar=target, participant=registration.participant, waitlisted=True)


def no_seat(registration, target):
    target.capacity = 1
    target.save()
    factories.RegistrationFactory(webinar=target)


def others_wait(registration, target):
    """A seat is free, but it is the first one's in the line."""
    target.capacity = 1
    target.save()
    factories.RegistrationFactory(webinar=target, waitlisted=True)


def cancelled_before(registration, target):
    signup.cancel(registration, now=registration.created_at)


def target_cancelled(registration, target):
    target.status = "cancelled"
    target.save()


@pytest.mark.parametrize(
    "obstacle", [seated_elsewhere, waits_there, no_seat, others_wait, cancelled_before, target_cancelled]
)
def test_a_move_that_can_not_be_is_refused_and_changes_nothing(obstacle, organiser, webinar, now):
    target = factories.WebinarFactory()
    moving = factories.RegistrationFactory(webinar=webinar)
    obstacle(moving, target)
    before = sorted(Registration.objects.values_list("pk", "webinar", "status"))
    mails = OutgoingMail.objects.count()
    with pytest.raises(desk.Refused):
        desk.move(moving, target.pk, actor=organiser, now=now)
    assert sorted(Registration.objects.values_list("pk", "webinar", "status")) == before
    assert OutgoingMail.objects.count() == mails
    assert not Event.objects.filter(kind="moved").exists()


@pytest.mark.parametrize("which", ["same", "over"])
def test_nobody_moves_to_where_she_is_or_out_of_what_is_over(which, organiser, webinar, now):
    moving = factories.RegistrationFactory(webinar=factories.WebinarFactory(over=True) if which == "over" else webinar)
    target = webinar if which == "over" else moving.webinar
    with pytest.raises(desk.Refused):
        desk.move(moving, target.pk, actor=organiser, now=now)
    assert Registration.objects.get(pk=moving.pk).is_confirmed


def test_whoever_waits_may_move_to_a_free_seat_and_out_of_a_cancelled_webinar(organiser, now):
    target = factories.WebinarFactory(capacity=2)
    waiting = factories.RegistrationFactory(webinar=factories.WebinarFactory(capacity=1), waitlisted=True)
    stranded = factories.RegistrationFactory(webinar=factories.WebinarFactory(cancelled=True))
    for registration in (waiting, stranded):
        assert desk.move(registration, target.pk, actor=organiser, now=now).is_confirmed
    assert SeatCount.objects.get(webinar=target).taken == 2


def test_a_person_in_care_is_told_through_her_carer(organiser, webinar, now):
    carer = factories.UserFactory(email="pendamping@example.org")
    moving = factories.RegistrationFactory(webinar=webinar, participant__email="", participant__account=carer)
    desk.move(moving, factories.WebinarFactory().pk, actor=organiser, now=now)
    assert OutgoingMail.objects.get().to == "pendamping@example.org"
    assert User.objects.filter(pk=carer.pk).exists()
