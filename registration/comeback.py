"""Somebody whose mail came back can be reached again: what she missed and still needs is sent."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from registration import bounces, mail
from registration.models import OutgoingMail, User

Kind = OutgoingMail.Kind
Status = OutgoingMail.Status

MISSED_WITHIN = timedelta(days=30)
# Of no use any more, or to be asked for anew.
NOT_SENT_LATER = (Kind.CODE, Kind.UNKNOWN_ACCOUNT, Kind.DATA_DELETED, Kind.ALERT, Kind.DIGEST)
# Two mails that are the same in this say the same. A carer's, a guest's and a partner's name in their facts what they are about.
FACTS = ("webinar", "reminder", "invitation", "handover", "organisation", "codes", "people")
ABOUT = ("kind", "participant", "registration", "announcement", *(f"context__{name}" for name in FACTS))


def is_cut_off(user: User) -> bool:
    """No code reaches her. Whoever sees other people's data is not let through for it: the site's owner mends that."""
    return bounces.of(user.email) is not None and not user.is_staff and not user.partner_memberships.exists()


def proven(email: str, *, now: datetime) -> bool:
    """A code that was sent there has been used: the address is good. False when nobody had said otherwise."""
    with transaction.atomic():
        if not bounces.clear(email, now=now):
            return False
        catch_up(email, email, now=now)
    return True


def moved(earlier: str, email: str, *, now: datetime) -> None:
    """She has proven another address than the one that mail came back from."""
    if bounces.of(earlier):
        catch_up(earlier, email, now=now)


def catch_up(earlier: str, email: str, *, now: datetime) -> int:
    """The newest of each kind about the same; each is written from the newest facts, or found to be out of date."""
    missed = OutgoingMail.objects.filter(to=earlier, status=Status.BOUNCED, created_at__gt=now - MISSED_WITHIN)
    missed = missed.exclude(kind__in=NOT_SENT_LATER).exclude(not_after__lte=now)
    newest = missed.values(*ABOUT).annotate(newest=Max("pk")).order_by()
    rows = OutgoingMail.objects.filter(pk__in=list(newest.values_list("newest", flat=True)), status=Status.BOUNCED)
    count = rows.update_in_order(to=email, status=Status.QUEUED, attempts=0, not_before=now, error="", sent_at=None)
    if count:
        transaction.on_commit(lambda: mail.wake(mail.Priority.NORMAL), robust=True)
    return count
