"""Files of the content: what they would do is seen first, and what comes out goes in again without a change."""

import csv
import io
import re

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conference import loading, spreadsheets, tables, versions
from conference.models import AgendaItem, Organisation, Speaker, Webinar
from tests import factories

pytestmark = pytest.mark.django_db
TABLES = [Webinar, Speaker, Organisation, AgendaItem]


def in_group(name):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return user


@pytest.fixture
def organiser(signed_in_client):
    return signed_in_client(in_group("Organisers"))


@pytest.fixture
def editor(signed_in_client):
    return signed_in_client(in_group("Editors"))


def page(model):
    return reverse(f"admin:conference_{model._meta.model_name}_table")


def exported(client, model, format="csv"):
    return client.get(
        f"{page(model)}/{format}/" if not page(model).endswith("/") else f"{page(model)}{format}/"
    ).content


def rows_of(content):
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.splitlines()[0] else ","))


def written(rows, delimiter=",", encoding="utf-8"):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, rows[0].keys(), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode(encoding)


def send(client, model, content, name="isi.csv"):
    return client.post("/en" + page(model), {"file": SimpleUploadedFile(name, content)})


def confirm(client, model, preview):
    return client.post("/en" + page(model), {"kept": preview.context_data["kept"]})


def import_(client, model, content):
    preview = send(client, model, content)
    assert not preview.context_data["plan"].wrong, [line.errors for line in preview.context_data["plan"].wrong]
    return confirm(client, model, preview)


def errors(preview):
    return [(line.number, *error) for line in preview.context_data["plan"].wrong for error in line.errors]


# ---- Round trip


@pytest.fixture
def kpt2020(now):
    loading.load("kpt2020", now=now)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_all_of_kpt_2020_goes_out_and_in_without_a_change(model, format, kpt2020, organiser):
    number = model.objects.count()
    plan = send(organiser, model, exported(organiser, model, format)).context_data["plan"]
    assert number > 2
    assert (plan.same, plan.new, plan.changed, plan.wrong, plan.absent) == (number, [], [], [], [])


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_what_was_exported_makes_the_same_rows_in_an_empty_site(model, kpt2020, organiser):
    if model is AgendaItem:
        return  # found by a number that only this database gives
    before = exported(organiser, model)
    AgendaItem.objects.all().delete()
    model.objects.all().delete()
    assert import_(organiser, model, before).status_code == 302
    assert exported(organiser, model) == before


TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff") | st.just("\n"), max_size=60
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        TEXT | TEXT.map(lambda text: "=" + text) | TEXT.map(lambda text: "'+" + text), min_size=2, max_size=2
    )
)
@pytest.mark.parametrize("write", [tables.csv_of, tables.xlsx_of])
@pytest.mark.parametrize("language", ["id", "en"])
def test_any_text_comes_back_to_the_letter(write, language, texts):
    columns = ["slug", "text"]
    with translation.override(language):
        content = write(columns, [{"slug": "a", "text": texts[0]}, {"slug": "b", "text": texts[1]}])
    read = spreadsheets.read(content, tables.LIMITS)
    back = [tables.unguarded([*row, ""][1]) for row in read[1:]]
    assert back == texts


def test_a_formula_is_a_text_and_a_program_calculates_nothing_with_it(organiser):
    speaker = factories.SpeakerFactory(bio='=HYPERLINK("https://jahat.example")')
    [row] = rows_of(exported(organiser, Speaker))
    assert row["bio_id"].startswith("'=")
    workbook = openpyxl.load_workbook(io.BytesIO(exported(organiser, Speaker, "xlsx")))
    assert {cell.data_type for line in workbook.active for cell in line} <= {"s", "n", "inlineStr"}
    assert "f" not in {cell.data_type for line in workbook.active for cell in line}
    row["bio_id"] = "=1+1"
    refused = send(organiser, Speaker, written([row]))
    assert [(column, words) for _row, column, words in errors(refused)] == [
        ("bio_id", "This is a formula. Write what it gives.")
    ]
    row["bio_id"] = "'=1+1"
    import_(organiser, Speaker, written([row]))
    speaker.refresh_from_db()
    assert speaker.bio_ind == "=1+1"


# ---- Changing


def test_a_file_changed_in_a_spreadsheet_program(organiser):
    webinar = factories.WebinarFactory(title="Lama", capacity=50)
    workbook = openpyxl.load_workbook(io.BytesIO(exported(organiser, Webinar, "xlsx")))
    sheet = workbook.active
    place = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, place["title_id"], "Judul baru")
    sheet.cell(2, place["capacity"], 75)
    sheet.cell(2, place["date"], webinar.date)  # as programs keep days: a number
    file = io.BytesIO()
    workbook.save(file)
    preview = send(organiser, Webinar, file.getvalue(), "isi.xlsx")
    [line] = preview.context_data["plan"].changed
    told = {one.name: (one.old, one.new) for one in line.differences}
    assert told["title_id"] == ("Lama", "Judul baru")
    assert told["capacity"] == ("50", "75")
    webinar.refresh_from_db()
    assert webinar.title_ind == "Lama"  # nothing is written before it was seen
    assert confirm(organiser, Webinar, preview).status_code == 302
    webinar.refresh_from_db()
    assert (webinar.title_ind, webinar.capacity) == ("Judul baru", 75)
    newest = versions.of(webinar).order_by("-history_id").first()
    assert (newest.history_change_reason, newest.history_user_id) == ("import", organiser_of(organiser))


def test_what_a_program_has_written_in_its_own_way_is_no_change(organiser):
    """Days as numbers, TRUE and commas without a space; and what is new is shown as an export would say it."""
    webinar = factories.WebinarFactory(reminder_minutes=[60, 10], has_captions=True)
    start = timezone.localtime(webinar.starts_at)
    workbook = openpyxl.load_workbook(io.BytesIO(exported(organiser, Webinar, "xlsx")))
    sheet = workbook.active
    place = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, place["date"], webinar.date)
    sheet.cell(2, place["starts_at_wita"], start.replace(tzinfo=None))
    sheet.cell(2, place["has_captions"], True)
    sheet.cell(2, place["reminder_minutes"], "60,10")
    sheet.cell(2, place["join_opens_minutes"], None)  # never empty: it stays
    sheet.cell(2, place["ends_at_wita"], start.replace(tzinfo=None, hour=23, minute=30))
    file = io.BytesIO()
    workbook.save(file)
    [line] = send(organiser, Webinar, file.getvalue(), "isi.xlsx").context_data["plan"].changed
    assert [(one.name, one.new) for one in line.differences] == [("ends_at_wita", f"{start:%Y-%m-%d} 23:30")]


def organiser_of(client):
    return int(client.session["_auth_user_id"])


def test_new_rows_with_hosts_and_hours(organiser):
    host = factories.OrganisationFactory(slug="yayasan-contoh")
    edition = factories.EditionFactory()
    row = {
        "slug": "webinar-baru",
        "edition": edition.slug,
        "number": "9",
        "title_id": "Webinar baru",
        "date": "2027-08-26",
        "starts_at_wita": "2027-08-26 09:00",
        "ends_at_wita": "2027-08-26 11.30",
        "reminder_minutes": "10; 60",
        "hosts": "yayasan-contoh",
        "has_captions": "ya",
    }
    assert import_(organiser, Webinar, written([row])).status_code == 302
    webinar = Webinar.objects.get(slug="webinar-baru")
    assert f"{webinar.starts_at:%H:%M}-{webinar.ends_at:%H:%M}" == "01:00-03:30"
    assert list(webinar.hosts.all()) == [host]
    assert webinar.reminder_minutes == [60, 10]
    assert webinar.has_captions
    assert webinar.status == "draft"


def test_two_webinars_may_swap_their_numbers(organiser):
    edition = factories.EditionFactory()
    for number in (1, 2):
        factories.WebinarFactory(edition=edition, number=number, slug=f"w{number}")
    rows = [{"slug": "w1", "number": "2"}, {"slug": "w2", "number": "1"}]
    import_(organiser, Webinar, written(rows))
    assert dict(Webinar.objects.values_list("slug", "number")) == {"w1": 2, "w2": 1}


def test_no_file_publishes_or_cancels(organiser):
    webinar = factories.WebinarFactory(slug="satu", draft=True)
    for status in ("published", "cancelled"):
        answer = send(organiser, Webinar, written([{"slug": "satu", "status": status}]))
        assert "can't change these columns: status" in answer.context_data["form"].errors["file"][0]
    webinar.refresh_from_db()
    assert webinar.status == "draft"


# ---- What is wrong


def test_one_wrong_row_stops_all(organiser):
    factories.SpeakerFactory(slug="satu", name="Satu")
    preview = send(organiser, Speaker, written([{"slug": "satu", "name": "Berubah"}, {"slug": "dua", "name": ""}]))
    assert [(number, column) for number, column, _words in errors(preview)] == [(3, "name")]
    assert preview.context_data["kept"] == ""
    assert Speaker.objects.get().name == "Satu"


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("edition", "kpt-1999", "There is no edition “kpt-1999”."),
        ("hosts", "yayasan-cont", "Did you mean “yayasan-contoh”?"),
        ("starts_at_wita", "besok", "Write day and hour in WITA"),
        ("starts_at_wita", "2027-13-01 09:00", "Enter a valid date"),
        ("has_captions", "mungkin", "Write yes or no."),
        ("capacity", "banyak", "Enter a whole number"),
        ("capacity", "1", "2 seats are taken already"),
        ("ends_at_wita", "2026-01-01 09:00", "The end must come after the start."),
        ("date", "", "This field is required"),
    ],
)  # fmt: skip
def test_each_wrong_cell_is_named_by_row_and_column(column, cell, words, organiser):
    factories.OrganisationFactory(slug="yayasan-contoh")
    webinar = factories.WebinarFactory(slug="satu", capacity=5)
    for _seat in range(2):
        factories.RegistrationFactory(webinar=webinar)
    preview = send(organiser, Webinar, written([{"slug": "satu", column: cell}]))
    [(number, where, told), *_more] = errors(preview)
    assert (number, where) == (2, column)
    assert words in told


def test_all_that_is_wrong_in_a_row_is_named_at_once(organiser):
    factories.WebinarFactory(slug="satu")
    row = {"slug": "satu", "hosts": "tidak-ada", "capacity": "banyak", "starts_at_wita": "besok"}
    preview = send(organiser, Webinar, written([row]))
    assert sorted(column for _row, column, _words in errors(preview)) == ["capacity", "hosts", "starts_at_wita"]
    row = {"slug": "dua", "edition": "tidak-ada"}  # a new one: what can't be read isn't called missing too
    preview = send(organiser, Webinar, written([row]))
    assert [column for _row, column, _words in errors(preview)].count("edition") == 1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["slug", "titel_id"], "The column “titel_id” is not known. Did you mean “title_id”?"),
        (["judul"], "“slug” is not among them"),
        (["slug", "title_id", "title_id"], "These columns are there twice: title_id."),
        (["slug", "revision"], "The column “revision” is not known."),
    ],
)
def test_renamed_missing_and_doubled_columns_are_named(columns, words, organiser):
    content = (",".join(columns) + "\n" + ",".join(["x"] * len(columns))).encode()
    assert words in send(organiser, Webinar, content).context_data["form"].errors["file"][0]


def test_the_same_row_twice_is_named(organiser):
    factories.SpeakerFactory(slug="satu")
    rows = [{"slug": "satu", "name": "A"}, {"slug": "satu", "name": "B"}]
    assert errors(send(organiser, Speaker, written(rows))) == [(3, "slug", "“satu” stands in row 2 already.")]


def test_more_cells_than_columns_are_noticed(organiser):
    assert errors(send(organiser, Speaker, b"slug,name\nsatu,A,B\n"))[0][2].startswith("This row has more cells")


# ---- Who


def test_editors_neither_get_nor_send_what_opens_the_room(editor):
    factories.WebinarFactory(slug="satu", zoom_url="https://zoom.example.org/j/rahasia", zoom_passcode="kunci")
    content = exported(editor, Webinar)
    assert b"rahasia" not in content
    assert not {*versions.ROOM} & set(rows_of(content)[0])
    answer = send(editor, Webinar, written([{"slug": "satu", "zoom_url": "https://jahat.example"}]))
    assert answer.context_data["form"].errors["file"] == [
        "A file of yours can't change these columns: zoom_url. Take them out."
    ]


def test_a_file_of_another_person_is_not_written(organiser, editor):
    factories.SpeakerFactory(slug="satu")
    preview = send(organiser, Speaker, written([{"slug": "satu", "name": "Baru"}]))
    confirm(editor, Speaker, preview)
    assert Speaker.objects.get().name != "Baru"
    preview.context_data["kept"] = preview.context_data["kept"][:-3] + "abc"
    confirm(organiser, Speaker, preview)
    assert Speaker.objects.get().name != "Baru"


def test_what_changed_since_it_was_seen_is_seen_once_more(organiser):
    speaker = factories.SpeakerFactory(slug="satu", name="Lama")
    preview = send(organiser, Speaker, written([{"slug": "satu", "name": "Baru"}]))
    speaker.name = "Lain"
    speaker.save()
    answer = confirm(organiser, Speaker, preview)
    assert "changed meanwhile" in answer.content.decode()
    speaker.refresh_from_db()
    assert speaker.name == "Lain"
    assert confirm(organiser, Speaker, answer).status_code == 302
    speaker.refresh_from_db()
    assert speaker.name == "Baru"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_files_of_every_office_are_read(encoding, delimiter, organiser):
    factories.SpeakerFactory(slug="satu")
    text = "Ñina; atau, Wa Ode"
    import_(organiser, Speaker, written([{"slug": "satu", "name": text}], delimiter, encoding))
    assert Speaker.objects.get().name == text


def test_the_page_says_what_it_takes(organiser):
    html = organiser.get(page(Webinar)).content.decode()
    assert "starts_at_wita" in html
    assert re.search(r"1[.,]000", html)


def test_the_page_says_which_field_of_the_form_the_slug_is(organiser):
    speakers = organiser.get(page(Speaker)).content.decode()
    assert "Kolom “slug” adalah isian “Alamat singkat”" in " ".join(speakers.split())
    assert "“slug”" not in organiser.get(page(AgendaItem)).content.decode()
