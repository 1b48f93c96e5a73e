"""The waiting list is a status ordered by time. A seat that comes free goes to the first in it, at once.

Close to the start it is only offered: whoever does not take it in time lets it pass, and the next one is asked.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from conference.models import Webinar
from registration import deadlocks, history, mail, seats
from registration.models import Registration, SeatCount, User

Status = Registration.Status

# From then on a seat is offered: not everybody reads her mail in time to come.
CLOSE = timedelta(hours=24)
LONGEST_OFFER, SHORTEST_OFFER = timedelta(hours=2), timedelta(minutes=10)


def lengths() -> Coalesce:
    """Of webinars: how many wait, with those who let an offer pass. Each counted by an index of its own."""
    waiting = Registration.objects.filter(webinar=OuterRef("pk"), status=Status.WAITLISTED).order_by()
    return Coalesce(Subquery(waiting.values("webinar").annotate(number=Count("pk")).values("number")), 0)


# ---- Seats pass on


def promote(webinar_id: int, *, now: datetime, actor: User | None = None) -> int:
    """Gives the webinar's free seats to those who wait; how many. An organiser's hand gives them straight."""
    with transaction.atomic():
        return sum(move_up(webinar, now=now, actor=actor) for webinar in seats.lock([webinar_id]))


def promote_everywhere(*, now: datetime) -> int:
    """For seats that came free without a sign-up or a cancellation, such as a capacity raised by hand in the database."""
    waiting = Registration.objects.waiting().order_by().values_list("webinar_id", flat=True).distinct()
    return sum(promote(webinar_id, now=now) for webinar_id in sorted(waiting))


def settle(webinars: Iterable[Webinar], *, now: datetime) -> dict[int, int | None]:
    """The seats left by webinar id once those who wait have theirs, so that nobody overtakes them.

    The caller holds the webinars locked.
    """
    webinars = list(webinars)
    # The first by its index: to find that there is none, EXISTS reads the whole table where many wait for other webinars.
    waits = Registration.objects.waiting().filter(webinar=OuterRef("webinar"))
    rows = SeatCount.objects.filter(webinar__in=webinars).annotate(first_waiting=Subquery(waits.values("pk")[:1]))
    counts = {count.pk: count for count in rows}
    left = {webinar.pk: seats.left_of(webinar, counts.get(webinar.pk)) for webinar in webinars}
    for webinar in webinars:
        count = counts.get(webinar.pk)
        may_wait = count is None or count.first_waiting is not None
        if may_wait and left[webinar.pk] != 0 and move_up(webinar, now=now):
            left[webinar.pk] = seats.left(webinar)
    return left


def move_up(webinar: Webinar, *, now: datetime, actor: User | None = None) -> int:
    """The free seats of a webinar that the caller holds locked go to those who wait; how many."""
    left = seats.left(webinar) if webinar.is_on(now) else 0
    if left == 0:
        return 0
    waiting = Registration.objects.waiting().filter(webinar=webinar).select_related("participant__account", "webinar")
    chosen = list(waiting[:left])
    until = None if actor else answer_by(webinar, now=now)
    if until:
        offer(chosen, until=until, now=now)
    else:
        seat(chosen, now=now, actor=actor)
    return len(chosen)


def answer_by(webinar: Webinar, *, now: datetime) -> datetime | None:
    """Until when a seat that comes free now is offered; None while it is given straight."""
    if webinar.capacity is None or webinar.starts_at is None:
        return None
    ahead = webinar.starts_at - now
    if not timedelta() < ahead <= CLOSE:
        return None
    return now + max(min(LONGEST_OFFER, ahead / 4), SHORTEST_OFFER)


def seat(registrations: list[Registration], *, now: datetime, actor: User | None = None) -> None:
    Registration.objects.put(registrations, Status.CONFIRMED, now=now)
    mail.queue_about_all(registrations, mail.Kind.PROMOTED, moment=now)
    history.note_all(history.Kind.PROMOTED, registrations, now=now, actor=actor)


def offer(registrations: list[Registration], *, until: datetime, now: datetime) -> None:
    Registration.objects.put(registrations, Status.PENDING, now=now, held_until=until, offered_at=now)
    mail.queue_about_all(registrations, mail.Kind.OFFER, moment=now, not_after=until)
    history.note_all(history.Kind.OFFERED, registrations, now=now)


# ---- One person's seat


@deadlocks.done_again
def accept(registration: Registration, *, now: datetime, actor: User | None = None) -> bool:
    """Takes the offered seat; after the offer has passed, one that is free all the same. Twice is harmless."""
    with transaction.atomic():
        [webinar] = seats.lock([registration.webinar_id])
        if not webinar.is_on(now):
            return False
        left = settle([webinar], now=now)[webinar.pk]  # nobody overtakes those who still wait
        if not registration.read_again():
            return False
        if registration.is_confirmed:
            return True
        if registration.is_offered or (registration.is_waitlisted and left != 0):
            seat([registration], now=now, actor=actor)
            return True
    return False


def give_seat(registration: Registration, *, now: datetime, actor: User) -> bool:
    """An organiser's hand seats this one, before others who wait; False when no seat is left, or she has one."""
    with transaction.atomic():
        [webinar] = seats.lock([registration.webinar_id])
        registration.refresh_from_db(fields=["status", "held_until", "offered_at"])
        has_place = registration.is_offered or (registration.is_waitlisted and seats.has_left(webinar))
        if not (has_place and webinar.is_on(now)):
            return False
        seat([registration], now=now, actor=actor)
    return True


def release_offers(webinar_id: int, *, now: datetime) -> int:
    """Whoever did not answer goes to the end of the line, and is not asked again. How many."""
    late = list(Registration.objects.offered().held_longer_than(now).filter(webinar=webinar_id))
    rows = Registration.objects.filter(pk__in=[registration.pk for registration in late])
    rows.update(status=Status.WAITLISTED, held_until=None, waitlisted_at=now)
    history.note_all(history.Kind.OFFER_EXPIRED, late, now=now)
    return len(late)
