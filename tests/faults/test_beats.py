"""Two beats at once, and clocks that were wrong: nothing is sent twice, and nothing waits for a time that was a mistake."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registration import delivery
from registration.models import OutgoingMail, Reminder
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory
from tests.servers import wait_until

pytestmark = pytest.mark.fault

Status = OutgoingMail.Status
HOUR = timedelta(hours=1)


def test_two_beats_at_once_double_nothing(workers, beats, mailbox, ledger):
    """Five minutes of two beats, in five seconds, with two workers to take their ticks."""
    soon = WebinarFactory(starts_at=timezone.now() + timedelta(minutes=40), reminder_minutes=[1440, 60, 10])
    for participant in ParticipantFactory.create_batch(30):
        confirmed_at = timezone.now() - timedelta(days=2)
        RegistrationFactory(participant=participant, webinar=soon, confirmed_at=confirmed_at)
    staff = UserFactory.create_batch(2, organiser=True)
    OutgoingMailFactory(failed=True, claimed_at=timezone.now(), participant=None, kind="withdrawal", key="lost")
    ledger.queue(120)
    mailbox.delay = 0.02
    for program in (*workers, *beats):
        program.prepare()
    for program in (*workers, *beats):
        program.wait()
    wait_until(lambda: min(beat.ticks for beat in beats) >= 15, 40)
    for beat in beats:
        beat.stop()
    ledger.wait_for_the_end()
    kinds = OutgoingMail.objects.filter(status=Status.SENT).values_list("kind", flat=True)
    assert {kind: list(kinds).count(kind) for kind in set(kinds)} == {
        "confirmation": 120,
        "reminder": 30,
        "alert": len(staff),
    }
    assert list(Reminder.objects.order_by("-minutes").values_list("minutes", "is_late")) == [(1440, True), (60, False)]
    ledger.count(f"{sum(beat.ticks for beat in beats)} ticks of two beats")
    ledger.check(never=1)
    assert max(OutgoingMail.objects.values_list("attempts", flat=True)) == 1


def test_a_tick_finds_what_a_clock_that_was_ahead_has_put_off(worker, mailbox, ledger):
    """For an hour by the clock of some machine it was an hour later than it is."""
    ledger.queue(40)
    later = timezone.now() + HOUR
    rows = list(OutgoingMail.objects.order_by("pk").values_list("pk", flat=True))
    of = OutgoingMail.objects.filter
    of(pk__in=rows[:10]).update(created_at=later, not_before=later)  # signed up then
    of(pk__in=rows[10:20]).update(status=Status.SENDING, claimed_at=later)  # in the hands of a worker that died then
    of(pk__in=rows[20:30]).update(  # put off then
        status=Status.RETRY, attempts=1, claimed_at=later, not_before=later + delivery.WAITS[0], error="451 Later"
    )
    of(pk__in=rows[30:]).update(status=Status.SENDING, claimed_at=timezone.now() - HOUR)  # behind, and it died
    worker.start()
    worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    ledger.check()
    assert not OutgoingMail.objects.filter(claimed_at__gt=timezone.now()).exists()


def test_mails_sent_by_a_clock_that_was_ahead_do_not_use_up_the_limits_for_an_hour(worker, mailbox, ledger):
    ledger.queue(5)
    later = timezone.now() + HOUR
    OutgoingMailFactory.create_batch(10, sent=True, claimed_at=later, participant=None, kind="unknown_account")
    worker.start(environment={"MAIL_PER_MINUTE": "10"})
    worker.tick("deliver_due_mail")
    wait_until(lambda: not ledger.open_ones().exists())
    assert len(mailbox.messages) == 5


def test_what_is_to_come_is_not_sent_early(worker, mailbox, ledger):
    """Bait: a time ahead is no mistake by itself, and what a living worker holds is its own."""
    ledger.queue(4)
    rows = list(OutgoingMail.objects.order_by("pk"))
    now = timezone.now()
    of = OutgoingMail.objects.filter
    of(pk=rows[0].pk).update(not_before=now + HOUR)
    of(pk=rows[1].pk).update(status=Status.RETRY, attempts=1, claimed_at=now, not_before=now + HOUR)
    of(pk=rows[2].pk).update(status=Status.SENDING, claimed_at=now + timedelta(seconds=30))
    worker.start()
    worker.tick("deliver_due_mail")
    wait_until(lambda: of(pk=rows[3].pk, status=Status.SENT).exists())
    assert [message["Message-ID"] for message in mailbox.messages] == [rows[3].message_id]
    assert of(pk=rows[2].pk, status=Status.SENDING).exists()
