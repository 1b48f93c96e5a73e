"""The record of what staff and partners do with people's data: written with the deed, changed by nobody.

Looks of staff are noted by the admin's frame (`kpt.recording`), steps in a person's history by `history`, a partner's
looks and downloads by `partners`. Names go with the person; who did what, when and from where stays for its own time.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from django.db import connection, transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from conference.models import Organisation, Webinar
from registration.models import (
    Attendance,
    AuditEntry,
    BouncedAddress,
    BounceReport,
    Certificate,
    Consent,
    Download,
    Event,
    Feedback,
    Invitation,
    OutgoingMail,
    Participant,
    SensitiveAnswers,
    User,
    Withdrawal,
)

Action = AuditEntry.Action
ONE_LOOK = timedelta(hours=1)
# More of one person in an hour say nothing new, and would fill the table.
REFUSALS_AN_HOUR = 30
# Of one person's lists so many are looked up.
MOST_LISTS = 2000

# The network that the present request comes from. Rules take no request, and who acts from where is no part of a rule.
network: ContextVar[str] = ContextVar("network", default="")
# What the present request has noted so far, where somebody keeps watch.
noted: ContextVar[list[AuditEntry] | None] = ContextVar("noted", default=None)


# ---- Writing


class About(TypedDict, total=False):
    """What may be said of a deed. `organisation` is the partner for which it was done."""

    participant: Participant | None
    organisation: Organisation | None
    webinar_id: int | None
    rows: int | None
    details: str


def note(
    action: AuditEntry.Action, row: Model | type[Model], *, actor: User | None, now: datetime, **about: Unpack[About]
) -> AuditEntry:
    """One deed on one row, or with a model's class on many."""
    [entry] = note_all(action, [row], actor=actor, now=now, **about)
    return entry


def note_all(
    action: AuditEntry.Action,
    found: "Iterable[Model | type[Model]]",
    *,
    actor: User | None,
    now: datetime,
    participant: Participant | None = None,
    organisation: Organisation | None = None,
    webinar_id: int | None = None,
    rows: int | None = None,
    details: str = "",
) -> list[AuditEntry]:
    """The same deed on each of these rows, in one statement."""
    entries = [
        AuditEntry(
            **signature(actor, now),
            action=action,
            **facts_of(row),
            participant_id=participant.pk if participant else person_behind(row),
            organisation=organisation,
            webinar_id=webinar_id or webinar_of(row),
            rows=rows,
            details=details[:500],
        )
        for row in found
    ]
    return write(entries)


def write(entries: list[AuditEntry]) -> list[AuditEntry]:
    AuditEntry.objects.bulk_create(entries)
    if (page := noted.get()) is not None:
        page.extend(entries)
    return entries


def signature(actor: User | None, now: datetime) -> dict[str, Any]:
    """Who, when and from where."""
    return {
        "at": now,
        "actor": actor,
        "actor_name": actor.email if actor else "",
        "network": str(network.get()),
    }


def facts_of(row: Model | type[Model]) -> dict[str, str]:
    facts = {"object_type": row._meta.label_lower}
    return (
        facts | {"object_id": str(row.pk)[:40], "object_name": name_of(row)[:200]} if isinstance(row, Model) else facts
    )


def name_of(row: Model) -> str:
    """Not the address that a row is called by: whose it is, `participant_id` says."""
    match row:
        case OutgoingMail():
            return str(row.get_kind_display())
        case BouncedAddress() | BounceReport():
            return ""
        case _:
            return str(row)


def webinar_of(row: Model | type[Model]) -> int | None:
    return getattr(row, "webinar_id", None) if isinstance(row, Model) else None


def person_behind(row: Model | type[Model]) -> int | None:
    """Whose data it is, where that is one participant's."""
    match row:
        case Participant():
            return row.pk
        case User() | Invitation() | BouncedAddress() | BounceReport():
            people = Participant.objects.filter(email=row.email) if row.email else Participant.objects.none()
        case OutgoingMail(participant_id=None):
            people = Participant.objects.filter(email=row.to) if row.to else Participant.objects.none()
        case Withdrawal():
            people = Participant.objects.filter(registrations__code=row.registration_code)
        case Attendance() | Certificate() | Feedback():
            return row.registration.participant_id
        case _:
            return getattr(row, "participant_id", None) if isinstance(row, Model) else None
    return people.values_list("pk", flat=True).first()


def look(row: Model | type[Model], *, actor: User, now: datetime, details: str = "") -> None:
    """Somebody of the staff has it on her screen; within an hour it is one look. Of sensitive answers each counts."""
    if isinstance(row, SensitiveAnswers):
        note(Action.LOOKED_AT_SENSITIVE, row, actor=actor, now=now, details=details)
        return
    object_id = str(row.pk) if isinstance(row, Model) else ""
    looks = AuditEntry.objects.filter(actor=actor, action=Action.LOOKED_AT, at__gt=now - ONE_LOOK)
    if not looks.filter(object_type=row._meta.label_lower, object_id=object_id, details=details).exists():
        note(Action.LOOKED_AT, row, actor=actor, now=now, details=details)


def look_through(
    model: type[Model],
    *,
    actor: User,
    now: datetime,
    rows: int,
    is_narrowed: bool = False,
    organisation: Organisation | None = None,
    webinar: Webinar | None = None,
) -> None:
    """A page of a list, with the number of people on it; what was searched for is not kept, only that it was."""
    note(
        Action.LISTED,
        model,
        actor=actor,
        now=now,
        rows=rows,
        organisation=organisation,
        webinar_id=webinar.pk if webinar else None,
        details=NARROWED if is_narrowed else "",
    )


NARROWED = gettext_noop("searched or filtered")


def take(download: Download) -> AuditEntry:
    """A partner's list that leaves the house; in the transaction of its record, see `partners.record_download`."""
    return note(
        Action.DOWNLOADED,
        download,
        actor=download.user,
        now=download.downloaded_at,
        organisation=download.organisation,
        rows=download.rows,
        details=download.columns,
    )


# ---- Steps of a history

DEEDS = {
    Event.Kind.LOOKED_AT: Action.LOOKED_AT,
    Event.Kind.CORRECTED: Action.CHANGED,
    Event.Kind.SIGNED_UP: Action.ADDED,
}


def note_steps(steps: Iterable[Event]) -> None:
    """Those that staff took with other people's data; their own sign-ups are no deed of staff."""
    by_staff = [step for step in steps if step.actor_id and step.actor and step.actor.is_staff]
    if not by_staff:
        return
    people = Participant.objects.in_bulk({step.participant_id for step in by_staff})
    entries = [entry_of(step, people[step.participant_id]) for step in by_staff if step.participant_id in people]
    write([entry for entry in entries if entry is not None])


def entry_of(step: Event, person: Participant) -> AuditEntry | None:
    actor = step.actor
    if actor is None or person.email == actor.email:
        return None
    row: Model = step.registration or person
    return AuditEntry(
        **signature(actor, step.at),
        action=DEEDS.get(Event.Kind(step.kind), Action.ACTED),
        object_type=row._meta.label_lower,
        object_id=str(row.pk),
        object_name=person.name[:200],
        participant_id=person.pk,
        webinar_id=webinar_of(row),
        # A reason may be anything that somebody wrote; names of fields are ours.
        details=details_of(step),
    )


def details_of(step: Event) -> str:
    match step.kind:
        case Event.Kind.CORRECTED:
            return step.note
        case Event.Kind.LOOKED_AT:
            return ""
        case _:
            return step.kind


# ---- What was refused


def refuse(
    object_type: str, object_id: str, *, actor: User, now: datetime, organisation: Organisation | None, details: str
) -> bool:
    """False when she has been refused so often in this hour that nothing more is written."""
    before = AuditEntry.objects.filter(actor=actor, action=Action.REFUSED, at__gt=now - ONE_LOOK)
    if before.count() >= REFUSALS_AN_HOUR:
        return False
    entry = AuditEntry(
        **signature(actor, now),
        action=Action.REFUSED,
        object_type=object_type[:80],
        object_id=object_id[:40],
        organisation=organisation,
        details=details[:500],
    )
    write([entry])
    return True


# Neither its name nor what is in it.
NOT_TAKEN = gettext_noop("file not taken")
OTHER_KIND = gettext_noop("not of a kind that is taken here")
TOO_LARGE = gettext_noop("too large")
EMPTY = gettext_noop("empty")
UNREADABLE = gettext_noop("can't be read as it should")
WRONG_ROWS = gettext_noop("rows with mistakes")
WHY = {
    **dict.fromkeys(("invalid_image", "invalid_extension", "format", "heic", "svg", "no_image"), OTHER_KIND),
    "not_what_it_says": OTHER_KIND,
    **dict.fromkeys(("heavy", "side"), TOO_LARGE),
    "empty": EMPTY,
    "rows": WRONG_ROWS,
}


def refuse_file(object_type: str, object_id: str, why: str, *, size: int, actor: User, now: datetime) -> bool:
    """`why`: the code of the form's error."""
    details = ", ".join([NOT_TAKEN, WHY.get(why, UNREADABLE), f"{size} B"])
    return refuse(object_type, object_id, actor=actor, now=now, organisation=None, details=details)


# ---- Reading


def of_organisation(organisation: Organisation) -> QuerySet[AuditEntry]:
    """What a partner's people did, the newest first: for its manager."""
    rows = AuditEntry.objects.filter(organisation=organisation).select_related("actor")
    return rows.order_by("-at", "-pk")


def about(participant: Participant) -> QuerySet[AuditEntry]:
    """What was done with her data, the newest first: with rows of hers, and with lists that held her."""
    lists = list(lists_with(participant).order_by("-at", "-pk").values_list("pk", flat=True)[:MOST_LISTS])
    rows = AuditEntry.objects.filter(Q(participant_id=participant.pk) | Q(pk__in=lists))
    return rows.order_by("-at", "-pk")


def lists_with(participant: Participant) -> QuerySet[AuditEntry]:
    """Looked through or taken while she had a seat and a consent to that organisation was in force.

    One too many rather than one too few: whether she stood on the page of the list that was open is not known.
    """
    seats = participant.registrations.filter(confirmed_at__isnull=False)
    shared = participant.consents.filter(organisation__isnull=False)
    webinars = list(seats.values_list("webinar", flat=True))
    organisations = list(shared.values_list("organisation", flat=True))
    seat = Exists(seats.filter(webinar=OuterRef("webinar_id"), created_at__lte=OuterRef("at")))
    was_in_force = Q(withdrawn_at=None) | Q(withdrawn_at__gte=OuterRef("at"))
    consent = Exists(
        Consent.objects.filter(was_in_force, participant=participant.pk, granted_at__lte=OuterRef("at")).filter(
            organisation=OuterRef("organisation")
        )
    )
    rows = AuditEntry.objects.filter(webinar_id__in=webinars, participant_id=None)
    by_partner = Q(action__in=(Action.LISTED, Action.DOWNLOADED), organisation__in=organisations) & Q(consent)
    by_organisers = Q(action__in=(Action.DOWNLOADED, Action.READ_BY_TOKEN), organisation=None)
    return rows.filter(by_partner | by_organisers).filter(seat)


# ---- Forgetting names


def names(account_id: int) -> bool:
    """Whether the record says of her that she worked with other people's data: that outlives her account."""
    entries = AuditEntry.objects.filter(actor=account_id).exclude(actor_name="")
    return entries.exclude(pk__in=own_files(account_id).values("pk")).exists()


def own_files(account_id: int) -> QuerySet[AuditEntry]:
    """A list of her own group that was not taken is no work with other people's data: her name goes with her account."""
    label = Participant._meta.label_lower
    return AuditEntry.objects.filter(actor=account_id, action=Action.REFUSED, object_type=label).order_by()


@contextmanager
def blanking() -> Iterator[None]:
    """The one key that the database asks for: it lets names be emptied, and nothing else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL kpt.blanking = 'on'")
        yield
        cursor.execute("SET LOCAL kpt.blanking = 'off'")


def forget(participants: Collection[int]) -> None:
    """People who are gone: their names. Their number stays, as in the log of the deletion; nobody stands behind it."""
    blank_names(AuditEntry.objects.filter(participant_id__in=participants))


def forget_rows(model: type[Model], pks: Collection[int]) -> None:
    """Rows that name somebody who may be no participant, such as guests."""
    keys = [str(pk) for pk in pks]
    blank_names(AuditEntry.objects.filter(object_type=model._meta.label_lower, object_id__in=keys))


def forget_own_files(account_id: int) -> None:
    with blanking():
        own_files(account_id).update(actor_name="", network="")


def blank_names(entries: QuerySet[AuditEntry]) -> None:
    with blanking():
        entries.exclude(object_name="").update(object_name="")


def past(up_to: datetime) -> QuerySet[AuditEntry]:
    """Entries whose time is over and that still name somebody."""
    return AuditEntry.objects.filter(at__lt=up_to, blanked_at=None)


def blank(up_to: datetime, *, number: int) -> int:
    """A batch: that something was done, what and when stays for good; by whom in words, to whom and from where goes."""
    batch = list(past(up_to).order_by("at").values_list("pk", flat=True)[:number])
    names = {"actor_name": "", "object_name": "", "details": "", "network": "", "participant_id": None}
    with blanking():
        return AuditEntry.objects.filter(pk__in=batch).update(**names, blanked_at=Now())
