"""The mail engine with real workers: codes go before a mass of mail, and the database may go away under it."""

import time
from collections import Counter

import psycopg
import pytest
from django.utils import timezone

from registration import delivery, mail
from registration.models import OutgoingMail
from registration.models.mail import new_message_id
from tests.factories import OutgoingMailFactory
from tests.processes import database_url
from tests.servers import wait_until

pytestmark = pytest.mark.fault

Status = OutgoingMail.Status


def queue(count, **fields):
    rows = [
        OutgoingMail(
            kind="unknown_account",
            key=f"massa:{number}",
            to=f"orang{number}@example.org",
            language="id",
            message_id=new_message_id(),
            **fields,
        )
        for number in range(count)
    ]
    OutgoingMail.objects.bulk_create(rows, batch_size=2000)


def everything_is_sent():
    return not OutgoingMail.objects.exclude(status=Status.SENT).exists()


def test_a_code_leaves_within_five_seconds_while_twenty_thousand_mails_are_in_progress(worker, mailbox):
    """With one worker process, and a mail server that takes its time."""
    queue(20_000, priority=mail.Priority.BULK)
    mailbox.delay = 0.25
    worker.start()
    worker.tick("deliver_due_mail")
    mailbox.wait_for(delivery.FIRST_BATCH, 30)
    waits = []
    for number in range(4):
        begun = time.monotonic()
        mail.queue_code(f"kode{number}@example.org", "123456", language="id", now=timezone.now())
        wait_until(lambda to=f"kode{number}@example.org": mailbox.to(to), 20)
        waits.append(time.monotonic() - begun)
        time.sleep(0.7)
    assert max(waits) < 5, waits
    assert OutgoingMail.objects.filter(status=Status.SENDING).count() <= delivery.LARGEST_BATCH
    assert OutgoingMail.objects.filter(status=Status.QUEUED).count() > 19_000


def test_a_worker_whose_database_connection_is_cut_sends_nothing_twice(worker, mailbox):
    queue(60)
    cuts = []

    def cut(message):
        if len(mailbox.messages) in (7, 20, 33):
            with psycopg.connect(database_url(), autocommit=True) as database:
                others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mail worker'"
                cuts.extend(database.execute(others).fetchall())
        return "250 2.0.0 Accepted"

    mailbox.behave(cut)
    worker.start(environment={"PGAPPNAME": "mail worker"})
    worker.tick("deliver_due_mail")
    wait_until(lambda: len(mailbox.messages) >= 60 or not_in_progress(worker), 30)
    wait_until(everything_is_sent, 30)
    assert len(cuts) >= 3
    received = Counter(message["Message-ID"] for message in mailbox.messages)
    assert (len(received), max(received.values())) == (60, 1)


def not_in_progress(worker):
    """A task that ended by the cut goes on at the next tick."""
    worker.tick("deliver_due_mail")
    time.sleep(1)
    return False


def test_one_line_serves_task_after_task_of_a_worker_process(worker, mailbox):
    worker.start()
    for number in range(3):
        OutgoingMailFactory(kind="unknown_account", participant=None, to=f"orang{number}@example.org")
        worker.tick("deliver_due_mail")
        mailbox.wait_for(number + 1)
    assert mailbox.connections == 1
