"""The record of processing, as the person may read it: what was done with her data, by whom, and what is kept how long."""

from dataclasses import dataclass
from datetime import date, datetime

from django.apps import apps
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from conference.models import Organisation, Webinar
from conference.timezones import WITA
from registration import audit, exports, periods
from registration.models import (
    AuditEntry,
    Consent,
    Download,
    Event,
    Participant,
    Registration,
    RetentionPeriod,
    User,
)

Kind = RetentionPeriod.Kind
Action = AuditEntry.Action


@dataclass(frozen=True)
class Step:
    at: datetime
    what: str
    who: str
    words: str


@dataclass(frozen=True)
class Access:
    """Looks of one sort by one side on one day, with the latest hour."""

    at: datetime
    who: str
    what: str
    times: int


@dataclass(frozen=True)
class Kept:
    """One kind of data; without a day it is counted from each mail's or entry's own."""

    what: str
    until: date | None
    days: int
    is_audit: bool = False


def steps(participant: Participant, reader: User) -> list[Step]:
    """Her history, the newest first. Who looked is told apart, see `accesses`."""
    rows = participant.events.exclude(kind=Event.Kind.LOOKED_AT)
    rows = rows.select_related("actor", "registration__webinar").order_by("-at", "-pk")
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


# ---- Who looked at her data

MOST_ACCESSES = 1000
ACCESSES = (Action.LOOKED_AT, Action.LOOKED_AT_SENSITIVE, Action.LISTED, Action.DOWNLOADED, Action.READ_BY_TOKEN)


def accesses(participant: Participant, reader: User) -> list[Access]:
    """By organisers, partners and programs, the newest first. Lists that partners took stand in `downloads_with`."""
    rows = audit.about(participant).filter(action__in=ACCESSES)
    rows = rows.exclude(action=Action.DOWNLOADED, organisation__isnull=False).select_related("organisation")
    found: dict[tuple[date, str, str], list[datetime]] = {}
    webinars: dict[int, str] = dict(Webinar.objects.values_list("pk", "title"))
    for entry in rows[:MOST_ACCESSES]:
        key = (entry.at.astimezone(WITA.info).date(), side_of(entry, reader), access_words(entry, webinars))
        found.setdefault(key, []).append(entry.at)
    return [Access(times[0], who, what, len(times)) for (_day, who, what), times in found.items()]


def side_of(entry: AuditEntry, reader: User) -> str:
    """The organisation's name, and nobody's of the organisers: she writes to all of them."""
    if entry.organisation:
        return entry.organisation.name
    if entry.action == Action.READ_BY_TOKEN:
        return _("A program of the organisers")
    return _("You") if entry.actor_id == reader.pk else _("An organiser")


def access_words(entry: AuditEntry, webinars: dict[int, str]) -> str:
    about = webinars.get(entry.webinar_id or 0, "")
    match entry.action:
        case Action.LOOKED_AT_SENSITIVE:
            return _("looked at the answers about difficulties and access needs")
        case Action.LISTED:
            return _("looked through the list of “%(webinar)s”, in which this person stands") % {"webinar": about}
        case Action.READ_BY_TOKEN:
            return _("read the list of “%(webinar)s”, in which this person stands") % {"webinar": about}
        case Action.DOWNLOADED if about:
            return _("downloaded the list of “%(webinar)s”, in which this person stands") % {"webinar": about}
        case Action.DOWNLOADED:
            return _("downloaded: %(kind)s") % {"kind": kind_word(entry.object_type)}
        case _:
            return _("looked at: %(kind)s") % {"kind": kind_word(entry.object_type)}


def kind_word(object_type: str) -> str:
    """What such a row is called; an address of the site stays as it is."""
    try:
        return str(apps.get_model(object_type)._meta.verbose_name)
    except (LookupError, ValueError):
        return object_type


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
    return [
        Kept(str(Kind(kind).label), ends.get(kind), days[kind], is_audit=kind == Kind.AUDIT)
        for kind in Kind.values
        if kind in days
    ]
