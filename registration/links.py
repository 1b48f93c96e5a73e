"""Personal links that work without signing in. Each kind has its own salt and age; a forged or aged one reads as None."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from registration.models import Registration

JOIN_SALT = "registration.join"
# From the earliest sign-up to well after the conference.
JOIN_AGE = timedelta(days=400)


# A dot: some mail programs end an address at a colon.
join_signer = signing.TimestampSigner(salt=JOIN_SALT, sep=".")


def join_token(registration: Registration) -> str:
    return join_signer.sign(f"{registration.pk}-{registration.link_version}")


def read_join(token: str) -> Registration | None:
    try:
        pk, _dash, version = join_signer.unsign(token, max_age=JOIN_AGE).partition("-")
    except signing.BadSignature:
        return None
    related = Registration.objects.select_related("participant__account", "webinar__edition")
    return related.filter(pk=pk, link_version=version).first()


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def join(registration: Registration) -> str:
    return absolute(reverse("registration:join", args=[join_token(registration)]))


def leave(registration: Registration) -> str:
    return absolute(reverse("registration:leave", args=[join_token(registration)]))


def mine() -> str:
    return absolute(reverse("registration:mine"))
