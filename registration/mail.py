"""Outgoing mail: rows queued with the fact that caused them; `delivery` sends them."""

import hashlib
import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from registration import addresses
from registration.bell import Bell
from registration.models import OutgoingMail, Participant, Registration
from registration.models.mail import new_message_id

logger = logging.getLogger(__name__)

Kind = OutgoingMail.Kind
Priority = OutgoingMail.Priority
Status = OutgoingMail.Status

CODE_LIFE = timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT)


# ---- Queueing


def queue(
    kind: OutgoingMail.Kind,
    *,
    key: str,
    to: str,
    language: str,
    participant: Participant | None = None,
    registration: Registration | None = None,
    context: dict[str, Any] | None = None,
    priority: OutgoingMail.Priority = Priority.NORMAL,
    not_after: datetime | None = None,
) -> None:
    """Writes the row in the caller's transaction; the same key a second time is the same mail and changes nothing."""
    row = OutgoingMail(
        kind=kind,
        key=key,
        to=to,
        language=language,
        participant=participant,
        registration=registration,
        context=context or {},
        priority=priority,
        not_after=not_after,
    )
    queue_all([row])


def queue_all(rows: Sequence[OutgoingMail]) -> None:
    """Several rows as `queue` writes one."""
    for row in rows:
        row.message_id = new_message_id()
    OutgoingMail.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    for priority in {row.priority for row in rows}:
        transaction.on_commit(partial(wake, Priority(priority)), robust=True)


def queue_about(registration: Registration, kind: OutgoingMail.Kind, *, moment: datetime) -> None:
    """A mail about one transition of one registration; `moment` is the transition's time and makes it unique."""
    queue_about_all([registration], kind, moment=moment)


def queue_about_all(
    registrations: Iterable[Registration],
    kind: OutgoingMail.Kind,
    *,
    moment: datetime,
    not_after: datetime | None = None,
) -> None:
    """The same about the same transition of each of them."""
    queue_all(
        [
            OutgoingMail(
                kind=kind,
                key=f"{kind}:{registration.pk}:{moment.isoformat()}",
                to=registration.participant.address,
                language=registration.participant.language,
                participant=registration.participant,
                registration=registration,
                not_after=not_after,
            )
            for registration in registrations
        ]
    )


def queue_confirmation(participant: Participant, *, moment: datetime, moved_from: int | None = None) -> None:
    """One mail for all webinars that one sign-up changed; `moved_from` is the webinar that she has left for another."""
    queue_all([confirmation(participant, moment=moment, context={"moved_from": moved_from} if moved_from else {})])


def queue_confirmations(people: Iterable[Participant], *, moment: datetime) -> None:
    queue_all([confirmation(person, moment=moment, context={}) for person in people])


def confirmation(participant: Participant, *, moment: datetime, context: dict[str, Any]) -> OutgoingMail:
    return OutgoingMail(
        kind=Kind.CONFIRMATION,
        key=f"confirmation:{participant.pk}:{moment.isoformat()}",
        to=participant.address,
        language=participant.language,
        participant=participant,
        context=context,
    )


def queue_code(to: str, code: str, *, language: str, now: datetime) -> None:
    queue(
        Kind.CODE,
        key=f"code:{uuid.uuid4()}",
        to=to,
        language=language,
        context={"code": code},
        priority=Priority.URGENT,
        not_after=now + CODE_LIFE,
    )


def queue_unknown_account(to: str, *, language: str, now: datetime) -> None:
    """At most one an hour to an address that has no account."""
    name = hashlib.sha256(addresses.key(to).encode()).hexdigest()  # an address may be longer than a key
    key = f"unknown_account:{name}:{now:%Y-%m-%dT%H}"
    queue(Kind.UNKNOWN_ACCOUNT, key=key, to=to, language=language, priority=Priority.URGENT, not_after=now + CODE_LIFE)


def wake(priority: OutgoingMail.Priority) -> None:
    """Tells a worker that there is mail."""
    (FAST_BELL if priority == Priority.URGENT else BELL).ring()


def call(task: str, queue: str) -> None:
    """With the broker down the mail waits for the beat's next tick."""
    try:
        # Not taken for so long, it is of no use: workers are at it, or beat will call them.
        current_app.send_task(f"registration.tasks.{task}", queue=queue, expires=60)
    except (OperationalError, OSError) as error:
        logger.warning("No worker could be woken, mail waits in the database: %s", type(error).__name__)


FAST_BELL = Bell(partial(call, "deliver_mail_now", "fast"))
BELL = Bell(partial(call, "deliver_due_mail", "mail"))


# ---- Mending


def forget_codes(*, now: datetime) -> int:
    """Codes that can't be used any more leave the database, and addresses that have no account go whole."""
    late = OutgoingMail.objects.filter(not_after__lte=now)
    with transaction.atomic():
        strangers = late.filter(kind=Kind.UNKNOWN_ACCOUNT).order_by("pk").select_for_update()
        OutgoingMail.objects.filter(pk__in=list(strangers.values_list("pk", flat=True))).delete()
    return late.filter(kind=Kind.CODE).exclude(context={}).update_in_order(context={})
