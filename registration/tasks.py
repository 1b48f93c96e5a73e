"""Doormen: each calls one rule. They are safe to run twice and at the same time."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from conference import changes
from registration import mail, signup, waitinglist


@shared_task(ignore_result=True)
def deliver_mail_now() -> None:
    mail.deliver_due(urgent_only=True)


@shared_task(ignore_result=True)
def deliver_due_mail() -> None:
    mail.sweep(now=timezone.now())
    mail.deliver_due()


@shared_task(ignore_result=True)
def expire_holds() -> None:
    now = timezone.now()
    signup.expire_holds(now=now)
    waitinglist.promote_everywhere(now=now)
    mail.forget_codes(now=now)


@shared_task(ignore_result=True)
def record_changes() -> None:
    changes.record_everywhere(now=timezone.now())


@shared_task(ignore_result=True)
def clear_sessions() -> None:
    SessionStore.clear_expired()
