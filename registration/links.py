"""Personal links that work without signing in. Each kind has its own salt and age; a forged or aged one reads as None."""

from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import get_language

from conference.models import Webinar
from registration.models import Handover, Invitation, Participant, Registration, RoleInvitation, User

JOIN_SALT = "registration.join"
PAGE_SALT = "registration.page"
INVITATION_SALT = "registration.invitation"
# From the earliest sign-up to well after the conference.
LINK_AGE = timedelta(days=400)
HANDOVER_AGE = timedelta(days=14)
ROLE_AGE = timedelta(days=7)


# A dot: some mail programs end an address at a colon.
join_signer = signing.TimestampSigner(salt=JOIN_SALT, sep=".")
page_signer = signing.TimestampSigner(salt=PAGE_SALT, sep=".")
invitation_signer = signing.TimestampSigner(salt=INVITATION_SALT, sep=".")
role_signer = signing.TimestampSigner(salt="registration.role", sep=".")
handover_signer = signing.TimestampSigner(salt="registration.handover", sep=".")
unsubscribe_signer = signing.Signer(salt="registration.unsubscribe", sep=".")
calendar_signer = signing.Signer(salt="registration.calendar", sep=".")


def join_token(registration: Registration, signed_at: datetime | None = None) -> str:
    """As if signed at an earlier hour, for a file that must not be another one at each request."""
    value = f"{registration.pk}-{registration.link_version}"
    if signed_at is None:
        return join_signer.sign(value)
    return signing.Signer.sign(join_signer, f"{value}.{signing.b62_encode(int(signed_at.timestamp()))}")


def read_join(token: str) -> Registration | None:
    try:
        pk, _dash, version = join_signer.unsign(token, max_age=LINK_AGE).partition("-")
    except signing.BadSignature:
        return None
    related = Registration.objects.select_related("participant__account", "webinar__edition")
    return related.filter(pk=pk, link_version=version).first()


def page_token(participant: Participant) -> str:
    return page_signer.sign(f"{participant.pk}-{participant.link_version}")


def read_page(token: str) -> Participant | None:
    try:
        pk, _dash, version = page_signer.unsign(token, max_age=LINK_AGE).partition("-")
    except signing.BadSignature:
        return None
    return Participant.objects.select_related("account").filter(pk=pk, link_version=version).first()


def is_spent(token: str) -> bool:
    """Whether a link that opens nothing was ours once: it has aged, or was ended. Else it is forged, or broken off."""
    for signer in (join_signer, page_signer, invitation_signer, role_signer):
        with suppress(signing.BadSignature):
            signer.unsign(token)
            return True
    return False


def invitation_token(invitation: Invitation) -> str:
    return invitation_signer.sign(f"{invitation.pk}-{invitation.link_version}")


def read_invitation(token: str) -> Invitation | None:
    try:
        pk, _dash, version = invitation_signer.unsign(token, max_age=LINK_AGE).partition("-")
    except signing.BadSignature:
        return None
    return Invitation.objects.select_related("webinar__edition").filter(pk=pk, link_version=version).first()


def calendar_token(participant: Participant) -> str:
    return calendar_signer.sign(f"{participant.pk}-{participant.calendar_version}")


def read_calendar(token: str) -> Participant | None:
    """For as long as she lets it be: a calendar can't ask for another address by itself."""
    try:
        pk, _dash, version = calendar_signer.unsign(token).partition("-")
    except signing.BadSignature:
        return None
    return Participant.objects.filter(pk=pk, calendar_version=version, proven_at__isnull=False).first()


def handover_token(handover: Handover) -> str:
    return handover_signer.sign(str(handover.pk))


def read_handover(token: str) -> Handover | None:
    """One that is open, or has been taken up; none that was taken back."""
    try:
        pk = handover_signer.unsign(token, max_age=HANDOVER_AGE)
    except signing.BadSignature:
        return None
    return (
        Handover.objects.select_related("participant__account", "created_by").filter(pk=pk, withdrawn_at=None).first()
    )


def role_token(invitation: RoleInvitation) -> str:
    return role_signer.sign(str(invitation.pk))


def read_role(token: str) -> RoleInvitation | None:
    """One that is open or not: `roleinvitations.standing` says how it is with it."""
    try:
        pk = role_signer.unsign(token, max_age=ROLE_AGE)
    except signing.BadSignature:
        return None
    return RoleInvitation.objects.select_related("organisation", "invited_by").filter(pk=pk).first()


def unsubscribe_token(account_id: int) -> str:
    return unsubscribe_signer.sign(str(account_id))


def read_unsubscribe(token: str) -> int | None:
    """The account whose mailbox it is about. It never ages and is never ended: it does nothing but stop our mail."""
    try:
        return int(unsubscribe_signer.unsign(token))
    except (signing.BadSignature, ValueError):
        return None


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def with_token(name: str, token: str) -> str:
    """A link of this kind in the active language."""
    before, after = around_token(name, get_language())
    return absolute(f"{before}{token}{after}")


@cache
def around_token(name: str, language: str | None) -> tuple[str, str]:
    before, _token, after = reverse(f"registration:{name}", args=["TOKEN"]).partition("TOKEN")
    return before, after


def join(registration: Registration, signed_at: datetime | None = None) -> str:
    return with_token("join", join_token(registration, signed_at))


def leave(registration: Registration) -> str:
    return with_token("leave", join_token(registration))


def others(registration: Registration) -> str:
    """For somebody whose webinar is cancelled: the others, one click away."""
    return with_token("others", join_token(registration))


def invitation(invitation: Invitation) -> str:
    return with_token("invitation", invitation_token(invitation))


def sign_up(webinar: Webinar) -> str:
    return absolute(f"{reverse('registration:sign_up')}?webinars={webinar.slug}")


def page(participant: Participant) -> str:
    """Her registrations, without signing in. With a carer's own page come the people in her care."""
    return with_token("page", page_token(participant))


def page_of(account: User) -> str:
    """The page of the account's own participant; an account without one has to sign in."""
    own = Participant.objects.filter(account=account, email_key=account.email_key).first()
    return page(own) if own else mine()


def mine() -> str:
    return absolute(reverse("registration:mine"))


def calendar(participant: Participant) -> str:
    return with_token("calendar", calendar_token(participant))


def unsubscribe(account_id: int) -> str:
    return absolute(reverse("registration:unsubscribe", args=[unsubscribe_token(account_id)]))


def take_over(handover: Handover) -> str:
    return with_token("handover", handover_token(handover))


def take_role(invitation: RoleInvitation) -> str:
    return with_token("role", role_token(invitation))
