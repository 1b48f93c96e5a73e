"""The attendee list of a partner organisation, written row by row in flat memory."""

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import IO, Any

import xlsxwriter
from defusedcsv import csv
from django.db.models import Case, F, IntegerField, OuterRef, Subquery, Sum, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference.models import Organisation, Webinar
from conference.timezones import WITA
from registration import regions
from registration.models import Attendance, Download, Registration

# What partners' own scripts read: a change of names or order is a decision of its own.
COLUMNS = (
    "registration_code",
    "webinar",
    "name",
    "email",
    "phone",
    "gender",
    "age_group",
    "province",
    "regency",
    "organisation",
    "organisation_kind",
    "status",
    "registered_at",
    "attended_minutes",
)
# The same in the words of consents: what is added here must be asked for anew.
WORDS = {
    "registration_code": gettext_lazy("registration code"),
    "webinar": gettext_lazy("webinar"),
    "name": gettext_lazy("name"),
    "email": gettext_lazy("email"),
    "phone": gettext_lazy("phone"),
    "gender": gettext_lazy("gender"),
    "age_group": gettext_lazy("age group"),
    "province": gettext_lazy("province"),
    "regency": gettext_lazy("regency or city"),
    "organisation": gettext_lazy("organisation"),
    "organisation_kind": gettext_lazy("kind of organisation"),
    "status": gettext_lazy("status"),
    "registered_at": gettext_lazy("time of sign-up"),
    "attended_minutes": gettext_lazy("minutes attended"),
}
FIELDS = (
    "code",
    "webinar__slug",
    "participant__name",
    # Her own address only: an account that manages several people is not theirs to pass on.
    "participant__email",
    "participant__phone",
    "participant__gender",
    "participant__age_group",
    "participant__province",
    "participant__regency",
    "participant__organisation",
    "participant__organisation_kind",
    "status",
    "created_at",
    "attended",
)
WIDTHS = (18, 30, 30, 32, 18, 12, 12, 24, 28, 34, 18, 12, 26, 18)
CHUNK = 2000

# Zoom's report corrects what its webhook said at the time; a click on the link has no end, so it measures nothing.
SOURCES = (Attendance.Source.REPORT, Attendance.Source.WEBHOOK, Attendance.Source.HAND, Attendance.Source.LINK)

Row = list[str | int | None]


def attended() -> Subquery:
    """The time that the most trusted source measured; sources are never added up. Two devices at once count twice."""
    places = [When(source=source, then=Value(place)) for place, source in enumerate(SOURCES)]
    measured = Attendance.objects.filter(registration=OuterRef("pk"), left_at__isnull=False)
    by_source = measured.values(place=Case(*places, output_field=IntegerField()))
    times = by_source.annotate(time=Sum(F("left_at") - F("joined_at")))
    return Subquery(times.order_by("place").values("time")[:1])


def attendees(organisation: Organisation, webinar: Webinar) -> Iterator[Row]:
    """One query, read through a server-side cursor."""
    shared = Registration.objects.shared_with(organisation).filter(webinar=webinar)
    found = shared.annotate(attended=attended()).order_by("pk").values_list(*FIELDS)
    # The file may be written after the reader's language is switched off again.
    places = regions.names() | {"": "", regions.OUTSIDE_INDONESIA: _("Outside Indonesia")}
    return (attendee(row, places) for row in found.iterator(chunk_size=CHUNK))


def attendee(row: tuple[Any, ...], places: dict[str, str]) -> Row:
    code, webinar, name, email, phone, gender, age, province, regency, organisation, kind, status, created, time = row
    return [
        *(code, webinar, one_line(name), email, phone, gender, age),
        *(places.get(province, province), places.get(regency, regency), one_line(organisation), kind, status),
        created.astimezone(WITA.info).isoformat(timespec="seconds"),
        None if time is None else time // timedelta(minutes=1),
    ]


def one_line(text: str) -> str:
    """A tab or a line end in front of a formula would hide it from the check of its first character."""
    return " ".join(text.split())


def write_csv(file: IO[bytes], rows: Iterable[Row]) -> int:
    """RFC 4180 with a byte order mark. An apostrophe stands before possible formulas, so before a phone's `+` too."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    text.detach()
    return count


def write_xlsx(file: IO[bytes], rows: Iterable[Row]) -> int:
    """Every text stays a text: none is read as a formula, a link or a number."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(file, options) as workbook:
        sheet = workbook.add_worksheet("attendees")
        for column, width in enumerate(WIDTHS):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, COLUMNS, workbook.add_format({"bold": True}))
        for count, row in enumerate(rows, 1):
            sheet.write_row(count, 0, row)
    return count


WRITERS: dict[Download.Format, Callable[[IO[bytes], Iterable[Row]], int]] = {
    Download.Format.CSV: write_csv,
    Download.Format.XLSX: write_xlsx,
}
