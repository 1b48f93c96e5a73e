"""A group's list: the names of its columns and its words in both languages, and templates that it reads itself."""

import io

import openpyxl
import pytest
from django.utils import translation

from conference import spreadsheets
from conference.spreadsheets import Unreadable
from registration import groupfile
from registration.groupfile import form_data, listed, misread

HEADER = ["Nama", "Provinsi", "Setuju ikut"]


def header(language="id"):
    with translation.override(language):
        return [str(column.label) for column in groupfile.COLUMNS]


def data(**row):
    return form_data(row, {"1": "hutan", "2": "laut"}, {"YC": "yc"}, ["hutan"])


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("reader", ["id", "en"])
@pytest.mark.parametrize("template", [groupfile.template_csv, groupfile.template_xlsx])
def test_a_template_names_all_columns_in_any_language(language, reader, template):
    with translation.override(language):
        content = template()
    with translation.override(reader):
        place, fields = groupfile.header(spreadsheets.read(content))
    assert (place, fields) == (0, [column.field for column in groupfile.COLUMNS])
    with pytest.raises(Unreadable):
        listed(spreadsheets.read(content))  # nobody is in it: no example person is registered one day


def test_the_template_offers_lists_and_holds_all_words():
    with translation.override("id"):
        workbook = openpyxl.load_workbook(io.BytesIO(groupfile.template_xlsx()))
    sheet, values = workbook.worksheets
    assert len(sheet.data_validations.dataValidation) == 7
    words = {cell for row in values.iter_rows(values_only=True) for cell in row}
    assert {"Perempuan", "Woman", "Nusa Tenggara Timur", "Kabupaten Sikka", "Kota Kupang"} <= words
    assert values.max_row == 515


def test_the_header_may_stand_below_a_title_and_have_more_columns():
    grid = [
        ["Daftar peserta", "", ""],
        [],
        ["No", *HEADER, "Catatan"],
        ["1", "Lina", "NTT", "ya", "x"],
        [],
        ["", "Rut"],
    ]
    found = listed(grid)
    assert found.numbers == [4, 6]
    assert found.unknown == ["No", "Catatan"]
    assert found.rows[0] == {"name": "Lina", "province": "NTT", "consent_processing": "ya"}
    assert found.rows[1] == {"name": "Rut"}


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ([], "missing"),
        ([["Nama", "Provinsi"], ["Lina", "Maluku"]], "missing"),
        ([["a", "b"], ["Lina", "Maluku"]], "missing"),
        ([[*HEADER, "Nama lengkap"], ["Lina"]], "twice"),
        ([HEADER], "nobody"),
        ([HEADER, ["", " "[:0]]], "nobody"),
        ([HEADER, *[["Lina"]] * 201], "200"),
    ],
)
def test_what_is_no_list_is_refused(grid, words):
    with translation.override("en"), pytest.raises(Unreadable, match=words):
        listed(grid)


@pytest.mark.parametrize(
    ("field", "cell", "code"),
    [
        ("gender", "Perempuan", "female"),
        ("gender", "woman", "female"),
        ("gender", "L", "male"),
        ("gender", "Wanita", "female"),
        ("gender", "female", "female"),
        ("age_group", "18 to 24", "18_24"),
        ("age_group", "18-24", "18_24"),
        ("age_group", "17", "under_18"),
        ("age_group", "18", "18_24"),
        ("age_group", "54 tahun", "45_54"),
        ("age_group", "55+", "55_plus"),
        ("age_group", "0", "0"),
        ("age_group", "tua", "tua"),
        ("province", "nusa tenggara timur", "53"),
        ("province", "53", "53"),
        ("province", "NTT", "53"),
        ("province", "DKI Jakarta", "31"),
        ("province", "Outside Indonesia", "00"),
        ("regency", "Kabupaten Sikka", "5307"),
        ("regency", "Kab. Sikka", "5307"),
        ("regency", "sikka", "5307"),
        ("regency", "Kota Kupang", "5371"),
        ("regency", "Kupang", "Kupang"),  # the city or the regency around it
        ("province", "Atlantis", "Atlantis"),
    ],
)
def test_words_become_codes_and_unknown_words_stay(field, cell, code):
    assert data(**{field: cell})[field] == code


def test_several_words_in_a_cell():
    assert data(webinars="1; 2")["webinars"] == ["hutan", "laut"]
    assert data(webinars="2")["webinars"] == ["laut"]
    assert data(webinars="")["webinars"] == ["hutan"]
    assert data(webinars="1, 7")["webinars"] == ["hutan", "7"]
    assert data(needs="Captions; Sign language interpretation")["needs"] == ["captions", "sign_language"]
    assert data(consent_partners="ya")["consent_partners"] == ["on"]
    assert data(consent_partners="tidak")["consent_partners"] == []
    assert data(consent_partners="yc; XY")["consent_partners"] == ["yc", "XY"]


def test_yes_and_no():
    assert data(consent_processing="Ya")["consent_processing"] == "on"
    assert data(consent_processing="1")["consent_processing"] == "on"
    assert data(consent_processing="tidak")["consent_processing"] == ""
    assert data()["consent_processing"] == ""


def test_cells_that_no_field_would_refuse():
    row = {"name": "=A1", "consent_processing": "mungkin", "phone": "6.28E+12", "guardian_consent": "ya", "needs": ""}
    assert [field for field, _words in misread(row)] == ["name", "consent_processing", "phone"]


def test_the_apostrophe_of_a_spreadsheet_is_no_part_of_the_text():
    found = listed([[*HEADER, "HP"], ["Lina", "Maluku", "ya", "'+6281234567890"]])
    assert found.rows[0]["phone"] == "+6281234567890"
    assert groupfile.cleaned("'Aisyiyah") == "'Aisyiyah"
