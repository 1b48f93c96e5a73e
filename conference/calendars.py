"""Calendar files by RFC 5545. Between two changes of the programme a file has the same bytes, however often it is asked for."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, Timezone, TimezoneStandard, vText, vUri

from conference.agenda import edition_items
from conference.markdown import to_text
from conference.models import AgendaItem, Edition, Webinar
from conference.sharing import full_address, printable, when_in_words
from conference.timezones import WITA

# How often a calendar that subscribes may ask again.
REFRESHED = timedelta(hours=1)


class Entry(NamedTuple):
    """A session in somebody's calendar. The uid must never change; a higher revision replaces a lower one."""

    session: Webinar | AgendaItem
    uid: str
    url: str  # may be a person's own
    revision: int
    revised_at: datetime
    zone: str = WITA.code  # whose hours come first
    note: str = ""
    is_tentative: bool = False

    @property
    def is_cancelled(self) -> bool:
        return isinstance(self.session, Webinar) and self.session.is_cancelled

    @property
    def ends_at(self) -> datetime | None:
        """An item without an end is a moment."""
        return self.session.expected_end if isinstance(self.session, Webinar) else self.session.ends_at


# ---- What the public calendars hold


def entry_of(session: Webinar | AgendaItem) -> Entry:
    if isinstance(session, Webinar):
        kind, path = "webinar", session.get_absolute_url()
    else:
        kind, path = "item", reverse("conference:agenda")
    uid = f"{kind}-{session.pk}@{settings.SITE_HOST}"
    return Entry(session, uid, full_address(path), session.revision, session.revised_at)


def agenda_file(edition: Edition) -> bytes:
    """The lines of the agenda: webinars, and what belongs to the edition itself."""
    sessions = [*Webinar.objects.published().filter(edition=edition).in_order(), *edition_items(edition)]
    return calendar_file([entry_of(session) for session in sessions], name=edition.name)


# ---- The file


def calendar_file(entries: Iterable[Entry], *, name: str = "") -> bytes:
    """With a name it is a calendar to subscribe to."""
    calendar = Calendar()
    calendar.add("prodid", f"-//KPT//{settings.SITE_HOST}//{(get_language() or 'id').upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    if name:
        add_subscription(calendar, printable(name))
    for entry in entries:
        calendar.add_component(event(entry))
    if not calendar.subcomponents:
        calendar.add_component(organisers_zone())
    return calendar.to_ical()


def add_subscription(calendar: Calendar, name: str) -> None:
    calendar.add("name", vText(name))
    calendar.add("x-wr-calname", vText(name))
    calendar.add("x-wr-timezone", WITA.info.key)
    calendar.add("refresh-interval", REFRESHED, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")


def organisers_zone() -> Timezone:
    """A calendar must hold something; one without an event holds this."""
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", WITA.info.key)
    standard.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001 -- by definition without a zone
    standard.add("tzname", WITA.code)
    for name in ("tzoffsetfrom", "tzoffsetto"):
        standard.add(name, timedelta(hours=8))
    zone.add_component(standard)
    return zone


def event(entry: Entry) -> Event:
    component = Event()
    component.add("uid", entry.uid)
    component.add("dtstamp", entry.revised_at.astimezone(UTC))
    component.add("last-modified", entry.revised_at.astimezone(UTC))
    component.add("sequence", entry.revision)
    component.add("summary", printable(entry.session.title))
    component.add("description", printable(description(entry)))
    component.add("location", _("Online"))
    component.add("url", vUri(entry.url))
    component.add("status", status(entry))
    add_hours(component, entry)
    return component


def status(entry: Entry) -> str:
    if entry.is_cancelled:
        return "CANCELLED"
    return "CONFIRMED" if entry.session.starts_at and not entry.is_tentative else "TENTATIVE"


def add_hours(component: Event, entry: Entry) -> None:
    """In UTC; while the hour is unknown it is an event of the whole day. Only what surely takes place blocks the time."""
    starts_at, ends_at = entry.session.starts_at, entry.ends_at
    if starts_at is None:
        component.add("dtstart", entry.session.date)
        component.add("dtend", entry.session.date + timedelta(days=1))
    else:
        component.add("dtstart", starts_at.astimezone(UTC))
        if ends_at:
            component.add("dtend", ends_at.astimezone(UTC))
    component.add("transp", "OPAQUE" if status(entry) == "CONFIRMED" else "TRANSPARENT")


def description(entry: Entry) -> str:
    session = entry.session
    text = session.summary or to_text(session.description) if isinstance(session, Webinar) else to_text(session.note)
    cancelled = _("Cancelled") if entry.is_cancelled else ""
    parts = [cancelled, entry.note, when_in_words(session, entry.zone), text, entry.url]
    return "\n\n".join(part for part in parts if part)
