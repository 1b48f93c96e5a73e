"""The programme in the two formats that conference apps read (voc/schedule, JSON and XML), and its changes in Atom."""

import hashlib
import json
import uuid
from datetime import datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree as ET

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from conference import changes
from conference.agenda import Day, Slot, programme
from conference.markdown import to_text
from conference.models import USUAL_LENGTH, AgendaItem, Appearance, Edition, ProgrammeChange, ProgrammeState, Webinar
from conference.sharing import full_address, printable
from conference.timezones import WITA

ONE_DAY = timedelta(days=1)
NEWEST = 50


def schedule(edition: Edition) -> dict[str, Any]:
    conference = conference_facts(edition)
    version = hashlib.sha256(json.dumps(conference, sort_keys=True).encode()).hexdigest()[:12]
    return {"schedule": {"version": version, "base_url": settings.SITE_URL, "conference": conference}}


def conference_facts(edition: Edition) -> dict[str, Any]:
    days = programme(edition)
    return {
        "acronym": acronym(edition),
        "title": edition.name,
        "description": edition.theme,
        "start": min([edition.starts_on, *(day.date for day in days)]).isoformat(),
        "end": max([edition.ends_on, *(day.date for day in days)]).isoformat(),
        "daysCount": len(days),
        "timeslot_duration": "00:15",
        "time_zone_name": WITA.info.key,
        "url": full_address(reverse("conference:home")),
        "days": [day_facts(edition, index, day) for index, day in enumerate(days, 1)],
    }


def day_facts(edition: Edition, index: int, day: Day) -> dict[str, Any]:
    starts = midnight(day)
    slots = [slot for slot in day.slots if not (slot.webinar and slot.webinar.is_cancelled)]
    return {
        "index": index,
        "date": day.date.isoformat(),
        "day_start": starts.isoformat(),
        "day_end": (starts + ONE_DAY).isoformat(),
        "rooms": {_("Online"): [event(edition, slot, starts) for slot in slots]},
    }


def event(edition: Edition, slot: Slot, day_starts: datetime) -> dict[str, Any]:
    """A session without an hour spans its day and says so: the formats know no unknown hour."""
    starts, length = span(slot, day_starts)
    return {
        **identity(edition, slot),
        "date": starts.isoformat(),
        "start": f"{starts:%H:%M}",
        "end": (starts + length).isoformat(),
        "duration": duration(length),
        "room": _("Online"),
        "title": slot.entry.title,
        "subtitle": "" if slot.entry.starts_at else _("Hour to be confirmed"),
        "language": next(iter(slot.webinar.languages), None) if slot.webinar else None,
        "abstract": slot.webinar.summary if slot.webinar else "",
        "description": to_text(text_of(slot.entry)),
        "track": None,
        "persons": [person(appearance) for appearance in slot.people],
        "links": [],
    }


def text_of(entry: Webinar | AgendaItem) -> str:
    return entry.description if isinstance(entry, Webinar) else entry.note


def identity(edition: Edition, slot: Slot) -> dict[str, Any]:
    """Numbers of webinars are even and those of other items odd: the format wants one series."""
    kind = "webinar" if slot.webinar else "item"
    name = slot.webinar.slug.lower().rstrip("-_") if slot.webinar else str(slot.entry.pk)
    path = slot.webinar.get_absolute_url() if slot.webinar else reverse("conference:agenda")
    return {
        "guid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}-{slot.entry.pk}@{settings.SITE_HOST}")),
        "id": slot.entry.pk * 2 + (0 if slot.webinar else 1),
        "slug": f"{acronym(edition)}-{kind}-{name}",
        "url": full_address(path),
        "type": "talk" if slot.webinar else "other",
    }


def acronym(edition: Edition) -> str:
    return f"kpt{edition.year}"


def midnight(day: Day) -> datetime:
    return datetime.combine(day.date, time(), WITA.info)


def span(slot: Slot, day_starts: datetime) -> tuple[datetime, timedelta]:
    starts_at, ends_at = slot.entry.starts_at, slot.entry.ends_at
    if starts_at is None:
        return day_starts, ONE_DAY
    usual = USUAL_LENGTH if slot.webinar else timedelta(0)
    return starts_at.astimezone(WITA.info), ends_at - starts_at if ends_at else usual


def duration(length: timedelta) -> str:
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    return f"{hours:02}:{minutes:02}"


def person(appearance: Appearance) -> dict[str, str]:
    speaker = appearance.speaker
    return {
        "guid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"speaker-{speaker.pk}@{settings.SITE_HOST}")),
        "name": speaker.name,
        "url": full_address(speaker.get_absolute_url()),
    }


def schedule_xml(edition: Edition) -> bytes:
    facts = schedule(edition)["schedule"]
    conference = facts["conference"]
    root = ET.Element("schedule")
    add(root, "url", full_address(reverse("conference:agenda_xml")))
    add(root, "version", facts["version"])
    head = ET.SubElement(root, "conference")
    for name in ("title", "acronym", "start", "end"):
        add(head, name, conference[name])
    add(head, "days", str(conference["daysCount"]))
    for name in ("timeslot_duration", "url", "time_zone_name"):
        add(head, name, conference[name])
    add(head, "base_url", facts["base_url"])
    for day in conference["days"]:
        add_day(root, day)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def add_day(root: ET.Element, day: dict[str, Any]) -> None:
    attributes = {"index": str(day["index"]), "date": day["date"], "start": day["day_start"], "end": day["day_end"]}
    element = ET.SubElement(root, "day", attributes)
    for name, events in day["rooms"].items():
        room = ET.SubElement(element, "room", {"name": name})
        for facts in events:
            add_event(room, facts)


def add_event(room: ET.Element, facts: dict[str, Any]) -> None:
    element = ET.SubElement(room, "event", {"guid": facts["guid"], "id": str(facts["id"])})
    for name in ("date", "start", "duration", "room", "slug", "url", "title", "subtitle", "track", "type", "language"):
        add(element, name, facts[name] or "")
    add(element, "abstract", facts["abstract"])
    add(element, "description", facts["description"])
    persons = ET.SubElement(element, "persons")
    for one in facts["persons"]:
        ET.SubElement(persons, "person", {"guid": one["guid"]}).text = printable(one["name"])


def add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = printable(text)


# ---- What has changed


class ChangesFeed(Atom1Feed):
    """Django would date a feed without an entry by the clock: it would be another one at every request."""

    def latest_post_date(self) -> datetime:
        updated: datetime = self.feed["updated"]
        return updated


def changes_feed(edition: Edition) -> bytes:
    rows = edition.changes.select_related("webinar").order_by("-at", "-pk")
    newest = list(rows[:NEWEST])
    address = full_address(reverse("conference:changes_atom"))
    feed = ChangesFeed(
        title=printable(_("Changes in the programme: %(edition)s") % {"edition": edition.name}),
        link=full_address(reverse("conference:agenda")),
        description=None,
        language=get_language(),
        author_name=_("Eastern Indonesia Women's Conference"),
        feed_url=address,
        feed_guid=address,
        updated=newest[0].at if newest else since(edition),
    )
    for change in newest:
        feed.add_item(**entry(change))
    return feed.writeString("utf-8").encode()


def since(edition: Edition) -> datetime:
    """From when on changes are recorded."""
    state = ProgrammeState.objects.filter(edition=edition).first()
    return state.recorded_at if state else timezone.now()


def entry(change: ProgrammeChange) -> dict[str, Any]:
    is_shown = change.webinar and change.webinar.status != Webinar.Status.DRAFT
    path = change.webinar.get_absolute_url() if change.webinar and is_shown else reverse("conference:agenda")
    return {
        "title": printable(changes.sentence(change)),
        "link": full_address(path),
        "description": escape(changes.earlier_hour(change)) or None,
        "unique_id": f"tag:{settings.SITE_HOST},{change.at:%Y-%m-%d}:{get_language()}/perubahan/{change.pk}",
        "pubdate": change.at,
        "updateddate": change.at,
    }
