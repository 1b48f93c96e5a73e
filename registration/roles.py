"""Who may do what: the rights of each role, who gives it, and how it ends.

An owner is a superuser: whatever is added to the site, she may do it. The other roles of staff are groups; migrations
give them their rights, and a test holds the groups against `RIGHTS`. A partner's role holds in one organisation alone,
so it is a row of its own and no group.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from conference.models import Organisation
from registration import audit, sessions
from registration.models import PartnerMember, Role, RoleInvitation, User

GROUPS = {
    Role.ORGANISER: "Organisers",
    Role.EDITOR: "Editors",
    Role.MAIL_DESK: "Mail desk",
    Role.OBSERVER: "Observers",
}
STAFF = (Role.OWNER, *GROUPS)
MEMBERS = {
    Role.PARTNER_MANAGER: PartnerMember.Role.MANAGER,
    Role.PARTNER_VIEWER: PartnerMember.Role.VIEWER,
}
PLACES = {place: role for role, place in MEMBERS.items()}
# Aggregates: charts, reports, counts. No row of a person.
SEE_NUMBERS = "registration.see_numbers"


def rights(app: str, **models: str) -> frozenset[str]:
    """Of each model the rights by their first letters: add, change, delete, view."""
    words = {"a": "add", "c": "change", "d": "delete", "v": "view"}
    return frozenset(f"{app}.{words[letter]}_{model}" for model, letters in models.items() for letter in letters)


CONTENT = rights(
    "conference",
    webinar="acdv",
    agendaitem="acdv",
    speaker="acdv",
    appearance="acdv",
    organisation="acdv",
    partnership="acdv",
    material="acdv",
    page="acdv",
)
MAIL = rights(
    "registration", outgoingmail="cv", mailtext="acv", announcement="acdv", bouncedaddress="cv", bouncereport="v"
) | {"registration.send_announcement"}
PEOPLE = rights(
    "registration",
    participant="cv",
    registration="acv",
    consent="v",
    consenttext="v",
    attendance="acdv",
    certificate="v",
    feedback="v",
    invitation="acv",
    handover="v",
    event="v",
    user="acv",
)
PARTNERS = rights(
    "registration", partnermember="acdv", download="v", withdrawal="v", roleinvitation="v", preparedfile="av"
)
PERIODS = rights("registration", retentionperiod="v", retentionrun="cv", keptcount="v", breach="acv")
LOGS = rights("registration", auditentry="v", apitoken="v", webhookendpoint="v", webhookdelivery="v")

RIGHTS: dict[Role, frozenset[str]] = {
    Role.ORGANISER: CONTENT
    | MAIL
    | PEOPLE
    | PARTNERS
    | PERIODS
    | LOGS
    | rights("conference", edition="acdv", programmechange="dv")
    | {"conference.change_room", SEE_NUMBERS},
    Role.EDITOR: CONTENT | rights("conference", edition="v", programmechange="v"),
    Role.MAIL_DESK: MAIL | rights("conference", edition="v", webinar="v"),
    Role.OBSERVER: rights("registration", keptcount="v") | {SEE_NUMBERS},
}
# What an editor may do before she has a second factor, with webinars that are drafts and on their own pages alone.
DRAFT_RIGHTS = rights("conference", webinar="acv", agendaitem="acdv", appearance="acdv", material="acdv")
# What somebody must be able to see so that she may choose it in such a draft.
DRAFT_CHOICES = rights("conference", edition="v", organisation="v", speaker="v")
# What makes a draft public, now or later: not hers to set then.
NOT_IN_DRAFTS = ("status", "publish_at")


class Refused(Exception):
    """The words say what to do."""


# ---- Who has which role


@dataclass(frozen=True)
class Held:
    role: Role
    organisation: Organisation | None = None


def is_owner(user: User) -> bool:
    return user.is_active and user.is_superuser


def is_editor(user: User) -> bool:
    return (
        user.is_active
        and user.is_staff
        and not user.is_superuser
        and user.groups.filter(name=GROUPS[Role.EDITOR]).exists()
    )


def held_by(user: User) -> list[Held]:
    return held_by_each([user])[user.pk]


def held_by_each(users: Iterable[User]) -> dict[int, list[Held]]:
    """In the order of the roles; two queries, however many they are."""
    users = list(users)
    held: dict[int, list[Held]] = defaultdict(list)
    for user in users:
        if user.is_superuser:
            held[user.pk].append(Held(Role.OWNER))
    names = {name: role for role, name in GROUPS.items()}
    pairs = Group.objects.filter(user__in=users, name__in=names).values_list("user", "name")
    for user_id, name in sorted(pairs, key=lambda pair: STAFF.index(names[pair[1]])):
        held[user_id].append(Held(names[name]))
    members = PartnerMember.objects.filter(user__in=users).select_related("organisation")
    for member in members.order_by("organisation__name_ind", "pk"):
        held[member.user_id].append(held_as(member))
    return held


def held_as(member: PartnerMember) -> Held:
    return Held(PLACES[PartnerMember.Role(member.role)], member.organisation)


def is_manager(user: User, organisation: Organisation) -> bool:
    own = PartnerMember.objects.filter(user=user, organisation=organisation, role=PartnerMember.Role.MANAGER)
    return user.is_active and own.exists()


def may_give(actor: User, role: Role, organisation: Organisation | None = None) -> bool:
    """An owner every role, an organiser those of partners, a partner's manager those of her own organisation."""
    if not actor.is_active or Role(role).is_partners != (organisation is not None):
        return False
    if organisation is None:
        return is_owner(actor)
    return gives_partners_roles(actor) or is_manager(actor, organisation)


def gives_partners_roles(actor: User) -> bool:
    """In every organisation: owners and organisers."""
    return actor.is_active and actor.is_staff and actor.has_perm("registration.add_partnermember")


def roles_to_give(actor: User) -> list[Role]:
    """In the admin; a manager's own room offers a partner's roles alone."""
    if is_owner(actor):
        return list(Role)
    return list(MEMBERS) if gives_partners_roles(actor) else []


# ---- Giving and ending


def give(user: User, held: Held, *, actor: User | None, now: datetime) -> bool:
    """False when she has it already. A manager whom somebody makes a viewer is one from then on."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if held in held_by(user):
            return False
        if held.organisation is not None:
            members, place = PartnerMember.objects, {"role": MEMBERS[held.role]}
            row: User | PartnerMember
            row, _is_new = members.update_or_create(user=user, organisation=held.organisation, defaults=place)
        else:
            row = give_staff(user, held.role)
        audit.note(audit.Action.TOOK_ROLE, row, actor=actor, now=now, organisation=held.organisation, details=held.role)
    return True


def give_staff(user: User, role: Role) -> User:
    user.is_staff, user.is_superuser = True, user.is_superuser or role == Role.OWNER
    user.save(update_fields=["is_staff", "is_superuser"])
    if role in GROUPS:
        user.groups.add(Group.objects.get(name=GROUPS[role]))
    return user


def end(user: User, held: Held, *, actor: User, now: datetime) -> bool:
    """False when she has it no more. What she may do ends at once: each request asks anew."""
    if not may_give(actor, held.role, held.organisation):
        raise PermissionDenied
    if held.organisation is not None and user.pk == actor.pk and not gives_partners_roles(actor):
        raise Refused(_("You can't remove yourself. Ask a colleague who manages your organisation, or the organisers."))
    with transaction.atomic():
        if held.role == Role.OWNER:
            keep_an_owner(user)
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if held not in held_by(user):
            return False
        row = end_membership(user, held.organisation) if held.organisation else end_staff(user, held.role)
        audit.note(
            audit.Action.ENDED_ROLE, row, actor=actor, now=now, organisation=held.organisation, details=held.role
        )
        take_back_hers(user, now=now)
        if not held_by(user):
            sessions.end_all(user)
    return True


def keep_an_owner(user: User) -> None:
    """All owners locked, so that two who end each other's role don't leave the site without one."""
    owners = User.objects.filter(is_superuser=True, is_active=True).select_for_update(no_key=True).order_by("pk")
    if not [owner for owner in owners if owner.pk != user.pk]:
        raise Refused(_("This is the last owner. Make somebody else an owner first."))


def end_membership(user: User, organisation: Organisation) -> PartnerMember:
    member = PartnerMember.objects.get(user=user, organisation=organisation)
    key = member.pk
    member.delete()
    member.pk = key  # the record names the row that was
    return member


def end_staff(user: User, role: Role) -> User:
    if role == Role.OWNER:
        user.is_superuser = False
    else:
        user.groups.remove(Group.objects.get(name=GROUPS[role]))
    user.is_staff = user.is_superuser or user.groups.filter(name__in=GROUPS.values()).exists()
    user.save(update_fields=["is_staff", "is_superuser"])
    return user


def take_back_hers(user: User, *, now: datetime) -> None:
    """The invitations that she has sent and could not send any more."""
    user = User.objects.get(pk=user.pk)  # without the rights that Django keeps of the earlier one
    for invitation in RoleInvitation.objects.open(now).filter(invited_by=user).select_related("organisation"):
        if not may_give(user, Role(invitation.role), invitation.organisation):
            RoleInvitation.objects.filter(pk=invitation.pk).update(revoked_at=now)
