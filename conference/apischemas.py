"""What programs read of the programme: its fields, with the words that describe them.

Slugs are the keys, as in the addresses of pages. Words about fields are translated when they are shown.
"""

from datetime import date, datetime
from typing import Annotated

from django.utils import timezone
from django.utils.translation import gettext_noop as _
from ninja import Field, Schema
from pydantic import PlainSerializer, WithJsonSchema

Moment = Annotated[
    datetime,
    PlainSerializer(lambda at: timezone.localtime(at).isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
LANGUAGE = _("In the language of the address: Indonesian, or English under /en/.")
MARKDOWN = _("Markdown, in the language of the address.")
UNKNOWN_HOUR = _("Empty while the hour is to be confirmed.")
PAGE = _("Its page for people.")
IMAGE = _("A JPEG of at most 320 pixels, or null.")


class Problem(Schema):
    # RFC 9457. A docstring would be part of the description, in English alone: so it is with each schema here.
    type: str = Field(description=_("Always about:blank: the status says which problem it is."))
    title: str = Field(description=_("The status in words."))
    status: int = Field(description=_("The HTTP status."))
    detail: str = Field(description=_("What is wrong and what to do, in the language of the address."))


# ---- Editions


class EditionLine(Schema):
    year: int = Field(description=_("The key of the edition, as in its address."))
    slug: str = Field(description=_("The edition's own name in files."))
    number: int = Field(description=_("Which conference it is, counted from the first."))
    name: str = Field(description=LANGUAGE)
    theme: str = Field(description=LANGUAGE)
    place: str = Field(description=LANGUAGE)
    starts_on: date = Field(description=_("First day."))
    ends_on: date = Field(description=_("Last day."))
    is_current: bool = Field(description=_("Whether it is the one on the home page."))
    is_rehearsal: bool = Field(description=_("A rehearsal: the dates are moved, the hours are examples."))
    page: str = Field(description=PAGE)


class Partner(Schema):
    organisation: str = Field(description=_("Slug of the organisation."))
    name: str = Field(description=LANGUAGE)
    role: str = Field(description=_("organiser, co_organiser, supporter or media."))


class Part(Schema):
    speaker: str = Field(description=_("Slug of the speaker."))
    name: str = Field(description=_("Name of the speaker."))
    role: str = Field(description=_("opening, keynote, speaker, moderator, responder, performer or guest."))


class Item(Schema):
    kind: str = Field(description=_("press, opening, talk, discussion, break or closing."))
    title: str = Field(description=LANGUAGE)
    note: str = Field(description=LANGUAGE)
    date: date
    starts_at: Moment | None = Field(description=UNKNOWN_HOUR)
    ends_at: Moment | None = Field(description=UNKNOWN_HOUR)
    speakers: list[Part]


# ---- Webinars


class WebinarLine(Schema):
    slug: str = Field(description=_("The key of the webinar, as in its address."))
    edition: int = Field(description=_("Year of the edition."))
    number: int = Field(description=_("Its number in the edition."))
    title: str = Field(description=LANGUAGE)
    summary: str = Field(description=LANGUAGE)
    status: str = Field(description=_("published, or cancelled."))
    date: date
    starts_at: Moment | None = Field(description=UNKNOWN_HOUR)
    ends_at: Moment | None = Field(description=_("Empty while the end is not known."))
    hosts: list[str] = Field(description=_("Slugs of the host organisations."))
    page: str = Field(description=PAGE)


class MaterialLine(Schema):
    kind: str = Field(description=_("recording, audio, slides or summary."))
    title: str = Field(description=LANGUAGE)
    address: str = Field(description=_("Where it is."))
    size_bytes: int | None = Field(description=_("Its size, where known."))


class WebinarWhole(WebinarLine):
    description: str = Field(description=MARKDOWN)
    languages: list[str] = Field(description=_("Codes of the languages that are spoken."))
    has_sign_language: bool = Field(description=_("Whether there is sign language interpretation."))
    has_captions: bool = Field(description=_("Whether there are live captions."))
    capacity: int | None = Field(description=_("Seats in all; null is no limit."))
    is_registration_open: bool = Field(description=_("Whether one can sign up now."))
    registration_opens_at: Moment | None = Field(description=_("Null while it is not decided."))
    registration_closes_at: Moment | None = Field(description=_("Null: sign-up is open until the webinar ends."))
    speakers: list[Part] = Field(description=_("Who appears in the webinar itself, in order."))
    agenda: list[Item] = Field(description=_("Its parts, in order."))
    materials: list[MaterialLine] = Field(description=_("Recordings, slides and the like."))


class EditionWhole(EditionLine):
    summary: str = Field(description=MARKDOWN)
    organisations: list[Partner]
    webinars: list[WebinarLine]
    items: list[Item] = Field(description=_("What belongs to the edition's days and to no webinar."))


# ---- Speakers and organisations


class SpeakerLine(Schema):
    slug: str = Field(description=_("The key of the speaker, as in the address."))
    name: str
    position: str = Field(description=LANGUAGE)
    organisation: str | None = Field(description=_("Slug of the organisation, where it has a page."))
    photo: str | None = Field(description=IMAGE)
    photo_alt: str = Field(description=_("What the image shows, in words."))
    page: str = Field(description=PAGE)


class Appears(Schema):
    edition: int = Field(description=_("Year of the edition."))
    webinar: str | None = Field(description=_("Slug of the webinar; null: of the edition itself."))
    item: str | None = Field(description=_("Title of the part, or null."))
    role: str = Field(description=_("opening, keynote, speaker, moderator, responder, performer or guest."))


class SpeakerWhole(SpeakerLine):
    bio: str = Field(description=MARKDOWN)
    appearances: list[Appears] = Field(description=_("Where the speaker appears, the newest edition first."))


class OrganisationLine(Schema):
    slug: str = Field(description=_("The key of the organisation, as in its address."))
    name: str = Field(description=LANGUAGE)
    acronym: str
    kind: str = Field(description=_("foundation, network, cso, state_body, government, programme, media or other."))
    website: str
    logo: str | None = Field(description=IMAGE)
    logo_alt: str = Field(description=_("What the image shows, in words."))
    page: str = Field(description=PAGE)


class PartOfEdition(Schema):
    edition: int = Field(description=_("Year of the edition."))
    role: str = Field(description=_("organiser, co_organiser, supporter or media."))


class OrganisationWhole(OrganisationLine):
    about: str = Field(description=MARKDOWN)
    editions: list[PartOfEdition] = Field(description=_("The editions that it takes part in, the newest first."))
    webinars: list[str] = Field(description=_("Slugs of the webinars that it hosts."))
    speakers: list[str] = Field(description=_("Slugs of its speakers."))
