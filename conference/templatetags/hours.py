from datetime import date, datetime
from typing import Any

from django import template
from django.utils.dateformat import format as format_date

from conference import timezones
from conference.models import Webinar

register = template.Library()

register.filter("day", timezones.day)


@register.filter
def spoken_hour(at: datetime) -> str:
    """In the three zones, for a sentence."""
    return ", ".join(timezones.spoken_hours(at, None))


@register.filter
def day_wita(at: datetime) -> str:
    return timezones.day(at.astimezone(timezones.WITA.info))


@register.filter
def moment(at: datetime) -> str:
    """When something was done, for lists: 26 Agustus 2020, 10.00 WITA."""
    local = at.astimezone(timezones.WITA.info)
    return f"{format_date(local.date(), 'j F Y')}, {timezones.clock(local)} WITA"


@register.simple_tag
def days(first: date, last: date) -> str:
    return timezones.days(first, last)


@register.inclusion_tag("includes/hours.html")
def hours(starts_at: datetime | None, ends_at: datetime | None = None, first: str = "WITA") -> dict[str, Any]:
    """The hours in three zones, the named zone first; without a start, that the hour is to be confirmed."""
    if starts_at is None:
        return {"hours": []}
    # HTML's time knows no microseconds; a programme has none, the end of an offer may.
    return {"hours": timezones.hour_spans(starts_at.replace(microsecond=0), ends_at, first)}


@register.filter
def state_at(webinar: Webinar, now: datetime) -> str:
    if webinar.is_running(now):
        return "running"
    return "over" if webinar.is_over(now) else "ahead"
