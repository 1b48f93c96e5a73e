import csv
import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from django.utils import translation

from registration import exports
from tests.factories import (
    ConsentFactory,
    OrganisationFactory,
    ParticipantFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

HEADER = [
    *("registration_code", "webinar", "name", "email", "phone", "gender", "age_group", "province", "regency"),
    *("organisation", "organisation_kind", "status", "registered_at", "attended_minutes"),
]
START = datetime(2027, 6, 1, 1, 0, tzinfo=UTC)


@pytest.fixture
def bakti():
    return OrganisationFactory(name="BaKTI", slug="bakti")


@pytest.fixture
def webinar(bakti):
    return WebinarFactory(slug="gerak-bersama", hosts=[bakti])


def attend(webinar, partner, *, name="Maria Contoh", **person):
    """Somebody confirmed who agreed to be known to the organisation."""
    registration = RegistrationFactory(webinar=webinar, participant=ParticipantFactory(name=name, **person))
    ConsentFactory(participant=registration.participant, partner=partner)
    return registration


def names(organisation, webinar):
    return [row[2] for row in exports.attendees(organisation, webinar)]


def as_csv(rows) -> bytes:
    file = io.BytesIO()
    exports.write_csv(file, rows)
    return file.getvalue()


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def read_xlsx(rows) -> list[tuple]:
    file = io.BytesIO()
    exports.write_xlsx(file, rows)
    return list(openpyxl.load_workbook(file).active.iter_rows(values_only=True))


# ---- Who is in it


def test_only_confirmed_people_whose_consent_covers_the_organisation(bakti, webinar):
    other = OrganisationFactory()
    webinar.hosts.add(other)
    attend(webinar, bakti, name="Agreed")
    RegistrationFactory(webinar=webinar, participant__name="Silent")
    attend(webinar, other, name="Agreed to the other host")
    withdrawn = RegistrationFactory(webinar=webinar, participant__name="Changed her mind")
    ConsentFactory(participant=withdrawn.participant, partner=bakti, withdrawn=True)
    for status in ("pending", "waitlisted", "cancelled"):
        left_out = RegistrationFactory(webinar=webinar, participant__name=status, **{status: True})
        ConsentFactory(participant=left_out.participant, partner=bakti)
    attend(WebinarFactory(hosts=[bakti]), bakti, name="In another webinar")

    assert names(bakti, webinar) == ["Agreed"]
    assert names(other, webinar) == ["Agreed to the other host"]


def test_organisation_that_does_not_host_the_webinar_gets_nobody(bakti):
    foreign = WebinarFactory(hosts=[OrganisationFactory()])
    attend(foreign, bakti)
    assert names(bakti, foreign) == []


def test_consent_given_a_second_time_lists_her_once(bakti, webinar):
    registration = RegistrationFactory(webinar=webinar, participant__name="Maria Contoh")
    ConsentFactory(participant=registration.participant, partner=bakti, withdrawn=True)
    ConsentFactory(participant=registration.participant, partner=bakti)
    assert names(bakti, webinar) == ["Maria Contoh"]


@pytest.mark.parametrize("people", [1, 3])
def test_one_query_however_many_people(bakti, webinar, people, django_assert_num_queries):
    for number in range(people):
        attend(webinar, bakti, name=f"Person {number}")
    with django_assert_num_queries(1):
        assert len(list(exports.attendees(bakti, webinar))) == people


# ---- What it says of each


def test_row_in_full(bakti, webinar):
    registration = attend(
        webinar,
        bakti,
        email="maria@example.org",
        phone="+6281234567890",
        province="53",
        regency="5371",
        organisation="Kelompok Tenun",
    )
    registration.created_at = datetime(2027, 5, 31, 18, 30, 15, 999, tzinfo=UTC)
    registration.save()
    registration.attendances.create(source="report", joined_at=START, left_at=START + timedelta(minutes=95, seconds=40))

    assert list(exports.attendees(bakti, webinar)) == [
        [
            *(registration.code, "gerak-bersama", "Maria Contoh", "maria@example.org", "+6281234567890"),
            *("female", "25_34", "Nusa Tenggara Timur", "Kota Kupang", "Kelompok Tenun", "community"),
            *("CONFIRMED", "2027-06-01T02:30:15+08:00", 95),
        ]
    ]


def test_address_of_the_account_behind_her_stays_out(bakti, webinar):
    account = UserFactory(email="kader@example.org")
    attend(webinar, bakti, email="", phone="", account=account)
    (row,) = exports.attendees(bakti, webinar)
    assert row[3:5] == ["", ""]
    assert b"kader@" not in as_csv([row])


def test_person_from_abroad_in_the_readers_language_even_when_read_later(bakti, webinar):
    attend(webinar, bakti, province="00")
    with translation.override("en"):
        rows = exports.attendees(bakti, webinar)
    with translation.override("id"):
        (row,) = rows
    assert row[7:9] == ["Outside Indonesia", ""]


@pytest.mark.parametrize(
    ("measured", "minutes"),
    [
        ([], None),
        ([("link", 0, None)], None),
        ([("webhook", 0, None)], None),
        ([("webhook", 0, 20), ("webhook", 30, 45)], 35),
        ([("report", 0, 50), ("webhook", 0, 90), ("hand", 0, 120)], 50),
        ([("hand", 0, 60), ("webhook", 5, None), ("link", 1, None)], 60),
        ([("report", 0, 0)], 0),
    ],
)
def test_attended_minutes_of_the_most_trusted_source(bakti, webinar, measured, minutes):
    registration = attend(webinar, bakti)
    for source, joined, left in measured:
        registration.attendances.create(
            source=source,
            joined_at=START + timedelta(minutes=joined),
            left_at=None if left is None else START + timedelta(minutes=left),
        )
    assert [row[-1] for row in exports.attendees(bakti, webinar)] == [minutes]


# ---- The files


def test_csv_is_rfc_4180_with_a_byte_order_mark(bakti, webinar):
    name = 'Maria "Ria" Contoh, S.H.'
    attend(webinar, bakti, name=name)
    content = as_csv(exports.attendees(bakti, webinar))

    assert content.startswith(b"\xef\xbb\xbfregistration_code,webinar,")
    assert content.count(b"\xef\xbb\xbf") == 1
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 2
    header, row = read_csv(content)
    assert header == HEADER
    assert row[2] == name
    assert row[-1] == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "|", "%"])
@pytest.mark.parametrize("hidden_by", ["", "\t", "\r", "\n", " \t", "\u00a0"])
def test_formula_in_a_name_or_organisation_is_text_in_csv(bakti, webinar, start, hidden_by):
    formula = f'{hidden_by}{start}HYPERLINK("https://example.org","x")'
    attend(webinar, bakti, name=formula, organisation=formula)
    row = read_csv(as_csv(exports.attendees(bakti, webinar)))[1]
    neutral = f'\'{start}HYPERLINK("https://example.org","x")'
    assert [row[2].replace("\\|", "|"), row[9].replace("\\|", "|")] == [neutral, neutral]


def test_phone_in_csv_is_whole_behind_an_apostrophe(bakti, webinar):
    attend(webinar, bakti, phone="+6281234567890")
    assert read_csv(as_csv(exports.attendees(bakti, webinar)))[1][4] == "'+6281234567890"


def test_xlsx_holds_texts_and_numbers_but_no_formula_and_no_link(bakti, webinar):
    registration = attend(webinar, bakti, name="=1+1", phone="+6281234567890", organisation="https://example.org/")
    registration.attendances.create(source="report", joined_at=START, left_at=START + timedelta(hours=1))
    file = io.BytesIO()
    assert exports.write_xlsx(file, exports.attendees(bakti, webinar)) == 1

    sheet = openpyxl.load_workbook(file).active
    header, row = sheet.iter_rows()
    assert [cell.value for cell in header] == HEADER
    assert all(cell.font.bold for cell in header)
    assert sheet.freeze_panes == "A2"
    assert (row[2].value, row[2].data_type) == ("=1+1", "s")
    assert (row[4].value, row[4].data_type) == ("+6281234567890", "s")
    assert (row[9].value, row[9].hyperlink) == ("https://example.org/", None)
    assert (row[13].value, row[13].data_type) == (60, "n")


def test_both_files_say_the_same_and_count_their_rows(bakti, webinar):
    for number in range(3):
        attend(webinar, bakti, name=f"Person {number}", phone="")
    rows = list(exports.attendees(bakti, webinar))
    assert exports.write_csv(io.BytesIO(), rows) == exports.write_xlsx(io.BytesIO(), rows) == 3
    from_xlsx = [[value or "" for value in row] for row in read_xlsx(rows)]
    assert from_xlsx == read_csv(as_csv(rows))


def test_empty_list_still_has_its_header(bakti, webinar):
    assert exports.write_csv(io.BytesIO(), []) == 0
    assert read_csv(as_csv([])) == [HEADER]
    assert read_xlsx([]) == [tuple(HEADER)]
