"""Signing up: seats are held for an address, its emailed code proves it, and what is held is confirmed.

One path for known and unknown addresses, and a second call changes nothing.
"""

from collections.abc import Callable, Iterable, Sized
from datetime import datetime, timedelta
from typing import NotRequired, TypedDict

from django.db import transaction
from django.db.models import F

from conference.models import Organisation, Webinar, WebinarQuerySet
from registration import addresses, consents, deadlocks, history, invitations, mail, newcomers, seats, waitinglist
from registration.models import Event, Invitation, OutgoingMail, Participant, Registration, SeatCount, User

Status = Registration.Status
Step = Event.Kind

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
    news: NotRequired[bool]
    invitation: NotRequired[int]  # whose link led to the form
    language: str
    given_at: str


# ---- Before the code


@deadlocks.done_again
def begin(answers: Answers, *, now: datetime, send_code: Callable[[User], None] = lambda user: None) -> User:
    """Finds or creates the account of the address, has a code sent to it and holds seats for it.

    A person whose address is proven keeps her data as it is until the code shows that it is she who writes.
    """
    email = answers["person"]["email"]
    with transaction.atomic():
        user = newcomers.account_of(email, language=answers["language"], now=now)
        send_code(user)  # before the webinars are locked, for which others wait
        participant = participant_of(user, answers, now=now)
        remember(user, participant, now=now)
        webinars = seats.lock(answers["webinars"])
        invitation = invitations.open_one(answers.get("invitation"), webinars, now=now)
        hold_all(participant, [w for w in webinars if not invitation or w.pk != invitation.webinar_id], now=now)
    return user


def participant_of(user: User, answers: Answers, *, now: datetime) -> Participant:
    fields = dict(answers["person"])
    fields |= {"email": user.email, "account": user, "language": answers["language"], "created_at": now}
    return newcomers.found_or_added(Participant(**fields))


def remember(user: User, participant: Participant, *, now: datetime) -> None:
    """An address that is tried again has its time from now on: what it is forgotten by must not outrun its new code."""
    if participant.proven_at or participant.created_at == now:
        return
    if user.date_joined == participant.created_at:  # made by the earlier try, see `forget_unproven`
        user.date_joined = now
        user.save(update_fields=["date_joined"])
    participant.created_at = now
    participant.save(update_fields=["created_at"])


def hold_all(participant: Participant, webinars: list[Webinar], *, now: datetime) -> None:
    """Keeps seats for HOLD, where there are any. Else nothing is written: the code puts her on the waiting list."""
    left = waitinglist.settle(webinars, now=now)
    can_be_held = [
        registration
        for registration in registrations_of(participant, webinars, now=now)
        if left[registration.webinar_id] != 0 and registration.webinar.is_open_for_registration(now)
    ]
    held = [registration for registration in can_be_held if registration.status in ("", Status.CANCELLED)]
    Registration.objects.put(held, Status.PENDING, now=now, held_until=now + HOLD)
    history.write([history.step(Step.HELD, row, now=now, words=row.webinar.title) for row in held])
    if can_be_held and not held:
        write_as_they_are(can_be_held, participant)


def write_as_they_are(registrations: list[Registration], participant: Participant) -> None:
    """The work of a hold for those who are in already: a form that is answered sooner would tell strangers so."""
    SeatCount.objects.filter(webinar__in=[row.webinar_id for row in registrations]).update(taken=F("taken"))
    if participant.proven_at:  # else `remember` has written as much
        Registration.objects.filter(pk__in=[row.pk for row in registrations]).update(status=F("status"))
        Event.objects.filter(registration__in=registrations).update(note=F("note"))


def registrations_of(participant: Participant, webinars: list[Webinar], *, now: datetime) -> list[Registration]:
    """Hers in each of the webinars; where there is none yet, one that is not saved."""
    hers = {row.webinar_id: row for row in participant.registrations.filter(webinar__in=webinars)}
    rows = []
    for webinar in webinars:
        row = hers.get(webinar.pk) or Registration(participant=participant, created_at=now)
        row.participant, row.webinar = participant, webinar
        rows.append(row)
    return rows


# ---- After the code


@deadlocks.done_again
def confirm(user: User, answers: Answers, *, now: datetime, replaces: bool = False) -> list[Registration]:
    """What the code proves: that it is the owner of the address who gave these answers.

    With `replaces` the form was filled in from her own data, so that its blanks mean it; else a blank erases nothing.
    Returns the registrations that changed, confirmed or on the waiting list; one mail tells of them all.
    """
    with transaction.atomic():
        known = User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()  # two tabs, one after the other
        if known is None:
            return []  # she has had everything deleted a moment ago
        user = known
        participant = take_answers(user, answers, now=now, replaces=replaces)
        webinars = seats.lock(answers["webinars"])
        invitation = invitations.open_one(answers.get("invitation"), webinars, now=now)
        changed = admit_all(participant, webinars, now=now, actor=user, invitation=invitation)
        if changed:
            mail.queue_confirmation(participant, moment=now)
    return changed


def take_answers(user: User, answers: Answers, *, now: datetime, replaces: bool) -> Participant:
    """The account's own participant, proven from now on, with what the answers say."""
    own = Participant.objects.select_for_update(no_key=True).filter(email_key=user.email_key)
    participant = next(iter(own), None) or participant_of(user, answers, now=now)
    take_person(participant, answers["person"], replaces=replaces or not participant.proven_at)
    participant.account, participant.email, participant.language = user, user.email, answers["language"]
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
        if field == "email":
            continue  # that of the account: it is the one that the code has proven
        if replaces or value not in UNANSWERED:
            setattr(participant, field, value)
    if not participant.regency.startswith(participant.province):
        participant.regency = ""  # she has moved to another province


def record_consents(participant: Participant, answers: Answers, *, now: datetime) -> None:
    consents.grant_for_sign_up(
        participant,
        Organisation.objects.filter(pk__in=answers["partners"]),
        with_guardian=bool(answers["person"]["guardian_name"]),
        with_news=answers.get("news", False),
        language=answers["language"],
        now=now,
    )


def held_webinars(email: str) -> WebinarQuerySet:
    """What is held for the address and waits for the form whose code is entered."""
    held = Registration.objects.held().filter(participant__email_key=addresses.key(email))
    return Webinar.objects.filter(registrations__in=held).in_order()


def admit(
    participant: Participant, webinar: Webinar, *, now: datetime, actor: User | None = None
) -> Registration | None:
    """Into one webinar, or onto its waiting list; None when nothing changes. The caller holds the lock."""
    return next(iter(admit_all(participant, [webinar], now=now, actor=actor)), None)


def admit_all(
    participant: Participant,
    webinars: list[Webinar],
    *,
    now: datetime,
    actor: User | None = None,
    invitation: Invitation | None = None,
) -> list[Registration]:
    """Into the webinars, or onto their waiting lists; what changed. The caller holds the locks.

    A locked and open invitation brings the seat that is kept for it.
    """
    left = waitinglist.settle(webinars, now=now)  # nobody overtakes those who wait for a seat that has come free
    if invitation:
        invitations.take_up(invitation, now=now)
    rows = registrations_of(participant, webinars, now=now)
    invited_to = invitation.webinar_id if invitation else None
    outcomes = [(r, outcome(r, left[r.webinar_id], is_invited=r.webinar_id == invited_to, now=now)) for r in rows]
    for status in (Status.CONFIRMED, Status.WAITLISTED):
        Registration.objects.put([row for row, to in outcomes if to == status], status, now=now)
    changed = [row for row, to in outcomes if to]
    note_admitted(changed, invited_to, now=now, actor=actor)
    if invitation:
        invitations.settle(invitation, next(row for row in rows if row.webinar_id == invited_to), now=now)
    return changed


def outcome(
    registration: Registration, left: int | None, *, is_invited: bool, now: datetime
) -> Registration.Status | None:
    """What signing up makes of her registration; None when it stays."""
    webinar = registration.webinar
    if registration.is_confirmed:
        return None
    if registration.status == Status.PENDING or is_invited:
        # A seat that was held or kept in time is hers even if the registration has closed since.
        return Status.CONFIRMED if webinar.is_on(now) else None
    if not webinar.is_open_for_registration(now):
        return None
    if left != 0:
        return Status.CONFIRMED
    return None if registration.is_waitlisted else Status.WAITLISTED


def note_admitted(
    registrations: list[Registration], invited_to: int | None, *, now: datetime, actor: User | None
) -> None:
    kinds = {True: Step.CONFIRMED, False: Step.WAITLISTED}
    history.write(
        [
            history.step(
                Step.INVITED if row.webinar_id == invited_to else kinds[row.is_confirmed], row, now=now, actor=actor
            )
            for row in registrations
        ]
    )


@deadlocks.done_again
def accept_invitation(invitation: Invitation, participant: Participant, *, now: datetime) -> Registration | None:
    """The one button of somebody who is known and signed in; None when it was answered before or is over."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=participant.account_id)
        Participant.objects.select_for_update(no_key=True).get(pk=participant.pk)
        webinars = seats.lock([invitation.webinar_id])
        open_one = invitations.open_one(invitation.pk, webinars, now=now)
        if open_one is None or not consents.to_take_part().filter(participant=participant).exists():
            return None
        if admit_all(participant, webinars, now=now, actor=user, invitation=open_one):
            mail.queue_confirmation(participant, moment=now)
        return open_one.registration


def take_others(registration: Registration, webinar_ids: Iterable[int], *, now: datetime) -> list[Registration]:
    """For somebody whose webinar is cancelled: into the others that she chose, with one mail; what changed."""
    participant = registration.participant
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=participant.account_id)
        changed = admit_all(participant, seats.lock(webinar_ids), now=now, actor=participant.account)
        if changed:
            mail.queue_confirmation(participant, moment=now)
    return changed


def missed(user: User, answers: Answers, changed: Sized = ()) -> list[Webinar]:
    """What the answers ask for and she is not in: it closed before the code came."""
    if len(changed) == len(answers["webinars"]):
        return []
    hers = Registration.objects.live().filter(participant__email_key=addresses.key(user.email))
    return list(Webinar.objects.filter(pk__in=answers["webinars"]).exclude(registrations__in=hers).in_order())


# ---- Leaving


@deadlocks.done_again
def cancel(
    registration: Registration, *, now: datetime, actor: User | None = None, reason: str = "", tell: bool = True
) -> bool:
    """Gives the seat back and passes it on; False when there was nothing to cancel, or the webinar is over."""
    with transaction.atomic():
        [webinar] = seats.lock([registration.webinar_id])
        if not registration.read_again() or not registration.is_live or webinar.is_over(now):
            return False
        Registration.objects.put([registration], Status.CANCELLED, now=now, cancel_reason=reason[:300])
        if tell:
            mail.queue_about(registration, OutgoingMail.Kind.CANCELLATION, moment=now)
        history.note_all(Step.CANCELLED, [registration], now=now, actor=actor, words=reason)
        waitinglist.move_up(webinar, now=now)
    return True


def expire_holds(*, now: datetime) -> int:
    """Seats that no code or answer has claimed pass on, and an address that nobody proved leaves no trace. How many."""
    expired = 0
    held = Registration.objects.held_longer_than(now).order_by().values_list("webinar_id", flat=True).distinct()
    for webinar_id in sorted(held):
        with transaction.atomic():
            webinars = seats.lock([webinar_id])
            expired += release_holds(webinar_id, now=now) + waitinglist.release_offers(webinar_id, now=now)
            for webinar in webinars:
                waitinglist.move_up(webinar, now=now)
    forget_unproven(now=now)
    return expired


def release_holds(webinar_id: int, *, now: datetime) -> int:
    """A row that had a life before its hold goes back to it; a row that was only a hold goes."""
    late = list(Registration.objects.held().held_longer_than(now).filter(webinar=webinar_id).select_related("webinar"))
    held = Registration.objects.filter(pk__in=[row.pk for row in late])
    held.filter(cancelled_at__isnull=False).update(status=Status.CANCELLED, held_until=None)
    held.filter(cancelled_at=None).delete()
    steps = [history.step(Step.HOLD_EXPIRED, row, now=now, words=row.webinar.title) for row in late]
    for step, row in zip(steps, late, strict=True):
        step.registration_id = row.pk if row.cancelled_at else None
    history.write(steps)
    return len(late)


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
