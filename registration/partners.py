"""What the people of a partner organisation may see and take, and the record of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import IO

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy

from conference.models import Organisation, Webinar, WebinarQuerySet
from registration import audit, choices, exports, mail, withdrawals, workbooks
from registration.choices import Choice
from registration.exports import Attendees
from registration.models import AuditEntry, Download, OutgoingMail, PartnerMember, Registration, User
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


def begin_list(user: User, organisation: Organisation, webinar: Webinar, *, now: datetime) -> Attendees:
    """As CSV, recorded before its first byte leaves. Who is in it is fixed here: later blocks only leave people out.

    Locked against consents that end meanwhile: she is not in the list, or its record is there when she is looked for.
    """
    with transaction.atomic():
        withdrawals.lock([organisation.pk])
        found = exports.attendees(organisation, webinar)
        record_download(user, organisation, webinar, Download.Format.CSV, len(found), now=now)
    return found


def take_file(
    file: IO[bytes],
    user: User,
    organisation: Organisation,
    webinar: Webinar,
    format: Download.Format,
    choice: Choice,
    *,
    now: datetime,
) -> Download:
    """A short list, written whole before anybody gets it, with its terms; locked and recorded in the same way."""
    with transaction.atomic():
        withdrawals.lock([organisation.pk])
        found = choices.chosen(choice, organisation, webinar)
        rows = workbooks.WRITERS[format](file, found, workbooks.terms(organisation, webinar, now=now))
        return record_download(user, organisation, webinar, format, rows, columns=choice.columns, now=now)


def record_download(
    user: User,
    organisation: Organisation,
    webinar: Webinar,
    format: Download.Format,
    rows: int,
    *,
    columns: Sequence[str] = exports.COLUMNS,
    now: datetime,
) -> Download:
    download = Download.objects.create(
        user=user,
        organisation=organisation,
        webinar=webinar,
        format=format,
        rows=rows,
        columns=", ".join(columns),
        downloaded_at=now,
    )
    audit.take(download)
    return download


def note_look(
    user: User, organisation: Organisation, webinar: Webinar, rows: int, choice: Choice, *, now: datetime
) -> None:
    """She has seen so many people of it on a page."""
    audit.note(
        audit.Action.LISTED,
        Registration,
        actor=user,
        now=now,
        organisation=organisation,
        webinar_id=webinar.pk,
        rows=rows,
        details=choice.words,
    )


# ---- The log


PAGE = 50
# What was carried out with such rows.
DEEDS = {
    "registration.preparedfile": gettext_lazy("Asked for a file"),
    "registration.roleinvitation": gettext_lazy("Took an invitation back"),
    "registration.withdrawal": gettext_lazy("Said that a person is removed from the files"),
}


@dataclass(frozen=True)
class Line:
    """A look or a download, as a partner's manager reads it."""

    at: datetime
    who: str
    what: str
    webinar_id: int | None
    rows: int | None
    columns: str


def log(organisation: Organisation, *, before: datetime | None = None) -> list[Line]:
    """Newest first, one line more than a page: what its people did, and the downloads of the time before the audit."""
    entries, downloads = audit.of_organisation(organisation), Download.objects.filter(organisation=organisation)
    taken = entries.filter(action=audit.Action.DOWNLOADED).order_by("at")
    if first := taken.values_list("at", flat=True).first():
        downloads = downloads.filter(downloaded_at__lt=first)
    if before:
        entries, downloads = entries.filter(at__lt=before), downloads.filter(downloaded_at__lt=before)
    downloads = downloads.select_related("user").order_by("-downloaded_at", "-pk")
    told = map(line_of, entries[: PAGE + 1])
    known = map(line_of_download, downloads[: PAGE + 1])
    return list(islice(merge(told, known, key=lambda line: line.at, reverse=True), PAGE + 1))


def line_of(entry: AuditEntry) -> Line:
    deed = DEEDS.get(entry.object_type) if entry.action == audit.Action.ACTED else None
    what = str(deed or entry.get_action_display())
    return Line(entry.at, entry.actor_name, what, entry.webinar_id, entry.rows, entry.details)


def line_of_download(row: Download) -> Line:
    who = row.user.email if row.user else ""
    what = str(audit.Action.DOWNLOADED.label)
    return Line(row.downloaded_at, who, what, row.webinar_id, row.rows, row.columns)


def managed_by(user: User) -> set[int]:
    """Keys of the organisations whose log and people are hers to mind."""
    members = PartnerMember.objects.filter(user=user, role=PartnerMember.Role.MANAGER)
    return set(members.values_list("organisation", flat=True))


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
