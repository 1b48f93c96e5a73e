"""A dress rehearsal: the first webinar begins at a chosen moment, and sessions without an hour get an example."""

import copy
import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from conference.timezones import WITA

WEBINAR_LENGTH = timedelta(hours=2)
ITEM_LENGTH = timedelta(hours=1)
PAUSE = timedelta(minutes=30)
FARTHEST = timedelta(days=3660)
EXAMPLE_ZOOM = "https://example.zoom.us/j/999"


class WrongStart(Exception):
    """A sentence for the person who named the start."""


def rehearsal_start(when: str | None, now: datetime) -> datetime:
    """When the first webinar begins: an ISO time with offset, or +10m, +2h, +7d; by default in a week at nine."""
    if when is None:
        in_a_week = now.astimezone(WITA.info).date() + timedelta(days=7)
        return datetime.combine(in_a_week, time(9), WITA.info)
    try:
        at = distance(when, now) or datetime.fromisoformat(when)
    except (ValueError, OverflowError):
        at = None
    if at is None or at.tzinfo is None:
        words = {"when": when, "examples": "2026-12-01T09:00+08:00, +10m, +2h, +7d"}
        reason = _("“%(when)s” is no start. Write a time with its offset, or a distance: %(examples)s.")
        raise WrongStart(reason % words)
    if abs(at - now) > FARTHEST:
        raise WrongStart(_("“%(when)s” is more than ten years away.") % {"when": when})
    return at.astimezone(WITA.info)


def distance(when: str, now: datetime) -> datetime | None:
    found = re.fullmatch(r"\+([0-9]{1,9})([mhd])", when, re.ASCII)
    if not found:
        return None
    unit = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[found[2]]
    return now.replace(microsecond=0) + int(found[1]) * unit


def example_zoom(number: int) -> str:
    return f"{EXAMPLE_ZOOM}{number:08d}"


def in_order(webinar: dict[str, Any]) -> tuple[Any, ...]:
    """As `Webinar.objects.in_order()`."""
    return webinar["date"], webinar.get("starts_at") is None, webinar.get("starts_at"), webinar["number"]


def moved(data: dict[str, Any], starts: datetime) -> dict[str, Any]:
    """A copy of the edition's data as the rehearsal has it."""
    data = copy.deepcopy(data)
    webinars, agenda = sorted(data["webinars"], key=in_order), data.get("agenda", [])
    first, starts = webinars[0], starts.astimezone(WITA.info)
    days = starts.date() - first["date"]
    shift = starts - first["starts_at"] if first.get("starts_at") else days
    for session in [*webinars, *agenda]:
        move(session, days, shift)
    for webinar in webinars:  # open as the edition is
        webinar |= {"registration_opens_at": None, "registration_closes_at": None}
    items = [item for item in agenda if not item.get("webinar")]
    for day in {session["date"] for session in [*webinars, *items]}:
        begins = datetime.combine(day, starts.timetz())
        give_hours(begins, [w for w in webinars if w["date"] == day], [item for item in items if item["date"] == day])
    for session in [*webinars, *agenda]:
        settle_date(session)
    move_edition(data["edition"], days, [s["date"] for s in [*webinars, *items] if s.get("kind") != "press"])
    return data


def move(session: dict[str, Any], days: timedelta, shift: timedelta) -> None:
    if session.get("date"):
        session["date"] += days
    for key in ("starts_at", "ends_at"):
        if session.get(key):
            session[key] += shift


def give_hours(begins: datetime, webinars: list[dict[str, Any]], items: list[dict[str, Any]]) -> None:
    """To the sessions of one day, where they have none: the opening before the webinars, all the others after them."""
    openings = [item for item in items if item["kind"] == "opening"]
    others = sorted((item for item in items if item["kind"] != "opening"), key=lambda item: item["kind"] == "closing")
    at = begins
    for webinar in webinars:
        at = place(webinar, at, WEBINAR_LENGTH)
    for item in others:
        at = place(item, at, ITEM_LENGTH)
    before = webinars[0]["starts_at"] if webinars else begins
    for item in reversed(openings):
        before -= ITEM_LENGTH
        place(item, before, ITEM_LENGTH)


def place(session: dict[str, Any], at: datetime, length: timedelta) -> datetime:
    """Let the session begin then, unless its hour is known; when the next one may begin."""
    if not session.get("starts_at"):
        session["starts_at"], session["ends_at"] = at, at + length
    ends_at = session.get("ends_at") or session["starts_at"] + length
    return max(at, ends_at + PAUSE)


def settle_date(session: dict[str, Any]) -> None:
    """After hours that crossed a midnight. A part of a webinar without an hour of its own has the webinar's date."""
    if session.get("starts_at"):
        session["date"] = session["starts_at"].astimezone(WITA.info).date()
    elif session.get("webinar"):
        session.pop("date", None)


def move_edition(edition: dict[str, Any], days: timedelta, dates: list[date]) -> None:
    edition["starts_on"] = min(edition["starts_on"] + days, *dates)
    edition["ends_on"] = max(edition["ends_on"] + days, *dates)
