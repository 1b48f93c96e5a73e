"""What the letters have in common: how a webinar, a seat in it and a moment look in a mail."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from django.utils import translation

from conference import timezones
from conference.models import Webinar
from registration import links
from registration.models import Registration
from registration.stencils import Own


class Obsolete(Exception):
    """The facts have moved on since the mail was queued: it must not be sent."""


@dataclass(frozen=True)
class Entry:
    """One registration as a mail shows it."""

    registration: Registration
    day: str
    hours: list[str]
    join: Own
    leave: Own
    place: Own | None


def entry(registration: Registration) -> Entry:
    webinar, zone, language = registration.webinar, registration.participant.time_zone, translation.get_language()
    token = links.join_token(registration, registration.changed_at)  # as in her calendar
    return Entry(
        registration=registration,
        day=spoken_day(starts_on(registration), language),
        hours=spoken_hours(webinar.starts_at, webinar.ends_at, zone, language),
        join=Own(links.with_token("join", token)),
        leave=Own(links.with_token("leave", token)),
        place=Own(registration.place_in_line()) if registration.is_waitlisted else None,
    )


@lru_cache(1000)
def spoken_day(day: date, language: str) -> str:
    return timezones.day(day)


@lru_cache(1000)
def spoken_hours(starts_at: datetime | None, ends_at: datetime | None, zone: str, language: str) -> list[str]:
    return timezones.spoken_hours(starts_at, ends_at, zone) if starts_at else []


def starts_on(registration: Registration) -> date:
    """The webinar's date where she lives."""
    webinar = registration.webinar
    return day_in(webinar.starts_at, registration.participant.time_zone) if webinar.starts_at else webinar.date


def day_in(moment: datetime, zone: str) -> date:
    return moment.astimezone(timezones.BY_CODE[zone].info).date()


@dataclass(frozen=True)
class Session:
    """A webinar as a mail shows it to somebody who is not in it, or not any more."""

    webinar: Webinar
    day: str
    hours: list[str]
    link: Own


def session(webinar: Webinar, *, zone: str = "WITA", link: str = "") -> Session:
    return Session(
        webinar=webinar,
        day=timezones.day(day_in(webinar.starts_at, zone) if webinar.starts_at else webinar.date),
        hours=timezones.spoken_hours(webinar.starts_at, webinar.ends_at, zone) if webinar.starts_at else [],
        link=Own(link),
    )


def spoken_moment(moment: datetime, zone: str = "WITA") -> str:
    """Rabu, 26 Agustus 2020, 10.00 WITA · 09.00 WIB · 11.00 WIT"""
    hours = " · ".join(timezones.spoken_hours(moment, None, zone))
    return f"{timezones.day(day_in(moment, zone))}, {hours}"
