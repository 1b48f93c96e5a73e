"""Roles are given by mail: who proves the address and takes the link's offer has the role from then on."""

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.db.models.query import QuerySet
from django.utils.translation import gettext as _

from registration import addresses, audit, limits, links, mail, newcomers, roles
from registration.models import OutgoingMail, Role, RoleInvitation, User
from registration.roles import Held, Refused

# So long it is remembered whom somebody has invited; what came of it stands in the audit.
KEPT = timedelta(days=90)


def held_of(invitation: RoleInvitation) -> Held:
    return Held(Role(invitation.role), invitation.organisation)


def standing(invitation: RoleInvitation, *, now: datetime) -> str:
    """What its page says: open, taken, revoked or expired."""
    if invitation.taken_at:
        return "taken"
    if invitation.revoked_at:
        return "revoked"
    if now >= invitation.ends_at:
        return "expired"
    by, held = invitation.invited_by, held_of(invitation)
    return "open" if by and roles.may_give(by, held.role, held.organisation) else "revoked"


# ---- Inviting


def invite(email: str, held: Held, *, language: str, actor: User, now: datetime) -> RoleInvitation:
    """To an address that is invited to this role already, once more and with its full time again."""
    check(actor, held, now=now)
    key = addresses.key(email)
    known = User.objects.filter(email_key=key).first()
    if known and held in roles.held_by(known):
        raise Refused(_("%(email)s has this role already.") % {"email": email})
    with transaction.atomic():
        # Two clicks at once are one invitation.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        row, _is_new = RoleInvitation.objects.get_or_create(
            email=email.lower(),
            role=held.role,
            organisation=held.organisation,
            taken_at=None,
            revoked_at=None,
            defaults={"language": language, "invited_by": actor, "created_at": now, "ends_at": now + links.ROLE_AGE},
        )
        return write(row, actor=actor, now=now)


def again(invitation: RoleInvitation, *, actor: User, now: datetime) -> bool:
    """False when it has been taken up or taken back meanwhile."""
    check(actor, held_of(invitation), now=now)
    with transaction.atomic():
        row = pending().filter(pk=invitation.pk).select_for_update(no_key=True, of=("self",)).first()
        if row:
            write(row, actor=actor, now=now)
    return row is not None


def check(actor: User, held: Held, *, now: datetime) -> None:
    if not roles.may_give(actor, held.role, held.organisation):
        raise PermissionDenied
    if not limits.may_invite(actor.pk, now=now):
        raise Refused(_("These are many invitations in a short time. Try again in an hour."))


def pending() -> QuerySet[RoleInvitation]:
    return RoleInvitation.objects.filter(taken_at=None, revoked_at=None).select_related("organisation", "invited_by")


def write(row: RoleInvitation, *, actor: User, now: datetime) -> RoleInvitation:
    row.invited_by, row.ends_at = actor, now + links.ROLE_AGE
    row.save(update_fields=["invited_by", "ends_at"])
    mail.queue(
        OutgoingMail.Kind.ROLE_INVITATION,
        key=f"role_invitation:{row.pk}:{now.isoformat(timespec='minutes')}",
        to=newcomers.address_on_record(row.email),
        language=row.language,
        context={"role_invitation": row.pk},
        not_after=row.ends_at,
    )
    held = held_of(row)
    audit.note(audit.Action.INVITED, row, actor=actor, now=now, organisation=held.organisation, details=held.role)
    return row


def revoke(invitation: RoleInvitation, *, actor: User, now: datetime) -> bool:
    """False when it was taken up, or taken back before."""
    held = held_of(invitation)
    if not roles.may_give(actor, held.role, held.organisation):
        raise PermissionDenied
    with transaction.atomic():
        done = pending().filter(pk=invitation.pk).update(revoked_at=now) == 1
        if done:
            audit.note(
                audit.Action.ACTED,
                invitation,
                actor=actor,
                now=now,
                organisation=held.organisation,
                details="taken back",
            )
    return done


# ---- Taking up


def is_for(user: User, invitation: RoleInvitation) -> bool:
    return user.email_key == addresses.key(invitation.email)


def account_for(invitation: RoleInvitation, *, now: datetime) -> User:
    """So that a code can be sent to an address that we did not know; the code alone proves it."""
    with transaction.atomic():
        return newcomers.account_of(
            newcomers.address_on_record(invitation.email), language=invitation.language, now=now
        )


def take(invitation: RoleInvitation, user: User, *, name: str = "", now: datetime) -> bool:
    """False when it is no longer open, or is somebody else's. A name that she tells is her account's."""
    with transaction.atomic():
        locked = RoleInvitation.objects.select_for_update(no_key=True, of=("self",))
        row = locked.select_related("organisation", "invited_by").filter(pk=invitation.pk).first()
        if row is None or standing(row, now=now) != "open" or not is_for(user, row):
            return False
        row.taken_at, row.taken_by = now, user
        row.save(update_fields=["taken_at", "taken_by"])
        if name:
            User.objects.filter(pk=user.pk).update(name=name)
        roles.give(user, held_of(row), actor=user, now=now)
    return True


def forget(*, now: datetime) -> int:
    old = Q(ends_at__lt=now - KEPT) | Q(taken_at__lt=now - KEPT) | Q(revoked_at__lt=now - KEPT)
    return RoleInvitation.objects.filter(old).delete()[0]
