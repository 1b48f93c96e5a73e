"""Doormen: each calls the rules of one topic, so that one that fails stops no other. They are safe to run twice and at the same time."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from conference import changes, publishing
from registration import (
    alerts,
    announcements,
    bouncebox,
    bounces,
    cancelled,
    changed,
    delivery,
    digests,
    files,
    heartbeat,
    invitations,
    mail,
    partners,
    reminders,
    retention,
    roleinvitations,
    sessions,
    signup,
    statistics,
    waitinglist,
    webhooks,
)
from registration.models import Heartbeat


@shared_task(ignore_result=True)
def deliver_mail_now() -> None:
    heartbeat.note(Heartbeat.Role.FAST, now=timezone.now())
    delivery.deliver_due(urgent_only=True)


@shared_task(ignore_result=True)
def deliver_due_mail() -> None:
    heartbeat.note(Heartbeat.Role.MAIL, now=timezone.now())
    now = delivery.database_now()
    if delivery.clock.is_steady(now):
        delivery.sweep(now=now)
    bounces.hold_back(now=now)
    delivery.deliver_due()


@shared_task(ignore_result=True)
def expire_holds() -> None:
    """On the queue of the codes, and called by beat alone: it tells that both live."""
    now = timezone.now()
    heartbeat.note(Heartbeat.Role.FAST, now=now)
    heartbeat.note(Heartbeat.Role.BEAT, now=now)
    signup.expire_holds(now=now)
    waitinglist.promote_everywhere(now=now)


@shared_task(ignore_result=True)
def mind_invitations() -> None:
    now = timezone.now()
    invitations.expire(now=now)
    invitations.remind(now=now)


@shared_task(ignore_result=True)
def tell_of_cancelled_webinars() -> None:
    cancelled.tell_everywhere(now=timezone.now())


@shared_task(ignore_result=True)
def forget_strangers() -> None:
    now = timezone.now()
    mail.forget_codes(now=now)
    bounces.forget_strangers(now=now)


@shared_task(ignore_result=True)
def send_announcements() -> None:
    announcements.tick(now=timezone.now())


@shared_task(ignore_result=True)
def record_changes() -> None:
    changes.record_everywhere(now=timezone.now())


@shared_task(ignore_result=True)
def publish_due() -> None:
    publishing.publish_due(now=timezone.now())


@shared_task(ignore_result=True)
def queue_reminders() -> None:
    """A change first: it makes reminders needless that it overtakes."""
    now = timezone.now()
    changed.look_everywhere(now=now)
    reminders.queue_due(now=now)


@shared_task(ignore_result=True)
def watch_mail() -> None:
    alerts.watch(now=timezone.now())


@shared_task(ignore_result=True)
def mind_files() -> None:
    files.mind(now=timezone.now())


@shared_task(ignore_result=True)
def count_figures() -> None:
    statistics.refresh(now=timezone.now())


@shared_task(ignore_result=True)
def make_files() -> None:
    """On a queue of its own: a list of many thousands never stands in the way of mail."""
    files.make_due()


@shared_task(ignore_result=True)
def deliver_webhooks() -> None:
    webhooks.deliver_due()


@shared_task(ignore_result=True)
def forget_webhooks() -> None:
    webhooks.forget(now=timezone.now())


@shared_task(ignore_result=True)
def write_digests() -> None:
    now = timezone.now()
    digests.write(now=now)
    partners.tell_of_lists(now=now)


@shared_task(ignore_result=True)
def clear_sessions() -> None:
    now = timezone.now()
    sessions.clear(now=now)
    roleinvitations.forget(now=now)


@shared_task(ignore_result=True)
def apply_retention() -> None:
    retention.apply_all(now=timezone.now())
    sessions.end_dead()


@shared_task(ignore_result=True)
def read_bounces() -> None:
    bouncebox.read_imap(settings.BOUNCE_IMAP_URL, now=timezone.now())
