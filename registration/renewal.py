"""All personal links of an account end, and fresh ones go out by mail."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from registration import care, deadlocks, history, mail
from registration.models import Event, OutgoingMail, Participant, Registration, User


@deadlocks.done_again
def renew(account: User, *, now: datetime, actor: User | None = None) -> None:
    """Her own links and those of the people in her care: pages, join links and calendars. With an actor by another's hand."""
    with transaction.atomic():
        people = list(Participant.objects.managed_by(account).select_for_update(no_key=True))
        hers = Participant.objects.filter(pk__in=[person.pk for person in people])
        hers.update(link_version=F("link_version") + 1, calendar_version=F("calendar_version") + 1)
        registrations = Registration.objects.filter(participant__in=people)
        registrations.update(link_version=F("link_version") + 1)
        with_seat = set(registrations.live().values_list("participant_id", flat=True))
        for person in people:
            history.note(Event.Kind.LINKS_RENEWED, person, actor=actor or account, now=now)
            if person.pk in with_seat and not person.is_in_care and not has_one_waiting(person):
                mail.queue_confirmation(person, moment=now)
        if in_care := [person.pk for person in people if person.is_in_care and person.pk in with_seat]:
            care.tell(account, in_care, moment=now)


def has_one_waiting(person: Participant) -> bool:
    """A confirmation that no worker has taken yet brings the fresh links; locked, so that none takes it before they hold."""
    waiting = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.CONFIRMATION, status=OutgoingMail.Status.QUEUED)
    mine = waiting.filter(participant=person, to=person.address)
    return mine.select_for_update(skip_locked=True).first() is not None
