"""How fast mail may go, how fast it goes, and when the queue will be empty."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection as database
from django.db.models import Count, Max, Min, QuerySet
from django.utils.translation import gettext as _

from conference.timezones import WITA, clock, day
from registration.models import OutgoingMail

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
Priority = OutgoingMail.Priority
# How long back the speed is measured.
LATELY = timedelta(minutes=3)


@dataclass(frozen=True)
class Limit:
    """So many in a period. What goes to many never spends a day's share of codes, confirmations and the last reminders."""

    number: int
    period: timedelta

    def share(self, priority: int) -> int:
        """How far mail of this priority may spend it."""
        if priority == Priority.URGENT:
            return self.number
        if self.period == MINUTE:  # the next one comes soon, and the more urgent goes first in it
            return self.number - self.kept(5)
        return self.number - self.kept(3 if priority == Priority.BULK else 10)

    def kept(self, part: int) -> int:
        """However low the limit: one at least, unless it is the only one."""
        return min(max(self.number // part, 1), self.number - 1)


def is_limited() -> bool:
    return bool(limits())


def limits() -> list[Limit]:
    in_force = [Limit(settings.MAIL_PER_MINUTE, MINUTE), Limit(settings.MAIL_PER_DAY, DAY)]
    return [limit for limit in in_force if limit.number]


def allowance(at_most: int, *, now: datetime, lowest: int) -> int:
    """How many of so many, down to this priority, the limits let go now, over all workers. Within the transaction that
    claims them."""
    with database.cursor() as cursor:
        # Held until the claim commits, so that two workers never spend the same allowance.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('kpt.mail.allowance'))")
    return max(min([at_most, *(left(limit, lowest, now=now) for limit in limits())]), 0)


def left(limit: Limit, lowest: int, *, now: datetime) -> int:
    return limit.share(lowest) - claimed_since(now - limit.period).count()


def is_spent(lowest: int, *, now: datetime) -> bool:
    """Whether mail of this priority waits for nothing but the limits."""
    return any(left(limit, lowest, now=now) <= 0 for limit in limits())


def claimed_since(moment: datetime) -> "QuerySet[OutgoingMail]":
    return OutgoingMail.objects.filter(claimed_at__gt=moment)


def expected_end(now: datetime) -> datetime | None:
    """When what waits now will have left: by the last minutes' speed, and by the limits. None when nothing does, or moves."""
    Status = OutgoingMail.Status
    due = OutgoingMail.objects.due(now).aggregate(count=Count("pk"), lowest=Max("priority"), since=Min("not_before"))
    waiting = due["count"] + OutgoingMail.objects.filter(status=Status.SENDING).count()
    # What left before this queue began left at another speed: a test mail or two a minute, say.
    speed = per_second(now, since=max(now - LATELY, due["since"] or now - LATELY))
    if not waiting:
        return None
    lowest = Priority.NORMAL if due["lowest"] is None else due["lowest"]
    by_day = end_by_day(waiting, lowest, now=now)
    if not speed:  # a day's limit that is spent stands still, and its end is known
        return by_day if by_day > now else None
    return max(now + timedelta(seconds=waiting / speed), by_day)


def per_second(now: datetime, *, since: datetime) -> float:
    """How many leave in a second; as many as the limit of a minute lets when none has left yet."""
    sent = claimed_since(since).filter(status=OutgoingMail.Status.SENT)
    found = sent.aggregate(count=Count("pk"), first=Min("claimed_at"))
    seconds = max((now - found["first"]).total_seconds(), 1) if found["first"] else 1
    speeds = [found["count"] / seconds] if found["count"] else []
    speeds += [limit.share(Priority.BULK) / MINUTE.total_seconds() for limit in limits() if limit.period == MINUTE]
    return min(speeds, default=0)


def end_by_day(waiting: int, lowest: int, *, now: datetime) -> datetime:
    """What today does not let go waits for today's mails to be a day old."""
    for limit in [limit for limit in limits() if limit.period == DAY]:
        share, today = limit.share(lowest), claimed_since(now - DAY).order_by("claimed_at")
        count = today.count()
        if (too_many := count + waiting - share) <= 0:
            continue
        if waiting <= share:
            return (today.values_list("claimed_at", flat=True)[too_many - 1] or now) + DAY
        return now + DAY * math.ceil((waiting - max(share - count, 0)) / max(share, 1))
    return now


def expected_end_in_words(now: datetime) -> str:
    """Done at about 14.20 WITA. Empty when nobody can say."""
    if (end := expected_end(now)) is None:
        return ""
    local = end.astimezone(WITA.info)
    moment = f"{clock(local)} {WITA.code}"
    if local.date() != now.astimezone(WITA.info).date():
        moment = f"{day(local.date())}, {moment}"
    return _("done at about %(moment)s") % {"moment": moment}
