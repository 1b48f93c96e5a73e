"""The list of a group as a file: which columns it has, the words that each takes in both languages, and the template."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import xlsxwriter
from django.conf import settings
from django.http import QueryDict
from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from conference.spreadsheets import Grid, Unreadable
from registration import regions
from registration.models import Participant, SensitiveAnswers

MOST_ROWS = 200
# A title above the names of the columns is passed over, merged or not.
HEADER_WITHIN = 15


class Column(NamedTuple):
    field: str
    label: str | Promise
    # Without it in the header, in either language, the file is none of ours.
    is_needed: bool = False
    other_names: tuple[str, ...] = ()


COLUMNS = (
    Column("name", gettext_lazy("Name"), True, ("Nama lengkap", "Full name")),
    Column("gender", gettext_lazy("Gender"), other_names=("Sex", "L/P")),
    Column("age_group", gettext_lazy("Age group"), other_names=("Usia", "Umur", "Age")),
    Column("province", gettext_lazy("Province"), True),
    Column("regency", gettext_lazy("Regency or city"), other_names=("Kabupaten", "Kab/Kota", "Kabupaten/Kota")),
    Column("phone", gettext_lazy("Phone"), other_names=("HP", "No HP", "Nomor HP", "No. Telepon", "WA")),
    Column("contact_email", gettext_lazy("Email"), other_names=("E-mail", "Surel", "Alamat email")),
    Column("webinars", gettext_lazy("Webinars"), other_names=("Webinar",)),
    Column("consent_processing", gettext_lazy("Agrees to take part"), True),
    Column("consent_partners", gettext_lazy("Shares with the hosts")),
    Column("guardian_name", gettext_lazy("Guardian (under 18)"), other_names=("Wali", "Nama wali")),
    Column("guardian_consent", gettext_lazy("Guardian agrees")),
    Column("needs", gettext_lazy("Access needs")),
    Column("consent_sensitive", gettext_lazy("Agrees that needs are kept")),
)
BY_FIELD = {column.field: column for column in COLUMNS}
YES_OR_NO = frozenset({"consent_processing", "guardian_consent", "consent_sensitive"})
SEVERAL = frozenset({"webinars", "needs", "consent_partners"})
YES = frozenset({"ya", "y", "iya", "yes", "true", "1", "x", "v", "setuju", "ok"})
NO = frozenset({"", "tidak", "tdk", "no", "n", "false", "0"})
GENDERS = {
    "p": "female",
    "perempuan": "female",
    "wanita": "female",
    "l": "male",
    "laki": "male",
    "lakilaki": "male",
    "pria": "male",
}
# As people call them; nobody writes Nusa Tenggara Timur in a list of names.
PROVINCES = {
    "ntt": "53",
    "ntb": "52",
    "sulut": "71",
    "sulteng": "72",
    "sulsel": "73",
    "sultra": "74",
    "sulbar": "76",
    "malut": "82",
    "kalbar": "61",
    "kalteng": "62",
    "kalsel": "63",
    "kaltim": "64",
    "kaltara": "65",
    "jakarta": "31",
    "dki": "31",
    "dkijakarta": "31",
    "jabar": "32",
    "jateng": "33",
    "jatim": "35",
    "yogyakarta": "34",
    "diy": "34",
    "diyogyakarta": "34",
    "sumut": "12",
    "sumbar": "13",
    "sumsel": "16",
    "babel": "19",
    "bangkabelitung": "19",
    "kepri": "21",
}
# The youngest of each group; nobody of no years registers.
AGES = (
    (55, Participant.AgeGroup.FROM_55),
    (45, Participant.AgeGroup.FROM_45),
    (35, Participant.AgeGroup.FROM_35),
    (25, Participant.AgeGroup.FROM_25),
    (18, Participant.AgeGroup.FROM_18),
    (1, Participant.AgeGroup.UNDER_18),
)
OTHER_WORDS = {"gender": GENDERS, "province": PROVINCES}

Row = dict[str, str]


class Listed(NamedTuple):
    """What the file says, with the number that each row has in it, and the columns nobody asked for."""

    rows: list[Row]
    numbers: list[int]
    unknown: list[str]


# ---- From cells to rows


def listed(grid: Grid, columns: tuple[Column, ...] = COLUMNS, most: int = MOST_ROWS) -> Listed:
    place, fields = header(grid, columns)
    rows = [
        (number, {field: cleaned(cell) for field, cell in zip(fields, cells, strict=False) if field})
        for number, cells in enumerate(grid[place + 1 :], place + 2)
    ]
    filled = [(number, row) for number, row in rows if any(row.values())]
    if not filled:
        raise Unreadable(_("The file has the names of the columns, but nobody below them."))
    if len(filled) > most:
        words = ngettext("One person at most.", "At most %(most)s people in one file.", most)
        raise Unreadable(words % {"most": most})
    unknown = [cell for cell, field in zip(grid[place], fields, strict=True) if cell and not field]
    return Listed([row for _number, row in filled], [number for number, _row in filled], unknown)


def header(grid: Grid, columns: tuple[Column, ...] = COLUMNS) -> tuple[int, list[str]]:
    """The line that names most columns, and the field of each; empty for a column that is none of ours."""
    names = headings(columns)
    found = [[names.get(plain(cell), "") for cell in cells] for cells in grid[:HEADER_WITHIN]]
    place = max(range(len(found)), key=lambda line: len(set(found[line]) - {""}), default=-1)
    missing = [column for column in columns if column.is_needed and (place < 0 or column.field not in found[place])]
    if missing:
        words = _("These columns are missing: %(names)s. Take the template, or name your columns as it does.")
        raise Unreadable(words % {"names": ", ".join(str(column.label) for column in missing)})
    fields = found[place]
    if twice := sorted({field for field in fields if field and fields.count(field) > 1}):
        words = _("These columns are there twice: %(names)s. Take one of each out.")
        raise Unreadable(words % {"names": ", ".join(str(column.label) for column in columns if column.field in twice)})
    return place, fields


@cache
def headings(columns: tuple[Column, ...] = COLUMNS) -> dict[str, str]:
    names = {plain(column.field): column.field for column in columns}
    for column in columns:
        names |= {plain(name): column.field for name in (*in_all_languages(column.label), *column.other_names)}
    return names


def cleaned(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from calculating with a text."""
    return cell[1:] if re.match(r"'[=+@-]", cell) else cell


def plain(text: str) -> str:
    """Letters and digits alone: nobody types a dash as we do."""
    return "".join(char for char in text.casefold() if char.isalnum())


def in_all_languages(words: str | Promise) -> list[str]:
    spoken = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            spoken.append(str(words))
    return spoken


# ---- From words to codes


def choices(field: str) -> list[tuple[str, str | Promise]]:
    """What a column takes; empty where anything may be written."""
    match field:
        case "gender":
            return list(Participant.Gender.choices)
        case "age_group":
            return list(Participant.AgeGroup.choices)
        case "province":
            return list(regions.province_choices())
        case "regency":
            return [pair for _province, pairs in regions.regency_choices() for pair in pairs]
        case "organisation_kind":
            return list(Participant.OrganisationKind.choices)
        case "needs":
            return list(SensitiveAnswers.Need.choices)
        case _:
            return [("on", gettext_lazy("yes")), ("", gettext_lazy("no"))] if field in YES_OR_NO else []


@cache
def codes(field: str) -> dict[str, str]:
    known = dict(OTHER_WORDS.get(field, {}))
    for code, label in choices(field):
        known |= {plain(word): code for word in (code, *in_all_languages(label))}
    return known | (short_regencies() if field == "regency" else {})


def short_regencies() -> dict[str, str]:
    """Kab. Sikka, and Sikka alone where no city has the same name."""
    names = dict(choices("regency"))
    known = {plain(str(name).replace("Kabupaten", "Kab", 1)): code for code, name in names.items()}
    bare: dict[str, list[str]] = {}
    for code, name in names.items():
        bare.setdefault(plain(re.sub("^(Kabupaten|Kota) ", "", str(name))), []).append(code)
    return known | {name: of_it[0] for name, of_it in bare.items() if len(of_it) == 1}


def form_data(
    row: Row,
    webinars: Mapping[str, str],
    hosts: Mapping[str, str],
    default: Sequence[str],
    columns: Sequence[Column] = COLUMNS,
) -> dict[str, object]:
    """As the form for one person gets it. An unknown word stays as it is, so that the form says what is wrong.

    `webinars` gives slugs by number, `hosts` by short name; `default` are the webinars of a row that names none.
    """
    data: dict[str, object] = {}
    for column in columns:
        cell = row.get(column.field, "")
        data[column.field] = codes(column.field).get(plain(cell), cell)
    data["age_group"] = group_of_age(row.get("age_group", "")) or data["age_group"]
    data["webinars"] = [webinars.get(word, word) for word in several(row, "webinars")] or list(default)
    data["needs"] = [codes("needs").get(plain(word), word) for word in several(row, "needs")]
    shared = plain(row.get("consent_partners", ""))
    names = {plain(name): slug for name, slug in hosts.items()}
    data["consent_partners"] = (
        ["on"] if shared in YES else [names.get(plain(word), word) for word in several(row, "consent_partners")]
    )
    for field in YES_OR_NO:
        data[field] = "on" if plain(row.get(field, "")) in YES else ""
    return data


def as_post(data: Mapping[str, object]) -> QueryDict:
    """As a browser would send it."""
    sent = QueryDict(mutable=True)
    for name, value in data.items():
        sent.setlist(name, value if isinstance(value, list) else [str(value)] if value else [])
    return sent


def group_of_age(cell: str) -> str:
    """Of 17, 34 tahun or 55+; empty for anything else."""
    found = re.fullmatch(r"(\d{1,3})\s*(\+|th|thn|tahun|years?)?", cell.strip(), re.IGNORECASE)
    years = int(found[1]) if found else 0
    return next((str(group) for youngest, group in AGES if years >= youngest), "")


def several(row: Row, field: str) -> list[str]:
    cell = row.get(field, "")
    if field == "consent_partners" and plain(cell) in NO:
        return []
    marks = r"[;,\s]+" if field == "webinars" else r"\s*[;,]\s*"
    return [word for word in re.split(marks, cell.strip()) if word]


def misread(row: Row) -> Iterator[tuple[str, str]]:
    """Cells that no form field would refuse, by column."""
    for field, cell in row.items():
        if cell.startswith("="):
            yield field, _("This is a formula. Write what it gives.")
        elif field in YES_OR_NO and plain(cell) not in YES | NO:
            yield field, _("Write yes or no.")
        elif field == "phone" and re.search(r"\dE\+\d", cell, re.IGNORECASE):
            yield field, _("The spreadsheet has cut the number off. Format the column as text and type it anew.")


# ---- The template


def template_csv() -> bytes:
    """Only the names of the columns: an example row would be registered one day.

    Spreadsheet programs in Indonesian take semicolons, those in English commas.
    """
    text = io.StringIO()
    csv.writer(text, delimiter=";" if get_language() == "id" else ",").writerow(str(column.label) for column in COLUMNS)
    return text.getvalue().encode("utf-8-sig")


def template_xlsx() -> bytes:
    """With lists to choose from in the columns, and a second sheet with all that each of them takes."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet, values = workbook.add_worksheet(_("Group")), workbook.add_worksheet(_("Accepted words"))
        bold, text = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "@"})
        sheet.set_column(0, len(COLUMNS) - 1, 22, text)
        sheet.write_row(0, 0, [str(column.label) for column in COLUMNS], bold)
        sheet.freeze_panes(1, 0)
        for number, (column, words) in enumerate(accepted()):
            values.set_column(number * 2, number * 2 + 1, 26)
            for side, spoken in enumerate(zip(*words, strict=True)):
                values.write_column(0, number * 2 + side, [str(column.label), *spoken])
            place = COLUMNS.index(column)
            letters = xlsxwriter.utility.xl_col_to_name(number * 2 + language_place())
            source = f"='{values.get_name()}'!${letters}$2:${letters}${len(words) + 1}"
            if column.field not in SEVERAL:
                sheet.data_validation(1, place, MOST_ROWS, place, {"validate": "list", "source": source})
    return file.getvalue()


def language_place() -> int:
    languages = [language for language, _name in settings.LANGUAGES]
    return languages.index(get_language() or languages[0])


def accepted() -> list[tuple[Column, list[list[str]]]]:
    """Each column with a fixed choice, and its words in both languages."""
    return [
        (column, [[capfirst(word) for word in in_all_languages(label)] for _code, label in choices(column.field)])
        for column in COLUMNS
        if choices(column.field)
    ]
