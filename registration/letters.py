"""What each kind of mail says: rendered when it is sent, in the recipient's language, from the newest facts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from conference import timezones
from conference.calendars import calendar_file
from registration import calendars, links
from registration.models import OutgoingMail, Participant, Registration

Kind = OutgoingMail.Kind


class Obsolete(Exception):
    """The facts have moved on since the mail was queued: it must not be sent."""


@dataclass(frozen=True)
class Entry:
    """One registration as a mail shows it."""

    registration: Registration
    day: str
    hours: list[str]
    join: str
    leave: str
    place: int | None


def entry(registration: Registration) -> Entry:
    webinar, zone = registration.webinar, registration.participant.time_zone
    return Entry(
        registration=registration,
        day=timezones.day(starts_on(registration)),
        hours=timezones.spoken_hours(webinar.starts_at, webinar.ends_at, zone) if webinar.starts_at else [],
        join=links.join(registration, signed_at=registration.changed_at),  # as in her calendar
        leave=links.leave(registration),
        place=registration.place_in_line() if registration.is_waitlisted else None,
    )


def starts_on(registration: Registration) -> date:
    """The webinar's date where she lives."""
    webinar = registration.webinar
    if not webinar.starts_at:
        return webinar.date
    return webinar.starts_at.astimezone(timezones.BY_CODE[registration.participant.time_zone].info).date()


# ---- The facts of each kind


def code(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    if "code" not in mail.context:
        raise Obsolete("The code is spent.")
    return {"code": mail.context["code"], "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60}


def unknown_account(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    return {"sign_up": links.absolute(reverse("registration:sign_up"))}


def confirmation(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    participant = person_of(mail)
    live = participant.registrations.live().in_order().select_related("webinar__edition", "participant__account")
    entries = [entry(r) for r in live if not (r.webinar.is_over(now) or r.webinar.is_cancelled)]
    if not entries:
        raise Obsolete("No registration is left to confirm.")
    has_seat = any(e.registration.is_confirmed for e in entries)
    return {"participant": participant, "entries": entries, "has_seat": has_seat, "mine": links.mine()}


def promoted(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    registration = registration_of(mail)
    if not registration.is_confirmed or registration.webinar.is_cancelled:
        raise Obsolete("The registration is no longer confirmed, or the webinar is cancelled.")
    return {"participant": registration.participant, "entries": [entry(registration)], "mine": links.mine()}


def cancellation(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    registration = registration_of(mail)
    if registration.is_live:
        raise Obsolete("She has signed up again.")
    return {
        "participant": registration.participant,
        "entries": [entry(registration)],
        "sign_up": links.absolute(reverse("registration:sign_up")),
    }


FACTS: dict[str, Callable[..., dict[str, Any]]] = {
    Kind.CODE: code,
    Kind.UNKNOWN_ACCOUNT: unknown_account,
    Kind.CONFIRMATION: confirmation,
    Kind.PROMOTED: promoted,
    Kind.CANCELLATION: cancellation,
}


def person_of(mail: OutgoingMail) -> Participant:
    if mail.participant is None:
        raise Obsolete("The participant is gone.")
    return mail.participant


def registration_of(mail: OutgoingMail) -> Registration:
    if mail.registration is None:
        raise Obsolete("The registration is gone.")
    return mail.registration


# ---- The message


def compose(mail: OutgoingMail, *, now: datetime) -> EmailMultiAlternatives:
    """The message, ready to send; what it says is kept on the row. Raises Obsolete."""
    with translation.override(mail.language):
        facts = FACTS[mail.kind](mail, now=now) | {"site_url": settings.SITE_URL, "language": mail.language}
        mail.subject = " ".join(render_to_string(f"mail/{mail.kind}.subject.txt", facts).split())
        mail.text = render_to_string(f"mail/{mail.kind}.txt", facts).strip() + "\n"
        mail.html = render_to_string(f"mail/{mail.kind}.html", facts)
        calendar = calendar_of(facts.get("entries", []))
    message = EmailMultiAlternatives(mail.subject, mail.text, to=[mail.to], headers=headers(mail))
    message.attach_alternative(mail.html, "text/html")
    if calendar:
        message.attach("kpt.ics", calendar, "text/calendar; method=PUBLISH; charset=utf-8")
    return message


def headers(mail: OutgoingMail) -> dict[str, str]:
    return {
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": mail.language,
    }


def calendar_of(entries: list[Entry]) -> bytes | None:
    """Her confirmed webinars with a known hour; each holds her personal link."""
    confirmed = [e for e in entries if e.registration.is_confirmed and e.registration.webinar.starts_at]
    if not confirmed:
        return None
    return calendar_file([calendars.entry_of(e.registration) for e in confirmed])
