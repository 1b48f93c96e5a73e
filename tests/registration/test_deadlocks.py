"""A rule that PostgreSQL ended because it waited for another is done once more."""

import threading

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from registration import deadlocks
from registration.models import Participant
from tests.factories import ParticipantFactory

pytestmark = pytest.mark.django_db(transaction=True)


def deadlock():
    error = OperationalError("deadlock detected")
    error.__cause__ = psycopg.errors.DeadlockDetected()
    return error


class Rule:
    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_rule_is_done_again_after_a_deadlock(failures):
    rule = Rule(*[deadlock() for _failure in range(failures)])
    assert deadlocks.done_again(rule)() == "done"
    assert rule.calls == failures + 1


def test_not_for_ever():
    rule = Rule(*[deadlock() for _failure in range(5)])
    with pytest.raises(OperationalError):
        deadlocks.done_again(rule)()
    assert rule.calls == 3


def test_another_error_is_not_tried_again():
    rule = Rule(OperationalError("the server has gone away"))
    with pytest.raises(OperationalError, match="gone away"):
        deadlocks.done_again(rule)()
    assert rule.calls == 1


def test_within_a_larger_transaction_it_fails_for_that_is_lost_as_a_whole():
    rule = Rule(deadlock())
    with pytest.raises(OperationalError), transaction.atomic():
        deadlocks.done_again(rule)()
    assert rule.calls == 1


def test_two_that_really_wait_for_each_other_both_get_done():
    rows = [ParticipantFactory().pk, ParticipantFactory().pk]
    both_hold_one = threading.Barrier(2)
    tries, failures = [], []

    @deadlocks.done_again
    def rename(order, name):
        tries.append(name)
        with transaction.atomic():
            for place, pk in enumerate(order):
                Participant.objects.filter(pk=pk).update(name=name)
                if place == 0 and tries.count(name) == 1:
                    both_hold_one.wait(10)

    def run(order, name):
        try:
            rename(order, name)
        except Exception as error:  # noqa: BLE001 -- looked at below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=args) for args in ((rows, "Ani"), (rows[::-1], "Ida"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert len(tries) == 3
    assert len(set(Participant.objects.filter(pk__in=rows).values_list("name", flat=True))) == 1
