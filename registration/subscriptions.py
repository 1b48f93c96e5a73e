"""Announcements, wanted or not: a wish about a mailbox, and so about everybody whose mail goes there.

What concerns a seat (confirmations, reminders, changes) is no announcement and comes all the same.
"""

from datetime import datetime

from django.db import transaction

from registration import history
from registration.models import Event, Participant, User
from registration.models.people import ParticipantQuerySet


def unsubscribe(account_id: int, *, now: datetime, actor: User | None = None) -> int:
    """How many people of the account had not been so before; a second click changes nothing."""
    with transaction.atomic():
        wanting = Participant.objects.filter(account=account_id, unsubscribed_at=None)
        return change(wanting, Event.Kind.UNSUBSCRIBED, at=now, now=now, actor=actor)


def subscribe(account_id: int, *, now: datetime, actor: User | None = None) -> int:
    with transaction.atomic():
        refusing = Participant.objects.filter(account=account_id, unsubscribed_at__isnull=False)
        return change(refusing, Event.Kind.SUBSCRIBED, at=None, now=now, actor=actor)


def change(
    people: ParticipantQuerySet, kind: Event.Kind, *, at: datetime | None, now: datetime, actor: User | None
) -> int:
    found = list(people.select_for_update(no_key=True).order_by("pk"))
    Participant.objects.filter(pk__in=[person.pk for person in found]).update(unsubscribed_at=at)
    history.write([Event(kind=kind, participant=person, actor=actor, at=now) for person in found])
    return len(found)


def is_wanted(account_id: int) -> bool:
    """Refused for one of her people it is refused for all, those too whom she has taken into her care since."""
    return not Participant.objects.filter(account=account_id, unsubscribed_at__isnull=False).exists()
