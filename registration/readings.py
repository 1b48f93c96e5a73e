"""What a program reads of the attendees of a webinar, and the record of it.

Pages go by the key of the row, which never changes: whoever is there when a program begins is on one page, once, whoever
comes and goes meanwhile. Who comes meanwhile is on a later page or, if her key is older than her seat (she had one held
until her code came), in the next round: that begins a little before the first page was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.http import int_to_base36

from conference.models import Webinar
from registration import audit, exports
from registration.exports import Attendees, Cell
from registration.models import ApiToken, Attendance, Event, Registration
from registration.models.registrations import RegistrationQuerySet

Status = Registration.Status
Kind = Event.Kind
# Steps after which her row says something else.
CORRECTIONS = (Kind.CORRECTED, Kind.MERGED, Kind.HANDED_OVER, Kind.UNRESTRICTED)
MOMENTS = ("created_at", "confirmed_at", "waitlisted_at", "offered_at", "cancelled_at")
MOST_ROWS, USUAL_ROWS = 1000, 200
# A step has the time at which it began, and is seen a moment later.
OVERLAP = timedelta(minutes=2)

Line = dict[str, Cell]


@dataclass(frozen=True)
class Wanted:
    status: str = ""
    changed_since: datetime | None = None
    after: int = 0
    limit: int = USUAL_ROWS

    @property
    def words(self) -> str:
        """For the record: which filters, and not their words."""
        names = [("status", self.status), ("changed_since", self.changed_since), ("cursor", self.after)]
        return ", ".join(name for name, is_set in names if is_set)


@dataclass(frozen=True)
class Page:
    attendees: list[Line]
    next_cursor: str | None
    as_of: datetime


def shown(webinar: Webinar) -> RegistrationQuerySet:
    """Not whose use is restricted, and no seat that waits for the code of an address that anybody may have typed."""
    is_registered = ~Q(status=Status.PENDING) | Q(offered_at__isnull=False)
    return Registration.objects.filter(is_registered, webinar=webinar, participant__restricted_at=None)


def found(webinar: Webinar, wanted: Wanted) -> RegistrationQuerySet:
    rows = shown(webinar).filter(pk__gt=wanted.after)
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.changed_since:
        rows = rows.filter(changed(wanted.changed_since))
    return rows.order_by("pk")


def changed(since: datetime) -> Q:
    steps = Event.objects.filter(participant=OuterRef("participant"), kind__in=CORRECTIONS, at__gte=since)
    came = Attendance.objects.filter(Q(joined_at__gte=since) | Q(left_at__gte=since), registration=OuterRef("pk"))
    own = Q()
    for moment in MOMENTS:
        own |= Q(**{f"{moment}__gte": since})
    return own | Q(Exists(steps)) | Q(Exists(came))


def page(token: ApiToken, webinar: Webinar, wanted: Wanted, *, now: datetime) -> Page:
    with transaction.atomic():
        pks = list(found(webinar, wanted).values_list("pk", flat=True)[: wanted.limit + 1])
        chosen = pks[: wanted.limit]
        attendees = lines(chosen)
        note(token, webinar, len(attendees), wanted.words, now=now)
    return Page(attendees, int_to_base36(chosen[-1]) if len(pks) > wanted.limit else None, now - OVERLAP)


def one(token: ApiToken, webinar: Webinar, code: str, *, now: datetime) -> Line | None:
    """Whom an event was about."""
    with transaction.atomic():
        row = shown(webinar).select_related("participant").filter(code=code).first()
        attendees = lines([row.pk]) if row else []
        if row and attendees:
            audit.note(
                audit.Action.READ_BY_TOKEN,
                token,
                actor=None,
                now=now,
                participant=row.participant,
                webinar_id=webinar.pk,
                rows=1,
            )
    return attendees[0] if attendees else None


def lines(pks: Sequence[int]) -> list[Line]:
    """As in the organisers' own list."""
    rows = exports.rows(Attendees(pks, None))
    return [dict(zip(exports.COLUMNS, row, strict=True)) for block in rows for row in block]


def note(token: ApiToken, webinar: Webinar, rows: int, words: str, *, now: datetime) -> None:
    """The token is the row, nobody the actor: a program reads by itself."""
    audit.note(audit.Action.READ_BY_TOKEN, token, actor=None, now=now, webinar_id=webinar.pk, rows=rows, details=words)


def refuse(token: ApiToken, webinar: Webinar, *, now: datetime) -> None:
    audit.note(audit.Action.REFUSED, token, actor=None, now=now, webinar_id=webinar.pk)
