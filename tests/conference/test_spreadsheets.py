"""Files as people's programs write them, and files that mean no good."""

import contextlib
import io
import tracemalloc
import zipfile

import openpyxl
import pytest
import xlsxwriter
from django.utils import translation

from conference import spreadsheets
from conference.spreadsheets import Unreadable, read


def by_openpyxl(fill) -> bytes:
    workbook, file = openpyxl.Workbook(), io.BytesIO()
    fill(workbook)
    workbook.save(file)
    return file.getvalue()


def by_xlsxwriter(fill) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as workbook:
        fill(workbook, workbook.add_worksheet())
    return file.getvalue()


def packed(**parts) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)
    return file.getvalue()


def as_parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


ROWS = [["Nama", "Provinsi"], ["Wa Ode Ñina", "Maluku"]]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_in_every_usual_form(separator, encoding):
    text = "".join(separator.join(row) + "\r\n" for row in ROWS)
    assert read(text.encode(encoding)) == ROWS


def test_csv_with_line_ends_and_separators_in_its_cells():
    assert read(b'Nama;Catatan\n"Lina;\nRut";"a ""b"""\n') == [["Nama", "Catatan"], ["Lina; Rut", 'a "b"']]


def test_xlsx_of_two_programs():
    def fill(workbook):
        workbook.active.append(["Nama", "HP", None, "Setuju"])
        workbook.active.append([])
        workbook.active.append(["  Lina\n Contoh ", 6281234567890, None, True])

    expected = [["Nama", "HP", "", "Setuju"], [], ["Lina Contoh", "6281234567890", "", "1"]]
    assert read(by_openpyxl(fill)) == expected

    def fill_sheet(workbook, sheet):
        sheet.write_rich_string(0, 0, "Na", workbook.add_format({"bold": True}), "ma")
        sheet.write_row(0, 1, ["HP", "", "Setuju"])
        sheet.write_row(2, 0, ["Lina Contoh", 6281234567890, "", True])

    assert read(by_xlsxwriter(fill_sheet)) == expected


def test_the_first_sheet_that_can_be_seen_is_read():
    def fill(workbook):
        workbook.active.append(["hidden"])
        workbook.active.sheet_state = "hidden"
        workbook.create_sheet().append(["seen"])
        workbook.create_sheet().append(["later"])
        workbook.active = 1

    assert read(by_openpyxl(fill)) == [["seen"]]


def test_merged_cells_and_painted_columns_are_harmless():
    def fill(workbook):
        sheet = workbook.active
        sheet["A1"] = "Daftar peserta"
        sheet.merge_cells("A1:D1")
        sheet["A2"], sheet["B2"] = "Nama", "Provinsi"
        sheet.cell(2, 300).font = openpyxl.styles.Font(bold=True)
        sheet.cell(40_000, 1).font = openpyxl.styles.Font(bold=True)

    assert read(by_openpyxl(fill)) == [["Daftar peserta"], ["Nama", "Provinsi"]]


def test_a_formula_is_seen_as_one():
    def fill(workbook):
        workbook.active.append(["=1+1", '=HYPERLINK("https://example.org","Lina")'])

    assert read(by_openpyxl(fill)) == [["=1+1", '=HYPERLINK("https://example.org","Lina")']]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "old or a locked"),
        (b"PK\x03\x04 and no more", "can't be read"),
        (packed(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "can't be read"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "neither"),
        (b"Nama;Provinsi\n" + b"\x81\x8d\x8f\n", "letters"),
        (b"x" * (spreadsheets.A_LIST.largest + 1), "too large"),
        (b"a\n" * 2000, "too many"),
        (b",".join([b"a"] * 100), "too many"),
        (b'"a' + b"b" * 200_000, "quotation mark"),
    ],
)
def test_other_files_are_refused_with_what_to_do(content, words):
    with pytest.raises(Unreadable, match=words):
        read(content)


def test_a_zip_bomb_is_not_unpacked():
    parts = as_parts(by_openpyxl(lambda workbook: workbook.active.append(["a"])))
    parts["xl/worksheets/sheet1.xml"] = b" " * 60_000_000
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    del parts, text
    content = file.getvalue()
    assert len(content) < spreadsheets.A_LIST.largest
    tracemalloc.start()
    with pytest.raises(Unreadable, match="holds too much"):
        read(content)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says():
    parts = as_parts(by_openpyxl(lambda workbook: workbook.active.append(["a"])))
    huge = b" " * 30_000_000
    content = packed(**{name.replace("/", "__"): text for name, text in (parts | {"xl/bomb.xml": huge}).items()})
    real, said = (len(huge)).to_bytes(4, "little"), (100).to_bytes(4, "little")
    tracemalloc.start()
    with pytest.raises(Unreadable, match="can't be read"):
        read(content.replace(real, said))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_unpack_only_whole_are_refused(method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("xl/workbook.xml", b" " * 1000)
    with pytest.raises(Unreadable, match="can't be read"):
        read(file.getvalue())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(encoding):
    bomb = '<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;">]><sst><si><t>&c;</t></si></sst>'
    parts = as_parts(by_openpyxl(lambda workbook: workbook.active.append(["a"])))
    parts["xl/sharedStrings.xml"] = bomb.encode(encoding)
    with pytest.raises(Unreadable, match="can't be read"):
        read(packed(**{name.replace("/", "__"): text for name, text in parts.items()}))


@pytest.mark.parametrize(
    "sheet",
    [
        b"<worksheet><sheetData><row r='-4'><c r='A1'><v>1</v></c></row></sheetData></worksheet>",
        b"<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>99</v></c></row></sheetData></worksheet>",
        b"<worksheet><sheetData><row r='999999999'><c r='A1'><v>1</v></c></row></sheetData></worksheet>",
        b"<worksheet><sheetData><row r='1'><c r='XFD1'><v>1</v></c></row></sheetData></worksheet>",
        b"<worksheet><sheetData><row r='1'><c r='A1'><v>1e999999999</v></c></row></sheetData></worksheet>",
        b"<worksheet><sheetData><row r='x'/></sheetData>",
    ],
)
def test_a_sheet_out_of_joint_is_refused_or_read_but_never_an_accident(sheet):
    parts = as_parts(by_openpyxl(lambda workbook: workbook.active.append(["a"])))
    parts["xl/worksheets/sheet1.xml"] = sheet
    with contextlib.suppress(Unreadable):
        read(packed(**{name.replace("/", "__"): text for name, text in parts.items()}))
