"""Personal links that work without signing in. Each kind has its own salt and age; a forged or aged one reads as None."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from registration.models import Participant, Registration

JOIN_SALT = "registration.join"
# From the earliest sign-up to well after the conference.
JOIN_AGE = timedelta(days=400)


# A dot: some mail programs end an address at a colon.
join_signer = signing.TimestampSigner(salt=JOIN_SALT, sep=".")


calendar_signer = signing.Signer(salt="registration.calendar", sep=".")


def join_token(registration: Registration, signed_at: datetime | None = None) -> str:
    """As if signed at an earlier hour, for a file that must not be another one at each request."""
    value = f"{registration.pk}-{registration.link_version}"
    if signed_at is None:
        return join_signer.sign(value)
    return signing.Signer.sign(join_signer, f"{value}.{signing.b62_encode(int(signed_at.timestamp()))}")


def read_join(token: str) -> Registration | None:
    try:
        pk, _dash, version = join_signer.unsign(token, max_age=JOIN_AGE).partition("-")
    except signing.BadSignature:
        return None
    related = Registration.objects.select_related("participant__account", "webinar__edition")
    return related.filter(pk=pk, link_version=version).first()


def calendar_token(participant: Participant) -> str:
    return calendar_signer.sign(f"{participant.pk}-{participant.calendar_version}")


def read_calendar(token: str) -> Participant | None:
    """For as long as she lets it be: a calendar can't ask for another address by itself."""
    try:
        pk, _dash, version = calendar_signer.unsign(token).partition("-")
    except signing.BadSignature:
        return None
    return Participant.objects.filter(pk=pk, calendar_version=version, proven_at__isnull=False).first()


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def join(registration: Registration, signed_at: datetime | None = None) -> str:
    return absolute(reverse("registration:join", args=[join_token(registration, signed_at)]))


def leave(registration: Registration) -> str:
    return absolute(reverse("registration:leave", args=[join_token(registration)]))


def mine() -> str:
    return absolute(reverse("registration:mine"))


def calendar(participant: Participant) -> str:
    return absolute(reverse("registration:calendar", args=[calendar_token(participant)]))
