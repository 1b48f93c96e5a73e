"""Announcements with several hands on them at once, and with a worker that is in the middle of them."""

from collections import Counter

import pytest
from django.utils import timezone

from registration import announcements, delivery, subscriptions
from registration.models import Announcement, OutgoingMail
from tests import factories
from tests.registration.test_races import AT_ONCE, at_once
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

Status = Announcement.Status


def to_people(number):
    webinar = factories.WebinarFactory()
    people = [factories.ParticipantFactory() for _person in range(number)]
    for person in people:
        factories.RegistrationFactory(webinar=webinar, participant=person)
    audience = {"about": "own_webinars", "webinars": [webinar.pk]}
    return factories.AnnouncementFactory(edition=webinar.edition, audience=audience), people


def status(row):
    return Announcement.objects.get(pk=row.pk).status


def test_many_send_it_at_once_and_one_does():
    row, people = to_people(20)
    results = at_once([lambda: announcements.send(row, now=timezone.now())] * AT_ONCE)
    assert Counter(results) == {20: 1, None: AT_ONCE - 1}
    assert Counter(OutgoingMail.objects.values_list("to", flat=True)) == {person.email: 1 for person in people}


def test_the_beat_and_a_hand_at_once():
    row, _people = to_people(10)
    announcements.schedule(row, send_at=timezone.now(), now=timezone.now())
    results = at_once(
        [
            *[lambda: announcements.tick(now=timezone.now())] * AT_ONCE,
            *[lambda: announcements.send(row, now=timezone.now())] * 2,
        ]
    )
    assert all(result in (None, 10) for result in results)
    assert OutgoingMail.objects.count() == 10
    assert status(row) == Status.SENDING


def test_stopped_and_let_go_by_many_hands_nobody_gets_two():
    row, people = to_people(20)
    announcements.send(row, now=timezone.now())
    steps = [announcements.stop, announcements.resume, announcements.send] * AT_ONCE
    results = at_once([lambda step=step: step(row, now=timezone.now()) for step in steps])
    assert not [result for result in results if isinstance(result, Exception)]
    announcements.resume(row, now=timezone.now())
    assert Counter(OutgoingMail.objects.values_list("to", "status")) == {(p.email, "QUEUED"): 1 for p in people}


def test_stopped_while_a_worker_claims_and_sends(mailbox):
    row, people = to_people(30)
    announcements.send(row, now=timezone.now())
    results = at_once(
        [
            delivery.deliver_due,  # a process has one line to the server
            lambda: announcements.stop(row, now=timezone.now()),
            *[lambda p=p: subscriptions.unsubscribe(p.account_id, now=timezone.now()) for p in people[:AT_ONCE]],
        ]
    )
    assert not [result for result in results if isinstance(result, Exception)]
    delivery.deliver_due()
    states = Counter(row.mails.values_list("status", flat=True))
    assert set(states) <= {"SENT", "CANCELLED"}
    assert states["SENT"] == len(mailbox.messages)
    announcements.resume(row, now=timezone.now())
    delivery.deliver_due()
    got = Counter(message["To"] for message in mailbox.messages)
    assert set(got.values()) == {1}
    assert {person.email for person in people[AT_ONCE:]} <= set(got)


@pytest.mark.fault
def test_a_real_worker_is_stopped_half_way_and_goes_on(worker, mailbox):
    row, people = to_people(200)
    mailbox.delay = 0.02  # some four seconds for all
    worker.start()
    announcements.send(row, now=timezone.now())
    worker.tick("deliver_due_mail")
    mailbox.wait_for(10)
    held_back = announcements.stop(row, now=timezone.now())
    wait_until(lambda: not row.mails.filter(status__in=["QUEUED", "SENDING"]).exists())
    sent = len(mailbox.messages)
    progress = announcements.progress(row)
    assert held_back
    assert (progress.sent, progress.held_back, progress.waiting) == (sent, 200 - sent, 0)
    worker.tick("deliver_due_mail")
    worker.tick("send_announcements")
    wait_until(lambda: worker.output().count("send_announcements") >= 2)
    assert (len(mailbox.messages), status(row)) == (sent, Status.STOPPED)

    mailbox.delay = 0
    announcements.resume(row, now=timezone.now())
    worker.tick("deliver_due_mail")
    wait_until(lambda: row.mails.filter(status="SENT").count() == 200)
    worker.tick("send_announcements")
    wait_until(lambda: status(row) == Status.SENT)
    assert Counter(message["To"] for message in mailbox.messages) == {person.email: 1 for person in people}
