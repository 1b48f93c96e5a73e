"""The record as a file, row by row in flat memory, for whoever has to show it to somebody outside."""

import io
from collections.abc import Callable, Iterable, Iterator
from typing import IO

import xlsxwriter
from defusedcsv import csv
from django.db.models import QuerySet

from conference.timezones import WITA
from registration.exports import one_line
from registration.models import AuditEntry

COLUMNS = (
    "at",
    "by",
    "action",
    "kind",
    "key",
    "name",
    "participant",
    "organisation",
    "webinar",
    "people",
    "details",
    "network",
)
WIDTHS = (26, 32, 22, 30, 10, 34, 12, 30, 10, 10, 50, 20)
CHUNK = 2000
# Somebody waits for it. Of more than these she says what she needs.
MOST = 100_000

Row = list[str | int | None]


def rows_of(entries: QuerySet[AuditEntry]) -> Iterator[Row]:
    """One query, read through a server-side cursor."""
    return (row_of(entry) for entry in entries.select_related("organisation").iterator(chunk_size=CHUNK))


def row_of(entry: AuditEntry) -> Row:
    return [
        entry.at.astimezone(WITA.info).isoformat(timespec="seconds"),
        *(entry.actor_name, entry.action, entry.object_type, entry.object_id, one_line(entry.object_name)),
        entry.participant_id,
        entry.organisation.name if entry.organisation else "",
        *(entry.webinar_id, entry.rows, one_line(entry.details), entry.network),
    ]


def write_csv(file: IO[bytes], rows: Iterable[Row]) -> int:
    """With a byte order mark, and an apostrophe before what a spreadsheet could take for a formula."""
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
    """Every text stays a text."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(file, options) as workbook:
        sheet = workbook.add_worksheet("audit")
        for column, width in enumerate(WIDTHS):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, COLUMNS, workbook.add_format({"bold": True}))
        for count, row in enumerate(rows, 1):
            sheet.write_row(count, 0, row)
    return count


WRITERS: dict[str, Callable[[IO[bytes], Iterable[Row]], int]] = {"csv": write_csv, "xlsx": write_xlsx}
