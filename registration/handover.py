"""From a carer's group to an account of one's own: a mail to the person's address, whose link carries it out."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from registration import addresses, deadlocks, history, links, mail, merging, newcomers
from registration.models import Event, Handover, OutgoingMail, Participant, User

# Mails that a carer can have sent to addresses of others.
MOST_AN_HOUR = 20
MOST_A_DAY_TO_ONE = 3
# A second click, or a retry after a lost answer.
SAME_REQUEST = timedelta(minutes=1)


class Refused(Exception):
    """The words say what to do."""


# ---- The carer's side


def open_offers(participant: Participant) -> QuerySet[Handover]:
    return participant.handovers.filter(accepted_at=None, withdrawn_at=None)


def offer(participant: Participant, email: str, *, actor: User, now: datetime) -> Handover:
    """Writes to the address; an earlier offer ends. Says the same whether or not anybody has an account there."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        participant = Participant.objects.in_care_of(actor).select_for_update(no_key=True).get(pk=participant.pk)
        earlier = open_offers(participant).first()
        if earlier and earlier.email == email and earlier.created_at > now - SAME_REQUEST:
            return earlier
        refuse(email, actor=actor, now=now)
        open_offers(participant).update(withdrawn_at=now)
        handover = Handover.objects.create(participant=participant, email=email, created_by=actor, created_at=now)
        write_to(handover, now=now)
    return handover


def refuse(email: str, *, actor: User, now: datetime) -> None:
    if addresses.key(email) == actor.email_key:
        raise Refused(_("This is your own address. Write that of the other person."))
    latest = Handover.objects.filter(created_at__gt=now - timedelta(days=1))
    by_her = latest.filter(created_by=actor, created_at__gt=now - timedelta(hours=1)).count()
    to_one = sum(addresses.key(other) == addresses.key(email) for other in latest.values_list("email", flat=True))
    if by_her >= MOST_AN_HOUR or to_one >= MOST_A_DAY_TO_ONE:
        raise Refused(_("Several of these mails have been sent already. Try again tomorrow."))


def write_to(handover: Handover, *, now: datetime) -> None:
    """To the address that the person is known by, if she is: whoever reads name+tag@ may not be name@."""
    mail.queue(
        OutgoingMail.Kind.HANDOVER,
        key=f"handover:{handover.pk}",
        to=newcomers.address_on_record(handover.email),
        language=handover.participant.language,
        context={"handover": handover.pk},
        not_after=now + links.HANDOVER_AGE,
    )


def take_back(handover: Handover, *, actor: User, now: datetime) -> bool:
    """False when she has taken it up already, or it had been taken back before."""
    still_open = Handover.objects.filter(participant__account=actor, accepted_at=None, withdrawn_at=None)
    return still_open.filter(pk=handover.pk).update(withdrawn_at=now) == 1


# ---- The person's side


@deadlocks.done_again
def accept(handover: Handover, *, now: datetime) -> bool:
    """The link has proven her address: she moves to its account, or into the entry that she has there already.

    What her carer holds of links and calendars ends. False when it was done before, or taken back.
    """
    with transaction.atomic():
        lock_accounts(handover)
        user = newcomers.account_of(handover.email, language=handover.participant.language, now=now)
        person = Participant.objects.select_for_update(no_key=True).filter(pk=handover.participant_id).first()
        still_open = Handover.objects.filter(pk=handover.pk, accepted_at=None, withdrawn_at=None)
        if person is None or person.email or not still_open.update(accepted_at=now):
            return False
        merging.leave_mailbox(person)
        Participant.objects.filter(pk=person.pk).update(unsubscribed_at=None)  # that was about her carer's mailbox
        own = Participant.objects.filter(email_key=user.email_key).first()
        if own:
            merging.merge(own, person, actor=user, now=now)
        else:
            own = move(person, user, now=now)
        history.note(Event.Kind.HANDED_OVER, own, now=now, actor=user)
        mail.queue_confirmation(own, moment=now)
    return True


def lock_accounts(handover: Handover) -> None:
    """Hers, if she has one, and her carer's, in the order of their ids as everywhere."""
    is_hers = Q(email_key=addresses.key(handover.email))
    is_carer = Q(participants=handover.participant_id)
    both = User.objects.filter(pk__in=User.objects.filter(is_hers | is_carer).values("pk"))
    list(both.select_for_update(no_key=True).order_by("pk"))


def move(person: Participant, user: User, *, now: datetime) -> Participant:
    person.account, person.email, person.contact_email, person.proven_at = user, user.email, "", now
    person.save(update_fields=["account", "email", "contact_email", "proven_at"])
    if not user.name:
        user.name = person.name
        user.save(update_fields=["name"])
    return person
