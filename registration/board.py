"""The state of outgoing mail in numbers, from aggregates alone: what waits, what left, what went wrong, who works."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncMinute

from registration import delivery, mail, maillog
from registration.models import Heartbeat, OutgoingMail
from registration.models.mail import OutgoingMailQuerySet

Priority = OutgoingMail.Priority
Status = OutgoingMail.Status
Role = Heartbeat.Role

MINUTE = timedelta(minutes=1)
MINUTES = 60
# What went wrong longer ago stays in the log.
RECENT = timedelta(days=7)
MOST_REASONS = 200
# Due for so long while no worker gives a sign. Where one does, it is the limits that keep mail waiting.
STALLED = timedelta(minutes=5)
# A tick comes every 20 seconds or every minute; one that a long task holds up is no death.
SILENT = {Role.FAST: timedelta(minutes=3), Role.MAIL: timedelta(minutes=5), Role.BEAT: timedelta(minutes=3)}
# Others will fail again in the same way.
FINAL = r"^5[0-9][0-9]([ -]|$)|^The address can't be written to"


@dataclass(frozen=True)
class Queue:
    """What waits at one priority. `later` is not due yet; `retrying` is either, after a try that failed.

    `oldest` has waited since it was due for the first time.
    """

    priority: OutgoingMail.Priority
    due: int = 0
    later: int = 0
    retrying: int = 0
    oldest: datetime | None = None
    due_since: datetime | None = None

    @property
    def total(self) -> int:
        return self.due + self.later


@dataclass(frozen=True)
class Sending:
    number: int
    left_behind: int
    last_claim: datetime | None


@dataclass(frozen=True)
class Minute:
    starts_at: datetime
    sent: int


@dataclass(frozen=True)
class Failure:
    """Mails with one reason: given up, come back, and still being tried."""

    reason: str
    given_up: int
    came_back: int
    retrying: int
    newest: datetime | None

    @property
    def total(self) -> int:
        return self.given_up + self.came_back + self.retrying

    @property
    def code(self) -> str:
        """The server's number, or what kind of fault it was: without a word that could name anybody."""
        head = self.reason[:3]
        if head.isdecimal():
            return head
        name = self.reason.partition(":")[0]
        return name if name.isidentifier() else "other"


@dataclass(frozen=True)
class Work:
    role: Heartbeat.Role
    seen_at: datetime | None
    processes: int
    is_silent: bool

    @property
    def has_fallen_silent(self) -> bool:
        """It did work once: a site that has just been set up is not in trouble."""
        return self.is_silent and self.seen_at is not None


@dataclass(frozen=True)
class Board:
    now: datetime
    queues: list[Queue]
    sending: Sending
    minutes: list[Minute]
    failures: list[Failure]
    works: list[Work]

    @property
    def due(self) -> int:
        return sum(queue.due for queue in self.queues)

    @property
    def waiting(self) -> int:
        return sum(queue.total for queue in self.queues)

    @property
    def oldest(self) -> datetime | None:
        return earliest(queue.oldest for queue in self.queues)

    @property
    def failed(self) -> int:
        return sum(failure.given_up + failure.came_back for failure in self.failures)

    @property
    def sent_last_hour(self) -> int:
        return sum(minute.sent for minute in self.minutes)

    @property
    def sent_last_minute(self) -> int:
        """In the last full one."""
        return self.minutes[-2].sent

    @property
    def is_stalled(self) -> bool:
        return is_stalled(self.queues, self.works, now=self.now)


def board(now: datetime) -> Board:
    sending = in_sending(now)
    return Board(
        now=now,
        queues=queues(now),
        sending=sending,
        minutes=minutes(now),
        failures=failures(now),
        works=works(now, last_claim=sending.last_claim),
    )


# ---- Its parts: one query each


def queues(now: datetime) -> list[Queue]:
    """Of all priorities, the most urgent first."""
    due = Q(not_before__lte=now)
    rows = (
        OutgoingMail.objects.filter(status__in=[Status.QUEUED, Status.RETRY])
        .values("priority")
        .order_by("priority")
        .annotate(
            due=Count("pk", filter=due),
            later=Count("pk", filter=~due),
            retrying=Count("pk", filter=Q(status=Status.RETRY)),
            due_since=Min("not_before", filter=due),
            untried=Min("not_before", filter=due & Q(status=Status.QUEUED)),
            # Each try that failed has put `not_before` off.
            tried=Min("created_at", filter=Q(status=Status.RETRY)),
        )
    )
    found = {
        row["priority"]: Queue(
            Priority(row["priority"]),
            due=row["due"],
            later=row["later"],
            retrying=row["retrying"],
            oldest=earliest([row["untried"], row["tried"]]),
            due_since=row["due_since"],
        )
        for row in rows
    }
    return [found.get(priority, Queue(priority)) for priority in Priority]


def in_sending(now: datetime) -> Sending:
    facts = OutgoingMail.objects.filter(status=Status.SENDING).aggregate(
        number=Count("pk"), left_behind=Count("pk", filter=Q(claimed_at__lte=now - delivery.LEASE))
    )
    return Sending(**facts, last_claim=last_claim(now))


def last_claim(now: datetime) -> datetime | None:
    claimed = OutgoingMail.objects.filter(claimed_at__lte=now).order_by("-claimed_at")
    return claimed.values_list("claimed_at", flat=True).first()


def minutes(now: datetime) -> list[Minute]:
    """The last hour; the last minute is not over yet."""
    first = now.replace(second=0, microsecond=0) - (MINUTES - 1) * MINUTE
    sent = OutgoingMail.objects.filter(sent_at__gte=first, sent_at__lt=first + MINUTES * MINUTE)
    counts = dict(
        sent.annotate(minute=TruncMinute("sent_at")).values_list("minute").annotate(sent=Count("*")).order_by()
    )
    return [Minute(at, counts.get(at, 0)) for at in (first + number * MINUTE for number in range(MINUTES))]


def recent_failures(now: datetime) -> OutgoingMailQuerySet:
    """Still tried or given up, of the last days."""
    tried = OutgoingMail.objects.filter(status__in=[Status.FAILED, Status.BOUNCED, Status.RETRY])
    return tried.exclude(claimed_at__lt=now - RECENT)


def failures(now: datetime) -> list[Failure]:
    """By reason, the most frequent first."""
    rows = (
        recent_failures(now)
        .values("reason")
        .annotate(
            given_up=Count("pk", filter=Q(status=Status.FAILED)),
            came_back=Count("pk", filter=Q(status=Status.BOUNCED)),
            retrying=Count("pk", filter=Q(status=Status.RETRY)),
            newest=Max("claimed_at"),
            number=Count("pk"),
        )
        .order_by("-number", "reason")
        .values_list("reason", "given_up", "came_back", "retrying", "newest")
    )
    return [Failure(*row) for row in rows[:MOST_REASONS]]


def works(now: datetime, *, last_claim: datetime | None) -> list[Work]:
    """Processes that have given a sign lately. Who claims mail is alive even if its task is a long one."""
    rows = (
        Heartbeat.objects.values("role")
        .order_by()
        .annotate(
            last=Max("seen_at"),
            # Each role has a patience of its own; the longest is near enough for a number.
            processes=Count("pk", filter=Q(seen_at__gt=now - max(SILENT.values()))),
        )
    )
    found = {row["role"]: (row["last"], row["processes"]) for row in rows}
    return [work(role, *found.get(role, (None, 0)), last_claim=last_claim, now=now) for role in Role]


def work(
    role: Heartbeat.Role, last: datetime | None, processes: int, *, last_claim: datetime | None, now: datetime
) -> Work:
    seen_at = max(last, last_claim) if role == Role.MAIL and last and last_claim else last
    return Work(role, seen_at, processes, is_silent=seen_at is None or seen_at < now - SILENT[role])


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)


def is_stalled(lines: Iterable[Queue], all_works: Iterable[Work], *, now: datetime) -> bool:
    since = earliest(line.due_since for line in lines)
    is_silent = any(work.is_silent for work in all_works if work.role == Role.MAIL)
    return bool(since and since < now - STALLED and is_silent)


# ---- In one line


@dataclass(frozen=True)
class Health:
    waiting: int
    oldest: datetime | None
    failed: int
    is_stalled: bool
    is_silent: bool

    @property
    def is_well(self) -> bool:
        return not (self.failed or self.is_stalled or self.is_silent)


def health(now: datetime) -> Health:
    lines, workers = queues(now), works(now, last_claim=last_claim(now))
    return Health(
        waiting=sum(line.total for line in lines),
        oldest=earliest(line.oldest for line in lines),
        failed=recent_failures(now).exclude(status=Status.RETRY).count(),
        is_stalled=is_stalled(lines, workers, now=now),
        is_silent=any(work.has_fallen_silent for work in workers),
    )


# ---- Mending


@dataclass(frozen=True)
class Mendable:
    """What one button mends."""

    left_behind: int
    put_off: int
    given_up: int
    refused: int

    @property
    def total(self) -> int:
        return self.left_behind + self.put_off + self.given_up


def put_off(now: datetime) -> OutgoingMailQuerySet:
    return OutgoingMail.objects.filter(status=Status.RETRY, not_before__gt=now)


def given_up(now: datetime) -> OutgoingMailQuerySet:
    """Not for good: a line that was down for hours, a text that could not be written."""
    failed = recent_failures(now).filter(status=Status.FAILED).exclude(error__regex=FINAL)
    return maillog.retryable(failed, now=now)


def mendable(now: datetime) -> Mendable:
    failed = recent_failures(now).filter(status__in=[Status.FAILED, Status.BOUNCED])
    given_up_now = given_up(now).count()
    return Mendable(
        left_behind=OutgoingMail.objects.stuck_since(now - delivery.LEASE).count(),
        put_off=put_off(now).count(),
        given_up=given_up_now,
        refused=failed.count() - given_up_now,
    )


def mend(now: datetime) -> int:
    """What a dead worker left, what waits for its next try and what was given up goes out now. How many.

    While the clock is not to be trusted nothing is taken from a worker, as in the tick.
    """
    by_database = delivery.database_now()
    mended = delivery.sweep(now=by_database) if delivery.clock.is_steady(by_database) else 0
    mended += put_off(now).update_in_order(not_before=now)
    mended += maillog.retry(given_up(now), now=now)
    for priority in (Priority.URGENT, Priority.NORMAL):
        mail.wake(priority)
    return mended
