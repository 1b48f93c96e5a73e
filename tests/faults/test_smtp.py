"""A mail server that refuses, puts off, says nothing, hangs up or is gone: the state and the words that remain."""

import pytest
from django.utils import timezone

from registration import delivery
from registration.models import OutgoingMail
from tests.factories import OutgoingMailFactory, RegistrationFactory

pytestmark = [pytest.mark.fault, pytest.mark.django_db]

Status = OutgoingMail.Status


@pytest.fixture
def letter():
    person = RegistrationFactory().participant
    return OutgoingMailFactory(participant=person)


def try_once(letter):
    delivery.deliver_due()
    letter.refresh_from_db()
    return letter


def make_due(letter):
    OutgoingMail.objects.filter(pk=letter.pk).update(not_before=timezone.now())


def test_a_refusal_is_final_and_keeps_the_servers_words(letter, mailbox):
    mailbox.refuse("552 5.3.4 Message too big for us")
    try_once(letter)
    assert (letter.status, letter.error) == (Status.FAILED, "552 5.3.4 Message too big for us")
    mailbox.accept()
    assert delivery.deliver_due() == 0


def test_a_person_who_does_not_exist_there_does_not_stop_the_others(mailbox):
    letters = [OutgoingMailFactory(participant=RegistrationFactory().participant) for _ in range(3)]
    mailbox.refuse_person(letters[1].to, "550 5.1.1 Who is that?")
    assert delivery.deliver_due() == 2
    states = list(OutgoingMail.objects.order_by("pk").values_list("status", flat=True))
    assert states == [Status.SENT, Status.BOUNCED, Status.SENT]
    letters[1].refresh_from_db()
    assert letters[1].error == "550 5.1.1 Who is that?"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda server: server.tempfail("451 4.7.1 Greylisted, come back"), "451 4.7.1 Greylisted, come back"),
        (lambda server: server.drop(), "Connection unexpectedly closed"),
        (lambda server: server.hang(), "timed out"),
        (lambda server: server.stop(), "Connection refused"),
    ],
    ids=["puts off", "hangs up", "says nothing", "is gone"],
)
def test_any_other_trouble_is_tried_again_with_the_same_message_id(letter, mailbox, settings, fault, words):
    settings.EMAIL_TIMEOUT = 1
    fault(mailbox)
    try_once(letter)
    assert letter.status == Status.RETRY
    assert words in letter.error
    assert letter.not_before > timezone.now(), "not at once: the server needs time"
    if mailbox.controller is None:
        mailbox.start()
    mailbox.accept()
    make_due(letter)
    try_once(letter)
    assert (letter.status, letter.error) == (Status.SENT, "")
    assert [message["Message-ID"] for message in mailbox.messages] == [letter.message_id]


def test_growing_waits_and_at_last_an_end(letter, mailbox):
    mailbox.tempfail("451 4.3.2 Later")
    waits = []
    for _attempt in range(len(delivery.WAITS) + 1):
        make_due(letter)
        begun = timezone.now()
        try_once(letter)
        waits.append(round((letter.not_before - begun).total_seconds()))
    assert (letter.status, letter.error) == (Status.FAILED, "451 4.3.2 Later")
    assert waits[:-1] == sorted(waits[:-1])


def test_a_server_that_is_gone_costs_two_attempts_not_a_batch(mailbox):
    letters = [OutgoingMailFactory(participant=RegistrationFactory().participant) for _ in range(10)]
    mailbox.stop()
    assert delivery.deliver_due() == 0
    tried = OutgoingMail.objects.filter(status=Status.RETRY, attempts=1).count()
    left = OutgoingMail.objects.filter(status=Status.QUEUED, attempts=0).count()
    assert (tried, left) == (2, 8)
    mailbox.start()
    OutgoingMail.objects.update(not_before=timezone.now())
    assert delivery.deliver_due() == len(letters)
