"""Locks on webinars and the seats that are left. Only under a lock is a number of seats more than a guess."""

from collections.abc import Iterable

from conference.models import Webinar
from registration.models import SeatCount


def lock(webinar_ids: Iterable[int]) -> list[Webinar]:
    """The webinars, locked until the transaction ends; always in id order, so that two sign-ups never deadlock.

    NO KEY UPDATE leaves foreign key checks of other tables alone.
    """
    rows = Webinar.objects.select_for_update(no_key=True, of=("self",)).select_related("edition")
    return list(rows.filter(pk__in=set(webinar_ids)).order_by("pk"))


def taken(webinar: Webinar) -> int:
    return SeatCount.objects.filter(webinar=webinar).values_list("taken", flat=True).first() or 0


def left(webinar: Webinar) -> int | None:
    """Seats that nobody has, holds or is invited to; None without a limit."""
    if webinar.capacity is None:
        return None
    return left_of(webinar, SeatCount.objects.filter(webinar=webinar).first())


def left_of(webinar: Webinar, count: SeatCount | None) -> int | None:
    """Never below 0: a capacity may have been lowered below what is taken."""
    if webinar.capacity is None:
        return None
    in_use = count.taken + count.reserved if count else 0
    return max(webinar.capacity - in_use, 0)


def has_left(webinar: Webinar) -> bool:
    return left(webinar) != 0


def left_by_webinar(webinars: Iterable[Webinar]) -> dict[int, int | None]:
    """Seats left by webinar id, None without a limit: to show, not to decide.

    A seat held for a code counts as free: else a number that falls while a form is sent would tell strangers whether
    its address has the seat already.
    """
    webinars = list(webinars)
    limited = [webinar for webinar in webinars if webinar.capacity is not None]
    counts = SeatCount.objects.in_bulk([webinar.pk for webinar in limited]) if limited else {}
    return {webinar.pk: shown(webinar, counts.get(webinar.pk)) for webinar in webinars}


def shown(webinar: Webinar, count: SeatCount | None) -> int | None:
    if webinar.capacity is None or count is None:
        return webinar.capacity
    return max(webinar.capacity - (count.taken - count.held) - count.reserved, 0)
