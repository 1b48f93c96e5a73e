"""The picture of an address that is forwarded (Open Graph): what stands on it, and where it is."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import astuple, dataclass

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import gettext as _

from conference.agenda import visible_appearances
from conference.drawing import HEIGHT, WIDTH, card_png
from conference.models import Edition, Organisation, Page, Speaker, Webinar
from conference.sharing import day_in_words
from conference.timezones import days, spoken_hours

DESIGN = 1  # grows with every change of the drawing: programs keep a picture by its address
KEPT_FOR = 30 * 24 * 60 * 60  # seconds

Subject = Edition | Webinar | Speaker | Organisation | Page


@dataclass(frozen=True)
class Card:
    label: str
    title: str
    strong: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        words = json.dumps([DESIGN, settings.SITE_HOST, astuple(self)])
        return hashlib.sha256(words.encode()).hexdigest()[:12]

    @property
    def words(self) -> str:
        """For those who don't see it."""
        return " · ".join(text for text in (self.label, self.title, *self.strong, *self.quiet) if text)

    def png(self) -> bytes:
        """Drawn once; without a cache, each time."""
        key = f"card-{self.version}"
        kept: bytes | None = cache.get(key)
        if kept is None:
            kept = card_png(self.label, self.title, self.strong, self.quiet, settings.SITE_HOST)
            cache.set(key, kept, KEPT_FOR)
        return kept


# ---- What stands on it


def conference_name() -> str:
    return _("Eastern Indonesia Women's Conference")


def home_card(edition: Edition | None) -> Card:
    if not edition:
        return Card("", conference_name(), (), (_("Online, free of charge, open to everyone."),))
    return edition_card(edition)


def agenda_card(edition: Edition | None) -> Card:
    if not edition:
        return home_card(None)
    return Card(label(edition, edition.name), _("Agenda"), (when_and_where(edition),))


def edition_card(edition: Edition) -> Card:
    return Card(label(edition), edition.name, (when_and_where(edition),), present(edition.theme))


def label(edition: Edition, *words: str) -> str:
    """Moved dates must not go round as if they were true."""
    return " · ".join(present(_("Rehearsal") if edition.is_rehearsal else "", *words))


def when_and_where(edition: Edition) -> str:
    return " · ".join(present(days(edition.starts_on, edition.ends_on), edition.place))


def webinar_card(webinar: Webinar) -> Card:
    number = _("Webinar %(number)s") % {"number": webinar.number}
    above = label(webinar.edition, number, webinar.edition.name)
    date = day_in_words(webinar.date, webinar.starts_at)
    if webinar.is_cancelled:
        return Card(above, webinar.title, (date, _("Cancelled")))
    if webinar.starts_at is None:
        return Card(above, webinar.title, (date, _("Hour to be confirmed")))
    first, *others = spoken_hours(webinar.starts_at, webinar.ends_at)
    return Card(above, webinar.title, (date, first), (" · ".join(others),))


def speaker_card(speaker: Speaker) -> Card:
    organisation = speaker.organisation.name if speaker.organisation else ""
    return Card(conference_name(), speaker.name, (), present(speaker.position, organisation))


def organisation_card(organisation: Organisation) -> Card:
    name = organisation.name if organisation.acronym else ""
    return Card(conference_name(), organisation.short_name, (), present(name))


def page_card(page: Page) -> Card:
    return Card(conference_name(), page.title)


def present(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


# ---- Where it is


def find_edition(year: str) -> Card | None:
    edition = (
        Edition.objects.published().filter(year=int(year)).first() if year.isdecimal() and len(year) <= 4 else None
    )
    return edition_card(edition) if edition else None


def find_webinar(slug: str) -> Card | None:
    webinar = Webinar.objects.published().select_related("edition").filter(slug=slug).first()
    return webinar_card(webinar) if webinar else None


def find_speaker(slug: str) -> Card | None:
    speakers = Speaker.objects.filter(slug=slug, appearances__in=visible_appearances())
    speaker = speakers.select_related("organisation").first()
    return speaker_card(speaker) if speaker else None


def find_organisation(slug: str) -> Card | None:
    organisation = Organisation.objects.filter(slug=slug).first()
    return organisation_card(organisation) if organisation else None


def find_page(slug: str) -> Card | None:
    page = Page.objects.published().filter(slug=slug).first()
    return page_card(page) if page else None


FINDERS: dict[str, Callable[[str], Card | None]] = {
    "edisi": find_edition,
    "webinar": find_webinar,
    "pembicara": find_speaker,
    "mitra": find_organisation,
    "halaman": find_page,
}
LONE_CARDS: dict[str, Callable[[Edition | None], Card]] = {"beranda": home_card, "agenda": agenda_card}


def find_card(kind: str, name: str) -> Card | None:
    """Only of what visitors may see."""
    if kind in LONE_CARDS and not name:
        return LONE_CARDS[kind](Edition.objects.current())
    return FINDERS[kind](name) if kind in FINDERS and name else None


@dataclass(frozen=True)
class Picture:
    address: str
    words: str
    width: int = WIDTH
    height: int = HEIGHT


def picture_of(subject: Subject | str, current: Edition | None) -> Picture:
    """Of a row, or of one of the pages that belong to no row: `beranda`, `agenda`."""
    if isinstance(subject, str):
        card, names = LONE_CARDS[subject](current), [subject]
    else:
        card, names = card_of(subject)
    path = reverse("conference:picture", args=names)
    return Picture(f"{settings.SITE_URL}{path}?v={card.version}", card.words)


def card_of(subject: Subject) -> tuple[Card, list[str]]:
    match subject:
        case Webinar():
            return webinar_card(subject), ["webinar", subject.slug]
        case Speaker():
            return speaker_card(subject), ["pembicara", subject.slug]
        case Organisation():
            return organisation_card(subject), ["mitra", subject.slug]
        case Page():
            return page_card(subject), ["halaman", subject.slug]
        case Edition():
            return edition_card(subject), ["edisi", str(subject.year)]
