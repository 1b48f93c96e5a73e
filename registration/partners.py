"""What the people of a partner organisation may see and take, and the record of it."""

from datetime import datetime
from typing import IO

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from conference.models import Organisation, Webinar, WebinarQuerySet
from registration import exports
from registration.models import Download, Registration, User
from registration.models.registrations import RegistrationQuerySet


def organisations_of(user: User) -> list[Organisation]:
    return list(Organisation.objects.filter(members__user=user).order_by("name", "pk"))


def webinars_of(organisation: Organisation) -> WebinarQuerySet:
    """Its webinars with `confirmed`, all who have a seat, and `shared`, those of them whom it may see."""
    counts = {
        "confirmed": number_in_webinar(Registration.objects.confirmed()),
        "shared": number_in_webinar(Registration.objects.shared_with(organisation)),
    }
    return Webinar.objects.published().hosted_by(organisation).in_order().annotate(**counts)


def number_in_webinar(registrations: RegistrationQuerySet) -> Coalesce:
    own = registrations.filter(webinar=OuterRef("pk")).order_by().values("webinar")
    return Coalesce(Subquery(own.annotate(number=Count("pk")).values("number")), 0)


def hosts_for(user: User, webinar_slug: str) -> list[Organisation]:
    """The user's organisations that host this webinar: those whose list of it she may take."""
    webinars = Webinar.objects.published().filter(slug=webinar_slug)
    return list(Organisation.objects.filter(members__user=user, hosted_webinars__in=webinars).order_by("name", "pk"))


def take_list(
    file: IO[bytes], user: User, organisation: Organisation, webinar: Webinar, format: Download.Format, *, now: datetime
) -> Download:
    """Writes the list whole before anybody gets it, so that the record holds the number of rows that left the house."""
    with transaction.atomic():
        rows = exports.WRITERS[format](file, exports.attendees(organisation, webinar))
        return record_download(user, organisation, webinar, format, rows, now=now)


def record_download(
    user: User, organisation: Organisation, webinar: Webinar, format: Download.Format, rows: int, *, now: datetime
) -> Download:
    return Download.objects.create(
        user=user,
        organisation=organisation,
        webinar=webinar,
        format=format,
        rows=rows,
        columns=", ".join(exports.COLUMNS),
        downloaded_at=now,
    )
