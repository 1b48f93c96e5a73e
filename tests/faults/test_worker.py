"""Workers that are killed: whatever they had claimed leaves after the sweep, and only what was lost is sent twice."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from registration import delivery, mail
from registration.models import OutgoingMail
from tests.factories import OutgoingMailFactory, RegistrationFactory
from tests.servers import wait_until

pytestmark = pytest.mark.fault

Status = OutgoingMail.Status


def queue(count):
    for number in range(count):
        OutgoingMailFactory(kind="unknown_account", participant=None, to=f"orang{number}@example.org")


def let_the_lease_pass():
    """Ten minutes later, for the rows that a dead worker holds."""
    stuck = OutgoingMail.objects.filter(status=Status.SENDING)
    stuck.update(claimed_at=timezone.now() - delivery.LEASE - timedelta(seconds=1))


def everything_is_sent():
    return not OutgoingMail.objects.exclude(status=Status.SENT).exists()


def test_a_worker_sends_what_the_site_queued(worker, mailbox, django_capture_on_commit_callbacks):
    worker.start()
    registration = RegistrationFactory()
    mail.queue_confirmation(registration.participant, moment=timezone.now())
    [message] = mailbox.wait_for(1)
    row = OutgoingMail.objects.get()
    assert message["Message-ID"] == row.message_id
    assert message["To"] == registration.participant.email
    wait_until(everything_is_sent)


def test_a_kill_between_acceptance_and_commit_repeats_that_mail_with_its_message_id(worker, mailbox):
    queue(5)

    def accept_and_kill(message):
        if len(mailbox.messages) == 2:
            worker.kill()
        return "250 2.0.0 Accepted"

    mailbox.behave(accept_and_kill)
    worker.start()
    worker.tick("deliver_due_mail")
    mailbox.wait_for(3)
    mailbox.accept()
    assert OutgoingMail.objects.filter(status=Status.SENT).count() == 2
    let_the_lease_pass()
    worker.start()
    worker.tick("deliver_due_mail")
    wait_until(everything_is_sent)
    ids = [message["Message-ID"] for message in mailbox.messages]
    assert len(ids) == 6
    assert [message_id for message_id, times in Counter(ids).items() if times == 2] == [ids[2]]


def test_a_row_that_a_living_worker_holds_is_left_to_it(worker, mailbox):
    queue(3)
    mailbox.delay = 0.5
    worker.start(concurrency=2)
    for _time in range(4):
        worker.tick("deliver_due_mail")
    wait_until(everything_is_sent)
    assert len(mailbox.messages) == 3


def test_a_worker_that_is_asked_to_stop_finishes_its_mail(worker, mailbox):
    queue(1)
    mailbox.delay = 1
    worker.start()
    worker.tick("deliver_due_mail")
    mailbox.wait_for_attempts(1)
    worker.stop()
    assert everything_is_sent()


def test_two_workers_share_the_work(worker, mailbox, tmp_path):
    queue(120)
    mailbox.delay = 0.01
    worker.start(concurrency=2)
    for _time in range(2):
        worker.tick("deliver_due_mail")
    wait_until(everything_is_sent, 30)
    assert len(mailbox.messages) == 120
    assert mailbox.connections >= 2
