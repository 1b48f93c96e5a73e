"""Sending what is queued: rows are claimed by workers, rendered from the newest facts, and sent one by one.

The row is the truth. A task only wakes a worker; `sweep` and the beat's tick find what a dead worker or broker left. In whose
hands a row is, and since when, is reckoned by the database's clock alone: workers on several machines have several.
"""

import gc
import logging
import smtplib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parseaddr
from functools import cache

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from registration import bounces, cards, letters, mail, mime, pace, smtp
from registration.marks import Marks
from registration.models import OutgoingMail

logger = logging.getLogger(__name__)

Kind = OutgoingMail.Kind
Priority = OutgoingMail.Priority
Status = OutgoingMail.Status

# How many rows a worker takes: as many as it sends in about a second, so that others, and codes, wait for no more.
FIRST_BATCH, LARGEST_BATCH = 10, 200
# Seconds after which what is left of a batch is given back.
TURN = 2
# Seconds of one task. A worker that is alone has other tasks too: it calls the next one itself.
RUN = 20
# A row that is SENDING for longer belongs to a dead worker: a mail takes a few time-outs of the line at most.
LEASE = timedelta(minutes=3)
# A mail that has cost so many workers their lives is not tried again. From the first death on it is alone in its batch.
DEATHS = 3
DEADLY = gettext_noop(
    "Not sent: the program that sends mail broke off three times when it came to this one. Please tell whoever runs the site."
)
# Seconds; less is the clock's being set right.
JUMP = 30
# Another machine has written when a mail is due: its clock may be ahead by so much.
CLOCKS_DIFFER = timedelta(seconds=2)
WAITS = [timedelta(seconds=seconds) for seconds in (15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 3600, 7200, 7200)]
# Refused for good by its number, but it is our day's quota that is used up.
QUOTA = "5.4.5"


def deliver_due(*, urgent_only: bool = False) -> int:
    """Claims and sends what is due, the most urgent first; how many were sent."""
    begun = time.monotonic()
    ends, sent, size = begun + RUN, 0, FIRST_BATCH
    while rows := claim(size, now=database_now(), urgent_only=urgent_only):
        batch = Batch(rows, begun)
        with no_collecting():
            batch.run()
        sent += batch.sent
        if not batch.is_reachable:
            break
        if time.monotonic() > ends:
            mail.wake(Priority.URGENT if urgent_only else Priority.NORMAL)
            break
        size, begun = next_size(batch.sent, seconds=time.monotonic() - begun), time.monotonic()
    smtp.line.rest()
    return sent


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        return cursor.fetchone()[0]


@contextmanager
def no_collecting() -> Iterator[None]:
    """The facts of a batch live as long as it does: to look among them for garbage finds none, and takes its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def next_size(sent: int, *, seconds: float) -> int:
    return max(FIRST_BATCH, min(LARGEST_BATCH, int(sent / seconds)))


def claim(size: int = LARGEST_BATCH, *, now: datetime, urgent_only: bool = False) -> list[OutgoingMail]:
    """Up to so many due rows, marked SENDING and committed, that no other worker gets."""
    lowest = Priority.URGENT if urgent_only else Priority.BULK
    if not pace.is_limited():
        return mark_sending(size, now=now, lowest=lowest)
    with transaction.atomic():
        for share in (Priority.BULK, Priority.TIMELY, Priority.URGENT):
            if share <= lowest and (allowed := pace.allowance(size, now=now, lowest=share)):
                return mark_sending(allowed, now=now, lowest=share)
    return []


def mark_sending(size: int, *, now: datetime, lowest: OutgoingMail.Priority) -> list[OutgoingMail]:
    """Those before the first one over which a worker has died; that one by itself."""
    due = bounces.deliverable(OutgoingMail.objects.due(now + CLOCKS_DIFFER))
    if lowest < Priority.BULK:
        due = due.filter(priority__lte=lowest)
    chosen, params = due.values("pk", "priority", "not_before", "deaths")[:size].query.sql_with_params()
    # MATERIALIZED: the rows are chosen once, however the update is planned.
    sql = f"""
        WITH due AS MATERIALIZED ({chosen} FOR UPDATE SKIP LOCKED),
        line AS (
            SELECT pk, row_number() OVER so_far AS place, sum(deaths) OVER so_far AS deaths
            FROM due WINDOW so_far AS (ORDER BY priority, not_before, pk)
        )
        UPDATE registration_outgoingmail mail
        SET status = 'SENDING', claimed_at = %s, attempts = attempts + 1
        FROM line WHERE mail.id = line.pk AND (line.deaths = 0 OR line.place = 1) RETURNING mail.*
    """  # nosec B608 -- the query is Django's own
    rows = list(OutgoingMail.objects.raw(sql, [*params, now]))
    return sorted(rows, key=lambda row: (row.priority, row.not_before, row.pk))


class Batch:
    """A worker's turn. While the server reads one mail the next is rendered, and the database writes that the last has left. A worker that is killed leaves no more than one in doubt."""

    def __init__(self, rows: Sequence[OutgoingMail], begun: float | None = None) -> None:
        """`begun`: a moment before they were claimed."""
        self.waiting = deque(rows)
        self.ready: tuple[OutgoingMail, bytes] | None = None
        self.begun = time.monotonic() if begun is None else begun
        self.ends = time.monotonic() + TURN
        self.sent = self.tried = self.failures = 0
        self.marks = Marks()

    @property
    def is_reachable(self) -> bool:
        return self.failures < 2

    @property
    def is_ours(self) -> bool:
        """After so long a pause another worker may have taken what is left."""
        return time.monotonic() < self.begun + LEASE.total_seconds() / 2

    def run(self) -> None:
        try:
            with self.marks.durable():
                gather(list(self.waiting))
                self.look_ahead()
                while self.ready and self.is_reachable and self.is_ours:
                    self.send_ready()
        finally:
            if self.ready:
                self.waiting.appendleft(self.ready[0])
            release(self.waiting)

    def look_ahead(self) -> None:
        """Renders until one is ready to leave; the first has its turn however late it is."""
        while (
            not self.ready and self.waiting and self.is_reachable and (not self.tried or time.monotonic() < self.ends)
        ):
            row = self.waiting.popleft()
            self.tried += 1
            if content := render(row, now=timezone.now()):
                self.ready = row, content

    def send_ready(self) -> None:
        assert self.ready  # nosec B101
        [row, content], self.ready = self.ready, None
        try:
            self.hand_over(row, content)
        except smtp.REFUSALS as error:
            self.marks.settle()  # what becomes of it takes a transaction
            self.failures = self.failures + 1 if smtp.code_of(error) == smtp.CLOSING else 0
            refused(row, error, now=database_now())
        except OSError as error:  # SMTP's errors are OSErrors too; here the line itself is bad
            smtp.line.hang_up()
            self.failures += 1
            try_later(row, f"{type(error).__name__}: {error}", now=database_now())
        except ValueError as error:  # an address that no mail program can write must not stop the mails behind it
            finish(row, Status.FAILED, error=f"The address can't be written to: {error}")
        self.look_ahead()

    def hand_over(self, row: OutgoingMail, content: bytes) -> None:
        smtp.line.begin(sender(settings.DEFAULT_FROM_EMAIL), mime.recipient(row.to), len(content))
        smtp.line.write(content)
        self.prepare_next()
        smtp.line.hear()
        self.sent, self.failures = self.sent + 1, 0
        self.marks.start(as_sent(row))

    def prepare_next(self) -> None:
        """Nothing that goes wrong here may hide the server's answer about the mail that is on its way."""
        waiting = list(self.waiting)
        try:
            self.look_ahead()
        except DatabaseError:
            logger.exception("The facts of the next mails can't be read")
            self.waiting, self.ends = deque(waiting), 0


def gather(rows: Sequence[OutgoingMail]) -> None:
    """One whose facts can't be read must not stop the others: then each gathers its own."""
    try:
        letters.gather(rows)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("The facts of %d mails can't be read together", len(rows))


def render(row: OutgoingMail, *, now: datetime) -> bytes | None:
    """None when the mail is of no use any more or can't be rendered: then it is settled."""
    try:
        if row.not_after and now > row.not_after:
            raise cards.Obsolete(gettext_noop("Too late to be of use."))
        content = letters.compose(row, now=now).to_bytes()
        if row.deaths:  # it does no harm: if this worker dies as well, that is not the mail's doing
            row.deaths = 0
            write(row, "deaths")
        return content
    except cards.Obsolete as reason:
        finish(row, Status.CANCELLED, error=str(reason))
    except ObjectDoesNotExist:
        same = OutgoingMail.objects.filter(pk=row.pk)
        if same.exclude(participant=row.participant_id, registration=row.registration_id, to=row.to).exists():
            release([row])  # she has another address, or has become one with another entry of hers
        else:
            finish(row, Status.CANCELLED, error=gettext_noop("What it is about was deleted a moment ago."))
    except DatabaseError:
        raise
    except Exception as error:  # a broken template or row must not stop the mails behind it
        logger.exception("Mail %s can't be rendered", row.pk)
        finish(row, Status.FAILED, error=f"{type(error).__name__}: {error}")
    return None


@cache
def sender(written: str) -> str:
    return parseaddr(mime.sender(written))[1]


# ---- What becomes of a mail


def refused(row: OutgoingMail, error: Exception, *, now: datetime) -> None:
    """5xx is final with the server's words kept, unless it is about our sender or our quota: then nothing is given up."""
    words, code = smtp.said(error), smtp.code_of(error) or 0
    if isinstance(error, smtplib.SMTPRecipientsRefused) and bounces.refused(row, words, now=now):
        finish(row, Status.BOUNCED, error=words)
    elif code >= 500 and QUOTA not in words and not isinstance(error, smtplib.SMTPSenderRefused):
        finish(row, Status.FAILED, error=words)
    else:
        try_later(row, words, now=now)


def try_later(row: OutgoingMail, error: str, *, now: datetime) -> None:
    if row.attempts > len(WAITS):
        finish(row, Status.FAILED, error=error)
        return
    row.status, row.error = Status.RETRY, error
    row.not_before = now + WAITS[row.attempts - 1]
    write(row, "status", "error", "not_before")


def finish(row: OutgoingMail, status: OutgoingMail.Status, *, error: str) -> None:
    row.status, row.error = status, error
    if row.kind == Kind.CODE or status == Status.CANCELLED:
        row.context = {}  # what failed may be sent again by an organiser's hand, but for a code
    if row.kind == Kind.DATA_DELETED:
        forget(row)
    write(row, "status", "error", "context", "to")


def as_sent(row: OutgoingMail) -> OutgoingMail:
    row.status, row.sent_at, row.error = Status.SENT, timezone.now(), ""
    if row.kind == Kind.CODE:
        # Whoever reads the log must not be able to sign in as somebody else.
        row.subject = row.text = row.html = ""
    if row.kind == Kind.DATA_DELETED:
        forget(row)
    return row


def forget(row: OutgoingMail) -> None:
    """It was the last thing that held the address. The server's words may name it too."""
    row.to = row.subject = row.text = row.html = ""
    row.error, row.context = row.error[:3], {}


def write(row: OutgoingMail, *fields: str) -> None:
    """Not by save(): the row is gone when the person was deleted while her mail was on its way, and another worker's
    when a sweep took us for dead."""
    ours = OutgoingMail.objects.filter(pk=row.pk, claimed_at=row.claimed_at)
    ours.update(**{field: getattr(row, field) for field in fields})


def release(rows: Sequence[OutgoingMail]) -> None:
    """What was not tried counts against no limit."""
    if rows:
        ours = OutgoingMail.objects.filter(pk__in=[row.pk for row in rows], claimed_at=rows[0].claimed_at)
        untried = ours.filter(status=Status.SENDING)
        untried.update_in_order(status=Status.QUEUED, attempts=F("attempts") - 1, claimed_at=None)


def sweep(*, now: datetime) -> int:
    """Puts back what a dead worker left in SENDING; it keeps its Message-ID. How many. `now` is the database's."""
    set_right(now=now)
    stuck = OutgoingMail.objects.stuck_since(now - LEASE)
    for row in stuck.filter(deaths__gte=DEATHS - 1):
        logger.error("Mail %s has cost %d workers their lives", row.pk, DEATHS)
        finish(row, Status.FAILED, error=DEADLY)
    return stuck.update_in_order(status=Status.QUEUED, deaths=F("deaths") + 1)


def set_right(*, now: datetime) -> None:
    """What a clock that was ahead has written would wait for its hour, and count against the limits until then."""
    ahead = now + LEASE
    put_off = OutgoingMail.objects.filter(status__in=[Status.QUEUED, Status.RETRY], not_before__gt=now)
    put_off.filter(Q(created_at__gt=ahead) | Q(claimed_at__gt=ahead)).update_in_order(not_before=now)
    OutgoingMail.objects.filter(claimed_at__gt=ahead).update_in_order(claimed_at=now - LEASE)


class Clock:
    """A database's clock that jumps ahead makes each row in a living worker's hands look forgotten. So do hours of a
    machine asleep."""

    def __init__(self) -> None:
        self.offset: float | None = None  # of the database's clock to ours that only counts
        self.steady_at = 0.0

    def is_steady(self, now: datetime) -> bool:
        """`now` is the database's."""
        before, self.offset = self.offset, now.timestamp() - time.monotonic()
        if before is not None and abs(self.offset - before) > JUMP:
            logger.warning("The database's clock has jumped by %d seconds", self.offset - before)
            self.steady_at = time.monotonic() + LEASE.total_seconds()
        return time.monotonic() >= self.steady_at


clock = Clock()
