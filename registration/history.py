"""A person's history: each step is noted in the transaction of the fact itself."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from registration import audit, webhooks
from registration.models import Event, Participant, Registration, User

Kind = Event.Kind
ONE_LOOK = timedelta(hours=1)
# Other systems may want to hear of these at once.
TOLD = {Kind.CONFIRMED, Kind.PROMOTED, Kind.INVITED, Kind.MOVED, Kind.CANCELLED, Kind.MERGED}


def note(
    kind: Event.Kind,
    participant: Participant,
    *,
    now: datetime,
    registration: Registration | None = None,
    actor: User | None = None,
    words: str = "",
) -> None:
    """Without an actor it was the site itself, by its rules."""
    step = Event.objects.create(
        kind=kind, participant=participant, registration=registration, actor=actor, at=now, note=words[:300]
    )
    tell([step])


def look(participant: Participant, *, actor: User, now: datetime) -> None:
    """An organiser has her data on the screen; within an hour it is one look."""
    looks = Event.objects.filter(kind=Kind.LOOKED_AT, participant=participant, actor=actor, at__gt=now - ONE_LOOK)
    if not looks.exists():
        note(Kind.LOOKED_AT, participant, now=now, actor=actor)


def note_all(
    kind: Event.Kind,
    registrations: Iterable[Registration],
    *,
    now: datetime,
    actor: User | None = None,
    words: str = "",
) -> None:
    """The same step of several registrations, in one statement."""
    write([step(kind, registration, now=now, actor=actor, words=words) for registration in registrations])


def step(
    kind: Event.Kind, registration: Registration, *, now: datetime, actor: User | None = None, words: str = ""
) -> Event:
    """Of one registration, for `write`."""
    return Event(
        kind=kind,
        participant_id=registration.participant_id,
        registration=registration,
        actor=actor,
        at=now,
        note=words[:300],
    )


def write(steps: Iterable[Event]) -> None:
    """Steps of one transaction in one statement; none costs none."""
    tell(Event.objects.bulk_create(steps))


def tell(steps: list[Event]) -> None:
    audit.note_steps(steps)
    if any(step.kind in TOLD for step in steps):
        webhooks.ring_soon()
