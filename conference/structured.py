"""The conference in the words of schema.org (JSON-LD), for search engines and calendars that read pages."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from conference.markdown import to_text
from conference.models import Edition, Organisation, ProgrammeChange, Speaker, Webinar
from conference.photos import variants
from conference.pictures import conference_name, picture_of, present
from conference.sharing import full_address, when_in_words
from conference.timezones import WITA

Facts = dict[str, Any]
SCHEMA = "https://schema.org/"
MOVES = (ProgrammeChange.Kind.DAY_MOVED, ProgrammeChange.Kind.HOUR_MOVED)
# What would end the script's element, or begin another, within a text.
ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def as_json(things: list[Facts]) -> str:
    """To stand in a script element."""
    graph = {"@context": "https://schema.org", "@graph": [filled(thing) for thing in things]}
    return json.dumps(graph, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


def filled(facts: Facts) -> Facts:
    """Nothing is said of what isn't known."""
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}


# ---- Events


def edition_event(edition: Edition, webinars: Iterable[Webinar], organisers: Iterable[Organisation] = ()) -> Facts:
    url = full_address(edition.get_absolute_url())
    parts = list(webinars)
    is_online = bool(parts) or edition.is_current or not edition.place
    moved = last_moves(parts)
    return {
        "@type": "Event",
        "@id": f"{url}#event",
        "name": edition.name,
        "description": " · ".join(present(*rehearsal(edition), edition.theme or to_text(edition.summary))),
        "url": url,
        "image": [picture_of(edition, None).address],
        "startDate": edition.starts_on.isoformat(),
        "endDate": edition.ends_on.isoformat(),
        "eventStatus": f"{SCHEMA}EventScheduled",
        "eventAttendanceMode": f"{SCHEMA}{'Online' if is_online else 'Offline'}EventAttendanceMode",
        "location": virtual(url) if is_online else place(edition),
        "organizer": [reference(organisation) for organisation in organisers],
        "isAccessibleForFree": True,
        "subEvent": [filled(part_event(webinar) | move(webinar, moved)) for webinar in parts],
    }


def part_event(webinar: Webinar) -> Facts:
    """As much as makes it an event of its own; the rest stands on its page."""
    url = full_address(webinar.get_absolute_url())
    return {
        "@type": "Event",
        "@id": f"{url}#event",
        "name": webinar.title,
        "description": hours_in_a_row(webinar),
        "url": url,
        **hours(webinar),
        "eventStatus": f"{SCHEMA}{'EventCancelled' if webinar.is_cancelled else 'EventScheduled'}",
        "eventAttendanceMode": f"{SCHEMA}OnlineEventAttendanceMode",
        "location": virtual(url),
    }


def webinar_event(webinar: Webinar, now: datetime) -> Facts:
    edition = webinar.edition
    speakers = unique(appearance.speaker for appearance in webinar.appearances.all())
    return (
        part_event(webinar)
        | move(webinar, last_moves([webinar]))
        | {
            "description": " ".join([f"{hours_in_a_row(webinar)}.", webinar.summary]).strip(),
            "image": [picture_of(webinar, None).address],
            "organizer": [reference(host) for host in webinar.hosts.all()] or [conference()],
            "performer": [person(speaker) for speaker in speakers],
            "inLanguage": webinar.languages,
            "isAccessibleForFree": True,
            "maximumVirtualAttendeeCapacity": webinar.capacity,
            "offers": offer(webinar, now),
            "superEvent": {
                "@type": "Event",
                "@id": f"{full_address(edition.get_absolute_url())}#event",
                "name": edition.name,
                "startDate": edition.starts_on.isoformat(),
                "endDate": edition.ends_on.isoformat(),
                "location": virtual(full_address(edition.get_absolute_url())),
            },
        }
    )


def hours_in_a_row(webinar: Webinar) -> str:
    return ", ".join([*rehearsal(webinar.edition), *when_in_words(webinar).splitlines()])


def rehearsal(edition: Edition) -> list[str]:
    return [_("Rehearsal")] if edition.is_rehearsal else []


def last_moves(webinars: list[Webinar]) -> dict[int, ProgrammeChange]:
    """By the webinar's id."""
    changed = [webinar.pk for webinar in webinars if webinar.revision]
    if not changed:
        return {}
    moves = ProgrammeChange.objects.filter(webinar__in=changed, kind__in=MOVES).order_by("at", "pk")
    return {move.webinar_id: move for move in moves if move.webinar_id}


def move(webinar: Webinar, moves: dict[int, ProgrammeChange]) -> Facts:
    """That its hour or day was another one before."""
    if webinar.is_cancelled or webinar.pk not in moves:
        return {}
    was = moves[webinar.pk].facts["was"]
    starts_at = moment(datetime.fromisoformat(was["starts_at"])) if was["starts_at"] else ""
    return {"eventStatus": f"{SCHEMA}EventRescheduled", "previousStartDate": starts_at or was["date"]}


def hours(webinar: Webinar) -> Facts:
    """By Makassar's clocks; the day alone while the hour is unknown."""
    return {
        "startDate": moment(webinar.starts_at) or webinar.date.isoformat(),
        "endDate": moment(webinar.ends_at),
    }


def moment(at: datetime | None) -> str:
    return at.astimezone(WITA.info).isoformat(timespec="minutes") if at else ""


def offer(webinar: Webinar, now: datetime) -> Facts:
    """Of a place, as long as there will be, is or was one. Whether seats are left is not said: there is a waiting list."""
    opens_at = webinar.sign_up_opens_at
    if not webinar.is_on(now) or opens_at is None:
        return {}
    closed = "PreOrder" if now < opens_at else "SoldOut"
    availability = "InStock" if webinar.is_open_for_registration(now) else closed
    return filled(
        {
            "@type": "Offer",
            "price": 0,
            "priceCurrency": "IDR",
            "availability": f"{SCHEMA}{availability}",
            "url": full_address(f"{reverse('registration:sign_up')}?webinars={webinar.slug}"),
            "validFrom": moment(opens_at),
            "validThrough": moment(webinar.sign_up_closes_at or webinar.expected_end),
        }
    )


def virtual(url: str) -> Facts:
    """Our own page: the room's address is for those who signed up."""
    return {"@type": "VirtualLocation", "url": url}


def place(edition: Edition) -> Facts:
    return {"@type": "Place", "name": edition.place, "address": edition.place}


# ---- Organisations and people


def conference() -> Facts:
    return {"@type": "Organization", "name": conference_name(), "url": full_address(reverse("conference:home"))}


def reference(organisation: Organisation) -> Facts:
    url = full_address(organisation.get_absolute_url())
    return {"@type": "Organization", "@id": f"{url}#organisation", "name": organisation.name, "url": url}


def organisation_facts(organisation: Organisation) -> Facts:
    copies = variants(organisation.logo)
    return reference(organisation) | {
        "alternateName": organisation.acronym,
        "description": to_text(organisation.about),
        "logo": full_address(copies.address(320)) if copies else "",
        "sameAs": organisation.website,
    }


def person(speaker: Speaker) -> Facts:
    url = full_address(speaker.get_absolute_url())
    return {"@type": "Person", "@id": f"{url}#person", "name": speaker.name, "url": url}


def person_facts(speaker: Speaker) -> Facts:
    copies = variants(speaker.photo)
    return person(speaker) | {
        "jobTitle": speaker.position,
        "worksFor": reference(speaker.organisation) if speaker.organisation else None,
        "image": full_address(copies.address(320)) if copies else "",
    }


def unique(speakers: Iterable[Speaker]) -> list[Speaker]:
    return list({speaker.pk: speaker for speaker in speakers}.values())


# ---- The site


def website() -> Facts:
    home = full_address(reverse("conference:home"))
    return {"@type": "WebSite", "@id": f"{home}#site", "name": conference_name(), "alternateName": "KPT", "url": home}


def trail(*steps: tuple[str | Promise, str]) -> Facts:
    """Of (name, path), from the home page down."""
    whole = [(conference_name(), reverse("conference:home")), *steps]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": str(name), "item": full_address(path)}
            for position, (name, path) in enumerate(whole, 1)
        ],
    }
