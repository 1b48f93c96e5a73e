"""Signing up: seats are held for an address, its emailed code proves it, and what is held is confirmed.

One path for known and unknown addresses, and a second call changes nothing.
"""

from datetime import datetime, timedelta
from typing import TypedDict

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from conference.models import Organisation, Webinar, WebinarQuerySet
from registration import consents, mail, seats, waitinglist
from registration.models import OutgoingMail, Participant, Registration, User

Status = Registration.Status

# Long enough to find the mail on a slow connection, short enough for the next in line.
HOLD = timedelta(minutes=30)
UNANSWERED = ("", Participant.Gender.UNDISCLOSED, Participant.AgeGroup.UNDISCLOSED)


class Person(TypedDict):
    """The participant's own fields of the form, as the model stores them."""

    name: str
    email: str
    phone: str
    gender: str
    age_group: str
    province: str
    regency: str
    organisation: str
    organisation_kind: str
    guardian_name: str


class Answers(TypedDict):
    """One submission of the form, as JSON, so that it can wait in the session for the code."""

    person: Person
    webinars: list[int]
    partners: list[int]
    language: str
    given_at: str


# ---- Before the code


def begin(answers: Answers, *, now: datetime) -> User:
    """Finds or creates the account of the address and holds seats for it; the sign-in by code comes next.

    A person whose address is proven keeps her data as it is until the code shows that it is she who writes.
    """
    email = answers["person"]["email"]
    with transaction.atomic():
        user = account_of(email, language=answers["language"], now=now)
        participant = participant_of(user, answers, now=now)
        remember(user, participant, now=now)
        for webinar in seats.lock(answers["webinars"]):
            hold(participant, webinar, now=now)
    return user


def account_of(email: str, *, language: str, now: datetime) -> User:
    # Not the name: whoever typed it may not be the owner of the address.
    fields = {"password": make_password(None), "language": language, "date_joined": now}
    # Locked, as in `confirm`: account, participant and webinars in this order everywhere, so that nobody deadlocks.
    user, _created = User.objects.select_for_update(no_key=True).get_or_create(email=email, defaults=fields)
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"primary": True})
    return user


def participant_of(user: User, answers: Answers, *, now: datetime) -> Participant:
    fields = dict(answers["person"])
    email = fields.pop("email")
    fields |= {"account": user, "language": answers["language"], "created_at": now}
    known = Participant.objects.select_for_update(no_key=True)
    participant, _created = known.get_or_create(email=email, defaults=fields)
    return participant


def remember(user: User, participant: Participant, *, now: datetime) -> None:
    """An address that is tried again has its time from now on: what it is forgotten by must not outrun its new code."""
    if participant.proven_at or participant.created_at == now:
        return
    if user.date_joined == participant.created_at:  # made by the earlier try, see `forget_unproven`
        user.date_joined = now
        user.save(update_fields=["date_joined"])
    participant.created_at = now
    participant.save(update_fields=["created_at"])


def hold(participant: Participant, webinar: Webinar, *, now: datetime) -> None:
    """Keeps a seat for HOLD, if there is one. Without one nothing is written: the code puts her on the waiting list."""
    registration = Registration.objects.filter(participant=participant, webinar=webinar).first()
    if registration and registration.status != Status.CANCELLED:
        return
    waitinglist.move_up(webinar, now=now)  # nobody overtakes those who wait for a seat that has just come free
    if not webinar.is_open_for_registration(now) or not seats.has_left(webinar):
        return
    registration = registration or Registration(participant=participant, webinar=webinar, created_at=now)
    put(registration, Status.PENDING, now=now, held_until=now + HOLD)


def put(
    registration: Registration, status: Registration.Status, *, now: datetime, held_until: datetime | None = None
) -> None:
    """A transition that may be the row's first."""
    if registration.pk:
        registration.set_status(status, now=now, held_until=held_until)
        return
    registration.status, registration.held_until = status, held_until
    registration.confirmed_at = now if status == Status.CONFIRMED else None
    registration.waitlisted_at = now if status == Status.WAITLISTED else None
    registration.save(force_insert=True)


# ---- After the code


def confirm(user: User, answers: Answers, *, now: datetime, replaces: bool = False) -> list[Registration]:
    """What the code proves: that it is the owner of the address who gave these answers.

    With `replaces` the form was filled in from her own data, so that its blanks mean it; else a blank erases nothing.
    Returns the registrations that changed, confirmed or on the waiting list; one mail tells of them all.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two tabs, one after the other
        participant = take_answers(user, answers, now=now, replaces=replaces)
        changed = [r for webinar in seats.lock(answers["webinars"]) if (r := admit(participant, webinar, now=now))]
        if changed:
            mail.queue_confirmation(participant, moment=now)
    return changed


def take_answers(user: User, answers: Answers, *, now: datetime, replaces: bool) -> Participant:
    """The account's own participant, proven from now on, with what the answers say."""
    participant = participant_of(user, answers, now=now)
    take_person(participant, answers["person"], replaces=replaces or not participant.proven_at)
    participant.account, participant.language = user, answers["language"]
    participant.proven_at = participant.proven_at or now
    participant.save()
    record_consents(participant, answers, now=now)
    if not user.name:
        user.name = participant.name
        user.save(update_fields=["name"])
    return participant


def take_person(participant: Participant, person: Person, *, replaces: bool) -> None:
    """What a stranger typed with an unproven address goes; what a proven person leaves blank stays as it was."""
    for field, value in person.items():
        if replaces or value not in UNANSWERED:
            setattr(participant, field, value)
    if not participant.regency.startswith(participant.province):
        participant.regency = ""  # she has moved to another province


def record_consents(participant: Participant, answers: Answers, *, now: datetime) -> None:
    consents.grant_for_sign_up(
        participant,
        Organisation.objects.filter(pk__in=answers["partners"]),
        with_guardian=bool(answers["person"]["guardian_name"]),
        language=answers["language"],
        now=now,
    )


def held_webinars(email: str) -> WebinarQuerySet:
    """What is held for the address and waits for the form whose code is entered."""
    held = Registration.objects.pending().filter(participant__email=email)
    return Webinar.objects.filter(registrations__in=held).in_order()


def admit(participant: Participant, webinar: Webinar, *, now: datetime) -> Registration | None:
    """Into the webinar, or onto its waiting list; None when nothing changes. The caller holds the lock."""
    registration = Registration.objects.filter(participant=participant, webinar=webinar).first()
    if registration and registration.is_live:
        return None
    is_held = registration is not None and registration.status == Status.PENDING
    # A seat that was held in time is hers even if the registration has closed since.
    if not (webinar.is_on(now) if is_held else webinar.is_open_for_registration(now)):
        return None
    registration = registration or Registration(participant=participant, webinar=webinar, created_at=now)
    waitinglist.move_up(webinar, now=now)  # nobody overtakes those who wait for a seat that has just come free
    has_seat = is_held or seats.has_left(webinar)
    put(registration, Status.CONFIRMED if has_seat else Status.WAITLISTED, now=now)
    return registration


def missed(user: User, answers: Answers) -> list[Webinar]:
    """What the answers ask for and she is not in: it closed before the code came."""
    hers = Registration.objects.live().filter(participant__email=user.email)
    return list(Webinar.objects.filter(pk__in=answers["webinars"]).exclude(registrations__in=hers).in_order())


# ---- Leaving


def cancel(registration: Registration, *, now: datetime) -> bool:
    """Gives the seat back and passes it on; False when there was nothing to cancel, or the webinar is over."""
    with transaction.atomic():
        webinar = seats.lock([registration.webinar_id])[0]
        registration.refresh_from_db(fields=["status"])
        if not registration.is_live or webinar.is_over(now):
            return False
        registration.set_status(Status.CANCELLED, now=now)
        mail.queue_about(registration, OutgoingMail.Kind.CANCELLATION, moment=now)
        waitinglist.move_up(webinar, now=now)
    return True


def expire_holds(*, now: datetime) -> int:
    """Seats that no code has claimed pass on, and an address that nobody proved leaves no trace. How many holds."""
    expired = 0
    held = Registration.objects.held_longer_than(now).order_by().values_list("webinar_id", flat=True).distinct()
    for webinar_id in sorted(held):
        with transaction.atomic():
            webinars = seats.lock([webinar_id])
            expired += release_holds(webinar_id, now=now)
            for webinar in webinars:
                waitinglist.move_up(webinar, now=now)
    forget_unproven(now=now)
    return expired


def release_holds(webinar_id: int, *, now: datetime) -> int:
    """A row that had a life before its hold goes back to it; a row that was only a hold goes."""
    held = Registration.objects.held_longer_than(now).filter(webinar=webinar_id)
    returned = held.filter(cancelled_at__isnull=False).update(status=Status.CANCELLED, held_until=None)
    deleted, _by_model = held.filter(cancelled_at=None).delete()
    return returned + deleted


def forget_unproven(*, now: datetime) -> None:
    strangers = Participant.objects.select_related("account").filter(
        proven_at=None, is_made_up=False, registrations=None, created_at__lte=now - HOLD, email__gt=""
    )
    with transaction.atomic():
        # Whoever is just being looked at by a sign-up is left to the next time.
        people = list(strangers.select_for_update(of=("self", "account"), skip_locked=True)[:1000])
        Participant.objects.filter(pk__in=[person.pk for person in people]).delete()
        for person in people:
            # Not a code that the account's owner has asked for since.
            codes = OutgoingMail.objects.filter(to=person.email, kind=OutgoingMail.Kind.CODE)
            codes.filter(created_at__lte=now - mail.CODE_LIFE).delete()
            # The account goes only if this sign-up made it and nobody has signed in since.
            own = User.objects.filter(pk=person.account_id, date_joined=person.created_at, last_login=None)
            own.filter(participants=None, partner_memberships=None, is_staff=False).delete()
