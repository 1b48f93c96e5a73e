"""Everything held about a person, for her to take along: as data for other programs, and as a page to read.

Both come from the same fields, so that neither knows less than the other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from conference import timezones
from registration import addresses, history, records, regions
from registration.models import (
    Attendance,
    BouncedAddress,
    BounceReport,
    Certificate,
    Event,
    Feedback,
    Handover,
    Invitation,
    OutgoingMail,
    Participant,
    Registration,
    SensitiveAnswers,
    User,
    Withdrawal,
)

PERSON = (
    *("name", "email", "contact_email", "phone", "gender", "age_group", "province", "regency"),
    *("organisation", "organisation_kind", "language", "guardian_name", "proven_at", "created_at", "restricted_at"),
    "unsubscribed_at",
)
ACCOUNT = ("email", "name", "language", "date_joined", "last_login")
ANSWERS = (*SensitiveAnswers.DOMAINS, "needs", "access_needs", "delete_on")
REGISTRATION = (
    *("code", "webinar", "status", "created_at", "held_until", "confirmed_at", "waitlisted_at", "offered_at"),
    *("cancelled_at", "cancel_reason", "zoom_state", "zoom_registrant_id", "zoom_synced_at"),
)
CONSENT = ("purpose", "organisation", "language", "version", "granted_at", "withdrawn_at")
MAIL = ("kind", "to", "language", "status", "created_at", "sent_at", "error", "subject", "text")
# Not in it, with the reason; a test holds this list against the models.
LEFT_OUT = {
    "participant.account": "told in a part of its own",
    "participant.email_key": "made from the address",
    "participant.calendar_version": "a number that ends old links, not about her",
    "participant.link_version": "a number that ends old links, not about her",
    "participant.is_made_up": "marks example people",
    "registration.participant": "the person herself",
    "registration.link_version": "a number that ends old links, not about her",
    "registration.zoom_join_url": "opens the room to whoever has the file; her personal link leads there",
    "registration.zoom_error": "the words of Zoom's programs, not about her",
}


@dataclass(frozen=True)
class Fact:
    """One piece: its name and value for programs, its label and words for people."""

    name: str
    value: Any
    label: str
    words: str


@dataclass(frozen=True)
class Part:
    name: str
    title: str
    records: list[list[Fact]] = field(default_factory=list)


# ---- For the person


def take_along(participant: Participant, reader: User, *, now: datetime) -> list[Part]:
    """In the language that is active; her history notes that it was taken."""
    history.note(Event.Kind.TAKEN_ALONG, participant, now=now, actor=reader)
    return parts(participant, reader, now=now)


def as_data(participant: Participant, taken: Iterable[Part], *, now: datetime) -> dict[str, Any]:
    content = {part.name: [{fact.name: fact.value for fact in record} for record in part.records] for part in taken}
    return {"format": "kpt-personal-data/1", "taken_at": now.isoformat(), "name": participant.name, **content}


def as_page(participant: Participant, taken: list[Part], *, now: datetime) -> str:
    """One file that opens without the network: its few rules of style are in it."""
    facts = {
        "participant": participant,
        "parts": taken,
        "taken_at": words_of(now),
        "language": translation.get_language(),
    }
    return render_to_string("registration/takeaway.html", facts)


# ---- What is held


def parts(participant: Participant, reader: User, *, now: datetime) -> list[Part]:
    registrations = list(participant.registrations.in_order().select_related("webinar"))
    return [
        Part("person", _("You"), [facts_of(participant, PERSON)]),
        Part("account", _("The account that your mail goes to"), [facts_of(participant.account, ACCOUNT)]),
        Part("sensitive_answers", _("Answers about difficulties and access needs"), list(answers(participant))),
        Part("consents", _("What you agreed to"), list(consents(participant))),
        Part("registrations", _("Your registrations"), [facts_of(row, REGISTRATION) for row in registrations]),
        Part(
            "attendance",
            _("When you were there"),
            list(about(Attendance, participant, "source", "joined_at", "left_at")),
        ),
        Part(
            "feedback",
            _("What you said of webinars"),
            list(about(Feedback, participant, "rating", "text", "created_at")),
        ),
        Part("certificates", _("Certificates"), list(about(Certificate, participant, *CERTIFICATE))),
        Part("invitations", _("Invitations to your address"), list(invitations(participant))),
        Part("handovers", _("Handovers to an account of your own"), list(handovers(participant))),
        Part("partners", _("Lists that organisations downloaded with you in them"), list(downloads(participant))),
        Part("withdrawals", _("Organisations asked to remove you"), list(withdrawals(registrations))),
        Part("mails", _("Mails to you"), [facts_of(row, MAIL) for row in mails(participant)]),
        Part("returned", _("Mail to you that came back"), list(returned(participant))),
        Part("history", _("What was done with your data"), list(steps(participant, reader))),
        Part("periods", _("How long it is kept"), list(periods_of(participant, now=now))),
    ]


CERTIFICATE = ("code", "name", "version", "issued_at", "revoked_at")


def answers(participant: Participant) -> Iterator[list[Fact]]:
    for row in SensitiveAnswers.objects.filter(participant=participant):
        yield facts_of(row, ANSWERS)


def consents(participant: Participant) -> Iterator[list[Fact]]:
    for consent in participant.consents.select_related("organisation", "text").order_by("granted_at", "pk"):
        wording = consent.text.text if consent.text else ""
        yield [*facts_of(consent, CONSENT), Fact("text", wording, _("What you read"), wording)]


def about(model: type[models.Model], participant: Participant, *names: str) -> Iterator[list[Fact]]:
    """Rows that hang on a registration, each with its webinar."""
    rows: models.QuerySet[Any] = model._default_manager.filter(registration__participant=participant)
    for row in rows.select_related("registration__webinar").order_by("pk"):
        yield [fact_of(row.registration, "webinar"), *facts_of(row, names)]


def mails(participant: Participant) -> "models.QuerySet[OutgoingMail]":
    """Those about her, and those that only her address ties to her, such as codes."""
    loose = Q(participant=None, registration=None, to=participant.email) if participant.email else Q(pk=None)
    return OutgoingMail.objects.filter(Q(participant=participant) | loose).order_by("pk")


def returned(participant: Participant) -> Iterator[list[Fact]]:
    """What servers said of her own address."""
    if participant.email:
        for report in BounceReport.objects.filter(email=participant.email).order_by("at", "pk"):
            yield facts_of(report, ("at", "email", "source", "is_final", "words"))
        for mark in BouncedAddress.objects.filter(email=participant.email):
            yield facts_of(mark, ("email", "bounced_at", "words", "cleared_at"))


def invitations(participant: Participant) -> Iterator[list[Fact]]:
    names = ("webinar", "name", "email", "message", "status", "created_at", "reminded_at", "answered_at", "expires_at")
    if participant.email:
        rows = Invitation.objects.annotate(key=addresses.key_of("email")).filter(key=participant.email_key)
        for row in rows.select_related("webinar").order_by("pk"):
            yield facts_of(row, names)


def handovers(participant: Participant) -> Iterator[list[Fact]]:
    for row in Handover.objects.filter(participant=participant).order_by("pk"):
        yield facts_of(row, ("email", "created_at", "accepted_at", "withdrawn_at"))


def downloads(participant: Participant) -> Iterator[list[Fact]]:
    for row in records.downloads_with(participant):
        columns = Fact("columns", row.columns.split(", "), _("columns"), records.column_words(row.columns))
        yield [*facts_of(row, ("organisation", "webinar", "downloaded_at")), columns]


def withdrawals(registrations: list[Registration]) -> Iterator[list[Fact]]:
    codes = [registration.code for registration in registrations]
    rows = Withdrawal.objects.filter(registration_code__in=codes).select_related("organisation", "webinar")
    for row in rows.order_by("pk"):
        yield facts_of(row, ("organisation", "webinar", "registration_code", "withdrawn_at", "done_at"))


def steps(participant: Participant, reader: User) -> Iterator[list[Fact]]:
    for step in records.steps(participant, reader):
        yield [
            Fact("at", step.at.isoformat(), _("at"), words_of(step.at)),
            Fact("step", step.what, _("step"), step.what),
            Fact("by", step.who, _("by"), step.who),
            Fact("note", step.words, _("note"), step.words),
        ]


def periods_of(participant: Participant, *, now: datetime) -> Iterator[list[Fact]]:
    for kept in records.kept(participant, now=now):
        yield [
            Fact("kind", kept.what, _("kind of data"), kept.what),
            Fact("until", value_of(kept.until), _("kept until"), words_of(kept.until)),
            Fact("days", kept.days, _("days"), str(kept.days)),
        ]


# ---- From a row's field to a fact


def facts_of(row: models.Model, names: Iterable[str]) -> list[Fact]:
    return [fact_of(row, name) for name in names]


def fact_of(row: models.Model, name: str) -> Fact:
    known: Any = row._meta.get_field(name)
    value = getattr(row, name)
    label = str(getattr(known, "verbose_name", name))
    if name in ("province", "regency"):
        return Fact(name, value, label, place(value))
    if getattr(known, "base_field", None):
        chosen = dict(known.base_field.flatchoices)
        return Fact(name, list(value), label, ", ".join(str(chosen.get(one, one)) for one in value))
    shown = getattr(row, f"get_{name}_display", None)
    return Fact(name, value_of(value), label, str(shown()) if shown and value else words_of(value))


def value_of(value: Any) -> Any:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    return str(value) if isinstance(value, models.Model) else value


def words_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        local = timezone.localtime(value, timezones.WITA.info)
        return f"{formats.date_format(local, 'j F Y, H.i')} WITA"
    return formats.date_format(value, "j F Y") if isinstance(value, date) else str(value)


def place(code: str) -> str:
    if code == regions.OUTSIDE_INDONESIA:
        return _("Outside Indonesia")
    return regions.names().get(code, code)
