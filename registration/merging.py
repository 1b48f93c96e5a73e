"""Two entries of one person become one: nothing of hers is lost, and nobody is twice in one webinar."""

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from allauth.account.models import EmailAddress
from django.db import models, transaction
from django.db.models import Case, CharField, Count, F, Q, When, Window
from django.db.models.functions import Lower

from conference.models import Webinar
from registration import (
    addresses,
    audit,
    consents,
    deadlocks,
    history,
    mergedmail,
    seats,
    signup,
    waitinglist,
    withdrawals,
)
from registration.models import (
    Attendance,
    Certificate,
    Consent,
    Event,
    Feedback,
    Handover,
    OutgoingMail,
    Participant,
    Registration,
    SensitiveAnswers,
    User,
)
from registration.models.people import ParticipantQuerySet

Status = Registration.Status

FILLED_IN = ("phone", "organisation", "organisation_kind", "guardian_name")


class Pair(NamedTuple):
    """One webinar that one of the two entries is in, or both: what stays, and what it takes in."""

    webinar: Webinar
    stays: Registration
    goes: Registration | None


def merge(kept: Participant, other: Participant, *, actor: User | None, now: datetime) -> bool:
    """All that `other` has moves to `kept`, and `other` goes. False when one of the two has gone before.

    Raises `mergedmail.InHand` when workers have hold of their mail for longer than they should.
    """
    for wait in mergedmail.PATIENCE:
        try:
            return make_one(kept, other, actor=actor, now=now)
        except mergedmail.InHand:
            time.sleep(wait)
    return make_one(kept, other, actor=actor, now=now)


@deadlocks.done_again
def make_one(kept: Participant, other: Participant, *, actor: User | None, now: datetime) -> bool:
    with transaction.atomic():
        mergedmail.lock_announcements()
        if kept.pk == other.pk or not lock(kept, other):
            return False
        withdrawals.lock(sharing_with(kept, other))
        webinars = seats.lock(webinar_ids(kept, other))
        if other.is_in_care and other.account_id != kept.account_id:
            leave_mailbox(other)
        for pair in pairs(kept, other):
            if pair.goes:
                unite(pair.stays, pair.goes)
        ended = unite_consents(kept, other)
        unite_sensitive_answers(kept, other)
        take_back_handovers(kept, other, now=now)
        mergedmail.unite(kept, other)
        move_rows(other, kept)
        dissolve(other, kept)
        history.note(
            Event.Kind.MERGED, kept, now=now, actor=actor, words=f"{other.name} · {other.email or other.phone}"
        )
        for consent in Consent.objects.filter(pk__in=ended).order_by("pk"):
            consents.withdraw(consent, now=now, actor=actor)
        for webinar in webinars:
            waitinglist.move_up(webinar, now=now)
    return True


def lock(kept: Participant, other: Participant) -> bool:
    """Accounts, participants, then (by the caller) webinars, each by id, in the order that a sign-up takes them."""
    accounts = User.objects.select_for_update(no_key=True).filter(pk__in=[kept.account_id, other.account_id])
    list(accounts.order_by("pk"))
    people = Participant.objects.select_for_update(no_key=True).filter(pk__in=[kept.pk, other.pk])
    if len(people.order_by("pk")) < 2:
        return False
    for person in (kept, other):
        person.refresh_from_db()
    return True


def leave_mailbox(person: Participant) -> None:
    """Of somebody in care: what her carer holds of links and calendars ends, and of the mails that went there she takes
    nothing along, for they may name others of the group. What still waits is not sent: her new links would be in it."""
    Participant.objects.filter(pk=person.pk).update(
        link_version=F("link_version") + 1, calendar_version=F("calendar_version") + 1
    )
    person.registrations.update(link_version=F("link_version") + 1)
    there = OutgoingMail.objects.filter(participant=person, to=person.account.email)
    mergedmail.stay_with_carer(there, person)
    waiting = there.filter(status__in=[OutgoingMail.Status.QUEUED, OutgoingMail.Status.RETRY])
    # This one is for all of the group, and is written to those who are still in it.
    waiting.exclude(kind=OutgoingMail.Kind.WEBINAR_CANCELLED).update_in_order(status=OutgoingMail.Status.CANCELLED)
    there.filter(sent_at__isnull=False).update_in_order(
        participant=None, registration=None, subject="", text="", html=""
    )


def webinar_ids(*people: Participant) -> list[int]:
    return list(Registration.objects.filter(participant__in=people).order_by().values_list("webinar_id", flat=True))


def sharing_with(*people: Participant) -> list[int]:
    """The organisations that may have to be told: locked before webinars, as everywhere."""
    in_force = Consent.objects.in_force().filter(participant__in=people, purpose=Consent.Purpose.PARTNER)
    return [pk for pk in in_force.values_list("organisation_id", flat=True) if pk]


# ---- Registrations


def pairs(kept: Participant, other: Participant) -> list[Pair]:
    """What becomes of each webinar: to show before, and to do."""
    both = Registration.objects.filter(participant__in=[kept, other]).select_related("webinar", "participant")
    by_webinar: dict[int, list[Registration]] = defaultdict(list)
    for registration in both.in_order():
        by_webinar[registration.webinar_id].append(registration)
    # The row of `kept` stays where both are worth the same.
    ranked = [
        sorted(rows, key=lambda row: (worth(row), row.participant_id == kept.pk), reverse=True)
        for rows in by_webinar.values()
    ]
    return [Pair(best.webinar, best, rest[0] if rest else None) for best, *rest in ranked]


def worth(registration: Registration) -> int:
    """A seat held for a code is worth less than a place in line: it may be that no code comes."""
    if registration.status == Status.PENDING:
        return 4 if registration.is_offered else 1
    if registration.is_waitlisted:
        return 2 if registration.has_let_pass else 3
    return 5 if registration.is_confirmed else 0


def unite(stays: Registration, goes: Registration) -> None:
    """One row a webinar, with what has happened under the other and the better place in line."""
    unite_attendances(stays, goes)
    unite_certificates(stays, goes)
    unite_feedback(stays, goes)
    move_rows(goes, stays)
    Registration.objects.filter(pk=goes.pk).delete()
    stays.created_at = min(stays.created_at, goes.created_at)
    if worth(stays) == worth(goes) and stays.waitlisted_at and goes.waitlisted_at:
        stays.waitlisted_at = min(stays.waitlisted_at, goes.waitlisted_at)
    if not stays.cancelled_at:  # so that a hold which runs out is a cancelled registration again
        stays.cancelled_at = goes.cancelled_at
    stays.save(update_fields=["created_at", "waitlisted_at", "cancelled_at"])


def unite_attendances(stays: Registration, goes: Registration) -> None:
    """The same entrance told twice is one, until the later leaving."""
    known = {(row.source, row.joined_at): row for row in Attendance.objects.filter(registration=stays)}
    for row in Attendance.objects.filter(registration=goes):
        if same := known.get((row.source, row.joined_at)):
            if row.left_at and (not same.left_at or row.left_at > same.left_at):
                Attendance.objects.filter(pk=same.pk).update(left_at=row.left_at)
            row.delete()


def unite_certificates(stays: Registration, goes: Registration) -> None:
    """One that is in force before one that is not, then the newer."""
    rows = sorted(
        Certificate.objects.filter(registration__in=[stays, goes]),
        key=lambda row: (row.revoked_at is None, row.version, row.issued_at),
    )
    keep_last(rows, stays)


def unite_feedback(stays: Registration, goes: Registration) -> None:
    """Her latest word."""
    keep_last(list(Feedback.objects.filter(registration__in=[stays, goes]).order_by("created_at", "pk")), stays)


def keep_last(rows: list[Certificate] | list[Feedback], stays: Registration) -> None:
    for row in rows[:-1]:
        row.delete()
    for row in rows[-1:]:
        row.registration = stays
        row.save(update_fields=["registration"])


# ---- What hangs on the person


def unite_consents(kept: Participant, other: Participant) -> list[int]:
    """Of two in force for the same the earlier stands. Returns those that she has taken back under the other entry."""
    rows = Consent.objects.filter(participant__in=[kept, other]).order_by("granted_at", "pk")
    by_subject: dict[tuple[str, int | None], list[Consent]] = defaultdict(list)
    for row in rows:
        by_subject[row.purpose, row.organisation_id].append(row)
    ended = []
    for (purpose, _organisation), same in by_subject.items():
        standing = [row for row in same if row.withdrawn_at is None]
        for extra in standing[1:]:
            extra.delete()
        last_no = max((row.withdrawn_at for row in same if row.withdrawn_at), default=None)
        # Her latest word holds, under whichever entry she said it; her registrations stand until she cancels them.
        if standing and last_no and last_no > standing[-1].granted_at and purpose not in consents.NEEDED:
            ended.append(standing[0].pk)
    return ended


def unite_sensitive_answers(kept: Participant, other: Participant) -> None:
    """What one of the two left blank the other says; both are deleted on the earlier day."""
    rows = {row.participant_id: row for row in SensitiveAnswers.objects.filter(participant__in=[kept, other])}
    mine, others = rows.get(kept.pk), rows.get(other.pk)
    if not others:
        return
    if not mine:
        SensitiveAnswers.objects.filter(pk=others.pk).update(participant=kept)
        return
    for field in (*SensitiveAnswers.DOMAINS, "access_needs"):
        setattr(mine, field, getattr(mine, field) or getattr(others, field))
    mine.needs = [*mine.needs, *(need for need in others.needs if need not in mine.needs)]
    mine.delete_on = min(mine.delete_on, others.delete_on)
    mine.save()
    others.delete()


def take_back_handovers(kept: Participant, other: Participant, *, now: datetime) -> None:
    """Only one may be under way, and none leads anywhere once the person has her own entry."""
    open_ones = Handover.objects.filter(participant__in=[kept, other], accepted_at=None, withdrawn_at=None)
    if kept.is_in_care:
        has_one = open_ones.filter(participant=kept).exists()
        open_ones = open_ones.filter(participant=other) if has_one else open_ones.none()
    open_ones.update(withdrawn_at=now)


def move_rows(source: models.Model, target: models.Model) -> None:
    """Every row that refers to the one refers to the other; whatever could clash there is united before."""
    for relation in references(type(source)):
        if relation.one_to_many:
            rows = relation.related_model._base_manager.filter(**{relation.field.name: source.pk})
            rows.update(**{relation.field.name: target.pk})


def references(model: type[models.Model]) -> Iterator[models.ManyToOneRel]:
    for field in model._meta.get_fields(include_hidden=True):
        if isinstance(field, models.ManyToOneRel):
            yield field


def dissolve(other: Participant, kept: Participant) -> None:
    """The emptied entry goes, what it knew and the kept one does not is filled in, and a bare account goes along."""
    account = other.account
    audit.forget([other.pk])  # at her deletion nothing leads from the kept entry to these
    Participant.objects.filter(pk=other.pk).delete()  # before, since a phone may be given only once
    fill_in(kept, other)
    if account.pk == kept.account_id:
        return
    if account.email_key == other.email_key and not kept.is_in_care:  # her own account: what she did there she has done
        Event.objects.filter(participant=kept, actor=account).update(actor=kept.account)
    if is_bare(account):
        User.objects.filter(pk=account.pk).delete()


def fill_in(kept: Participant, other: Participant) -> None:
    for field in FILLED_IN:
        setattr(kept, field, getattr(kept, field) or getattr(other, field))
    for field in ("gender", "age_group"):
        if getattr(kept, field) in signup.UNANSWERED:
            setattr(kept, field, getattr(other, field) or getattr(kept, field))
    if kept.province == other.province:
        kept.regency = kept.regency or other.regency
    if kept.is_in_care:
        kept.contact_email = kept.contact_email or other.contact_email or other.email
    for wish in ("restricted_at", "unsubscribed_at"):
        setattr(kept, wish, min((at for at in (getattr(kept, wish), getattr(other, wish)) if at), default=None))
    kept.save()


def is_bare(account: User, *, without: Participant | None = None) -> bool:
    """Nothing hangs on it but its addresses; `without` is an entry of it that is about to go, with its steps."""
    if account.is_staff or account.is_superuser:
        return False
    for relation in references(User):
        rows = relation.related_model._base_manager.filter(**{relation.field.name: account.pk})
        if without and relation.related_model is Participant:
            rows = rows.exclude(pk=without.pk)
        if without and relation.related_model is Event:
            rows = rows.exclude(participant=without)
        if relation.related_model is not EmailAddress and rows.exists():
            return False
    return True


# ---- Who may be twice here


def reach() -> Case:
    """The address of a person, or the one that her carer gave, without case and plus-tag."""
    return Case(
        When(email="", then=addresses.key_of("contact_email")), default=F("email_key"), output_field=CharField()
    )


def possible_duplicates() -> ParticipantQuerySet:
    """Of one name with another entry, and of one phone, address or account: for organisers to look at, no more.

    By sorting, not by comparing each with each: many people may have one name. Few share a phone, an address or an
    account at all, and two have one address only if a carer gave it for one of them.
    """
    given = Participant.objects.filter(email="", contact_email__gt="").values(key=addresses.key_of("contact_email"))
    by_reach = Participant.objects.annotate(reach=reach()).filter(reach__gt="", reach__in=given)
    found = more_than_one(Participant.objects.all(), "account").union(
        more_than_one(by_reach, "reach"), more_than_one(Participant.objects.filter(phone__gt=""), "phone")
    )
    return Participant.objects.filter(pk__in=found)


def more_than_one(people: ParticipantQuerySet, field: str) -> models.QuerySet[Any, Any]:
    shared = people.order_by().values(field).annotate(people=Count("pk")).filter(people__gt=1).values(field)
    number = Window(Count("pk"), partition_by=[Lower("name"), F(field)])
    return people.filter(**{f"{field}__in": shared}).annotate(number=number).filter(number__gt=1).values("pk")


def possibly_the_same(participant: Participant) -> ParticipantQuerySet:
    address = participant.email_key if participant.email else addresses.key(participant.contact_email)
    one_of = Q(account=participant.account_id)
    one_of |= Q(phone=participant.phone, phone__gt="") | Q(reach=address, reach__gt="")
    others = Participant.objects.annotate(reach=reach()).filter(one_of, name__iexact=participant.name)
    return others.exclude(pk=participant.pk).select_related("account").order_by("pk")
