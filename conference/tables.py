"""Content as a table for spreadsheet programs, and back. What is exported and imported again changes nothing."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Any

import xlsxwriter
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from conference.models import AgendaItem, Organisation, Speaker, Webinar
from conference.spreadsheets import KILOBYTE, Grid, Limits, Unreadable, plain_lines

# The names of the columns, which stay: people keep files. A language is the last part of a name, and so is WITA.
NAMES: dict[type[models.Model], str] = {
    Webinar: (
        "slug edition number status publish_at_wita title_id title_en date starts_at_wita ends_at_wita "
        "join_opens_minutes reminder_minutes capacity registration_opens_at_wita registration_closes_at_wita "
        "allows_late_sign_up hosts languages has_sign_language has_captions summary_id summary_en description_id "
        "description_en zoom_url zoom_meeting_id zoom_passcode backup_stream_url"
    ),
    Speaker: "slug name position_id position_en organisation bio_id bio_en photo_alt_id photo_alt_en",
    Organisation: "slug name_id name_en acronym kind website about_id about_en logo_alt_id logo_alt_en",
    AgendaItem: (
        "id edition webinar kind order date starts_at_wita ends_at_wita title_id title_en note_id note_en"
    ),
}  # fmt: skip
COLUMNS = {model: tuple(names.split()) for model, names in NAMES.items()}
MOST_ROWS = 1000
LIMITS = Limits(
    largest=1024 * KILOBYTE,
    largest_unpacked=10 * KILOBYTE * KILOBYTE,
    most_rows=MOST_ROWS + 1,
    longest_cell=100_000,
    is_to_the_letter=True,
)
# As many as a cell of a workbook holds.
LONGEST_IN_XLSX = 32_767
YES = frozenset({"yes", "ya", "y", "true", "1"})
NO = frozenset({"no", "tidak", "n", "false", "0", ""})
# Days and hours that a spreadsheet program has taken as such: days since its beginning.
SERIAL = re.compile(r"[0-9]{4,5}(\.[0-9]+)?")
FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 -- of a calendar without zones
MOMENT = re.compile(r"(\S+?)[T ]+([0-9]{1,2})[:.]([0-9]{2})(:[0-9]{2})?(\.0+)?")
# A text that a program would take for a formula, and the apostrophe that keeps it from that.
FORMULA = re.compile(r"'*[=+\-@\t]")
GUARDED = re.compile(r"'+[=+\-@\t]")

Cells = dict[str, str]


class Wrong(Exception):
    """A cell that can't be read; the words say what belongs there."""


def key_of(model: type[models.Model]) -> str:
    """By which a row of the file finds its row."""
    return COLUMNS[model][0]


def field_of(model: type[models.Model], column: str) -> str:
    name = column.removesuffix("_wita")
    names = {one.name for one in model._meta.get_fields()}
    return name if name in names else re.sub("_id$", "_ind", name)


# ---- To cells


def cells_of(row: models.Model, columns: Iterable[str]) -> Cells:
    return {column: cell_of(row, field_of(type(row), column)) for column in columns}


def cell_of(row: models.Model, name: str) -> str:
    column: Any = type(row)._meta.get_field(name)
    if column.many_to_many:
        return ", ".join(sorted(one.slug for one in getattr(row, name).all()))
    value = getattr(row, name)
    if value is None:
        return ""
    if column.many_to_one:
        return str(value.slug)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        local = timezone.localtime(value)
        return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return ", ".join(map(str, value)) if isinstance(value, list) else plain_lines(str(value))


def guarded(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    return cell[1:] if GUARDED.match(cell) else cell


def csv_of(columns: Sequence[str], rows: Iterable[Cells], heads: Sequence[str] = ()) -> bytes:
    """Spreadsheet programs in Indonesian take semicolons, those in English commas. `heads`: columns in people's words."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";" if get_language() == "id" else ",")
    writer.writerow(heads or columns)
    writer.writerows([guarded(row[column]) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def xlsx_of(columns: Sequence[str], rows: Iterable[Cells], heads: Sequence[str] = (), name: str = "content") -> bytes:
    """Every cell a text: a program then makes no number, day or formula of it. Raises Unreadable."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as workbook:
        sheet = workbook.add_worksheet(name)
        bold, text = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "@", "valign": "top"})
        sheet.set_column(0, len(columns) - 1, 24, text)
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, heads or columns, bold)
        for line, row in enumerate(rows, 1):
            for place, column in enumerate(columns):
                if len(cell := guarded(row[column])) > LONGEST_IN_XLSX:
                    words = _("“%(column)s” of “%(row)s” is longer than a cell of Excel may be. Take the CSV.")
                    raise Unreadable(words % {"column": column, "row": row[columns[0]]})
                sheet.write_string(line, place, cell, text)
    return file.getvalue()


# ---- From cells


def header(model: type[models.Model], grid: Grid, allowed: Sequence[str]) -> list[str]:
    """The columns of the file, in its order; raises Unreadable and names each that is wrong."""
    names = [cell.strip().casefold() for cell in (grid[0] if grid else [])]
    while names and not names[-1]:
        names.pop()
    key = key_of(model)
    if key not in names:
        words = _("The first row must name the columns, and “%(key)s” is not among them. Take an export as a pattern.")
        raise Unreadable(words % {"key": key})
    if twice := sorted({name for name in names if names.count(name) > 1}):
        words = _("These columns are there twice: %(names)s. Take one of each out.")
        raise Unreadable(words % {"names": ", ".join(name or "…" for name in twice)})
    if closed := [name for name in names if name in COLUMNS[model] and name not in allowed]:
        words = _("A file of yours can't change these columns: %(names)s. Take them out.")
        raise Unreadable(words % {"names": ", ".join(closed)})
    if unknown := [name for name in names if name not in allowed]:
        raise Unreadable(" ".join(unknown_words(name, allowed) for name in unknown))
    return names


def unknown_words(name: str, allowed: Sequence[str]) -> str:
    if guess := get_close_matches(name, allowed, 1, 0.5):
        facts = {"name": name, "guess": guess[0]}
        return _("The column “%(name)s” is not known. Did you mean “%(guess)s”?") % facts
    return _("The column “%(name)s” is not known. Known are: %(known)s.") % {"name": name, "known": ", ".join(allowed)}


def read_cell(model: type[models.Model], column: str, cell: str, slugs: Mapping[Any, Mapping[str, int]]) -> Any:
    """What the form's field takes. Raises Wrong; what the field itself refuses is left to it."""
    found: Any = model._meta.get_field(field_of(model, column))
    if found.many_to_many:
        return [pk_of(slug, found.related_model, slugs) for slug in re.split(r"[;,\s]+", cell.strip()) if slug]
    if found.many_to_one:
        return pk_of(cell.strip(), found.related_model, slugs) if cell.strip() else None
    if isinstance(found, models.BooleanField):
        return read_yes_or_no(cell)
    if isinstance(found, models.DateTimeField):
        return read_moment(cell.strip())
    if isinstance(found, models.DateField):
        return read_day(cell.strip())
    return re.sub(r"\s*[;,]\s*", ",", cell.strip()) if isinstance(found, ArrayField) else cell


def as_exported(model: type[models.Model], column: str, cell: str) -> str:
    """What a person or her program has written in another way: a day that it keeps as a number, TRUE, more spaces."""
    found: Any = model._meta.get_field(field_of(model, column))
    try:
        if not cell.strip():
            return ""
        if found.many_to_many:
            return ", ".join(sorted({slug for slug in re.split(r"[;,\s]+", cell) if slug}))
        if isinstance(found, models.BooleanField):
            return "yes" if read_yes_or_no(cell) else "no"
        if isinstance(found, models.DateTimeField):
            day, hour = read_moment(cell.strip())
            return f"{day} {hour.removesuffix(':00') if hour.count(':') == 2 else hour}"
        if isinstance(found, models.DateField):
            return read_day(cell.strip())
        return ", ".join(re.split(r"\s*[;,]\s*", cell.strip())) if isinstance(found, ArrayField) else cell
    except Wrong:
        return cell


def may_be_left(model: type[models.Model], column: str) -> bool:
    """Never empty, and filled in by itself: an empty cell then says nothing."""
    found: Any = model._meta.get_field(field_of(model, column))
    return not found.blank and bool(found.has_default())


def pk_of(slug: str, model: Any, slugs: Mapping[Any, Mapping[str, int]]) -> int:
    if slug not in slugs[model]:
        facts = {"slug": slug, "what": model._meta.verbose_name}
        if guess := get_close_matches(slug, slugs[model], 1):
            raise Wrong(_("There is no %(what)s “%(slug)s”. Did you mean “%(guess)s”?") % {**facts, "guess": guess[0]})
        raise Wrong(_("There is no %(what)s “%(slug)s”.") % facts)
    return slugs[model][slug]


def read_yes_or_no(cell: str) -> bool:
    word = cell.strip().casefold()
    if word not in YES | NO:
        raise Wrong(_("Write yes or no."))
    return word in YES


def read_day(cell: str) -> str:
    if SERIAL.fullmatch(cell):
        return (FIRST_DAY + timedelta(days=int(float(cell)))).date().isoformat()
    return cell.removesuffix(" 00:00:00")


def read_moment(cell: str) -> list[str]:
    """Day and hour, as the two fields of a form."""
    if not cell:
        return ["", ""]
    if SERIAL.fullmatch(cell):
        moment = FIRST_DAY + timedelta(seconds=round(float(cell) * 86_400))
        return [moment.date().isoformat(), f"{moment:%H:%M:%S}"]
    if found := MOMENT.fullmatch(cell):
        return [found[1], f"{found[2]}:{found[3]}{found[4] or ''}"]
    raise Wrong(_("Write day and hour in WITA, such as 2027-08-26 09:00."))


def slugs_for(model: type[models.Model]) -> dict[Any, dict[str, int]]:
    """Of all kinds of rows that the table names."""
    named = {model._meta.get_field(field_of(model, column)).related_model for column in COLUMNS[model]} - {None}
    return {other: dict(other._default_manager.values_list("slug", "pk")) for other in named}  # type: ignore[union-attr]
