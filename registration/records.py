"""The record of processing, as the person may read it: what was done with her data, by whom, and what is kept how long."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from conference.models import Organisation
from registration import exports, periods
from registration.models import Consent, Download, Event, Participant, Registration, RetentionPeriod, User

Kind = RetentionPeriod.Kind


@dataclass(frozen=True)
class Step:
    at: datetime
    what: str
    who: str
    words: str


@dataclass(frozen=True)
class Kept:
    """One kind of data; without a day it is counted from each mail's own."""

    what: str
    until: date | None
    days: int


def steps(participant: Participant, reader: User) -> list[Step]:
    """Her history, the newest first."""
    rows = participant.events.select_related("actor", "registration__webinar").order_by("-at", "-pk")
    organisations = {host.slug: host.name for host in Organisation.objects.filter(consents__participant=participant)}
    return [
        Step(event.at, event.get_kind_display(), actor_of(event, participant, reader), words_of(event, organisations))
        for event in rows
    ]


def actor_of(event: Event, participant: Participant, reader: User) -> str:
    """Organisers are named as such, not by name: the person needs to know the role, and writes to all of them."""
    if event.actor is None:
        return _("The site, by its rules")
    if event.actor == reader:
        return _("You")
    if event.actor.pk == participant.account_id:
        return _("The account that manages her")
    return _("An organiser") if event.actor.is_staff else _("Another account")


def words_of(event: Event, organisations: dict[str, str]) -> str:
    """The note in the reader's language, where it holds names of fields or purposes; the webinar, where there is one."""
    match event.kind:
        case Event.Kind.CORRECTED:
            return fields_of(event.note)
        case Event.Kind.CONSENTED | Event.Kind.WITHDRAWN:
            purpose, _colon, slug = event.note.partition(": ")
            word = str(dict(Consent.Purpose.choices).get(purpose, purpose))
            return f"{word}: {organisations.get(slug, slug)}" if slug else word
        case _:
            webinar = event.registration.webinar.title if event.registration else ""
            return " · ".join(filter(None, [webinar, note_of(event)]))


def note_of(event: Event) -> str:
    """A title kept for the day when the registration is gone says nothing more beside its webinar."""
    match event.kind:
        case Event.Kind.HELD | Event.Kind.HOLD_EXPIRED if event.registration:
            return ""
        case Event.Kind.MOVED:
            return _("from “%(webinar)s”") % {"webinar": event.note}
        case _:
            return event.note


def fields_of(note: str) -> str:
    """The fields' names as the forms call them; what is none stays as it is."""
    return ", ".join(field_word(name) for name in note.split(", "))


def field_word(name: str) -> str:
    if name == Consent.Purpose.SENSITIVE:
        return str(Consent.Purpose.SENSITIVE.label)
    known = {field.name: field for field in Participant._meta.concrete_fields}
    return str(known[name].verbose_name) if name in known else name


def downloads_with(participant: Participant) -> list[Download]:
    """Lists that had her in them: taken while a consent to that organisation was in force and she had a seat."""
    shared = Consent.objects.filter(
        Q(withdrawn_at=None) | Q(withdrawn_at__gte=OuterRef("downloaded_at")),
        participant=participant,
        organisation=OuterRef("organisation"),
        granted_at__lte=OuterRef("downloaded_at"),
    )
    seats = Registration.objects.filter(
        participant=participant,
        webinar=OuterRef("webinar"),
        confirmed_at__isnull=False,
        created_at__lte=OuterRef("downloaded_at"),
    )
    found = Download.objects.filter(Exists(shared), Exists(seats)).select_related("organisation", "webinar")
    return list(found.order_by("-downloaded_at", "-pk"))


def column_words(columns: str) -> str:
    return ", ".join(str(exports.WORDS.get(name, name)) for name in columns.split(", "))


def kept(participant: Participant, *, now: datetime) -> list[Kept]:
    """Each kind of data and until when it is kept."""
    ends, days = periods.all_ends(participant, now=now), periods.days()
    return [Kept(str(Kind(kind).label), ends.get(kind), days[kind]) for kind in Kind.values if kind in days]
