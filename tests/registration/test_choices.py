"""What a partner chooses of its list: found by what each person agreed to share, ordered, leafed through."""

import io
import zipfile
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from registration import choices, exports, workbooks
from registration.choices import Choice
from registration.models import ConsentText
from registration.partner_forms import ChoiceForm, fields_of
from tests.factories import ConsentFactory, OrganisationFactory, RegistrationFactory, WebinarFactory

pytestmark = pytest.mark.django_db

START = datetime(2027, 6, 1, 1, 0, tzinfo=UTC)


@pytest.fixture
def bakti():
    return OrganisationFactory(name="BaKTI", slug="bakti")


@pytest.fixture
def webinar(bakti):
    return WebinarFactory(slug="gerak-bersama", title="Gerak Bersama", hosts=[bakti])


@pytest.fixture
def attend(bakti, webinar):
    def attend(name, *, named=exports.COLUMNS, **person):
        facts = {f"participant__{field}": value for field, value in person.items()}
        registration = RegistrationFactory(webinar=webinar, participant__name=name, **facts)
        text, _new = ConsentText.objects.get_or_create(
            purpose="partner",
            language="id",
            version="-".join(named)[:20],
            defaults={"text": "Teks.", "columns": list(named)},
        )
        # An earlier one, to another text, that is no longer in force.
        ConsentFactory(participant=registration.participant, partner=bakti, withdrawn=True)
        ConsentFactory(participant=registration.participant, partner=bakti, text=text)
        return registration

    return attend


@pytest.fixture
def names(bakti, webinar):
    def names(**choice):
        found = choices.chosen(Choice(**choice), bakti, webinar)
        return [row[2] for rows in exports.rows(found) for row in rows]

    return names


def test_each_filter_alone_and_together(attend, names):
    attend("Ani", province="53", gender="female", age_group="25_34", organisation_kind="cso")
    budi = attend("Budi", province="73", gender="male", age_group="45_54", organisation_kind="media")
    budi.attendances.create(source="report", joined_at=START, left_at=START + timedelta(hours=1))
    attend("Cici", province="73", gender="female", age_group="45_54", organisation_kind="cso")
    assert names() == ["Ani", "Budi", "Cici"]
    assert names(province="73") == ["Budi", "Cici"]
    assert names(gender="female") == ["Ani", "Cici"]
    assert names(age_group="45_54", gender="female") == ["Cici"]
    assert names(organisation_kind="cso") == ["Ani", "Cici"]
    assert names(attended="yes") == ["Budi"]
    assert names(attended="no") == ["Ani", "Cici"]


def test_search_by_name_email_organisation_and_code(attend, names):
    ani = attend("Ani Mawar", email="ani@example.org", organisation="Kelompok Tenun")
    attend("Budi", email="budi@example.org", organisation="Radio")
    for words in ("mawar", "ANI@", "tenun", ani.code, ani.code.lower()):
        assert names(search=words) == ["Ani Mawar"]
    assert names(search="100%_") == []


def test_nobody_is_found_by_what_she_did_not_agree_to_share(attend, names):
    attend("Shut", named=["name"], email="rahasia@example.org", province="53", gender="male")
    attend("Open", email="rahasia2@example.org", province="53", gender="male")
    assert names(search="rahasia") == names(province="53") == names(gender="male") == ["Open"]
    assert names(attended="no") == ["Open"]
    assert names() == ["Shut", "Open"]
    assert names(search="shut") == ["Shut"]


def test_order_does_not_place_her_by_a_hidden_column(attend, names):
    attend("Zed", named=["name"], email="m@example.org")
    attend("Ani", email="z@example.org")
    attend("Bea", email="a@example.org")
    assert names(order="email") == ["Zed", "Bea", "Ani"]
    assert names(order="name") == ["Ani", "Bea", "Zed"]
    assert names(order="-name") == ["Zed", "Bea", "Ani"]
    assert names(order="-registered_at") == ["Bea", "Ani", "Zed"]


@pytest.mark.parametrize("order", [value for value, _label in ChoiceForm().fields["order"].choices])
def test_leafing_shows_everybody_once(attend, bakti, webinar, monkeypatch, order):
    monkeypatch.setattr(choices, "PAGE", 3)
    for number in range(8):
        attend(f"Person {number % 3}", province="53" if number % 2 else "73")
    choice, seen, after = Choice(order=order), [], None
    while True:
        pks = choices.page(choice, bakti, webinar, after=after)
        seen += pks[:3]
        if len(pks) <= 3:
            break
        after = pks[2]
    assert seen == list(choices.chosen(choice, bakti, webinar).pks)
    assert len(set(seen)) == 8


def test_leafing_from_a_row_that_is_gone_starts_anew(attend, bakti, webinar):
    attend("Ani")
    assert len(choices.page(Choice(order="name"), bakti, webinar, after=10**15)) == 1


def test_choice_survives_its_way_through_the_database_and_the_address():
    choice = Choice(search="a", gender="female", order="-name", columns=("registration_code", "name"))
    assert Choice.from_json(choice.as_json()) == choice
    facts = {}
    for name, value in fields_of(choice):
        facts.setdefault(name, []).append(value)
    assert ChoiceForm({**facts, **{k: v[0] for k, v in facts.items() if k != "columns"}}).choice == choice
    assert fields_of(Choice()) == []


def test_nonsense_narrows_nothing_and_columns_keep_their_order():
    form = ChoiceForm({"province": "99", "gender": "x", "order": "password", "columns": ["nope"], "search": "a" * 200})
    assert form.choice == Choice()
    assert ChoiceForm({"columns": ["email", "name"]}).choice.columns == ("registration_code", "name", "email")


# ---- The files


def test_xlsx_holds_just_what_was_chosen_with_its_terms(attend, bakti, webinar, now):
    first = attend("=1+1", phone="+6281234567890", organisation="https://example.org/")
    first.attendances.create(source="report", joined_at=START, left_at=START + timedelta(hours=1))
    attend("Budi", gender="male")
    choice = Choice(gender="female", columns=("registration_code", "name", "phone", "organisation", "attended_minutes"))
    file = io.BytesIO()
    found = choices.chosen(choice, bakti, webinar)
    assert workbooks.write_xlsx(file, found, workbooks.terms(bakti, webinar, now=now)) == 1
    book = openpyxl.load_workbook(file)
    sheet, terms = book.worksheets
    assert book.active is sheet
    assert (sheet.title, sheet.freeze_panes) == ("attendees", "A2")
    header, row = sheet.iter_rows()
    assert [cell.value for cell in header] == list(choice.columns)
    assert all(cell.font.bold for cell in header)
    assert [(cell.value, cell.data_type) for cell in row[1:]] == [
        ("=1+1", "s"),
        ("+6281234567890", "s"),
        ("https://example.org/", "s"),
        (60, "n"),
    ]
    assert row[3].hyperlink is None
    text = "\n".join(str(cell.value) for [cell] in terms.iter_rows())
    assert "BaKTI" in text
    assert "Gerak Bersama" in text
    assert "2027" in text
    assert book.properties.title == "Gerak Bersama"
    assert "BaKTI" in book.properties.subject


def test_csv_lies_beside_its_terms_in_a_zip(attend, bakti, webinar, now):
    attend("Ani")
    choice, file = Choice(columns=("registration_code", "name")), io.BytesIO()
    found = choices.chosen(choice, bakti, webinar)
    assert workbooks.write_zip(file, found, workbooks.terms(bakti, webinar, now=now)) == 1
    with zipfile.ZipFile(file) as folder:
        table, terms = folder.namelist()
        assert folder.read(table) == b"".join(exports.csv_blocks(found))
        assert "BaKTI" in folder.read(terms).decode("utf-8-sig")
