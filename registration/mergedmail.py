"""The mail of two entries that become one: she is written to once, at the address that stays.

What a worker has in hand leaves for the address that it was written to, and counts as sent; should it come back to the
queue it goes to the one that stays. Of two that say the same, both may be in workers' hands: nobody can tell whether
they leave, so the two entries become one a moment later.
"""

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_noop

from registration import audiences
from registration.models import Announcement, OutgoingMail, Participant
from registration.models.mail import new_message_id

Kind = OutgoingMail.Kind
Status = OutgoingMail.Status

WAITING = (Status.QUEUED, Status.RETRY)
ON_ITS_WAY = (*WAITING, Status.SENDING)
GIVEN_UP = (Status.FAILED, Status.BOUNCED, Status.CANCELLED)
SAME = gettext_noop("She gets the same under her other entry.")
# Seconds between tries, together longer than a worker's turn.
PATIENCE = (0.25, 0.25, 0.5, 0.5, 0.5, 1, 1, 1, 1)


class InHand(Exception):
    """A worker is about to send one of two mails that say the same."""


def lock_announcements() -> None:
    """Whoever is about to send one waits, and then knows one person where there were two."""
    S = Announcement.Status
    open_ones = Announcement.objects.filter(status__in=[S.DRAFT, S.SCHEDULED, S.SENDING, S.STOPPED])
    list(open_ones.only("pk").select_for_update(no_key=True).order_by("pk"))


def unite(kept: Participant, other: Participant) -> None:
    """Before `other` goes; raises InHand.

    What went to her carer's mailbox is not hers to take along, see `merging.leave_mailbox`.
    """
    if other.is_in_care or audiences.mailbox_of(kept) == audiences.mailbox_of(other):
        return
    rows, stays = rows_of(kept, other), next_in(other)
    twins = {said: row for row in rows if row.participant_id == kept.pk and (said := event(row))}
    for row in rows:
        if row.participant_id != other.pk:
            continue
        twin = twins.get(event(row))
        if stays and is_for_all(row):
            leave_to(stays, row, None if twin else kept)
        elif twin is None or twin.status in GIVEN_UP:
            send_on(row, kept, is_only=twin is None)
        elif row.status not in GIVEN_UP:
            send_one(row, twin, kept)


def send_one(row: OutgoingMail, twin: OutgoingMail, kept: Participant) -> None:
    """Of two that say the same, neither given up."""
    if Status.SENDING in (row.status, twin.status):
        raise InHand
    if row.status in WAITING:
        drop(row)
    elif twin.status in WAITING and next_in(kept) is None:  # the other has left
        drop(twin)


def rows_of(kept: Participant, other: Participant) -> list[OutgoingMail]:
    """What is on its way, and of mails to many also what has left; locked, so that no worker takes it meanwhile."""
    hers = OutgoingMail.objects.filter(participant__in=[kept, other])
    which = hers.filter(status__in=ON_ITS_WAY) | hers.filter(kind__in=TO_MANY)
    return list(which.select_for_update(no_key=True).defer("subject", "text", "html").order_by("pk"))


def stay_with_carer(rows: QuerySet[OutgoingMail], person: Participant) -> None:
    """Of somebody in care: an announcement that is in her name, but for all at the mailbox, is in another's from now on."""
    if (
        stays := person.account.participants.filter(Q(email="") | Q(email_key=F("account__email_key")))
        .exclude(pk=person.pk)
        .order_by("email", "pk")
        .last()
    ):
        rows.filter(kind=Kind.ANNOUNCEMENT, status__in=ON_ITS_WAY).update(participant=stays)


# ---- What two mails have in common


TO_MANY = (Kind.ANNOUNCEMENT, Kind.REMINDER, Kind.WEBINAR_CHANGED, Kind.WEBINAR_CANCELLED)


def event(row: OutgoingMail) -> str:
    """What the same mail to others has in its key too; empty for a mail that was written to her alone."""
    if row.kind == Kind.WEBINAR_CANCELLED:
        return f"{row.kind}:{row.key.split(':', 2)[2]}"
    return row.key.rpartition(":")[0] if row.kind in TO_MANY else ""


def is_for_all(row: OutgoingMail) -> bool:
    """Of a carer's mailbox: it is about the people in her care as well."""
    return row.kind in (Kind.ANNOUNCEMENT, Kind.WEBINAR_CANCELLED) or "carer" in row.context


def next_in(person: Participant) -> Participant | None:
    """Somebody else whose mail comes to her mailbox."""
    if audiences.mailbox_of(person) != f"account-{person.account_id}":
        return None
    return person.account.participants.filter(email="").exclude(pk=person.pk).order_by("pk").first()


# ---- What becomes of one


def send_on(row: OutgoingMail, kept: Participant, *, is_only: bool) -> None:
    """To where she is. An announcement's key tells who has had it, should it be stopped and go on."""
    if row.status in ON_ITS_WAY:
        row.to = kept.address
        if "carer" in row.context:
            row.context["carer"] = kept.account_id
    if row.kind == Kind.ANNOUNCEMENT and is_only:
        row.key = f"{event(row)}:{audiences.mailbox_of(kept)}"
    OutgoingMail.objects.filter(pk=row.pk).update(to=row.to, key=row.key, context=row.context)


def leave_to(stays: Participant, row: OutgoingMail, missing: Participant | None) -> None:
    """Those who stay at the mailbox get it as before; `missing` gets one of her own, if this one has not left."""
    if row.status not in ON_ITS_WAY:
        return
    if missing and event(row) and row.status in WAITING:
        copy(row, missing)
    if row.kind != Kind.WEBINAR_CANCELLED:  # it looks itself for those who are still at the address
        person = stays if row.kind == Kind.ANNOUNCEMENT else None
        OutgoingMail.objects.filter(pk=row.pk).update(participant=person, registration=None)


def copy(row: OutgoingMail, kept: Participant) -> None:
    key = f"{event(row)}:{audiences.mailbox_of(kept)}"
    own = OutgoingMail.objects.get(pk=row.pk)
    own.pk, own.key, own.message_id, own.to, own.participant = None, key, new_message_id(), kept.address, kept
    if "carer" in own.context:
        own.context["carer"] = kept.account_id
    OutgoingMail.objects.bulk_create([own], ignore_conflicts=True)


def drop(row: OutgoingMail) -> None:
    OutgoingMail.objects.filter(pk=row.pk).update(status=Status.CANCELLED, error=SAME, context={})
