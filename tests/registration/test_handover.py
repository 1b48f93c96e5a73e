"""From a carer's group to an account of one's own."""

from datetime import timedelta

import pytest

from registration import handover, letters, links
from registration.models import Event, Handover, OutgoingMail, Participant, Registration, User
from tests.factories import ParticipantFactory, RegistrationFactory, WebinarFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def carer(now):
    return ParticipantFactory(email="carer@example.org", name="Contoh Maria", proven_at=now).account


@pytest.fixture
def person(carer, now):
    return ParticipantFactory(email="", account=carer, name="Lina Sikka", contact_email="lina@example.org", phone="")


def offer(person, carer, now, email="lina@example.org"):
    return handover.offer(person, email, actor=carer, now=now)


def path(offered):
    return links.take_over(offered).partition("/serah-terima")[1:]


def test_the_mail_leads_to_an_account_of_her_own(client, carer, person, now):
    seat = RegistrationFactory(participant=person)
    old_join, old_page, old_calendar = links.join_token(seat), links.page_token(person), links.calendar_token(person)
    offer(person, carer, now)
    [mail] = OutgoingMail.objects.all()
    assert (mail.kind, mail.to, mail.participant) == ("handover", "lina@example.org", None)
    text = letters.compose(mail, now=now).body
    assert "Contoh Maria" in text
    [address] = [line for line in text.splitlines() if "/serah-terima/" in line]
    page = address.partition("localhost")[2].partition("/")
    page = f"/{page[2]}"

    answer = client.get(page)
    assert answer["Referrer-Policy"] == "no-referrer"
    shown = answer.content.decode()
    assert "Lina" in shown
    assert "Sikka" not in shown  # no more than the first name
    assert "lina@example.org" not in shown
    assert Participant.objects.get(pk=person.pk).account == carer  # looking changes nothing

    assert client.post(page).status_code == 200
    person.refresh_from_db()
    assert (person.email, person.account.email, person.contact_email) == ("lina@example.org", "lina@example.org", "")
    assert person.account.name == "Lina Sikka"
    seat.refresh_from_db()
    assert seat.is_confirmed
    assert links.read_join(old_join) is None
    assert links.read_page(old_page) is None
    assert links.read_calendar(old_calendar) is None
    assert OutgoingMail.objects.get(kind="confirmation").to == "lina@example.org"
    assert Event.objects.get(kind="handed_over").participant == person
    assert not Participant.objects.in_care_of(carer).exists()

    client.post(page)  # a second click
    assert OutgoingMail.objects.filter(kind="confirmation").count() == 1
    assert "_auth_user_id" not in client.session  # she signs in by a code, like everybody
    assert Handover.objects.get().accepted_at == now


def test_it_joins_what_she_has_there_already(carer, person, now):
    both, only_here = WebinarFactory(), WebinarFactory()
    RegistrationFactory(participant=person, webinar=both)
    RegistrationFactory(participant=person, webinar=only_here)
    own = ParticipantFactory(email="lina@example.org", name="Lina Sendiri", proven_at=now)
    waiting = RegistrationFactory(participant=own, webinar=both, waitlisted=True)
    assert handover.accept(offer(person, carer, now, "lina+kpt@example.org"), now=now) is True
    assert not Participant.objects.filter(pk=person.pk).exists()
    own.refresh_from_db()
    assert (own.name, own.email) == ("Lina Sendiri", "lina@example.org")
    statuses = dict(Registration.objects.filter(participant=own).values_list("webinar", "status"))
    assert statuses == {both.pk: "CONFIRMED", only_here.pk: "CONFIRMED"}
    assert not Registration.objects.filter(pk=waiting.pk, status="WAITLISTED").exists()
    assert User.objects.filter(email_key="lina@example.org").count() == 1


def test_a_variant_of_a_known_address_is_written_to_as_it_is_known(carer, person, now):
    ParticipantFactory(email="lina@example.org", proven_at=now)
    offer(person, carer, now, "lina+evil@example.org")
    assert OutgoingMail.objects.get().to == "lina@example.org"


def test_taken_back_the_link_is_dead(client, carer, person, now):
    offered = offer(person, carer, now)
    assert handover.take_back(offered, actor=carer, now=now) is True
    assert handover.take_back(offered, actor=carer, now=now) is False
    token = links.handover_token(offered)
    assert client.get(f"/serah-terima/{token}/").status_code == 404
    assert client.post(f"/serah-terima/{token}/").status_code == 404
    assert handover.accept(offered, now=now) is False
    assert Participant.objects.get(pk=person.pk).account == carer
    with pytest.raises(letters.Obsolete):
        letters.compose(OutgoingMail.objects.get(), now=now)


def test_links_age_and_other_links_open_nothing(carer, person, now, time_machine, client):
    offered = offer(person, carer, now)
    token = links.handover_token(offered)
    seat = RegistrationFactory(participant=person)
    for bait in (token[:-1], links.join_token(seat), links.page_token(person)):
        assert client.get(f"/serah-terima/{bait}/").status_code == 404
    assert links.read_handover(token) == offered
    time_machine.move_to(now + timedelta(days=14, seconds=2))
    assert links.read_handover(token) is None


def test_two_clicks_are_one_mail_and_another_address_ends_the_first(carer, person, now):
    first = offer(person, carer, now)
    assert offer(person, carer, now + timedelta(seconds=5)) == first
    assert OutgoingMail.objects.count() == 1
    second = offer(person, carer, now + timedelta(seconds=10), "other@example.org")
    first.refresh_from_db()
    assert first.withdrawn_at
    assert list(handover.open_offers(person)) == [second]


def test_not_to_the_carer_herself_and_not_without_end(carer, person, now):
    with pytest.raises(handover.Refused):
        offer(person, carer, now, "carer+x@example.org")
    for number in range(3):
        offer(person, carer, now + timedelta(minutes=2 * number))
    with pytest.raises(handover.Refused):
        offer(person, carer, now + timedelta(minutes=6), "lina+4@example.org")
    others = [ParticipantFactory(email="", account=carer, phone="") for _number in range(18)]
    for number, other in enumerate(others[:17]):
        offer(other, carer, now + timedelta(minutes=7), f"person{number}@example.org")
    with pytest.raises(handover.Refused):
        offer(others[17], carer, now + timedelta(minutes=8), "last@example.org")
    assert OutgoingMail.objects.count() == 20


def test_only_her_carer_hands_her_over(person, now):
    stranger = ParticipantFactory().account
    with pytest.raises(Participant.DoesNotExist):
        offer(person, stranger, now)
    assert not Handover.objects.exists()
