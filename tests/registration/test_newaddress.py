"""Another address for an account: mail follows her, and what the earlier mailbox holds of links ends."""

import pytest
from django.urls import reverse

from registration import delivery, links, mail, marks, newaddress
from registration.models import Event, OutgoingMail
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(now):
    return ParticipantFactory(name="Maria", email="maria@example.org")


def addresses_of(person, seat):
    return [
        reverse("registration:page", args=[links.page_token(person)]),
        reverse("registration:join", args=[links.join_token(seat)]),
        reverse("registration:calendar", args=[links.calendar_token(person)]),
    ]


def test_links_that_went_to_the_earlier_address_end_and_new_ones_go_to_the_new_one(client, maria, now):
    rut = ParticipantFactory(email="", account=maria.account)
    people = [(maria, RegistrationFactory(participant=maria)), (rut, RegistrationFactory(participant=rut))]
    before = [address for one in people for address in addresses_of(*one)]
    assert newaddress.change(maria.account, "baru@example.org", now=now)
    for row in (row for one in people for row in one):
        row.refresh_from_db()
    for address in before:
        assert client.get(address).status_code == 404
    for address in before[:2]:
        assert "This link has ended" in client.get(f"/en{address}").content.decode()
    assert [client.get(address).status_code for one in people for address in addresses_of(*one)[:2]] == [200] * 4
    rows = OutgoingMail.objects.order_by("kind").values_list("kind", "to")
    assert list(rows) == [("confirmation", "baru@example.org"), ("group", "baru@example.org")]


def test_an_organiser_who_corrects_it_renews_them_too(maria, now):
    organiser = UserFactory(organiser=True)
    assert newaddress.change(maria.account, "baru@example.org", now=now, actor=organiser)
    steps = Event.objects.order_by("pk").values_list("kind", "actor")
    assert list(steps) == [("corrected", organiser.pk), ("links_renewed", organiser.pk)]


def test_the_same_address_again_ends_nothing(maria, now):
    assert newaddress.change(maria.account, maria.email, now=now)
    maria.refresh_from_db()
    assert maria.link_version == 1
    assert not OutgoingMail.objects.exists()


def test_an_address_that_somebody_has_changes_nothing(maria, now):
    other = ParticipantFactory()
    assert not newaddress.change(maria.account, other.email, now=now)
    maria.refresh_from_db()
    assert (maria.email, maria.link_version) == ("maria@example.org", 1)


def test_a_confirmation_that_waits_brings_the_new_links_and_is_enough(maria, now):
    RegistrationFactory(participant=maria)
    mail.queue_confirmation(maria, moment=now)
    assert newaddress.change(maria.account, "baru@example.org", now=now)
    assert list(OutgoingMail.objects.values_list("to", "status")) == [("baru@example.org", "QUEUED")]


# ---- Mail that a worker has in hand


def in_hand(person, now):
    return OutgoingMailFactory(participant=person, sending=True, claimed_at=now)


def test_what_left_for_the_earlier_address_says_so(maria, now):
    row = in_hand(maria, now)
    newaddress.change(maria.account, "baru@example.org", now=now)
    marks.write(delivery.as_sent(row))  # as the worker knows it
    assert OutgoingMail.objects.filter(pk=row.pk).values_list("to", "status").get() == ("maria@example.org", "SENT")


def test_what_could_not_leave_is_tried_at_the_new_one(maria, now):
    row = in_hand(maria, now)
    newaddress.change(maria.account, "baru@example.org", now=now)
    delivery.try_later(row, "451 later", now=now)
    assert OutgoingMail.objects.filter(pk=row.pk).values_list("to", "status").get() == ("baru@example.org", "RETRY")


def test_a_mail_whose_facts_are_read_after_the_change_takes_no_new_links_to_the_earlier_address(maria, now):
    RegistrationFactory(participant=maria)
    row = in_hand(maria, now)
    newaddress.change(maria.account, "baru@example.org", now=now)
    assert delivery.render(OutgoingMail.objects.get(pk=row.pk), now=now)  # of the new address
    assert delivery.render(row.__class__(**known(row)), now=now) is None
    assert OutgoingMail.objects.filter(pk=row.pk).values_list("to", "status").get() == ("baru@example.org", "QUEUED")


def known(row):
    """What the worker's statement returned."""
    generated = {"reason"}
    return {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name not in generated
    }
