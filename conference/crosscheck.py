"""What a schema cannot see in an edition's file: names that must meet, days and hours that must agree.

Each check takes the tree of the file and yields (path, reason). Parts that the schema refused are gone from the tree,
so any key may be missing.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from conference import timezones
from conference.models import validate_crop

type_path = tuple[str | int, ...]
type_found = Iterator[tuple[type_path, str]]

SECTIONS = ("organisations", "webinars", "agenda", "speakers", "appearances", "pages")


def cross_check(tree: Any) -> type_found:
    if not isinstance(tree, dict):
        return
    for check in CHECKS:
        yield from check(tree)


def entries(tree: dict[str, Any], section: str) -> Iterator[tuple[int, dict[str, Any]]]:
    items = tree.get(section)
    for place, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield place, item


def values(tree: dict[str, Any], section: str, key: str = "slug") -> set[Any]:
    return {item[key] for _place, item in entries(tree, section) if item.get(key) is not None}


def edition_of(tree: dict[str, Any]) -> dict[str, Any]:
    edition = tree.get("edition")
    return edition if isinstance(edition, dict) else {}


def repeated(tree: dict[str, Any]) -> type_found:
    for section, key in [*((section, "slug") for section in SECTIONS), ("webinars", "number")]:
        seen = set(values(tree, "webinars")) if section == "agenda" else set()
        for place, item in entries(tree, section):
            value = item.get(key)
            if value is not None and value in seen:
                yield (section, place, key), _("“%(value)s” is used twice.") % {"value": value}
            seen.add(value)


def sources(tree: dict[str, Any]) -> type_found:
    listed = tree.get("sources")
    known = listed if isinstance(listed, dict) else {}
    everything: list[tuple[type_path, dict[str, Any]]] = [(("edition",), edition_of(tree))]
    everything += [((section, place), item) for section in SECTIONS for place, item in entries(tree, section)]
    for path, item in everything:
        for place, source in enumerate(item.get("source") or []):
            if source is not None and source not in known:
                yield (*path, "source", place), _("There is no source “%(value)s”.") % {"value": source}


def references(tree: dict[str, Any]) -> type_found:
    organisations, webinars = values(tree, "organisations"), values(tree, "webinars")
    for place, webinar in entries(tree, "webinars"):
        for number, host in enumerate(webinar.get("hosts") or []):
            if host is not None and host not in organisations:
                yield ("webinars", place, "hosts", number), unknown_organisation(host)
    for place, speaker in entries(tree, "speakers"):
        organisation = speaker.get("organisation")
        if organisation is not None and organisation not in organisations:
            yield ("speakers", place, "organisation"), unknown_organisation(organisation)
    for place, item in entries(tree, "agenda"):
        slug = item.get("webinar")
        if slug is not None and slug not in webinars:
            yield ("agenda", place, "webinar"), _("There is no webinar “%(value)s” in this file.") % {"value": slug}


def unknown_organisation(slug: str) -> str:
    return _("There is no organisation “%(value)s” in this file.") % {"value": slug}


def appearances(tree: dict[str, Any]) -> type_found:
    speakers, sessions = values(tree, "speakers"), values(tree, "webinars") | values(tree, "agenda")
    seen = set()
    for place, item in entries(tree, "appearances"):
        speaker, session = item.get("speaker"), item.get("session")
        if speaker is not None and speaker not in speakers:
            reason = _("There is no speaker “%(value)s” in this file.") % {"value": speaker}
            yield ("appearances", place, "speaker"), reason
        if session is not None and session not in sessions:
            reason = _("There is no webinar or agenda item “%(value)s” in this file.") % {"value": session}
            yield ("appearances", place, "session"), reason
        same = (speaker, session, item.get("role"))
        if speaker is not None and same in seen:
            yield ("appearances", place), _("This speaker has this role in this session twice.")
        seen.add(same)


def edition_days(tree: dict[str, Any]) -> type_found:
    first, last = edition_span(tree)
    if first and last and last < first:
        yield ("edition", "ends_on"), _("The edition ends before it begins.")


def edition_span(tree: dict[str, Any]) -> tuple[date | None, date | None]:
    edition = edition_of(tree)
    return day(edition.get("starts_on")), day(edition.get("ends_on"))


def day(value: Any) -> date | None:
    return date.fromisoformat(value) if value else None


def moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def session_days(tree: dict[str, Any]) -> type_found:
    """Within the edition; only the press is called together earlier or later."""
    first, last = edition_span(tree)
    for section in ("webinars", "agenda"):
        for place, item in entries(tree, section):
            on = day(item.get("date"))
            if section == "agenda" and not item.get("webinar") and "date" not in item:
                yield (section, place), _("“%(key)s” is missing here.") % {"key": "date"}
            if on and first and last and first <= last and not first <= on <= last and item.get("kind") != "press":
                words = {"day": on, "first": first, "last": last}
                yield (section, place, "date"), _("%(day)s is outside the edition, %(first)s to %(last)s.") % words


def hours(tree: dict[str, Any]) -> type_found:
    for section in ("webinars", "agenda"):
        for place, item in entries(tree, section):
            starts_at, ends_at, on = moment(item.get("starts_at")), moment(item.get("ends_at")), day(item.get("date"))
            if ends_at and not starts_at:
                yield (section, place, "ends_at"), _("An end without a beginning: “starts_at” is missing or null.")
            if starts_at and ends_at and ends_at <= starts_at:
                yield (section, place, "ends_at"), _("It ends before it begins.")
            if starts_at and on and (local := starts_at.astimezone(timezones.WITA.info).date()) != on:
                reason = _("In WITA this hour is on %(local)s, but the date is %(day)s.") % {"local": local, "day": on}
                yield (section, place, "starts_at"), reason


def registration_hours(tree: dict[str, Any]) -> type_found:
    edition: type_path = ("edition",)
    for path, entry in [(edition, edition_of(tree)), *((("webinars", n), w) for n, w in entries(tree, "webinars"))]:
        opens_at, closes_at = moment(entry.get("registration_opens_at")), moment(entry.get("registration_closes_at"))
        if opens_at and closes_at and closes_at <= opens_at:
            yield (*path, "registration_closes_at"), _("Registration closes before it opens.")


def crops(tree: dict[str, Any]) -> type_found:
    for section, key in (("organisations", "logo_crop"), ("speakers", "photo_crop")):
        for place, item in entries(tree, section):
            crop = item.get(key)
            try:
                validate_crop([] if crop is None or None in crop else crop)
            except ValidationError as error:
                yield (section, place, key), error.messages[0]


def shown_edition(tree: dict[str, Any]) -> type_found:
    edition = edition_of(tree)
    if edition.get("is_current") and edition.get("is_published") is False:
        yield ("edition", "is_published"), _("The current edition is shown to visitors.")


CHECKS = (
    repeated,
    sources,
    references,
    appearances,
    edition_days,
    session_days,
    hours,
    registration_hours,
    crops,
    shown_edition,
)
