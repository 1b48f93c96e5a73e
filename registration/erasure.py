"""Deleting everything about a person at her own wish, or at that of whoever cares for her.

Seats pass on, partners who have her in their files are told, numbers without a person stay (`keptcounts`).
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from conference.models import Webinar
from registration import (
    addresses,
    audit,
    bounces,
    consents,
    deadlocks,
    keptcounts,
    mail,
    seats,
    waitinglist,
    withdrawals,
)
from registration.models import (
    Attendance,
    Consent,
    Handover,
    Invitation,
    OutgoingMail,
    Participant,
    Registration,
    User,
)

logger = logging.getLogger(__name__)

Kind = OutgoingMail.Kind


# ---- One person


@deadlocks.done_again
def erase(participant: Participant, *, now: datetime, actor: User | None = None) -> bool:
    """False when she is gone already, or in other hands. One mail confirms it, to the address that her mail went to."""
    participant_id, account_id = participant.pk, participant.account_id
    with transaction.atomic():
        # Account, participant, webinars: the order of a sign-up, so that nobody deadlocks.
        User.objects.select_for_update(no_key=True).filter(pk=account_id).first()
        known = Participant.objects.select_for_update(of=("self",)).select_related("account")
        person = known.filter(pk=participant_id, account=account_id).first()
        if person is None:
            return False
        tell_partners(person, now=now, actor=actor)
        webinars = lock_webinars(person)
        count(person, webinars, now=now)
        sweep_traces(person)
        person.delete()
        # A carer's account is her own, also when nobody is left in her care.
        is_account_gone = not person.is_in_care and erase_account(person.account)
        for webinar in webinars:
            waitinglist.move_up(webinar, now=now)
        confirm(person, participant_id, is_account_gone=is_account_gone)
    # A number, no name: who restores an older backup can delete her there again.
    logger.info("Everything about participant %s is deleted", participant_id)
    return True


def tell_partners(participant: Participant, *, now: datetime, actor: User | None) -> None:
    """Organisations in one order, as `withdrawals.lock` holds each until the end."""
    shared = participant.consents.in_force().filter(purpose=Consent.Purpose.PARTNER)
    for consent in shared.select_related("participant", "organisation").order_by("organisation", "pk"):
        consents.withdraw(consent, now=now, actor=actor)


def lock_webinars(participant: Participant) -> list[Webinar]:
    """Those in which a seat is hers or kept for her."""
    own = participant.registrations.values_list("webinar", flat=True)
    kept = Invitation.objects.open().filter(email__in=spellings([participant.email])).values_list("webinar", flat=True)
    return seats.lock([*own, *kept])


def spellings(emails: Iterable[str]) -> list[str]:
    """These addresses, and the variants that others wrote them in, such as name+tag@."""
    known = {email for email in emails if email}
    keys = {addresses.key(email) for email in known}
    for model in (Invitation, Handover):
        rows = model._default_manager.alias(key=addresses.key_of("email")).filter(models.Q(key__in=keys))
        known |= set(rows.values_list("email", flat=True))
    return list(known)


def count(participant: Participant, webinars: list[Webinar], *, now: datetime) -> None:
    """What is still to come is given back: it counts only if she was there."""
    keptcounts.add(
        [participant.pk],
        [webinar.pk for webinar in webinars],
        given_back=[webinar.pk for webinar in webinars if not webinar.is_over(now)],
    )


def confirm(participant: Participant, participant_id: int, *, is_account_gone: bool) -> None:
    """The row forgets the address and the name as soon as the mail is out, see `mail.forget`."""
    mail.queue(
        Kind.DATA_DELETED,
        key=f"data_deleted:{participant_id}",
        to=participant.address,
        language=participant.account.language if participant.is_in_care else participant.language,
        context={
            "name": participant.name,
            "is_in_care": participant.is_in_care,
            "is_account_gone": is_account_gone,
            "is_recorded": is_account_gone and audit.names(participant.account_id),
        },
    )


# ---- Her account


def close_account(user: User) -> bool:
    """Of somebody of whom nothing else is held."""
    with transaction.atomic():
        account = User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
        if account is None or not erase_account(account):
            return False
        mail.queue(
            Kind.DATA_DELETED,
            key=f"data_deleted:account:{user.pk}",
            to=user.email,
            language=user.language,
            context={
                "name": user.name or user.email,
                "is_in_care": False,
                "is_account_gone": True,
                "is_recorded": audit.names(user.pk),
            },
        )
    return True


def erase_account(user: User) -> bool:
    """Unless somebody else or a task hangs on it. Its sessions are worth nothing from then on."""
    if not may_go(user):
        return False
    forget_mails_to([user.email])
    blank_log(User, [user.pk])
    audit.forget_rows(User, [user.pk])
    audit.forget_own_files(user.pk)
    user.delete()
    return True


def may_go(user: User) -> bool:
    has_task = user.is_staff or user.is_superuser or user.partner_memberships.exists()
    return not has_task and not user.participants.exists()


# ---- Where her name or address stands without a foreign key


def sweep_traces(participant: Participant) -> None:
    withdrawals.spoil_files(participant)
    if participant.is_in_care:
        forget_group_mails(participant)
    else:
        written = spellings([participant.email])
        forget_mails_to(written)
        forget_invitations_to(written)
    blank_names([participant.pk])


def blank_names(participants: Collection[int]) -> None:
    """What staff did with their data stays on record, without their names."""
    registrations = Registration.objects.filter(participant__in=participants)
    attendances = Attendance.objects.filter(registration__participant__in=participants)
    blank_log(Participant, participants)
    blank_log(Registration, registrations.values_list("pk", flat=True))
    blank_log(Attendance, attendances.values_list("pk", flat=True))
    audit.forget(participants)


def forget_invitations_to(emails: Sequence[str]) -> None:
    for model in (Invitation, Handover):
        rows = model._default_manager.filter(email__in=emails)
        blank_log(model, pks := list(rows.values_list("pk", flat=True)))
        audit.forget_rows(model, pks)
        rows.delete()


def forget_mails_to(emails: Sequence[str]) -> None:
    """Codes, invitations and the like; what hangs on a participant goes with her, or is about another person."""
    bounces.forget(list(emails))
    loose = OutgoingMail.objects.filter(to__in=emails, participant=None, registration=None)
    loose.exclude(kind__in=[Kind.DATA_DELETED, Kind.WITHDRAWAL]).delete()


def forget_group_mails(participant: Participant) -> None:
    """What was sent to her carer names the others too: the record stays, its text goes."""
    kinds = [Kind.GROUP, Kind.HANDOVER, Kind.WEBINAR_CANCELLED, Kind.REMINDER, Kind.WEBINAR_CHANGED]
    sent = OutgoingMail.objects.filter(to=participant.address, kind__in=kinds)
    sent.filter(sent_at__isnull=False).update_in_order(subject="", text="", html="", context={})


def blank_log(model: type[models.Model], pks: "Collection[int] | models.QuerySet[Any, int]") -> None:
    """The admin's log keeps what was done, not to whom by name."""
    about = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
    about.filter(object_id__in=[str(pk) for pk in pks]).update(object_repr="")
