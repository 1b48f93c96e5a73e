"""Changes of many mails at once take their rows in one order, however they lie in the table."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from registration import announcements, bounces, delivery, maillog
from registration.models import BouncedAddress, OutgoingMail
from tests.factories import AnnouncementFactory, OutgoingMailFactory
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

Status = OutgoingMail.Status
ADDRESS = "seseorang@example.org"


@pytest.fixture
def announcement():
    return AnnouncementFactory(status="sending")


def sweep(_announcement):
    OutgoingMail.objects.update(status=Status.SENDING, claimed_at=timezone.now() - delivery.LEASE)
    return partial(delivery.sweep, now=timezone.now() + timedelta(seconds=1))


def hold_back(_announcement):
    BouncedAddress.objects.create(email=ADDRESS, words="550 5.1.1", bounced_at=timezone.now())
    return partial(bounces.hold_back, now=timezone.now())


def stop(announcement):
    return partial(announcements.stop, announcement, now=timezone.now())


def cancel(_announcement):
    return partial(maillog.cancel, OutgoingMail.objects.all(), now=timezone.now())


def retry(_announcement):
    OutgoingMail.objects.update(status=Status.FAILED)
    return partial(maillog.retry, OutgoingMail.objects.all(), now=timezone.now())


@pytest.mark.parametrize("prepare", [sweep, hold_back, stop, cancel, retry])
def test_many_rows_are_taken_in_the_order_of_their_numbers(announcement, prepare):
    """The first row lies last. While the second is in other hands, the first is taken and the third is not."""
    rows = OutgoingMailFactory.create_batch(3, announcement=announcement, participant=None, to=ADDRESS)
    first, second, third = (row.pk for row in rows)
    change = prepare(announcement)
    OutgoingMail.objects.filter(pk=first).update(language="en")
    thread = threading.Thread(target=run, args=[change])
    with transaction.atomic():
        OutgoingMail.objects.select_for_update().get(pk=second)
        thread.start()
        wait_until(lambda: first not in free(), 5)
        assert third in free()
    thread.join(10)
    assert len(set(OutgoingMail.objects.values_list("status", "attempts", "deaths"))) == 1


def run(change):
    try:
        assert change() == 3
    finally:
        connection.close()


def free():
    """By a look that waits for nobody and keeps nothing."""
    rows = OutgoingMail.objects.select_for_update(skip_locked=True)
    with transaction.atomic():
        found = set(rows.values_list("pk", flat=True))
        transaction.set_rollback(True)
    return found
