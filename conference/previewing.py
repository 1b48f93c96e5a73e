"""Links to what is not public yet, for somebody without an account: signed, for a week, and ended by a word."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.core import signing
from django.db import models
from django.db.models import F

from conference.models import Edition, Page, Webinar
from conference.publishing import is_public

AGE = timedelta(days=7)
KINDS: dict[str, type[models.Model]] = {"w": Webinar, "h": Page, "e": Edition}

Previewed = Webinar | Page | Edition

# A dot: some mail programs end an address at a colon.
signer = signing.TimestampSigner(salt="conference.preview", sep=".")


class Ended(Exception):
    """The link was ours once: it has aged, was ended by an organiser, or its page is gone."""


class Opened(NamedTuple):
    row: Previewed
    until: datetime


def token(row: Previewed) -> str:
    kind = next(kind for kind, model in KINDS.items() if isinstance(row, model))
    return signer.sign(f"{kind}-{row.pk}-{row.preview_version}")


def open_link(token: str, *, now: datetime) -> Opened | None:
    """None for a forged or a broken one."""
    try:
        value = signer.unsign(token)
    except signing.BadSignature:
        return None
    kind, pk, version = value.split("-")
    until = signed_at(token) + AGE
    row = KINDS[kind]._default_manager.filter(pk=pk, preview_version=version).first()
    if now >= until or row is None:
        raise Ended
    return Opened(row, until)  # type: ignore[arg-type]


def signed_at(token: str) -> datetime:
    stamp = token.rsplit(".", 2)[1]
    return datetime.fromtimestamp(signing.b62_decode(stamp), tz=UTC)


def end_links(row: Previewed) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(preview_version=F("preview_version") + 1)


def is_shown(row: Previewed) -> bool:
    """Then its own address is the one to give away."""
    if isinstance(row, Edition):
        return Edition.objects.published().filter(pk=row.pk).exists()
    return is_public(row)
