"""An account gets another address: mail goes there from now on, and what the earlier mailbox holds of links ends.

Whoever changes it may have lost the earlier mailbox to somebody else, so the rule is that of `renewal`: pages, join links and
calendars end together, and fresh ones go to the new address.
"""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction

from registration import addresses, bounces, comeback, deadlocks, history, renewal
from registration.models import Event, OutgoingMail, Participant, User

Status = OutgoingMail.Status


@deadlocks.done_again
def change(user: User, email: str, *, now: datetime, actor: User | None = None) -> bool:
    """To an address that a code has just proven to be hers, or that an organiser answers for. False when another account
    has it: then there are two entries of one person, which organisers can merge."""
    key = addresses.key(email)
    with transaction.atomic():
        account = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        own = Participant.objects.filter(account=account, email_key=account.email_key)
        taken = User.objects.filter(email_key=key).exclude(pk=account.pk)
        if taken.exists() or Participant.objects.filter(email_key=key).exclude(pk__in=own).exists():
            return False
        if account.email == email:
            comeback.proven(email, now=now)
            return True
        earlier = account.email
        for person in list(own.select_for_update(no_key=True)):
            history.note(Event.Kind.CORRECTED, person, now=now, actor=actor or user, words="email")
            Participant.objects.filter(pk=person.pk).update(email=email)
        account.email = email
        account.save(update_fields=["email"])
        EmailAddress.objects.filter(user=account).delete()
        EmailAddress.objects.create(user=account, email=email, primary=True, verified=True)
        move_mail(earlier, email)
        comeback.moved(earlier, email, now=now)
        bounces.forget([earlier])
        renewal.renew(account, now=now, actor=actor)
    return True


def move_mail(earlier: str, email: str) -> None:
    """What waits goes where she is; a code answers for the address that it was asked for.

    What a worker has in hand is written to the earlier one, and says so once it has left. If it comes back to be tried again it
    goes to the new one.
    """
    on_its_way = OutgoingMail.objects.filter(to=earlier, status__in=[Status.QUEUED, Status.RETRY, Status.SENDING])
    on_its_way.exclude(kind=OutgoingMail.Kind.CODE).update_in_order(to=email)
