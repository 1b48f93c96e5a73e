"""Is a webinar ready to go on air? What is missing, in words that say what to do, the weightiest first."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from conference.agenda import with_people
from conference.models import Appearance, Edition, Webinar, WebinarQuerySet


class Missing(NamedTuple):
    """`part` is the field or the table of the webinar's page where it is mended; `holds_up`: not without it."""

    part: str
    words: str
    holds_up: bool = False
    speaker: int | None = None


def missing(webinar: Webinar, *, now: datetime) -> list[Missing]:
    """Nothing for a webinar that is cancelled or over. Of many, see `with_parts`."""
    if webinar.is_cancelled or webinar.is_over(now):
        return []
    found = [*essentials(webinar), *texts(webinar), *people(webinar), *reminders(webinar, now)]
    return sorted(found, key=lambda gap: not gap.holds_up)


def with_parts(webinars: WebinarQuerySet) -> WebinarQuerySet:
    """All that is looked at, loaded by as many queries for one as for a hundred."""
    return with_people(webinars.select_related("edition")).prefetch_related("hosts")


def of_coming(edition: Edition, *, now: datetime) -> list[tuple[Webinar, list[Missing]]]:
    """Those of its webinars that still lack something, in their order."""
    webinars = with_parts(Webinar.objects.filter(edition=edition).in_order())
    found = [(webinar, missing(webinar, now=now)) for webinar in webinars]
    return [(webinar, gaps) for webinar, gaps in found if gaps]


def essentials(webinar: Webinar) -> Iterator[Missing]:
    if webinar.status == Webinar.Status.DRAFT:
        yield Missing("status", _("It is a draft: nobody sees it yet."), holds_up=True)
    if not webinar.starts_at:
        yield Missing("starts_at", _("The hour is not set: no reminder can go out."), holds_up=True)
    elif not webinar.ends_at:
        yield Missing("ends_at", _("The end is not set: the site reckons with three hours."))
    if not webinar.join_url:
        yield Missing("zoom_url", _("There is no Zoom address: nobody can join."), holds_up=True)
    elif not webinar.zoom_url:
        yield Missing("zoom_url", _("There is no Zoom address, only the backup stream."))
    if webinar.sign_up_opens_at is None:
        yield Missing("registration_opens_at", _("Sign-up has no opening hour, nor has the edition's."), holds_up=True)


def texts(webinar: Webinar) -> Iterator[Missing]:
    names = {"title": _("title"), "summary": _("summary"), "description": _("description")}
    for field, name in names.items():
        if not getattr(webinar, f"{field}_ind"):
            yield Missing(f"{field}_ind", _("The %(field)s is empty.") % {"field": name})
        elif not getattr(webinar, f"{field}_en"):
            words = _("The %(field)s has no English translation: English readers get the Indonesian one.")
            yield Missing(f"{field}_en", words % {"field": name})
    for item in webinar.agenda_items.all():
        if not item.title_en:  # type: ignore[attr-defined]
            words = _("The agenda item “%(title)s” has no English translation.")
            yield Missing("agenda_items", words % {"title": item.title})


def people(webinar: Webinar) -> Iterator[Missing]:
    if not webinar.hosts.all():
        yield Missing("hosts", _("No organisation hosts it: no partner sees its attendees."))
    appearances = list(appearances_of(webinar))
    if not appearances:
        yield Missing("appearances", _("No speaker is named."))
    roles = Appearance.Role
    if appearances and roles.MODERATOR not in {appearance.role for appearance in appearances}:
        yield Missing("appearances", _("No moderator is named."))
    for speaker in dict.fromkeys(appearance.speaker for appearance in appearances):
        if not speaker.photo:
            words = _("%(speaker)s has no photo.")
            yield Missing("appearances", words % {"speaker": speaker}, speaker=speaker.pk)


def appearances_of(webinar: Webinar) -> list[Appearance]:
    of_items = (appearance for item in webinar.agenda_items.all() for appearance in item.appearances.all())
    return [*webinar.appearances.all(), *of_items]


def reminders(webinar: Webinar, now: datetime) -> Iterator[Missing]:
    if not webinar.reminder_minutes:
        yield Missing("reminder_minutes", _("No reminder is set: many forget the hour."))
