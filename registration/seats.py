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


def has_left(webinar: Webinar) -> bool:
    return webinar.capacity is None or taken(webinar) < webinar.capacity


def left_by_webinar(webinars: Iterable[Webinar]) -> dict[int, int | None]:
    """Seats left by webinar id, None without a limit: to show, not to decide."""
    webinars = list(webinars)
    limited = [webinar for webinar in webinars if webinar.capacity is not None]
    counts = dict(SeatCount.objects.filter(webinar__in=limited).values_list("webinar_id", "taken")) if limited else {}
    return {
        webinar.pk: None if webinar.capacity is None else max(webinar.capacity - counts.get(webinar.pk, 0), 0)
        for webinar in webinars
    }
