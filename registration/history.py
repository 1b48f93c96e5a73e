"""A person's history: each step is noted in the transaction of the fact itself."""

from datetime import datetime

from registration.models import Event, Participant, Registration, User

Kind = Event.Kind


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
    Event.objects.create(
        kind=kind, participant=participant, registration=registration, actor=actor, at=now, note=words[:300]
    )
