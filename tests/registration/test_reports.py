"""Every number of the reports against plain SQL of this file's own."""

import csv
import io
import random
import re
from datetime import timedelta

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conference.models import Edition
from registration import erasure, needs, reports, retention
from registration.models import (
    Attendance,
    AuditEntry,
    Consent,
    KeptCount,
    Participant,
    Registration,
    SensitiveAnswers,
    User,
)
from tests import factories

pytestmark = pytest.mark.django_db

START = "/admin/registration/keptcount/reports/"
TABLE, CSV, XLSX, PRINT, PACK = (START + name for name in ("table/", "table.csv", "table.xlsx", "print/", "donor.xlsx"))

# A registration that counts, written anew. Nothing of what the reports are built of.
COUNTS = """
FROM registration_registration r, registration_participant p, conference_webinar w
WHERE r.participant_id = p.id AND r.webinar_id = w.id AND NOT p.is_made_up AND p.restricted_at IS NULL
AND w.edition_id = %(edition)s
AND (r.status = 'CONFIRMED' OR r.id IN (SELECT registration_id FROM registration_attendance))
"""
CAME = " AND r.id IN (SELECT registration_id FROM registration_attendance)"
DIFFICULT = """(SELECT CASE
    WHEN bool_or(level IN ('a_lot', 'cannot')) THEN 'yes' WHEN bool_or(level IN ('none', 'some')) THEN 'no'
    WHEN bool_or(level = 'undisclosed') THEN 'refused' ELSE 'unknown' END
    FROM registration_sensitiveanswers s, registration_consent c,
        unnest(ARRAY[s.seeing, s.hearing, s.walking, s.remembering, s.self_care, s.communicating]) AS level
    WHERE s.participant_id = p.id AND c.participant_id = p.id AND c.purpose = 'sensitive' AND c.withdrawn_at IS NULL)"""
COLUMNS = {name: f"p.{name}" for name in ("gender", "age_group", "province", "organisation_kind", "language")}
COLUMNS |= {"difficulty": f"coalesce({DIFFICULT}, 'unknown')", "webinar": "r.webinar_id::text"}


def truth(edition, unit, chosen, came=False):
    what = "count(DISTINCT p.id)" if unit == "people" else "count(*)"
    where = "".join(f" AND {COLUMNS[name]} = %({name})s" for name in chosen)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {what} {COUNTS}{CAME if came else ''}{where}", {"edition": edition.pk, **chosen})
        return cursor.fetchone()[0]


@pytest.fixture
def past(now):
    """Over, so that nothing is given back when somebody goes."""
    ends_on = now.date() - timedelta(days=3)
    return factories.EditionFactory(year=2027, starts_on=ends_on - timedelta(days=2), ends_on=ends_on)


@pytest.fixture
def webinars(past):
    rows = [
        factories.WebinarFactory(edition=past, number=number, date=past.ends_on, starts_at=None, ends_at=None)
        for number in (1, 2, 3)
    ]
    return rows


def people(number, dice):
    emails = [f"orang{dice.random()}@example.org" for _person in range(number)]
    accounts = User.objects.bulk_create([User(email=email) for email in emails])
    rows = [
        Participant(
            account=account,
            email=account.email,
            name="Orang Contoh",
            gender=dice.choices(["female", "male", "undisclosed", "", "other"], [60, 20, 6, 9, 2])[0],
            age_group=dice.choices(["18_24", "25_34", "35_44", "undisclosed", ""], [30, 30, 20, 3, 9])[0],
            province=dice.choices(["53", "73", "81", "91", "00"], [40, 30, 20, 2, 1])[0],
            organisation_kind=dice.choices(["community", "cso", "media", ""], [30, 20, 2, 10])[0],
            language=dice.choices(["id", "en"], [9, 1])[0],
            proven_at=account.date_joined,
        )
        for account in accounts
    ]
    return Participant.objects.bulk_create(rows)


def take(seats):
    """Of each a person, a webinar, whether she came, and what is unlike a confirmed seat."""
    rows, came = [], []
    for person, webinar, was_there, fields in seats:
        at = person.created_at
        rows.append(
            Registration(participant=person, webinar=webinar, **{"status": "CONFIRMED", "confirmed_at": at} | fields)
        )
        if was_there:  # a line that was lost and came back is one attendance
            came += [
                Attendance(registration=rows[-1], source="link", joined_at=at + timedelta(hours=hour))
                for hour in (1, 2)
            ]
    Registration.objects.bulk_create(rows)
    Attendance.objects.bulk_create(came)


def seat(person, webinar, *, came=False, **fields):
    take([(person, webinar, came, fields)])


def answer(people, *, consent=True, **levels):
    """Each level may be a list, one for each person."""
    SensitiveAnswers.objects.bulk_create(
        SensitiveAnswers(
            participant=person,
            delete_on=person.created_at.date(),
            **{name: of if isinstance(of, str) else of[place] for name, of in levels.items()},
        )
        for place, person in enumerate(people)
    )
    if consent:
        ended = people[0].created_at if consent == "withdrawn" else None
        Consent.objects.bulk_create(
            Consent(participant=person, purpose="sensitive", granted_at=person.created_at, withdrawn_at=ended)
            for person in people
        )


@pytest.fixture
def crowd(webinars, now):
    """With everything that must not count, or not twice."""
    dice = random.Random(7)
    everybody = people(150, dice)
    take(
        [
            (person, webinar, dice.random() < 0.45, {})
            for person in everybody
            for webinar in dice.sample(webinars, dice.choice([1, 1, 2, 3]))
        ]
    )
    answer(everybody[:90], seeing=dice.choices(["none", "some", "a_lot", "undisclosed"], [60, 20, 15, 5], k=90))
    answer(everybody[90:95], consent="withdrawn", hearing="cannot")
    answer(everybody[95:96], consent=False, walking="cannot")
    bait = people(40, dice)
    Participant.objects.filter(pk__in=[person.pk for person in bait[:10]]).update(is_made_up=True)
    Participant.objects.filter(pk__in=[person.pk for person in bait[10:20]]).update(restricted_at=now)
    states = [
        {"status": "CANCELLED", "cancelled_at": now},
        {"status": "WAITLISTED", "waitlisted_at": now},
        {"status": "PENDING", "held_until": now},
    ]
    take([(person, webinars[0], True, {}) for person in bait[:20]])
    take([(person, webinars[0], False, states[place % 3]) for place, person in enumerate(bait[20:])])
    seat(people(1, dice)[0], webinars[0], came=True, **states[0])  # was there all the same
    seat(bait[25], factories.WebinarFactory(edition=factories.EditionFactory(earlier=True)), came=True)
    return everybody


def made(edition, now, **asked):
    cache.clear()
    return reports.report(reports.Ask(editions=[edition], **asked), now=now)


def shown(report):
    return [(line.label, [(pair.registered, pair.attended) for pair in line.cells]) for line in report.lines]


ASKED = [
    {"rows": "gender"},
    {"rows": "province"},
    {"rows": "difficulty"},
    {"rows": "language", "only": ("province", "53")},
    {"rows": "organisation_kind", "only": ("gender", "")},
    {"rows": "age_group", "columns": "gender"},
    {"rows": "difficulty", "columns": "gender"},
    {"rows": "gender", "columns": "organisation_kind", "unit": "participations"},
    {"rows": "webinar", "unit": "participations"},
    {"rows": "webinar", "columns": "gender", "unit": "participations"},
    {"rows": "province", "only": "first webinar", "unit": "participations"},
    {"rows": "difficulty", "only": "first webinar", "unit": "participations"},
]


def filled(asked, webinars):
    return asked | ({"only": ("webinar", str(webinars[0].pk))} if asked.get("only") == "first webinar" else {})


# ---- Every number


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_every_number_that_is_shown_is_that_of_plain_sql(asked, crowd, past, webinars, now):
    asked = filled(asked, webinars)
    report = made(past, now, **asked)
    unit, only = asked.get("unit", "people"), dict([asked["only"]]) if "only" in asked else {}
    rows = reports.answers_of(asked["rows"], webinars)
    columns = reports.answers_of(asked["columns"], webinars) if "columns" in asked else [("", {})]
    seen = 0
    for label, row in rows:
        line = next((line for line in report.lines if line.label == label), None)
        for place, (_label, column) in enumerate(columns):
            chosen = only | row | column
            expected = (truth(past, unit, chosen), truth(past, unit, chosen, came=True))
            if line is None:
                assert expected == (0, 0)
                continue
            pair = line.cells[place]
            assert pair.registered in (None, expected[0])
            assert pair.attended in (None, expected[1])
            assert pair.registered is None or not 0 < pair.registered < 5
            assert None in (pair.registered, pair.attended) or not 0 < pair.registered - pair.attended < 5
            seen += (pair.registered is not None) + (pair.attended is not None)
    assert seen > len(report.lines) / 2


def test_before_anything_is_hidden_the_numbers_are_those_of_plain_sql(crowd, past, webinars):
    """All of them at once, so that a number which is hidden above is right too."""
    for unit in ("people", "participations"):
        names = reports.questions_of(unit, webinars)
        counted = reports.people_of(past, unit, names)
        assert sum(counted.values()) == truth(past, unit, {}) > 140
        for profile, number in counted.items():
            chosen = dict(zip(names, profile, strict=False))
            came = truth(past, unit, chosen, came=True)
            assert number == (came if profile[-1] == "1" else truth(past, unit, chosen) - came)


def test_not_answered_and_rather_not_say_are_two_rows(crowd, past, now):
    labels = [line.label for line in made(past, now, rows="gender").lines]
    assert labels == ["Perempuan", "Laki-laki", "Lainnya", "Tidak ingin menjawab", "Tidak dijawab", "Jumlah"]


def test_an_empty_answer_of_the_form_is_no_refusal(client, programme_form):
    person = programme_form({})
    assert (person.gender, person.age_group) == ("", "")
    person = programme_form({"gender": "undisclosed", "age_group": "undisclosed"})
    assert (person.gender, person.age_group) == ("undisclosed", "undisclosed")


@pytest.fixture
def programme_form(now):
    from registration.forms import PersonForm  # noqa: PLC0415 -- the only use of it here

    def person(answers):
        form = PersonForm({"name": "Maria", "province": "53"} | answers)
        assert form.is_valid(), form.errors
        return Participant(**{name: form.cleaned_data[name] for name in ("gender", "age_group")})

    return person


def test_answers_belong_to_the_newest_conference_and_count_under_their_consent(now, past, webinars):
    earlier = factories.EditionFactory(year=2026, earlier=True)
    old = factories.WebinarFactory(edition=earlier)
    rows = people(12, random.Random(1))
    take([(person, old, False, {}) for person in rows] + [(person, webinars[0], False, {}) for person in rows[:6]])
    answer(rows, seeing="cannot")
    count = {edition: reports.people_of(edition, "people", reports.OF_PEOPLE) for edition in (earlier, past)}
    found = {edition: sum(n for profile, n in count[edition].items() if profile[4] == "yes") for edition in count}
    assert found == {earlier: 6, past: 6}
    needs.remove(rows[0], now=now)
    assert sum(n for row, n in reports.people_of(past, "people", reports.OF_PEOPLE).items() if row[4] == "yes") == 5


# ---- After data is deleted


def all_tables(edition, webinars, now):
    return [shown(made(edition, now, **filled(asked, webinars))) for asked in ASKED]


def test_the_tables_stay_the_same_when_people_delete_their_data(crowd, past, webinars, now):
    before = all_tables(past, webinars, now)
    for person in crowd[::2]:
        erasure.erase(person, now=now)
    assert Participant.objects.count() < 130
    assert KeptCount.objects.exists()
    assert all_tables(past, webinars, now) == before


def test_the_tables_stay_the_same_through_every_retention_run(crowd, past, webinars, now, time_machine):
    """First the answers about difficulties go, much later the people; a few have gone by themselves before."""
    before = all_tables(past, webinars, now)
    erasure.erase(crowd[0], now=now)
    erasure.erase(crowd[100], now=now)
    factories.ConsentFactory(participant=crowd[3], purpose="news")  # she stays, without what is old
    for days in (0, 100, 200, 900, 920):
        time_machine.move_to(now + timedelta(days=days))
        retention.apply_all(now=now + timedelta(days=days))
        time_machine.move_to(now + timedelta(days=days + 8))
        retention.apply_all(now=now + timedelta(days=days + 8))
        assert all_tables(past, webinars, now) == before
    assert (SensitiveAnswers.objects.count(), Registration.objects.filter(webinar__edition=past).count()) == (0, 0)
    assert Participant.objects.filter(pk__in=[person.pk for person in crowd]).count() == 1


def test_an_earlier_conference_goes_with_the_answers_that_belong_to_it(now, past, webinars, time_machine):
    """Two conferences past their time at once: each person's answers stay with her own newest."""
    earlier = factories.EditionFactory(year=2024, earlier=True, starts_on=past.starts_on - timedelta(days=900))
    old = [factories.WebinarFactory(edition=earlier, number=number, starts_at=None, ends_at=None) for number in (1, 2)]
    rows = people(60, random.Random(5))
    take([(person, old[place % 2], place % 3 == 0, {}) for place, person in enumerate(rows)])
    take([(person, webinars[0], False, {}) for person in rows[::4]])
    answer(rows, hearing=["cannot" if place % 3 else "none" for place in range(60)])
    SensitiveAnswers.objects.update(delete_on=now.date() + timedelta(days=5000))
    asked = {"rows": "difficulty", "columns": "gender"}
    before = [shown(made(edition, now, **asked)) for edition in (earlier, past)]
    up_to = now.date() + timedelta(days=1)
    while retention.remove_people(up_to):
        pass
    assert Participant.objects.count() == 0
    assert [shown(made(edition, now, **asked)) for edition in (earlier, past)] == before


# ---- What is refused


@pytest.mark.parametrize(
    "asked",
    [
        {"rows": "gender", "columns": "gender"},
        {"rows": "gender", "only": ("gender", "female")},
        {"rows": "webinar"},
        {"rows": "gender", "only": "first webinar"},
        {"rows": "age_group", "columns": "province", "only": ("organisation_kind", "cso")},
    ],
    ids=str,
)
def test_what_would_tell_too_much_or_nothing_is_refused_in_words(asked, crowd, past, webinars, now):
    with pytest.raises(reports.Refused):
        made(past, now, **filled(asked, webinars))


def test_conferences_are_compared_side_by_side_without_a_total(crowd, past, webinars, now):
    other = factories.EditionFactory(year=2026, earlier=True)
    webinar = factories.WebinarFactory(edition=other)
    take([(person, webinar, False, {}) for person in crowd[:80]])
    cache.clear()
    report = reports.report(reports.Ask(editions=[other, past], rows="province"), now=now)
    assert report.columns == ["2026", "2027"]
    total = report.lines[-1]
    assert [pair.registered for pair in total.cells] == [80, truth(past, "people", {})]
    for asked in ({"columns": "gender"}, {"unit": "participations", "only": ("webinar", str(webinar.pk))}):
        with pytest.raises(reports.Refused):
            reports.report(reports.Ask(editions=[other, past], rows="age_group", **asked), now=now)


def test_of_one_webinar_both_units_are_one_table(now):
    webinar = factories.WebinarFactory()
    take([(person, webinar, False, {}) for person in people(40, random.Random(2))])
    edition = webinar.edition
    asked = {"rows": "gender", "columns": "age_group"}
    assert shown(made(edition, now, **asked)) == shown(made(edition, now, unit="participations", **asked))
    with pytest.raises(reports.Refused):
        made(edition, now, rows="webinar", unit="participations")


def test_registered_and_attended_asked_for_one_by_one_hide_what_both_hide(crowd, past, now):
    tables = [made(past, now, rows="age_group", columns="gender", measure=measure) for measure in reports.Measure]
    assert shown(tables[0]) == shown(tables[1]) == shown(tables[2])


def test_the_number_of_queries_does_not_grow(webinars, past, now):
    def cost():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            made(past, now, rows="gender", columns="age_group")
        return len(queries)

    seat(people(1, random.Random(1))[0], webinars[0])
    one = cost()
    take([(person, webinar, False, {}) for person in people(30, random.Random(2)) for webinar in webinars])
    assert cost() == one == 3


# ---- The pages


def in_group(name):
    user = factories.UserFactory(is_staff=True, second_factor=True)
    user.groups.add(Group.objects.get(name=name))
    return user


@pytest.fixture
def observer(signed_in_client, now):
    return signed_in_client(in_group("Observers"))


@pytest.mark.parametrize("address", [START, TABLE, CSV, XLSX, PRINT, PACK])
@pytest.mark.parametrize(
    ("group", "status"), [("Observers", 200), ("Organisers", 200), ("Editors", 403), ("Mail desk", 403)]
)
def test_who_sees_reports(address, group, status, crowd, signed_in_client):
    assert signed_in_client(in_group(group)).get(address).status_code == status


def test_the_kept_rows_themselves_are_the_owners_alone(crowd, past, now, observer, signed_in_client):
    erasure.erase(crowd[0], now=now)
    row = KeptCount.objects.first()
    for client, status in [
        (observer, 403),
        (signed_in_client(in_group("Organisers")), 403),
        (signed_in_client(factories.UserFactory(organiser=True)), 200),
    ]:
        assert client.get("/admin/registration/keptcount/").status_code == status
        assert client.get(f"/admin/registration/keptcount/{row.pk}/change/").status_code == status


def test_a_table_with_its_definitions(observer, crowd, past, now):
    html = observer.get(TABLE, {"rows": "age_group", "columns": "gender"}).content.decode()
    expected = made(past, now, rows="age_group", columns="gender").lines[-1].cells[-1]
    cells = re.findall(r"<td>(.*?)</td>", html)
    assert cells[-3:] == [str(expected.registered), str(expected.attended), str(expected.rate)]
    for words in ("Washington", "Angka per 1 Juni 2027, 09.00 WITA"):
        assert (words in html) == (words != "Washington")
    assert "Washington" in observer.get(TABLE, {"rows": "difficulty"}).content.decode()


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_every_ready_made_table_opens(prefix, observer, crowd):
    html = observer.get(prefix + START).content.decode()
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*keptcount/reports/[^"]+)"', html)]
    assert len({link for link in links if "/table/?" in link}) == 6  # with the comparison
    for link in links:
        assert observer.get(link).status_code == 200, link


@pytest.mark.parametrize(
    "query",
    [
        "rows=name",
        "rows=",
        "columns=phone",
        "edition=1",
        "edition=x&edition=2027",
        "edition=",
        "unit=persons",
        "measure=all",
        "only=gender",
        "only=gender:x",
        "only=webinar:999999",
        "only=registration:1",
        "rows=gender&columns=gender",
        "rows=%00",
        "rows=gender%27--",
        "edition=" + "9" * 400,
    ],
)
@pytest.mark.parametrize("address", [TABLE, PRINT, CSV, XLSX])
def test_absurd_questions_get_a_clear_answer(address, query, observer, crowd):
    response = observer.get(f"{address}?{query}", follow=True)
    assert response.status_code == 400
    if "%00" not in query:
        assert 'role="alert"' in response.content.decode()
    assert not AuditEntry.objects.filter(action="downloaded").exists()


def test_a_conference_without_anybody_and_a_site_without_a_conference(observer, now):
    assert observer.get(TABLE).status_code == 400
    assert "Belum ada konferensi." in observer.get(START).content.decode()
    factories.EditionFactory()
    assert observer.get(START, {"edition": "1"}).status_code == 400
    response = observer.get(TABLE)
    assert response.status_code == 200
    assert "Belum ada yang terhitung" in response.content.decode()


def test_a_rehearsal_says_so_everywhere(observer, crowd, past):
    Edition.objects.filter(pk=past.pk).update(is_rehearsal=True)
    for address in (TABLE, PRINT):
        assert "gladi bersih" in observer.get(address).content.decode()
    assert "gladi bersih" in observer.get(CSV).content.decode()


def test_downloads_hold_the_same_table_and_are_recorded(observer, crowd, past, now):
    query = {"rows": "age_group", "columns": "gender"}
    report = made(past, now, **query)
    rows = list(csv.reader(io.StringIO(observer.get(CSV, query).content.decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(observer.get(XLSX, query).content)).active
    total = report.lines[-1].cells
    for found in (
        rows[len(report.lines)],
        ["" if cell.value is None else str(cell.value) for cell in sheet[len(report.lines) + 1]],
    ):
        assert found[0] == "Jumlah"
        assert found[-3:-1] == [
            "*" if number is None else str(number) for number in (total[-1].registered, total[-1].attended)
        ]
    assert rows[0][1] == "Perempuan: Terdaftar"
    assert any("Washington" not in row[0] and "WITA" in row[-1] for row in rows if row)
    kept = AuditEntry.objects.filter(action="downloaded").values_list("details", flat=True)
    assert sorted(entry.split()[0] for entry in kept) == ["csv", "xlsx"]
    assert all("rows=age_group" in entry for entry in kept)


def test_the_pack_has_a_sheet_for_each_ready_made_table(observer, crowd):
    book = openpyxl.load_workbook(io.BytesIO(observer.get(PACK).content))
    assert [sheet["A1"].value for sheet in book] == [
        "Kelompok usia",
        "Provinsi",
        "Jenis organisasi",
        "Kesulitan fungsional",
        "Webinar",
    ]


def test_only_reading_is_allowed(observer, crowd):
    for address in (START, TABLE, CSV, XLSX, PRINT, PACK):
        assert observer.post(address).status_code == 405


def test_the_menu_has_reports_for_those_who_may_see_them(observer, signed_in_client, crowd):
    assert START in observer.get("/admin/").content.decode()
    assert START not in signed_in_client(in_group("Editors")).get("/admin/").content.decode()
