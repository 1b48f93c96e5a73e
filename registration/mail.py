"""Outgoing mail: rows queued with the fact that caused them, claimed by workers, sent one by one.

The row is the truth. A task only wakes a worker; `sweep` and the beat's tick find what a dead worker or broker left.
"""

import contextlib
import hashlib
import logging
import smtplib
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection as database
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError

from registration import letters
from registration.models import OutgoingMail, Participant, Registration
from registration.models.mail import new_message_id

logger = logging.getLogger(__name__)

Kind = OutgoingMail.Kind
Priority = OutgoingMail.Priority
Status = OutgoingMail.Status

BATCH = 50
# A batch is given back when half of the lease is over, and a row still SENDING after it belongs to a dead worker.
LEASE = timedelta(minutes=10)
# One task's run; the next tick goes on. Far below the broker's visibility timeout of an hour.
RUN = timedelta(minutes=4)
WAITS = [timedelta(seconds=seconds) for seconds in (15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 3600, 7200, 7200)]
UNREACHABLE = (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPHeloError)
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
        message_id=new_message_id(),
    )
    OutgoingMail.objects.bulk_create([row], ignore_conflicts=True)
    transaction.on_commit(lambda: wake(priority), robust=True)


def queue_about(registration: Registration, kind: OutgoingMail.Kind, *, moment: datetime) -> None:
    """A mail about one transition of one registration; `moment` is the transition's time and makes it unique."""
    person = registration.participant
    queue(
        kind,
        key=f"{kind}:{registration.pk}:{moment.isoformat()}",
        to=person.address,
        language=person.language,
        participant=person,
        registration=registration,
    )


def queue_confirmation(participant: Participant, *, moment: datetime) -> None:
    """One mail for all webinars that one sign-up changed."""
    queue(
        Kind.CONFIRMATION,
        key=f"confirmation:{participant.pk}:{moment.isoformat()}",
        to=participant.address,
        language=participant.language,
        participant=participant,
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
    name = hashlib.sha256(to.encode()).hexdigest()  # an address may be longer than a key
    key = f"unknown_account:{name}:{now:%Y-%m-%dT%H}"
    queue(Kind.UNKNOWN_ACCOUNT, key=key, to=to, language=language, priority=Priority.URGENT, not_after=now + CODE_LIFE)


def wake(priority: OutgoingMail.Priority) -> None:
    """Tells a worker that there is mail. With the broker down the mail waits for the beat's next tick."""
    name = "deliver_mail_now" if priority == Priority.URGENT else "deliver_due_mail"
    try:
        current_app.send_task(f"registration.tasks.{name}", queue="fast" if priority == Priority.URGENT else "mail")
    except (OperationalError, OSError) as error:
        logger.warning("No worker could be woken, mail waits in the database: %s", type(error).__name__)


# ---- Sending


def deliver_due(*, urgent_only: bool = False) -> int:
    """Claims and sends what is due, the most urgent first, over one connection; how many were sent."""
    ends, sent = time.monotonic() + RUN.total_seconds(), 0
    connection = get_connection()
    try:
        while time.monotonic() < ends and (batch := claim(now=timezone.now(), urgent_only=urgent_only)):
            done, is_reachable = deliver_batch(batch, connection)
            sent += done
            if not is_reachable:
                break
    finally:
        hang_up(connection)
    return sent


def claim(*, now: datetime, urgent_only: bool = False) -> list[OutgoingMail]:
    """Up to a batch of due rows, marked SENDING and committed, that no other worker gets."""
    with transaction.atomic():
        due = OutgoingMail.objects.due(now)
        if urgent_only:
            due = due.filter(priority=Priority.URGENT)
        pks = list(
            due.select_for_update(skip_locked=True).values_list("pk", flat=True)[
                : allowance(now, urgent_only=urgent_only)
            ]
        )
        rows = OutgoingMail.objects.filter(pk__in=pks)
        rows.update(status=Status.SENDING, claimed_at=now, attempts=F("attempts") + 1)
    about = rows.select_related("participant__account", "registration__webinar", "registration__participant__account")
    return list(about.order_by("priority", "not_before", "pk"))


def allowance(now: datetime, *, urgent_only: bool) -> int:
    """How many may be claimed now: a batch, or what MAIL_PER_MINUTE leaves of one across all workers.

    A fifth of the minute is kept for codes.
    """
    if not settings.MAIL_PER_MINUTE:
        return BATCH
    with database.cursor() as cursor:
        # Held until the claim commits, so that two workers never spend the same allowance.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('kpt.mail.allowance'))")
    claimed = OutgoingMail.objects.filter(claimed_at__gt=now - timedelta(minutes=1)).count()
    kept = 0 if urgent_only else settings.MAIL_PER_MINUTE // 5
    return max(min(BATCH, settings.MAIL_PER_MINUTE - kept - claimed), 0)


def deliver_batch(batch: Sequence[OutgoingMail], connection: BaseEmailBackend) -> tuple[int, bool]:
    """How many were sent, and whether the server can be reached. What was not tried goes back to the queue."""
    give_back_at = time.monotonic() + LEASE.total_seconds() / 2
    sent, failures = 0, 0
    for position, mail in enumerate(batch):
        if failures == 2 or time.monotonic() > give_back_at:
            release(batch[position:])
            break
        try:
            sent += deliver(mail, connection, now=timezone.now())
            failures = 0
        except OSError as error:  # SMTP's errors are OSErrors too; here the line itself is bad
            try_later(mail, f"{type(error).__name__}: {error}", now=timezone.now())
            hang_up(connection)
            failures += 1
    return sent, failures < 2


def deliver(mail: OutgoingMail, connection: BaseEmailBackend, *, now: datetime) -> bool:
    """Renders and sends one claimed mail; False when it was refused, put off or is of no use any more.

    Raises OSError when the server can't be reached or doesn't let us in.
    """
    if mail.not_after and now > mail.not_after:
        return finish(mail, Status.CANCELLED, error="Too late to be of use.")
    try:
        message = letters.compose(mail, now=now)
    except letters.Obsolete as reason:
        return finish(mail, Status.CANCELLED, error=str(reason))
    except Exception as error:  # a broken template or row must not stop the mails behind it
        logger.exception("Mail %s can't be rendered", mail.pk)
        return finish(mail, Status.FAILED, error=f"{type(error).__name__}: {error}")
    # Not by send_messages, which would open a line for each mail. Whatever goes wrong here (no encryption, no sign-in)
    # is the line's fault: nothing may be sent over it.
    connection.open()
    try:
        connection.send_messages([message])
    except UNREACHABLE:
        raise
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
        return refused(mail, error, connection, now=now)
    except ValueError as error:  # an address that no mail program can write must not stop the mails behind it
        return finish(mail, Status.FAILED, error=f"The address can't be written to: {error}")
    mark_sent(mail)
    return True


def refused(
    mail: OutgoingMail,
    error: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException,
    connection: BaseEmailBackend,
    *,
    now: datetime,
) -> bool:
    """5xx is final with the server's words kept, unless it is about our sender: then nothing is given up."""
    words: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
    else:
        code, words = error.smtp_code, error.smtp_error
    said = f"{code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"
    if code == 421:  # the server is closing the line
        hang_up(connection)
    if code >= 500 and not isinstance(error, smtplib.SMTPSenderRefused):
        return finish(mail, Status.FAILED, error=said)
    return try_later(mail, said, now=now)


def try_later(mail: OutgoingMail, error: str, *, now: datetime) -> bool:
    if mail.attempts > len(WAITS):
        return finish(mail, Status.FAILED, error=error)
    mail.status, mail.error = Status.RETRY, error
    mail.not_before = now + WAITS[mail.attempts - 1]
    mail.save(update_fields=["status", "error", "not_before"])
    return False


def finish(mail: OutgoingMail, status: OutgoingMail.Status, *, error: str) -> bool:
    mail.status, mail.error, mail.context = status, error, {}
    mail.save(update_fields=["status", "error", "context"])
    return False


def mark_sent(mail: OutgoingMail) -> None:
    mail.status, mail.sent_at, mail.error = Status.SENT, timezone.now(), ""
    if mail.kind == Kind.CODE:
        # Whoever reads the log must not be able to sign in as somebody else.
        mail.subject = mail.text = mail.html = ""
    mail.save(update_fields=["status", "sent_at", "error", "subject", "text", "html"])


def release(mails: Sequence[OutgoingMail]) -> None:
    rows = OutgoingMail.objects.filter(pk__in=[mail.pk for mail in mails], status=Status.SENDING)
    rows.update(status=Status.QUEUED, attempts=F("attempts") - 1)


def hang_up(connection: BaseEmailBackend) -> None:
    with contextlib.suppress(OSError):
        connection.close()
    connection.connection = None  # type: ignore[attr-defined]  # a broken line is not closed by close()


# ---- Mending


def sweep(*, now: datetime) -> int:
    """Puts back what a dead worker left in SENDING; it keeps its Message-ID. How many."""
    return OutgoingMail.objects.stuck_since(now - LEASE).update(status=Status.QUEUED)


def forget_codes(*, now: datetime) -> int:
    """Codes that can't be used any more leave the database, and addresses that have no account go whole."""
    late = OutgoingMail.objects.filter(not_after__lte=now)
    late.filter(kind=Kind.UNKNOWN_ACCOUNT).delete()
    return late.filter(kind=Kind.CODE).exclude(context={}).update(context={})


def retry(mails: Sequence[OutgoingMail], *, now: datetime) -> int:
    """An organiser's hand: failed mails are queued again, from the first wait on; a code would come too late."""
    failed = OutgoingMail.objects.filter(status__in=[Status.FAILED, Status.BOUNCED]).exclude(kind=Kind.CODE)
    rows = failed.filter(pk__in=[mail.pk for mail in mails])
    count = rows.update(status=Status.QUEUED, attempts=0, not_before=now, error="")
    transaction.on_commit(lambda: wake(Priority.NORMAL), robust=True)
    return count


def cancel(mails: Sequence[OutgoingMail]) -> int:
    """An organiser's hand: mails that are not on their way yet are not sent."""
    rows = OutgoingMail.objects.filter(pk__in=[mail.pk for mail in mails], status__in=[Status.QUEUED, Status.RETRY])
    return rows.update(status=Status.CANCELLED, context={})
