"""A small file from a spreadsheet program as rows of text: CSV however it was saved, or XLSX.

Whatever people upload is read here, so little is understood: the first visible sheet, as text, and no formulas. Sizes
are limited before anything is unpacked.
"""

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from xml.etree import ElementTree  # nosec B405  # what declares a document type is refused first

from django.utils.translation import gettext as _

# By the ending of a file; and what a form asks a browser to offer.
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
OFFERED = f".csv,.xlsx,text/csv,{CONTENT_TYPES['xlsx']}"
KILOBYTE = 1024
MOST_PARTS = 200
MOST_COLUMNS = 60


@dataclass(frozen=True)
class Limits:
    """Of one kind of upload. A list of people is cleaned as it is read; texts for the site are kept to the letter."""

    largest: int = 500 * KILOBYTE
    largest_unpacked: int = 5 * KILOBYTE * KILOBYTE
    # Room for titles and empty lines around the rows.
    most_rows: int = 1000
    longest_cell: int = 1000
    is_to_the_letter: bool = False


A_LIST = Limits()

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
# Entities make a small file huge; in any of the encodings that a parser takes.
DOCUMENT_TYPE = re.compile(rb"<\x00*!\x00*[DdEe]")
# 1e999999999 is a number too, and would take for ever.
SANE_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
# How a workbook writes characters that XML can't, and what looks like one: _x000D_.
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
CELL_PLACE = re.compile(r"^([A-Z]{1,3})([0-9]{1,7})$")

Grid = list[list[str]]


class Unreadable(Exception):
    """The words say what to do."""


def read(content: bytes, limits: Limits = A_LIST) -> Grid:
    """Rows from the first on, each as wide as it is filled; raises Unreadable."""
    if len(content) > limits.largest:
        words = _("The file is too large: at most %(most)d kB. Keep only the list itself in it.")
        raise Unreadable(words % {"most": limits.largest // KILOBYTE})
    if content.startswith(ZIP):
        grid = read_xlsx(content, limits)
    elif content.startswith(OLD_EXCEL):
        raise Unreadable(
            _(
                "This is an old or a locked Excel file. Save it as “Excel Workbook (.xlsx)” without a password, or as CSV."
            )
        )
    else:
        grid = read_csv(content, limits)
    if len(grid) > limits.most_rows or any(len(row) > MOST_COLUMNS for row in grid):
        raise Unreadable(_("The file has too many rows or columns. Keep only the list itself in it."))
    return to_the_letter(grid, limits) if limits.is_to_the_letter else cleaned(grid, limits)


def cleaned(grid: Grid, limits: Limits) -> Grid:
    return [[" ".join(cell[: limits.longest_cell].split()) for cell in row] for row in grid]


def to_the_letter(grid: Grid, limits: Limits) -> Grid:
    """But for line ends, which every program writes in its own way."""
    for number, row in enumerate(grid, 1):
        if any(len(cell) > limits.longest_cell for cell in row):
            words = _("Row %(row)d has a cell with more than %(most)d characters. Shorten it.")
            raise Unreadable(words % {"row": number, "most": limits.longest_cell})
    return [[plain_lines(cell) for cell in row] for row in grid]


def plain_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


# ---- CSV


def read_csv(content: bytes, limits: Limits) -> Grid:
    text = decoded(content)
    if "\0" in text:
        raise Unreadable(
            _("This is neither a CSV nor an Excel file. Save your list as one of them and choose it again.")
        )
    separator, text = separator_of(text, limits)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise Unreadable(_("The CSV file can't be read: a quotation mark is missing somewhere.")) from error


def separator_of(text: str, limits: Limits) -> tuple[str, str]:
    """Comma, semicolon or tab, and the text without the line in which Excel may say so.

    The one that makes the most of the fullest line near the top; of the first alone where all begin with their columns.
    """
    first, _end, rest = text.partition("\n")
    if said := re.fullmatch(r"sep=([,;\t])\r?", first):
        return said[1], rest
    lines = [first] if limits.is_to_the_letter else text.splitlines()[:20]
    return max(",;\t", key=lambda mark: max((line.count(mark) for line in lines), default=0)), text


def decoded(content: bytes) -> str:
    """UTF-8, Excel's “Unicode text”, or what older Excel writes in Western Europe and Indonesia."""
    has_mark = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if has_mark else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(_("The letters in the file can't be read. Save it as “CSV UTF-8” or as .xlsx."))


# ---- XLSX


def read_xlsx(content: bytes, limits: Limits) -> Grid:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = unpacked(archive, limits)
        return rows_of(root(parts, sheet_path(parts)), shared_strings(parts), limits)
    except (
        zipfile.BadZipFile,
        ElementTree.ParseError,
        LookupError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise Unreadable(
            _(
                "The Excel file can't be read. Open it, save it again as “Excel Workbook (.xlsx)” or as CSV, and try once more."
            )
        ) from error


def unpacked(archive: zipfile.ZipFile, limits: Limits) -> dict[str, bytes]:
    """The parts that are XML."""
    members = archive.infolist()
    if any(member.filename.lower().endswith("vbaproject.bin") for member in members):
        raise Unreadable(
            _("The Excel file holds macros. Save it as “Excel Workbook (.xlsx)” without them and choose it again.")
        )
    if len(members) > MOST_PARTS or sum(member.file_size for member in members) > limits.largest_unpacked:
        raise Unreadable(_("The Excel file holds too much. Copy the list alone into a new file."))
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise ValueError("No spreadsheet program packs so, and only these two unpack in pieces.")
    parts = {
        member.filename.lstrip("/"): unpacked_part(archive, member)
        for member in members
        if member.filename.endswith((".xml", ".rels"))
    }
    if any(DOCUMENT_TYPE.search(part) for part in parts.values()):
        raise ValueError("A document type is declared.")
    return parts


def unpacked_part(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """No more than its header says, which may be a lie: asked for the whole, zipfile would unpack first and cut then."""
    with archive.open(member) as part:
        return part.read(member.file_size)


def root(parts: dict[str, bytes], path: str) -> ElementTree.Element:
    return ElementTree.fromstring(parts[path])  # nosec B314


def name_of(element: ElementTree.Element) -> str:
    """Without its namespace: strict and transitional files have different ones."""
    return element.tag.rpartition("}")[2]


def named(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Anywhere in it: for the few elements of a small part."""
    return [child for child in element.iter() if name_of(child) == name]


def children(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Right below it, so that each is read once, however deep a file has put rows into cells and these into rows."""
    return [child for child in element if name_of(child) == name]


def sheet_path(parts: dict[str, bytes]) -> str:
    """Of the first sheet that is not hidden."""
    sheets = [
        sheet for sheet in named(root(parts, "xl/workbook.xml"), "sheet") if "idden" not in sheet.get("state", "")
    ]
    if not sheets:
        raise ValueError("No sheet can be seen.")
    relation = next(value for key, value in sheets[0].attrib.items() if key.endswith("}id"))
    targets = {
        link.get("Id"): link.get("Target", "")
        for link in named(root(parts, "xl/_rels/workbook.xml.rels"), "Relationship")
    }
    target = targets[relation]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def shared_strings(parts: dict[str, bytes]) -> list[str]:
    if "xl/sharedStrings.xml" not in parts:
        return []
    return [text_in(item) for item in children(root(parts, "xl/sharedStrings.xml"), "si")]


def text_in(element: ElementTree.Element) -> str:
    """All runs of a rich text, without the hints for pronunciation."""
    own = [child for child in element if name_of(child) in ("t", "r")]
    texts = [text for child in own for text in ([child] if name_of(child) == "t" else children(child, "t"))]
    return ESCAPED.sub(unescaped, "".join(text.text or "" for text in texts))


def unescaped(found: re.Match[str]) -> str:
    """Nothing for what no text may hold: half a letter, or a sign that steers a machine."""
    code = int(found[1], 16)
    is_text = chr(code) in "\t\n\r" or (code >= 0x20 and not 0xD800 <= code <= 0xDFFF)
    return chr(code) if is_text else ""


def rows_of(sheet: ElementTree.Element, strings: list[str], limits: Limits) -> Grid:
    """Rows and cells that the file leaves out are empty ones."""
    grid: Grid = []
    rows = [row for data in children(sheet, "sheetData") for row in children(data, "row")]
    for row in rows:
        number = int(row.get("r", len(grid) + 1))
        if number < 1:
            raise ValueError("Rows count from 1.")
        if number > limits.most_rows:
            if any(value_of(cell, strings) for cell in children(row, "c")):
                raise Unreadable(_("The file has too many rows or columns. Keep only the list itself in it."))
            continue
        grid.extend([] for _missing in range(number - len(grid)))
        for cell in children(row, "c"):
            put(grid[number - 1], cell, value_of(cell, strings))
    return grid


def put(cells: list[str], cell: ElementTree.Element, value: str) -> None:
    place = CELL_PLACE.match(cell.get("r", ""))
    column = column_number(place[1]) if place else len(cells)
    if not value:
        return  # a format alone, such as a painted column
    if column >= MOST_COLUMNS:
        raise Unreadable(_("The file has too many rows or columns. Keep only the list itself in it."))
    cells.extend("" for _missing in range(column + 1 - len(cells)))
    cells[column] = value


def column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def value_of(cell: ElementTree.Element, strings: list[str]) -> str:
    """A formula is shown as one, so that it is noticed: what it would give is known to the program alone."""
    if formula := children(cell, "f"):
        return f"={formula[0].text or ''}"
    if cell.get("t") == "inlineStr":
        return "".join(text_in(text) for text in children(cell, "is"))
    value = "".join(value.text or "" for value in children(cell, "v"))
    match cell.get("t", "n"):
        case "s":
            return strings[int(value)] if value else ""
        case "n":
            return whole(value)
        case _:
            return value


def whole(number: str) -> str:
    """A telephone number or a code that the program keeps as a number: 6281234567890, not 6.281E12."""
    if not SANE_NUMBER.fullmatch(number):
        return number
    value = Decimal(number)
    return str(int(value)) if value == value.to_integral_value() else number
