"""What waits for an organiser's decision: found by a handful of queries, each about few rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from conference.models import Webinar
from registration import breach, seats
from registration.models import BouncedAddress, Breach, Invitation, SeatCount, WebhookEndpoint, Withdrawal

# An hour must be known so long before, a room's address so.
HOUR_BEFORE, ROOM_BEFORE = timedelta(days=14), timedelta(days=7)
# An invitation that nobody answers keeps a seat: shortly before its end one may still ask.
ENDING = timedelta(days=3)
# So long a partner may take to remove a person from its files.
WITHDRAWAL_OPEN = timedelta(days=7)


@dataclass(frozen=True)
class Seats:
    """How full a webinar is. `left` is None without a limit."""

    webinar: Webinar
    taken: int
    held: int
    reserved: int
    left: int | None
    waiting: int

    @property
    def confirmed(self) -> int:
        return self.taken - self.held


def seats_of(webinar: Webinar, waiting: int) -> Seats:
    count: SeatCount | None = getattr(webinar, "seat_count", None)
    taken, held, reserved = (count.taken, count.held, count.reserved) if count else (0, 0, 0)
    return Seats(webinar, taken, held, reserved, seats.left_of(webinar, count), waiting)


# ---- Of webinars


@dataclass(frozen=True)
class Lack:
    """Of one webinar: `kind` is free, full, hour or room."""

    kind: str
    seats: Seats


def lacks(all_seats: Iterable[Seats], *, now: datetime) -> Iterator[Lack]:
    for own in all_seats:
        webinar = own.webinar
        if not webinar.is_on(now):
            continue
        if own.waiting:
            yield Lack("full" if own.left == 0 else "free", own)
        days_left = webinar.date - now.date()
        if webinar.starts_at is None and days_left <= HOUR_BEFORE:
            yield Lack("hour", own)
        if not webinar.join_url and days_left <= ROOM_BEFORE:
            yield Lack("room", own)


# ---- Of people and partners


@dataclass(frozen=True)
class Open:
    """How many, and since or until when."""

    number: int
    at: datetime | None


def bouncing() -> Open:
    found = BouncedAddress.objects.in_force().aggregate(number=Count("pk"), at=Min("bounced_at"))
    return Open(**found)


def ending_invitations(*, now: datetime) -> Open:
    ending = Invitation.objects.open().filter(expires_at__gt=now, expires_at__lte=now + ENDING)
    return Open(**ending.aggregate(number=Count("pk"), at=Min("expires_at")))


def late_withdrawals(*, now: datetime) -> Open:
    late = Withdrawal.objects.filter(done_at=None, withdrawn_at__lte=now - WITHDRAWAL_OPEN)
    return Open(**late.aggregate(number=Count("pk"), at=Min("withdrawn_at")))


def running_breaches(*, now: datetime) -> Sequence[Breach]:
    """Whose 72 hours run."""
    return list(Breach.objects.filter(known_at__gt=now - breach.DEADLINE).order_by("known_at", "pk"))


def silenced_webhooks() -> list[WebhookEndpoint]:
    """Switched off by themselves, and nobody has saved them since, on or off."""
    rows = WebhookEndpoint.objects.filter(is_active=False, switched_off_at__isnull=False)
    return list(rows.order_by("switched_off_at", "pk"))
