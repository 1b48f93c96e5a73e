"""Seats kept for people whom the organisers want there: each has a link of her own, and her answer or her time ends it."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from conference.models import Webinar
from registration import addresses, mail, seats, waitinglist
from registration.models import Invitation, OutgoingMail, Registration, User

Status = Invitation.Status

# How long a seat is kept, if the organisers don't say otherwise.
LIFE = timedelta(days=7)
# When she is reminded before it passes on; of a short life, half-way.
REMINDER = timedelta(days=2)


class Guest(NamedTuple):
    name: str
    email: str


# ---- Inviting


def new_guests(webinar: Webinar, guests: Iterable[Guest]) -> list[Guest]:
    """Whom an invitation would tell something new: nobody twice, nobody who has one or is registered already."""
    known = {
        addresses.key(email)
        for email in Invitation.objects.open().filter(webinar=webinar).values_list("email", flat=True)
    }
    registered = Registration.objects.live().exclude(participant__email="").filter(webinar=webinar)
    known |= set(registered.values_list("participant__email_key", flat=True))
    chosen: dict[str, Guest] = {}
    for guest in guests:
        key = addresses.key(guest.email)
        if key not in known:
            chosen.setdefault(key, guest)
    return list(chosen.values())


def seats_missing(webinar: Webinar, guests: Sequence[Guest]) -> int:
    """How many seats it has too few for them. The caller holds the webinar locked."""
    left = seats.left(webinar)
    return 0 if left is None else max(len(guests) - left, 0)


def invite(
    webinar: Webinar,
    guests: Sequence[Guest],
    *,
    expires_at: datetime,
    language: str,
    message: str,
    created_by: User | None,
    now: datetime,
) -> list[Invitation]:
    """Keeps a seat for each and writes to her. The caller holds the webinar locked and has seen that seats are left."""
    with transaction.atomic():
        made = Invitation.objects.bulk_create(
            [
                Invitation(
                    webinar=webinar,
                    name=guest.name,
                    email=guest.email.lower(),
                    language=language,
                    message=message,
                    expires_at=expires_at,
                    created_by=created_by,
                    created_at=now,
                )
                for guest in guests
            ]
        )
        write_to(made)
    return made


def add_seats(webinar: Webinar, number: int) -> None:
    """For guests of a full webinar: nobody who waits loses a place by it. The caller holds the webinar locked."""
    if number and webinar.capacity is not None:
        webinar.capacity += number
        webinar.save(update_fields=["capacity"])


def write_to(invitations: Iterable[Invitation], *, is_reminder: bool = False) -> None:
    mail.queue_all(
        [
            OutgoingMail(
                kind=mail.Kind.INVITATION,
                key=f"invitation:{invitation.pk}:{uuid.uuid4()}",
                to=invitation.email,
                language=invitation.language,
                context={"invitation": invitation.pk, "is_reminder": is_reminder},
                not_after=invitation.expires_at,
            )
            for invitation in invitations
        ]
    )


def newest_mails(invitations: Iterable[int]) -> dict[int, str]:
    """What became of the last mail of each; of one that was cancelled nothing is known any more."""
    mails = OutgoingMail.objects.filter(kind=mail.Kind.INVITATION, context__invitation__in=list(invitations))
    return dict(mails.order_by("created_at", "pk").values_list("context__invitation", "status"))


# ---- Her answer


def open_one(pk: int | None, webinars: Iterable[Webinar], *, now: datetime) -> Invitation | None:
    """The invitation, locked, if it can still be taken up in one of these webinars, which the caller holds locked."""
    ids = [webinar.pk for webinar in webinars if webinar.is_on(now)]
    if pk is None or not ids:
        return None
    rows = Invitation.objects.open().select_for_update(of=("self",), no_key=True).filter(webinar__in=ids)
    # Past its time and not passed on yet: the seat is still there for her.
    return rows.filter(pk=pk).first()


def take_up(invitation: Invitation, *, now: datetime) -> None:
    """Its seat is free for her registration, which the caller writes at once."""
    answer(invitation, Status.ACCEPTED, now=now)


def settle(invitation: Invitation, registration: Registration, *, now: datetime) -> None:
    """Whoever had a seat before needs no second one: it passes on."""
    invitation.registration = registration
    invitation.save(update_fields=["registration"])
    waitinglist.move_up(registration.webinar, now=now)


def answer(invitation: Invitation, status: Invitation.Status, *, now: datetime) -> None:
    invitation.status, invitation.answered_at = status, now
    invitation.save(update_fields=["status", "answered_at"])


def decline(invitation: Invitation, *, now: datetime) -> bool:
    return close(invitation, Status.DECLINED, now=now)


def withdraw(invitation: Invitation, *, now: datetime) -> bool:
    """An organiser's hand; nobody is told, the link says so."""
    return close(invitation, Status.WITHDRAWN, now=now)


def close(invitation: Invitation, status: Invitation.Status, *, now: datetime) -> bool:
    """Ends an open invitation, and its seat passes on; False when it was not open any more."""
    with transaction.atomic():
        [webinar] = seats.lock([invitation.webinar_id])
        row = Invitation.objects.open().select_for_update(of=("self",), no_key=True).filter(pk=invitation.pk).first()
        if row is None:
            return False
        if status == Status.EXPIRED and now < row.expires_at:
            return False  # it has been given more time meanwhile
        answer(row, status, now=now)
        waitinglist.move_up(webinar, now=now)
    return True


# ---- Again, and the end


def send_again(invitation: Invitation, *, now: datetime) -> bool:
    """Another mail about an open one. One that is over is opened anew if a seat is left; its earlier links stay dead."""
    with transaction.atomic():
        [webinar] = seats.lock([invitation.webinar_id])
        row = Invitation.objects.select_for_update(of=("self",), no_key=True).get(pk=invitation.pk)
        if not webinar.is_on(now):
            return False
        if not row.is_open(now) and not reopen(row, webinar, now=now):
            return False
        write_to([row])
    return True


def reopen(invitation: Invitation, webinar: Webinar, *, now: datetime) -> bool:
    has_place = invitation.status == Status.OPEN or seats.has_left(webinar)
    if invitation.status == Status.ACCEPTED or not has_place:
        return False
    if invitation.status != Status.OPEN and not new_guests(webinar, [Guest(invitation.name, invitation.email)]):
        return False
    invitation.status, invitation.expires_at = Status.OPEN, end_of_life(webinar, now=now)
    invitation.link_version += 1
    invitation.answered_at = invitation.reminded_at = None
    invitation.save()
    return True


def end_of_life(webinar: Webinar, *, now: datetime) -> datetime:
    """A week, but not beyond the start; while it runs, its end."""
    starts_at, ends_at = webinar.starts_at, webinar.expected_end
    limit = starts_at if starts_at and starts_at > now else ends_at
    return min(now + LIFE, limit) if limit else now + LIFE


def expire(*, now: datetime) -> int:
    """Seats that nobody took up in time pass on; how many."""
    late = Invitation.objects.open().filter(expires_at__lte=now)
    return sum(close(invitation, Status.EXPIRED, now=now) for invitation in late.order_by("webinar_id", "pk"))


def remind(*, now: datetime) -> int:
    """Once, a while before the seat passes on. How many."""
    near = Invitation.objects.open().filter(reminded_at=None, expires_at__gt=now, expires_at__lte=now + REMINDER)
    with transaction.atomic():
        rows = near.select_for_update(of=("self",), no_key=True, skip_locked=True)
        due = [row for row in rows if row.webinar.is_on(now) and now >= row.expires_at - remind_before(row)]
        Invitation.objects.filter(pk__in=[row.pk for row in due]).update(reminded_at=now)
        write_to(due, is_reminder=True)
    return len(due)


def remind_before(invitation: Invitation) -> timedelta:
    return min(REMINDER, (invitation.expires_at - invitation.created_at) / 2)
