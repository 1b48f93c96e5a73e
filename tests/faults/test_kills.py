"""Workers killed with SIGKILL in the middle of a batch, at random: nothing is lost, and no kill doubles more than one mail."""

import threading
import time
from functools import partial

import pytest

from registration.models import OutgoingMail
from tests.servers import wait_until

pytestmark = pytest.mark.fault

KILLS = 20
# Of these the whole program dies, of the others the process in it that does the work.
PROGRAMS = 4
Status = OutgoingMail.Status


def test_a_worker_killed_twenty_times_at_random_loses_nothing(lone_workers, mailbox, dice, ledger):
    ledger.queue(500)
    mailbox.delay = 0.02
    for worker in lone_workers:
        worker.prepare()
    whole = set(dice.sample(range(KILLS), PROGRAMS))
    in_mid_batch = 0
    for number in range(KILLS):
        # In turns, so that one works while the others recover.
        worker = lone_workers[number % len(lone_workers)]
        worker.wait()
        strike = worker.kill if number in whole else partial(worker.kill_child, worker.find_child())
        worker.tick("deliver_due_mail")
        mailbox.wait_for(len(mailbox.messages) + 1)
        kill_at_random(strike, mailbox, dice)
        ledger.kills += 1
        in_mid_batch += OutgoingMail.objects.filter(status=Status.SENDING).exists()
        if number in whole:
            worker.prepare()
        mailbox.wait_for_silence(0.1)
        ledger.let_the_lease_pass()
    ledger.count(f"{in_mid_batch} of {KILLS} kills in the middle of a batch, {PROGRAMS} of them of the whole program")
    # What a dead worker held is a batch for each mail: some kills come between two.
    assert in_mid_batch >= KILLS * 0.6
    assert ledger.open_ones().count() > 50, "the kills came too late"
    mailbox.delay = 0
    ledger.let_the_lease_pass()
    worker.wait()
    worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    ledger.check()


def kill_at_random(strike, mailbox, dice):
    """Half of them at any moment, half when the server has taken a mail and has not said so yet."""
    if dice.random() < 0.5:
        time.sleep(dice.uniform(0, 0.2))
        strike()
        return
    dead = threading.Event()
    target = len(mailbox.messages) + dice.randint(1, 6)

    def accept_and_strike(message):
        if len(mailbox.messages) >= target and not dead.is_set():
            strike()
            dead.set()
        return "250 2.0.0 Accepted"

    mailbox.behave(accept_and_strike)
    assert dead.wait(10)
    mailbox.accept()
    wait_until(lambda: len(mailbox.messages) > target)
