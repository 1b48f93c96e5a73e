"""How fast mail may go, how fast it goes, and when the queue will be empty."""

import math
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection as database
from django.db.models import Count, Min, QuerySet
from django.utils.translation import gettext as _

from conference.timezones import WITA, clock, day
from registration.models import OutgoingMail

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# How long back the speed is measured.
LATELY = timedelta(minutes=3)


def is_limited() -> bool:
    return bool(settings.MAIL_PER_MINUTE or settings.MAIL_PER_DAY)


def allowance(at_most: int, *, now: datetime, urgent_only: bool) -> int:
    """How many of so many the limits let go now, over all workers. Within the transaction that claims them."""
    if not is_limited():
        return at_most
    with database.cursor() as cursor:
        # Held until the claim commits, so that two workers never spend the same allowance.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('kpt.mail.allowance'))")
    for limit, bulk, period in limits():
        left = (limit if urgent_only else bulk) - claimed_since(now - period).count()
        at_most = max(min(at_most, left), 0)
    return at_most


def limits() -> list[tuple[int, int, timedelta]]:
    """Each with what it leaves to mail that is no code: a fifth of the minute and a tenth of the day is kept for them."""
    minute, in_day = settings.MAIL_PER_MINUTE, settings.MAIL_PER_DAY
    all_of_them = [(minute, minute - minute // 5, MINUTE), (in_day, in_day - in_day // 10, DAY)]
    return [limit for limit in all_of_them if limit[0]]


def claimed_since(moment: datetime) -> "QuerySet[OutgoingMail]":
    return OutgoingMail.objects.filter(claimed_at__gt=moment)


def expected_end(now: datetime) -> datetime | None:
    """When what waits now will have left: by the last minutes' speed, and by the limits. None when nothing does, or moves."""
    Status = OutgoingMail.Status
    waiting = OutgoingMail.objects.due(now).count() + OutgoingMail.objects.filter(status=Status.SENDING).count()
    speed = per_second(now)
    if not waiting or not speed:
        return None
    return max(now + timedelta(seconds=waiting / speed), end_by_day(waiting, now=now))


def per_second(now: datetime) -> float:
    """How many leave in a second; as many as the limit of a minute lets when none has left yet."""
    sent = claimed_since(now - LATELY).filter(status=OutgoingMail.Status.SENT)
    found = sent.aggregate(count=Count("pk"), since=Min("claimed_at"))
    seconds = max((now - found["since"]).total_seconds(), 1) if found["since"] else 1
    speeds = [found["count"] / seconds] if found["count"] else []
    speeds += [bulk / MINUTE.total_seconds() for _limit, bulk, period in limits() if period == MINUTE]
    return min(speeds, default=0)


def end_by_day(waiting: int, *, now: datetime) -> datetime:
    """What today does not let go waits for today's mails to be a day old."""
    for _limit, bulk, _period in [limit for limit in limits() if limit[2] == DAY]:
        today = claimed_since(now - DAY).order_by("claimed_at").values_list("claimed_at", flat=True)
        count = today.count()
        if (late := waiting - max(bulk - count, 0)) > 0:
            days = DAY * math.ceil(late / bulk)
            return (today[late - 1] or now) + DAY if late <= min(count, bulk) else now + days
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
