"""The programme by day: webinars, and what belongs to the edition itself (press conference, opening, closing)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Prefetch, QuerySet

from conference.models import AgendaItem, Appearance, Edition, Webinar, WebinarQuerySet
from conference.timezones import WITA

FIRST_KINDS = {AgendaItem.Kind.PRESS, AgendaItem.Kind.OPENING}
BEFORE, DURING, AFTER = range(3)


@dataclass
class Slot:
    """A line of the agenda: a webinar or an item of the edition's day."""

    entry: Webinar | AgendaItem

    @property
    def webinar(self) -> Webinar | None:
        return self.entry if isinstance(self.entry, Webinar) else None

    @property
    def item(self) -> AgendaItem | None:
        return self.entry if isinstance(self.entry, AgendaItem) else None

    @property
    def parts(self) -> list[AgendaItem]:
        return list(self.webinar.agenda_items.all()) if self.webinar else []

    @property
    def people(self) -> list[Appearance]:
        """Who appears in it, or in one of its parts; loaded by `programme`."""
        return [appearance for one in (self.entry, *self.parts) for appearance in one.appearances.all()]

    @property
    def place(self) -> tuple[int, bool, float, int, int]:
        """By the hour. Without one, press and opening come first and the rest after what has an hour; the closing
        comes last in any case."""
        at = self.entry.starts_at
        part = part_of_day(self.entry)
        order = self.entry.number if isinstance(self.entry, Webinar) else self.entry.order
        if at and part == BEFORE:
            return (DURING, False, at.timestamp(), BEFORE, order)
        return (part, at is None, at.timestamp() if at else 0.0, part, order)


@dataclass
class Day:
    date: date
    slots: list[Slot] = field(default_factory=list)


def part_of_day(entry: Webinar | AgendaItem) -> int:
    if isinstance(entry, Webinar):
        return DURING
    if entry.kind == AgendaItem.Kind.CLOSING:
        return AFTER
    return BEFORE if entry.kind in FIRST_KINDS else DURING


def programme(edition: Edition) -> list[Day]:
    """What visitors may see of an edition, day by day."""
    return by_day([*webinars_with_people(edition), *edition_items(edition)])


def by_day(entries: Iterable[Webinar | AgendaItem]) -> list[Day]:
    days: dict[date, Day] = {}
    for entry in entries:
        on = local_date(entry.date, entry.starts_at)
        days.setdefault(on, Day(on)).slots.append(Slot(entry))
    for day in days.values():
        day.slots.sort(key=lambda slot: slot.place)
    return sorted(days.values(), key=lambda day: day.date)


def local_date(planned: date, starts_at: datetime | None) -> date:
    """The day on which it begins by the organisers' clocks; the planned one while the hour is unknown."""
    return starts_at.astimezone(WITA.info).date() if starts_at else planned


def webinars_with_people(edition: Edition, among: WebinarQuerySet | None = None) -> list[Webinar]:
    """What visitors may see of them, or those `among`."""
    found = Webinar.objects.published() if among is None else among
    webinars = list(with_people(found.filter(edition=edition).in_order()))
    for webinar in webinars:
        webinar.edition = edition
    return webinars


def with_people(webinars: WebinarQuerySet) -> WebinarQuerySet:
    """Each with its appearances, its parts and theirs, in order and loaded at once."""
    items = AgendaItem.objects.order_by("order", "pk").prefetch_related(Prefetch("appearances", in_order()))
    return webinars.prefetch_related(Prefetch("appearances", in_order()), Prefetch("agenda_items", items))


def edition_items(edition: Edition) -> list[AgendaItem]:
    items = AgendaItem.objects.filter(edition=edition, webinar=None).order_by("date", "order", "pk")
    return list(items.prefetch_related(Prefetch("appearances", in_order())))


def in_order() -> QuerySet[Appearance]:
    return Appearance.objects.select_related("speaker__organisation").order_by("order", "pk")


def visible_appearances() -> QuerySet[Appearance]:
    """All but those in a webinar that is still a draft, or in an edition that nobody sees yet."""
    draft = Webinar.Status.DRAFT
    shown = in_order().filter(edition__in=Edition.objects.published())
    return shown.exclude(webinar__status=draft).exclude(agenda_item__webinar__status=draft)
