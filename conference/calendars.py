"""Calendar files by RFC 5545."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vUri

from conference.markdown import to_text
from conference.models import Webinar
from conference.sharing import full_address, when_in_words

FIRST_REVISION = datetime(2020, 1, 1, tzinfo=UTC)


class Entry(NamedTuple):
    """A webinar in somebody's calendar: its address may be a person's own, and the uid must never change."""

    webinar: Webinar
    url: str
    uid: str


def public_entry(webinar: Webinar) -> Entry:
    return Entry(webinar, full_address(webinar.get_absolute_url()), f"webinar-{webinar.pk}@{settings.SITE_HOST}")


def webinar_calendar(entries: Iterable[tuple[Webinar, str, str]], now: datetime | None = None, name: str = "") -> bytes:
    """Of each webinar its address for this reader, and a uid; see `Entry`."""
    now = now or timezone.now()
    calendar = Calendar()
    calendar.add("prodid", f"-//KPT//{settings.SITE_HOST}//{(get_language() or 'id').upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    if name:
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
    for entry in entries:
        calendar.add_component(event(Entry(*entry), now))
    return calendar.to_ical()


def event(entry: Entry, now: datetime) -> Event:
    webinar = entry.webinar
    component = Event()
    component.add("uid", entry.uid)
    component.add("dtstamp", now.astimezone(UTC))
    component.add("sequence", revision(now))
    component.add("summary", webinar.title)
    component.add("description", description(entry))
    component.add("location", _("Online"))
    component.add("url", vUri(entry.url))
    component.add("status", status(webinar))
    add_hours(component, webinar)
    return component


def revision(now: datetime) -> int:
    """A calendar keeps the copy with the highest sequence: whatever was written later is the truer one."""
    return int((now - FIRST_REVISION).total_seconds() // 60)


def status(webinar: Webinar) -> str:
    if webinar.is_cancelled:
        return "CANCELLED"
    return "CONFIRMED" if webinar.starts_at else "TENTATIVE"


def add_hours(component: Event, webinar: Webinar) -> None:
    """In UTC; while the hour is unknown it is an event of the whole day that doesn't block the day."""
    if webinar.starts_at is None or webinar.expected_end is None:
        component.add("dtstart", webinar.date)
        component.add("dtend", webinar.date + timedelta(days=1))
        component.add("transp", "TRANSPARENT")
        return
    component.add("dtstart", webinar.starts_at.astimezone(UTC))
    component.add("dtend", webinar.expected_end.astimezone(UTC))


def description(entry: Entry) -> str:
    about = entry.webinar.summary or to_text(entry.webinar.description)
    parts = [_("Cancelled") if entry.webinar.is_cancelled else "", when_in_words(entry.webinar), about, entry.url]
    return "\n\n".join(part for part in parts if part)
