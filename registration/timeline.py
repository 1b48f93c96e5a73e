"""A person's history as organisers read it: her steps, mails and consents in one line of time, with who did each."""

from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from registration import consents, records
from registration.models import Consent, Event, OutgoingMail, Participant, User

LONGEST = 300
SAID = (Event.Kind.CONSENTED, Event.Kind.WITHDRAWN)


class Line(NamedTuple):
    at: datetime
    words: str
    webinar: str = ""
    by: str = ""
    note: str = ""
    mail: OutgoingMail | None = None


def of(participant: Participant) -> list[Line]:
    """The newest first."""
    # The database's order decides where two steps have one time.
    steps = list(participant.events.select_related("actor", "registration__webinar").order_by("-at", "-pk")[:LONGEST])
    rows = list(participant.consents.select_related("organisation", "text").order_by("-granted_at", "-pk"))
    lines = [*of_consents(rows, steps, participant), *of_steps(steps, rows, participant), *of_mails(participant)]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def of_steps(steps: list[Event], rows: list[Consent], participant: Participant) -> list[Line]:
    told = {key for row in rows for key in keys(row)}
    return [
        Line(
            at=step.at,
            words=step.get_kind_display(),
            webinar=step.registration.webinar.title if step.registration else "",
            by=spoken(step.actor, participant),
            note=spoken_note(step),
        )
        for step in steps
        if (step.kind, step.at, step.note) not in told
    ]


def of_consents(rows: list[Consent], steps: list[Event], participant: Participant) -> list[Line]:
    """Each consent tells of itself; its steps only add whose hand it was."""
    actors = {(step.kind, step.at, step.note): step.actor for step in steps if step.kind in SAID}
    lines = []
    for row in rows:
        about = f"{row.get_purpose_display()}: {row.organisation}" if row.organisation else row.get_purpose_display()
        for key in keys(row):
            kind, at, _words = key
            # Where no step names anybody she ticked the box herself.
            by = spoken(actors.get(key, participant.account), participant)
            note = _("version %(version)s, %(language)s") % {
                "version": row.version,
                "language": row.get_language_display(),
            }
            lines.append(Line(at=at, words=f"{kind.label}: {about}", by=by, note=note))
    return lines


def keys(row: Consent) -> list[tuple[Event.Kind, datetime, str]]:
    """As `consents` notes its steps."""
    words = consents.words_of(row)
    given = (Event.Kind.CONSENTED, row.granted_at, words)
    return [given, (Event.Kind.WITHDRAWN, row.withdrawn_at, words)] if row.withdrawn_at else [given]


def of_mails(participant: Participant) -> list[Line]:
    mails = participant.mails.select_related("registration__webinar").defer("context", "text", "html")
    return [
        Line(
            at=mail.sent_at or mail.created_at,
            words=_("Mail: %(kind)s") % {"kind": mail.get_kind_display()},
            webinar=mail.registration.webinar.title if mail.registration else "",
            note=mail.to,
            mail=mail,
        )
        for mail in mails.order_by("-created_at", "-pk")[:LONGEST]
    ]


def spoken(actor: User | None, participant: Participant) -> str:
    if actor is None:
        return _("the site, by its rules")
    if actor.pk != participant.account_id:
        return str(actor)
    return _("her carer, %(name)s") % {"name": actor} if participant.is_in_care else _("the person herself")


def spoken_note(step: Event) -> str:
    return records.fields_of(step.note) if step.kind == Event.Kind.CORRECTED else records.note_of(step)
