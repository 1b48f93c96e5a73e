"""Webinars that will not take place: everybody who is in one is told, once, and offered the others.

The webinar's own status is the fact. Who sets it here tells in the same transaction; the beat finds what a file or a hand
in the database has cancelled.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from conference.models import Webinar
from registration import changed, mail, seats
from registration.models import Invitation, OutgoingMail, Registration, SeatCount


def tell(webinar_id: int, *, now: datetime) -> int:
    """One mail to each address, a carer's for all in her care; how many. Twice is harmless."""
    with transaction.atomic():
        [webinar] = seats.lock([webinar_id])
        count, _created = SeatCount.objects.get_or_create(webinar=webinar)
        if count.told_at or not webinar.is_cancelled:
            return 0
        SeatCount.objects.filter(pk=count.pk).update(told_at=now)
        changed.note_cancelled(webinar)
        guests = withdraw_invitations(webinar, now=now)
        if webinar.is_over(now):
            return 0
        rows = [*letters_to_people(webinar, moment=now), *letters_to_guests(guests, moment=now)]
        mail.queue_all(rows)
    return len(rows)


def number_of_mails(webinar: Webinar, *, now: datetime) -> int:
    """How many `tell` would send."""
    count = SeatCount.objects.filter(webinar=webinar).first()
    if (count and count.told_at) or webinar.is_over(now):
        return 0
    guests = list(Invitation.objects.open().filter(webinar=webinar))
    return len(letters_to_people(webinar, moment=now)) + len(letters_to_guests(guests, moment=now))


def tell_everywhere(*, now: datetime) -> int:
    """For webinars cancelled by a file, and so that one that is on again can be cancelled again."""
    SeatCount.objects.filter(told_at__isnull=False).exclude(webinar__status=Webinar.Status.CANCELLED).update(
        told_at=None
    )
    untold = Webinar.objects.filter(status=Webinar.Status.CANCELLED, seat_count__told_at=None)
    return sum(tell(pk, now=now) for pk in untold.order_by("pk").values_list("pk", flat=True))


def is_on_again(webinar_id: int) -> None:
    """A webinar that takes place after all can be cancelled again."""
    SeatCount.objects.filter(webinar=webinar_id).update(told_at=None)


def withdraw_invitations(webinar: Webinar, *, now: datetime) -> list[Invitation]:
    guests = list(Invitation.objects.open().filter(webinar=webinar).order_by("pk"))
    ended = Invitation.objects.filter(pk__in=[guest.pk for guest in guests])
    ended.update(status=Invitation.Status.WITHDRAWN, answered_at=now)
    return guests


def letters_to_people(webinar: Webinar, *, moment: datetime) -> list[OutgoingMail]:
    live = Registration.objects.live().filter(webinar=webinar).select_related("participant__account")
    # Where a carer is in it herself, the mail speaks to her: whoever has no address of her own comes first here.
    first: dict[str, Registration] = {}
    for registration in live.order_by("participant__email", "pk"):
        first[registration.participant.address] = registration
    return [
        OutgoingMail(
            kind=mail.Kind.WEBINAR_CANCELLED,
            key=f"webinar_cancelled:{registration.pk}:{moment.isoformat()}",
            to=address,
            language=registration.participant.language,
            participant=registration.participant,
            registration=registration,
        )
        for address, registration in first.items()
    ]


def letters_to_guests(guests: Iterable[Invitation], *, moment: datetime) -> list[OutgoingMail]:
    return [
        OutgoingMail(
            kind=mail.Kind.WEBINAR_CANCELLED,
            key=f"webinar_cancelled:invitation-{guest.pk}:{moment.isoformat()}",
            to=guest.email,
            language=guest.language,
            context={"invitation": guest.pk},
        )
        for guest in guests
    ]
