"""Next year's edition from this year's: the programme as drafts on new dates, without people and without rooms."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import Max, Model
from django.utils.text import slugify

from conference.models import AgendaItem, Edition, Partnership, Webinar
from conference.timezones import WITA
from conference.versions import ROOM

Row = TypeVar("Row", bound=Model)

# What a new year must decide anew: the room, and hours of its own for the sign-up.
OPEN_AGAIN = {
    **dict.fromkeys(ROOM, ""),
    "registration_opens_at": None,
    "registration_closes_at": None,
    "revision": 0,
    "publish_at": None,
    "preview_version": 0,
}


class YearIsTaken(Exception):
    """There is an edition of that year already."""


def copy_edition(edition: Edition, *, name_ind: str, name_en: str, starts_on: date) -> Edition:
    """Webinars with hosts and agenda, and the partner organisations; each a draft. Its speakers are not asked yet."""
    days = starts_on - edition.starts_on
    with transaction.atomic():
        list(Edition.objects.select_for_update(no_key=True).order_by("pk"))  # a second click waits, and is answered
        if Edition.objects.filter(year=starts_on.year).exists():
            raise YearIsTaken
        copied = copy_of_edition(edition, name_ind, name_en, days)
        webinars = copy_webinars(edition, copied, days)
        for item in AgendaItem.objects.filter(edition=edition).order_by("pk"):
            webinar = webinars.get(item.webinar_id) if item.webinar_id else None
            save_copy(item, **moved(item, days), edition=copied, webinar=webinar, revision=0)
        for partnership in Partnership.objects.filter(edition=edition).order_by("pk"):
            save_copy(partnership, edition=copied)
    return copied


def copy_of_edition(edition: Edition, name_ind: str, name_en: str, days: timedelta) -> Edition:
    number = 1 + (Edition.objects.aggregate(last=Max("number"))["last"] or 0)
    year = (edition.starts_on + days).year
    return save_copy(
        Edition.objects.get(pk=edition.pk),
        number=number,
        year=year,
        slug=free_slug(f"kpt-{number}-{year}", Edition.objects.values_list("slug", flat=True)),
        name_ind=name_ind,
        name_en=name_en,
        starts_on=edition.starts_on + days,
        ends_on=edition.ends_on + days,
        registration_opens_at=None,
        registration_closes_at=None,
        is_current=False,
        is_rehearsal=False,
        is_published=False,
        preview_version=0,
    )


def copy_webinars(edition: Edition, copied: Edition, days: timedelta) -> dict[int, Webinar]:
    """The copies, by the id of their origin."""
    copies = {}
    for webinar in Webinar.objects.filter(edition=edition).order_by("pk"):
        origin, hosts = webinar.pk, list(webinar.hosts.all())
        slug = free_slug(f"{webinar.slug}-{copied.year}", Webinar.objects.values_list("slug", flat=True))
        fields = OPEN_AGAIN | moved(webinar, days)
        copies[origin] = save_copy(webinar, **fields, edition=copied, slug=slug, status=Webinar.Status.DRAFT)
        copies[origin].hosts.set(hosts)
    return copies


def moved(session: Webinar | AgendaItem, days: timedelta) -> dict[str, date | datetime | None]:
    """The same hours in WITA, on other days."""
    return {
        "date": session.date + days,
        "starts_at": session.starts_at and session.starts_at.astimezone(WITA.info) + days,
        "ends_at": session.ends_at and session.ends_at.astimezone(WITA.info) + days,
    }


def save_copy(row: Row, **fields: object) -> Row:
    """The row itself, written anew: read it again if the origin is needed."""
    row.pk = None
    row._state.adding = True
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row


def free_slug(wanted: str, taken: Iterable[str]) -> str:
    slug, known, number = slugify(wanted)[:90], set(taken), 2
    while slug in known:
        slug, number = f"{slugify(wanted)[:90]}-{number}", number + 1
    return slug
