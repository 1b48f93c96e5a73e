"""What the people of a partner organisation may see and take, and the record of it."""

from datetime import datetime, timedelta
from typing import IO

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from conference.models import Organisation, Webinar, WebinarQuerySet
from registration import exports, mail, withdrawals
from registration.models import Download, OutgoingMail, Registration, User
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
    """Writes the list whole before anybody gets it, so that the record holds the number of rows that left the house.

    Locked against consents that end meanwhile: she is not in the list, or its record is there when she is looked for.
    """
    with transaction.atomic():
        withdrawals.lock([organisation.pk])
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


# ---- Telling them that there is a list


# A day before the start most have signed up; a day after the end it is known who was there.
TOLD = timedelta(days=1)
# Later the mail about the attendance is no news any more.
STILL_NEWS = timedelta(days=7)


def tell_of_lists(*, now: datetime) -> int:
    """Each person of each host twice a webinar, where somebody has agreed to be in the list. Twice is harmless."""
    rows = []
    days = (now.date() - timedelta(days=10), now.date() + timedelta(days=3))
    for webinar in Webinar.objects.filter(status=Webinar.Status.PUBLISHED, date__range=days).order_by("pk"):
        if occasion := occasion_of(webinar, now=now):
            for organisation in webinar.hosts.order_by("pk"):
                rows += letters_about(webinar, organisation, occasion)
    known = set(OutgoingMail.objects.filter(key__in=[row.key for row in rows]).values_list("key", flat=True))
    new = [row for row in rows if row.key not in known]
    mail.queue_all(new)
    return len(new)


def occasion_of(webinar: Webinar, *, now: datetime) -> str:
    starts_at, ends_at = webinar.starts_at, webinar.expected_end
    if starts_at is None or ends_at is None:
        return ""
    if starts_at - TOLD <= now < starts_at:
        return "before"
    return "after" if ends_at + TOLD <= now < ends_at + STILL_NEWS else ""


def letters_about(webinar: Webinar, organisation: Organisation, occasion: str) -> list[OutgoingMail]:
    members = User.objects.filter(partner_memberships__organisation=organisation, is_active=True).order_by("pk")
    if not Registration.objects.shared_with(organisation).filter(webinar=webinar).exists():
        return []
    return [
        OutgoingMail(
            kind=mail.Kind.PARTNER_LIST,
            key=f"partner_list:{webinar.pk}:{organisation.pk}:{occasion}:{user.pk}",
            to=user.email,
            language=user.language,
            context={"organisation": organisation.pk, "webinar": webinar.pk, "occasion": occasion},
        )
        for user in members
    ]
