"""Mail in trouble: staff are told by mail, at most once an hour, and the log says it for whoever watches that.

What is trouble: a mail that was given up, several codes that were, mail that should be out and waits, or a queue in which
nothing moves, or a text of the organisers that can't be used. A single code that fails is somebody's slip in her address.
"""

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import connection, models, transaction
from django.db.models import Case, Count, Min, Q, When

from registration import mail, mailtexts, pace
from registration.models import OutgoingMail, User

logger = logging.getLogger(__name__)

Kind, Priority, Status = OutgoingMail.Kind, OutgoingMail.Priority, OutgoingMail.Status

PAUSE = timedelta(hours=1)
WAIT = timedelta(minutes=15)
FAILED_CODES = 5
# So many that wait for another try while nothing is sent: not one far server, but ours.
STANDING = 3


@dataclass(frozen=True)
class Trouble:
    failed: int
    codes: int
    waiting: int
    minutes: int  # how long the first of these waits
    is_still: bool  # nothing was sent meanwhile
    texts: int = 0  # for which the shipped ones go out

    def __bool__(self) -> bool:
        return bool(self.failed or self.codes >= FAILED_CODES or self.waiting or self.texts)


def watch(*, now: datetime) -> int:
    """How many are told."""
    if not (found := trouble(now=now)):
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('kpt.mail.alert'))")  # two beats at once
        if OutgoingMail.objects.filter(key__startswith="alert:", created_at__gt=now - PAUSE).exists():
            return 0
        rows = [letter(user, found, now=now) for user in recipients()]
        mail.queue_all(rows)
        transaction.on_commit(partial(logger.error, "Mail is in trouble: %s", asdict(found)))
    return len(rows)


def trouble(*, now: datetime) -> Trouble:
    lost = OutgoingMail.objects.filter(claimed_at__gt=now - PAUSE, status=Status.FAILED).exclude(kind=Kind.ALERT)
    codes = Q(kind__in=[Kind.CODE, Kind.UNKNOWN_ACCOUNT])
    late, is_still = waiting(now=now)
    count, since = late
    minutes = int((now - since).total_seconds() // 60) if since else 0
    texts = sum(row.broken_at is not None and row.broken_at > now - PAUSE for row in mailtexts.broken_ones())
    return Trouble(lost.exclude(codes).count(), lost.filter(codes).count(), count, minutes, is_still, texts)


def waiting(*, now: datetime) -> tuple[tuple[int, datetime | None], bool]:
    """Mail to many may wait for its turn as long as the queue moves."""
    moves = OutgoingMail.objects.filter(claimed_at__gt=now - WAIT, status=Status.SENT).exists()
    queued = Q(status=Status.QUEUED, not_before__lte=now - WAIT)
    rows = OutgoingMail.objects.exclude(kind=Kind.ALERT).filter(status__in=[Status.QUEUED, Status.RETRY])
    if moves:
        return number_and_first(rows.filter(queued, priority__lt=Priority.BULK)), False
    if pace.is_spent(Priority.BULK, now=now):  # it waits for the provider's next day, as it should
        rows = rows.exclude(priority=Priority.BULK)
    tried = Q(status=Status.RETRY, created_at__lte=now - WAIT)
    if not rows.filter(queued).exists() and rows.filter(tried).count() < STANDING:
        return (0, None), False
    return number_and_first(rows.filter(queued | tried)), True


def number_and_first(rows: "models.QuerySet[OutgoingMail]") -> tuple[int, datetime | None]:
    """A mail that is tried again has waited since it was written."""
    first = Case(When(status=Status.RETRY, then="created_at"), default="not_before")
    found = rows.aggregate(number=Count("pk"), first=Min(first))
    return found["number"], found["first"]


def recipients() -> list[User]:
    """Those who can mend it: they may queue mails again."""
    may = Q(is_superuser=True) | Q(groups__permissions__codename="change_outgoingmail")
    return list(User.objects.filter(may, is_staff=True, is_active=True).distinct().order_by("pk"))


def letter(user: User, found: Trouble, *, now: datetime) -> OutgoingMail:
    return OutgoingMail(
        kind=Kind.ALERT,
        key=f"alert:{user.pk}:{now.isoformat()}",
        to=user.email,
        language=user.language,
        context=asdict(found) | {"at": now.isoformat()},
        priority=Priority.URGENT,
        created_at=now,
        not_after=now + PAUSE,
    )
