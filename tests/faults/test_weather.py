"""A worker and a mail server in all its moods. Waits of hours are shortened by moving the rows' own times."""

import pytest
from django.utils import timezone

from registration import maillog
from registration.models import OutgoingMail
from tests.processes import HASTY
from tests.servers import wait_until

pytestmark = pytest.mark.fault

Status = OutgoingMail.Status
OK = "250 2.0.0 Accepted"


def every_tenth(answer):
    """Ten are taken, then one is answered otherwise."""
    number = iter(range(1, 1_000_000))
    return lambda message: answer if next(number) % 10 == 0 else OK


MOODS = {
    "nobody listens": lambda server, dice: server.stop(),
    "tempfails": lambda server, dice: server.tempfail(),
    "says nothing": lambda server, dice: server.hang(3),
    "hangs up after the text": lambda server, dice: server.drop(),
    "421 after every tenth, at its end": lambda server, dice: server.behave(every_tenth("421 4.7.0 Too many")),
    "hangs up after every tenth": lambda server, dice: server.behave(every_tenth(None)),
    "anything": lambda server, dice: server.behave(
        lambda message: dice.choice([OK, OK, OK, "451 4.3.0 Try later", "421 4.3.2 Closing", None])
    ),
}


def tick(worker, ledger):
    """The waits are over; the worker tries until it has to wait again."""
    ledger.let_waits_pass()
    worker.tick("deliver_due_mail")
    rows = OutgoingMail.objects
    wait_until(
        lambda: (
            not rows.filter(status=Status.SENDING).exists()
            and (rows.exclude(error="").filter(status=Status.RETRY).exists() or not ledger.open_ones().exists())
        )
    )


def test_a_mail_server_in_all_moods_gets_each_mail_once(worker, mailbox, dice, ledger):
    worker.start(environment=HASTY)
    for number, (mood, begin) in enumerate(MOODS.items(), start=1):
        ledger.queue(25)
        begin(mailbox, dice)
        before = len(mailbox.messages)
        tick(worker, ledger)
        waiting = ledger.open_ones().count()
        ledger.count(f"{mood}: {len(mailbox.messages) - before} accepted, {waiting} wait")
        assert len(mailbox.messages) + waiting == 25 * number, mood
        if mailbox.controller is None:
            mailbox.start()
    mailbox.accept()
    ledger.let_waits_pass()
    worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    ledger.check()


def test_a_server_that_closes_each_line_after_ten_mails_costs_no_mail_its_turn(worker, mailbox, ledger):
    ledger.queue(45)
    mailbox.close_lines_after(10)
    worker.start()
    worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    assert mailbox.connections == 5
    assert set(OutgoingMail.objects.values_list("attempts", flat=True)) == {1}
    ledger.check()


def test_what_a_server_refuses_waits_for_an_organiser_and_stops_nobody_else(worker, mailbox, ledger):
    ledger.queue(20)
    rows = list(OutgoingMail.objects.order_by("pk"))
    mailbox.refuse_person(rows[3].to, "550 5.7.1 Not from you today")
    mailbox.refuse_person(rows[9].to, "552 5.2.2 Her mailbox is full")
    mailbox.refuse_person(rows[15].to, "550 5.1.1 Who is that?")
    worker.start()
    worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    ledger.check(never=3)
    refused = OutgoingMail.objects.exclude(status=Status.SENT).order_by("pk")
    assert list(refused.values_list("status", "error")) == [
        (Status.FAILED, "550 5.7.1 Not from you today"),
        (Status.FAILED, "552 5.2.2 Her mailbox is full"),
        (Status.BOUNCED, "550 5.1.1 Who is that?"),
    ]
    mailbox.refused_people.clear()
    assert maillog.retry(OutgoingMail.objects.filter(status=Status.FAILED), now=timezone.now()) == 2
    worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    ledger.check(never=1)


def test_a_mail_that_the_server_keeps_without_a_word_comes_again_as_the_same(worker, mailbox, ledger):
    """Nobody can know that it was kept: mail programs tell by the Message-ID that both are one."""
    ledger.queue(3)

    def keep_silently(message):
        mailbox.messages.append(message)
        mailbox.accept()

    mailbox.behave(keep_silently)
    worker.start()
    worker.tick("deliver_due_mail")
    wait_until(lambda: len(mailbox.messages) == 3)
    wait_until(lambda: ledger.open_ones().count() == 1)
    ledger.let_waits_pass()
    worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    ledger.check(unheard=1)
    assert len(mailbox.messages) == 4
