"""A mail that kills whoever writes it: it is found, given up and told of, and takes nobody with it."""

import pytest

from registration import alerts, delivery
from registration.models import OutgoingMail
from tests.factories import OutgoingMailFactory, UserFactory
from tests.faults.deadly import DEADLY
from tests.servers import wait_until

pytestmark = pytest.mark.fault

Status = OutgoingMail.Status


def test_a_mail_that_kills_its_workers_is_given_up_and_all_others_leave(worker, mailbox, ledger):
    deadly = OutgoingMailFactory(to=DEADLY)
    ledger.queue(30)
    worker.start(environment={"DJANGO_SETTINGS_MODULE": "tests.faults.deadly"})
    for number in range(delivery.DEATHS):
        worker.tick("deliver_due_mail")
        ledger.kills += 1
        wait_until(lambda number=number: has_died(deadly, number + 1, worker), 20)
        ledger.let_the_lease_pass()
    worker.tick("deliver_due_mail")
    wait_until(lambda: not ledger.open_ones().exists(), 30, ledger.what_is_open)
    deadly.refresh_from_db()
    assert (deadly.status, deadly.error) == (Status.FAILED, delivery.DEADLY)
    assert (deadly.attempts, deadly.deaths) == (delivery.DEATHS, delivery.DEATHS - 1)
    ledger.check(never=1)
    UserFactory(organiser=True)
    assert alerts.watch(now=delivery.database_now()) == 1


def has_died(row, times, worker):
    row.refresh_from_db()
    died = worker.output().count("signal 9 (SIGKILL)")
    return (row.status, row.attempts) == (Status.SENDING, times) and died >= times
