"""One person with two entries: she is written to once, at the address that stays, whenever the two become one."""

from collections import Counter
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from registration import announcements, delivery, mergedmail, merging, reminders
from registration.models import OutgoingMail, Participant
from tests import factories
from tests.registration.test_races import AT_ONCE, at_once
from tests.servers import wait_until

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def kept(now):
    return factories.ParticipantFactory(name="Siti Aminah", email="siti@example.org")


@pytest.fixture
def other(now):
    return factories.ParticipantFactory(name="Siti Aminah", email="siti.lain@example.org")


def announced_to(*people, webinar=None):
    webinar = webinar or factories.WebinarFactory()
    for person in people:
        factories.RegistrationFactory(participant=person, webinar=webinar)
    audience = {"about": "own_webinars", "webinars": [webinar.pk]}
    row = factories.AnnouncementFactory(edition=webinar.edition, audience=audience)
    announcements.send(row, now=timezone.now())
    return row


def reminded_of(now, *people, **facts):
    webinar = factories.WebinarFactory(starts_at=now + HOUR / 2, ends_at=now + 3 * HOUR, reminder_minutes=[60], **facts)
    for person in people:
        factories.RegistrationFactory(participant=person, webinar=webinar, confirmed_at=now - HOUR)
    reminders.queue_due(now=now)
    return webinar


def status_of(rows):
    return Counter(rows.values_list("to", "status"))


def merge(kept, other):
    kept.refresh_from_db()
    assert merging.merge(kept, other, actor=None, now=timezone.now())


def got(mailbox):
    return Counter(message["To"] for message in mailbox.messages)


# ---- Announcements


def test_an_announcement_that_waits_for_both_goes_to_the_address_that_stays(kept, other, mailbox):
    row = announced_to(kept, other)
    merge(kept, other)
    assert status_of(row.mails) == {(kept.email, "QUEUED"): 1, (other.email, "CANCELLED"): 1}
    delivery.deliver_due()
    assert got(mailbox) == {kept.email: 1}


def test_what_waits_for_the_other_entry_alone_follows_her(kept, other, mailbox):
    row = announced_to(other)
    merge(kept, other)
    assert status_of(row.mails) == {(kept.email, "QUEUED"): 1}
    delivery.deliver_due()
    assert got(mailbox) == {kept.email: 1}


def test_what_one_has_the_other_does_not_get(kept, other, now):
    row = announced_to(kept, other)
    row.mails.filter(participant=other).update(status="SENT", sent_at=now)
    merge(kept, other)
    assert status_of(row.mails) == {(other.email, "SENT"): 1, (kept.email, "CANCELLED"): 1}


@pytest.mark.parametrize("state", ["FAILED", "BOUNCED", "CANCELLED"])
def test_what_never_reached_the_other_address_stands_in_for_nothing(state, kept, other, now, mailbox):
    webinar = reminded_of(now, kept, other)
    OutgoingMail.objects.filter(participant=other).update(status=state)
    merge(kept, other)
    delivery.deliver_due()
    assert webinar.registrations.count() == 1
    assert got(mailbox) == {kept.email: 1}


def test_merged_right_after_a_worker_took_it(kept, other, now, mailbox):
    """It reads the facts when the entry is gone: the mail is tried again, not dropped."""
    announced_to(other)
    batch = delivery.Batch(delivery.claim(now=now))
    merge(kept, other)
    batch.run()
    assert got(mailbox) == {}
    delivery.deliver_due()
    assert got(mailbox) == {kept.email: 1}


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(step)`: done each time that a merger waits for workers, which takes no time here."""
    steps = []
    monkeypatch.setattr(merging.time, "sleep", lambda _seconds: [step() for step in steps])
    return steps.append


def test_it_waits_for_workers_that_have_both_in_hand(kept, other, now, mailbox, meanwhile):
    row = announced_to(kept, other)
    batches = [delivery.Batch(delivery.claim(1, now=now)) for _worker in range(2)]
    meanwhile(lambda: batches.pop().run() if batches else None)
    merge(kept, other)
    # Both left while nobody knew that the two are one.
    assert got(mailbox) == {kept.email: 1, other.email: 1}
    assert Counter(row.mails.values_list("status", flat=True)) == {"SENT": 2}


@pytest.mark.parametrize("in_hand", [1, 2])
def test_what_a_worker_gives_back_is_sent_once(in_hand, kept, other, now, mailbox, meanwhile, time_machine):
    row = announced_to(kept, other)
    claimed = [delivery.claim(1, now=now) for _worker in range(in_hand)]
    meanwhile(lambda: [delivery.release(rows) for rows in claimed])
    merge(kept, other)
    assert status_of(row.mails) == {(kept.email, "QUEUED"): 1, (other.email, "CANCELLED"): 1}
    time_machine.move_to(now + timedelta(seconds=1))
    delivery.deliver_due()
    assert got(mailbox) == {kept.email: 1}


def test_one_has_left_and_the_other_comes_back_to_the_queue(kept, other, now, mailbox, meanwhile):
    """Whatever the order: the second is not sent then."""
    row = announced_to(kept, other)
    delivery.claim(now=now)
    hers = row.mails.filter(participant=kept)
    row.mails.filter(participant=other).update(status="SENT", sent_at=now)
    meanwhile(lambda: hers.update(status="RETRY", claimed_at=None))
    merge(kept, other)
    assert status_of(row.mails) == {(kept.email, "CANCELLED"): 1, (other.email, "SENT"): 1}


def test_a_worker_that_holds_on_to_it_keeps_the_two_apart(kept, other, now, meanwhile, signed_in_client):
    announced_to(kept, other)
    delivery.claim(now=now)
    with pytest.raises(mergedmail.InHand):
        merging.merge(kept, other, actor=None, now=now)
    address = reverse("admin:registration_participant_merge", args=[kept.pk], query={"other": other.pk})
    client = signed_in_client(factories.UserFactory(organiser=True), fresh=True)
    page = client.post(f"/en{address}", follow=True)
    assert "A mail to both is leaving at this moment." in page.text
    assert Participant.objects.count() == 2


def test_one_that_was_stopped_goes_on_to_nobody_twice(kept, other, now, mailbox):
    row = announced_to(other)
    webinar = other.registrations.get().webinar
    delivery.deliver_due()
    announcements.stop(row, now=now)
    merge(kept, other)
    assert kept.registrations.get().webinar == webinar
    announcements.resume(row, now=now)
    delivery.deliver_due()
    assert got(mailbox) == {other.email: 1}


def test_a_carers_people_keep_their_mail_when_her_entry_goes_into_another(kept, other, now, mailbox):
    """The account stays for them, and she gets one of her own."""
    child = factories.ParticipantFactory(name="Ana", email="", account=other.account)
    row = announced_to(other, child)
    webinar = reminded_of(now, other, child)
    merge(kept, other)
    delivery.deliver_due()
    assert got(mailbox) == {other.email: 2, kept.email: 2}
    assert all("Ana" in m.get_body(("plain",)).get_content() for m in mailbox.messages if m["To"] == other.email)
    assert not any("Ana" in m.get_body(("plain",)).get_content() for m in mailbox.messages if m["To"] == kept.email)
    assert row.mails.count() == 2
    assert webinar.registrations.count() == 2


def test_a_carers_other_people_keep_theirs_when_one_leaves_her_mailbox(kept, now, mailbox):
    carer = factories.UserFactory()
    leaving, staying = (factories.ParticipantFactory(name=name, email="", account=carer) for name in ("Siti", "Ana"))
    announced_to(leaving, staying)
    merge(kept, leaving)
    delivery.deliver_due()
    [message] = mailbox.messages
    assert message["To"] == carer.email
    assert "Ana" in message.get_body(("plain",)).get_content()


# ---- Reminders, changes and mail about her alone


def test_a_reminder_that_waits_for_both_is_one(kept, other, now, mailbox):
    reminded_of(now, kept, other)
    merge(kept, other)
    delivery.deliver_due()
    assert got(mailbox) == {kept.email: 1}


def test_a_reminder_of_the_other_entry_is_not_lost(kept, other, now, mailbox):
    reminded_of(now, other)
    merge(kept, other)
    delivery.deliver_due()
    assert got(mailbox) == {kept.email: 1}


def test_her_confirmation_follows_her_though_the_other_account_stays(kept, other, now, mailbox):
    other.account.is_staff = True  # so that it is not deleted
    other.account.save()
    seat = factories.RegistrationFactory(participant=other)
    factories.OutgoingMailFactory(participant=other)
    merge(kept, other)
    delivery.deliver_due()
    assert got(mailbox) == {kept.email: 1}
    assert seat.webinar.title in mailbox.messages[0].get_body(("plain",)).get_content()


# ---- Many at once


@pytest.mark.django_db(transaction=True)
def test_merged_while_it_is_sent_to_all_and_workers_are_at_it(mailbox):
    webinar = factories.WebinarFactory()
    pairs = [factories.ParticipantFactory.create_batch(2, name=f"Siti {n}") for n in range(AT_ONCE - 3)]
    for person in (one for pair in pairs for one in pair):
        factories.RegistrationFactory(participant=person, webinar=webinar)
    audience = {"about": "own_webinars", "webinars": [webinar.pk]}
    row = factories.AnnouncementFactory(edition=webinar.edition, audience=audience)
    results = at_once(
        [
            *[lambda: announcements.send(row, now=timezone.now())] * 3,
            *[lambda pair=pair: merging.merge(*pair, actor=None, now=timezone.now()) for pair in pairs],
        ]
    )
    assert not [result for result in results if isinstance(result, Exception)]
    delivery.deliver_due()
    assert Participant.objects.count() == len(pairs)
    assert got(mailbox) == {kept.email: 1 for kept, _other in pairs}


@pytest.mark.django_db(transaction=True)
def test_merged_while_a_worker_sends(worker, mailbox):
    """A process of its own: what it writes of a mail may wait for a merger's lock, and must not hold up its threads."""
    webinar = factories.WebinarFactory()
    pairs = [factories.ParticipantFactory.create_batch(2, name=f"Siti {n}") for n in range(AT_ONCE)]
    mailbox.delay = 0.02
    worker.start()
    row = announced_to(*(one for pair in pairs for one in pair), webinar=webinar)
    wait_until(lambda: mailbox.messages, 60)
    merged = {}

    def merge_both(kept, other):
        merging.merge(kept, other, actor=None, now=timezone.now())
        merged[kept.pk] = timezone.now()

    results = at_once([lambda pair=pair: merge_both(*pair) for pair in pairs])
    assert not [result for result in results if isinstance(result, Exception)]
    waiting = OutgoingMail.objects.filter(status__in=["QUEUED", "RETRY", "SENDING"])
    wait_until(lambda: not waiting.exists(), 60)
    sent = got(mailbox)
    assert set(sent.values()) == {1}
    for kept, other in pairs:
        left = row.mails.filter(to__in=[kept.email, other.email], status="SENT").values_list("sent_at", flat=True)
        assert sent[kept.email] + sent[other.email] == len(left) >= 1
        # To both only where both had left before the two became one.
        assert len(left) == 1 or max(left) <= merged[kept.pk]
    assert row.mails.exclude(status__in=["SENT", "CANCELLED"]).count() == 0
