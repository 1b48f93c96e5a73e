"""A list of attendees as a file that says whose it is, of when, and what may be done with it."""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import IO

import xlsxwriter
from django.utils.translation import gettext as _

from conference import timezones
from conference.models import Organisation, Webinar
from registration import exports
from registration.exports import Attendees
from registration.models import Download

WIDTHS = {
    "registration_code": 18,
    "webinar": 30,
    "name": 30,
    "email": 32,
    "phone": 18,
    "gender": 12,
    "age_group": 12,
    "province": 24,
    "regency": 28,
    "organisation": 34,
    "organisation_kind": 18,
    "status": 12,
    "registered_at": 26,
    "attended_minutes": 18,
}
# Small enough for a progress bar that moves, large enough for PostgreSQL.
BLOCK = 5000

Told = Callable[[int], None]


def untold(_done: int) -> None:
    pass


@dataclass(frozen=True)
class Terms:
    """What stands in the file beside the list; in the language in which it was asked for."""

    name: str
    title: str
    lines: tuple[str, ...]


def name(organisation: Organisation | None, webinar: Webinar | None, *, now: datetime) -> str:
    """Of the file, without its ending."""
    slugs = [row.slug for row in (webinar, organisation) if row]
    return "-".join(["peserta", *slugs, f"{now.astimezone(timezones.WITA.info):%Y-%m-%d}"])


def terms(organisation: Organisation | None, webinar: Webinar | None, *, now: datetime) -> Terms:
    owner = organisation.name if organisation else _("The conference's organisers")
    about = webinar.title if webinar else _("Registrations")
    facts = (_("For: %(owner)s") % {"owner": owner}, _("Made on: %(moment)s") % {"moment": timezones.moment(now)})
    return Terms(
        name(organisation, webinar, now=now), about, (*facts, *(of_partners() if organisation else of_organisers()))
    )


def of_partners() -> tuple[str, ...]:
    return (
        _("The people in this list have agreed that this organisation receives what the list says of them. It goes to nobody else."),
        _("Use it for your work around this webinar and to invite them to yours, and for nothing else."),
        _("Where a cell is empty, the person has left it blank or has not agreed to share it."),
        _("Whoever takes the consent back must leave your files: you get a mail with the registration code. Delete the line wherever you keep it, then say so in the partners' room."),
        _("Keep the file in one place and delete it when it has served its purpose. Each download is recorded."),
    )  # fmt: skip


def of_organisers() -> tuple[str, ...]:
    return (
        _("For the organisers' own work alone. Partner organisations take their lists in their own room, where consents are kept to."),
        _("Delete the file when it has served its purpose. Each download is recorded."),
    )  # fmt: skip


# ---- XLSX


def write_xlsx(file: IO[bytes], found: Attendees, about: Terms, told: Told = untold) -> int:
    """Every text stays a text: none is read as a formula, a link or a number."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(file, options) as workbook:
        workbook.set_properties({"title": about.title, "subject": about.lines[0], "comments": "\n".join(about.lines)})
        sheet = workbook.add_worksheet("attendees")
        bold = workbook.add_format({"bold": True})
        for place, name in enumerate(found.columns):
            sheet.set_column(place, place, WIDTHS[name])
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, found.columns, bold)
        for rows in exports.rows(found, BLOCK):
            write_rows(sheet, rows, first=count + 1)
            count += len(rows)
            told(count)
        write_terms(workbook, about, bold)
    return count


def write_rows(sheet: xlsxwriter.worksheet.Worksheet, rows: Sequence[exports.Row], *, first: int) -> None:
    """Without asking of each cell what it might be."""
    # Nor whether its place is written like A1.
    write_string = partial(type(sheet).write_string.__wrapped__, sheet)
    write_number = partial(type(sheet).write_number.__wrapped__, sheet)
    for line, row in enumerate(rows, first):
        for place, value in enumerate(row):
            if isinstance(value, int):
                write_number(line, place, value)
            elif value:
                write_string(line, place, value)


def write_terms(workbook: xlsxwriter.Workbook, about: Terms, bold: xlsxwriter.format.Format) -> None:
    sheet = workbook.add_worksheet(_("Terms"))
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 100)
    sheet.write_string(0, 0, about.title, bold)
    for line, text in enumerate(about.lines, 1):
        sheet.write_string(line, 0, text, wrapped)


# ---- CSV and its terms


def write_zip(file: IO[bytes], found: Attendees, about: Terms, told: Told = untold) -> int:
    """A CSV has no room for terms: they lie beside it."""
    done = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as folder:
        with folder.open(f"{about.name}.csv", "w", force_zip64=True) as part:
            for block in exports.csv_blocks(found):
                part.write(block)
                told(min(done, len(found)))
                done += exports.BLOCK
        text = io.StringIO("\ufeff" + "\r\n".join([about.title, "", *about.lines, ""]), newline="")
        folder.writestr(_("TERMS.txt"), text.getvalue().encode())
    return len(found)


WRITERS: dict[str, Callable[..., int]] = {Download.Format.CSV: write_zip, Download.Format.XLSX: write_xlsx}
