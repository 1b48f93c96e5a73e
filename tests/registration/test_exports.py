import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from defusedcsv import csv as defusedcsv
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registration import exports
from registration.models import ConsentText, Participant
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


def rows_of(found):
    return [row for rows in exports.rows(found) for row in rows]


def names(organisation, webinar):
    return [row[2] for row in rows_of(exports.attendees(organisation, webinar))]


def as_csv(found) -> bytes:
    return b"".join(exports.csv_blocks(found))


def by_defusedcsv(rows, columns=exports.COLUMNS) -> bytes:
    """What the list was written with before PostgreSQL did it: the reference."""
    text = io.StringIO(newline="")
    writer = defusedcsv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


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
def test_two_queries_however_many_people(bakti, webinar, people, django_assert_num_queries):
    for number in range(people):
        attend(webinar, bakti, name=f"Person {number}")
    with django_assert_num_queries(2):
        assert len(rows_of(exports.attendees(bakti, webinar))) == people


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

    assert rows_of(exports.attendees(bakti, webinar)) == [
        [
            *(registration.code, "gerak-bersama", "Maria Contoh", "maria@example.org", "+6281234567890"),
            *("female", "25_34", "Nusa Tenggara Timur", "Kota Kupang", "Kelompok Tenun", "community"),
            *("CONFIRMED", "2027-06-01T02:30:15+08:00", 95),
        ]
    ]


def test_address_of_the_account_behind_her_stays_out(bakti, webinar):
    account = UserFactory(email="kader@example.org")
    attend(webinar, bakti, email="", phone="", account=account)
    found = exports.attendees(bakti, webinar)
    (row,) = rows_of(found)
    assert row[3:5] == ["", ""]
    assert b"kader@" not in as_csv(found)


def test_person_from_abroad_in_the_readers_language_even_when_read_later(bakti, webinar):
    attend(webinar, bakti, province="00")
    with translation.override("en"):
        found = exports.attendees(bakti, webinar)
    with translation.override("id"):
        (row,) = rows_of(found)
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
    assert [row[-1] for row in rows_of(exports.attendees(bakti, webinar))] == [minutes]


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


def test_empty_list_still_has_its_header(bakti, webinar):
    assert read_csv(as_csv(exports.attendees(bakti, webinar))) == [HEADER]


def test_a_long_list_comes_in_blocks_that_fit_together(bakti, webinar):
    for number in range(5):
        attend(webinar, bakti, name=f"Person {number}")
    found = exports.attendees(bakti, webinar)
    blocks = list(exports.csv_blocks(found, size=2))
    assert len(blocks) == 4
    assert b"".join(blocks) == as_csv(found) == by_defusedcsv(rows_of(found))


def test_whoever_leaves_the_list_while_it_is_written_is_not_in_a_later_block(bakti, webinar):
    leaving = [attend(webinar, bakti, name=f"Person {number}") for number in range(4)]
    blocks = exports.csv_blocks(exports.attendees(bakti, webinar), size=1)
    written = [next(blocks), next(blocks)]
    leaving[1].participant.consents.update(withdrawn_at=START)
    Participant.objects.filter(pk=leaving[2].participant_id).update(restricted_at=START)
    assert [row[2] for row in read_csv(b"".join([*written, *blocks]))] == ["name", "Person 0", "Person 3"]


@pytest.mark.parametrize("column", HEADER)
def test_one_column_alone_is_as_defusedcsv_writes_it(bakti, webinar, column):
    attend(webinar, bakti, phone="", organisation="")
    attend(webinar, bakti, name="-1,5", organisation="@|x")
    found = replace(exports.attendees(bakti, webinar), columns=(column,))
    reference = by_defusedcsv([[value if value is not None else ""] for [value] in rows_of(found)], [column])
    assert as_csv(found) == reference


NASTY = st.text(
    st.one_of(
        st.sampled_from("=+-@|%',\"\\\t\r\n \x1c\x85\xa0\u2003\u2028\u3000.0129%"),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NASTY.map("x{}".format) | NASTY.filter(str.strip), email=NASTY.filter(str.isascii), organisation=NASTY)
def test_each_cell_is_as_python_and_defusedcsv_would_write_it(hostile, name, email, organisation):
    found, participant = hostile
    typed = {"name": name, "email": email.lower(), "organisation": organisation}
    Participant.objects.filter(pk=participant.pk).update(**typed)
    columns = tuple(typed)
    rows = [[exports.one_line(text) for text in typed.values()]]
    found = replace(found, columns=columns)
    assert rows_of(found) == rows
    assert as_csv(found) == by_defusedcsv(rows, columns)


@pytest.fixture
def hostile(bakti, webinar):
    registration = attend(webinar, bakti)
    return exports.attendees(bakti, webinar), registration.participant


def test_webinar_whose_address_begins_like_a_formula(bakti):
    webinar = WebinarFactory(slug="-satu", hosts=[bakti])
    attend(webinar, bakti)
    assert read_csv(as_csv(exports.attendees(bakti, webinar)))[1][1] == "'-satu"


# ---- Column by column


def test_a_cell_is_empty_where_her_text_did_not_name_the_column(bakti, webinar):
    known, older = (attend(webinar, bakti, name=name, phone="+6281234567890") for name in ("Known", "Older"))
    text = ConsentText.objects.create(
        purpose="partner", language="id", version="0", text="Nama saja.", columns=["name", "webinar", "province"]
    )
    older.participant.consents.update(text=text)
    rows = {row[0]: row for row in rows_of(exports.attendees(bakti, webinar))}
    assert None not in rows[known.code][:-1]
    assert rows[older.code] == [older.code, webinar.slug, "Older", *[None] * 4, "Sulawesi Selatan", *[None] * 6]
    line = next(row for row in read_csv(as_csv(exports.attendees(bakti, webinar))) if row[0] == older.code)
    assert line == [older.code, webinar.slug, "Older", *[""] * 4, "Sulawesi Selatan", *[""] * 6]


def test_a_consent_without_a_known_text_covers_no_column(bakti, webinar):
    registration = attend(webinar, bakti)
    registration.participant.consents.update(text=None)
    assert rows_of(exports.attendees(bakti, webinar)) == [[registration.code, *[None] * 13]]


def test_organisers_own_list_asks_for_no_consent_to_share(webinar):
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True, participant__name="Silent")
    found = exports.Attendees([waiting.pk], None)
    assert [(row[2], row[11]) for row in rows_of(found)] == [("Silent", "WAITLISTED")]
