"""The waiting list is a status ordered by time. A seat that comes free goes to the first in it, at once."""

from datetime import datetime

from django.db import transaction

from conference.models import Webinar
from registration import mail, seats
from registration.models import Registration

Status = Registration.Status


def promote(webinar_id: int, *, now: datetime) -> int:
    """Gives the webinar's free seats to those who wait; how many."""
    with transaction.atomic():
        return sum(move_up(webinar, now=now) for webinar in seats.lock([webinar_id]))


def promote_everywhere(*, now: datetime) -> int:
    """For seats that came free without a sign-up or a cancellation, such as a capacity raised by hand in the database."""
    waiting = Registration.objects.waiting().order_by().values_list("webinar_id", flat=True).distinct()
    return sum(promote(webinar_id, now=now) for webinar_id in sorted(waiting))


def move_up(webinar: Webinar, *, now: datetime) -> int:
    """The same for a webinar that the caller holds locked."""
    if not webinar.is_on(now):
        return 0
    moved = 0
    while seats.has_left(webinar) and (registration := first_waiting(webinar)):
        registration.set_status(Status.CONFIRMED, now=now)
        mail.queue_about(registration, mail.Kind.PROMOTED, moment=now)
        moved += 1
    return moved


def first_waiting(webinar: Webinar) -> Registration | None:
    waiting = Registration.objects.waiting().filter(webinar=webinar)
    return waiting.select_related("participant__account", "webinar").first()
