"""Every number that stands on the desk, on the charts' page and on a report's page, and in their files, against plain SQL.

Row by row in Python over one flat list of seats, so that nothing is shared with how the site counts.
"""

import csv
import io
import random
import re
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.utils import translation
from lxml import html

from registration import charts, erasure, reports, reportwords, statistics
from registration.admin.charts import PLACES
from registration.models import (
    Attendance,
    BouncedAddress,
    Consent,
    Heartbeat,
    Participant,
    Registration,
    RetentionRun,
    SensitiveAnswers,
    User,
    Withdrawal,
)
from tests import factories

pytestmark = pytest.mark.django_db

START = "/en/admin/registration/keptcount/reports/"
CHARTS = "/en/admin/registration/figure/charts/"
ANSWERS = ("gender", "age_group", "province", "organisation_kind", "language")
SEATS = """
SELECT w.edition_id AS edition, w.id AS webinar, p.id AS person, p.gender, p.age_group, p.province, p.organisation_kind,
    p.language, r.status, r.offered_at IS NOT NULL AS offered,
    (SELECT count(*) FROM registration_attendance a WHERE a.registration_id = r.id) > 0 AS came,
    to_char(r.created_at AT TIME ZONE 'Asia/Makassar', 'YYYY-MM-DD') AS day,
    (SELECT CASE WHEN 'a_lot' IN (s.seeing, s.hearing, s.walking) THEN 'yes' WHEN s.seeing = 'none' THEN 'no'
        ELSE 'refused' END
    FROM registration_sensitiveanswers s WHERE s.participant_id = p.id AND EXISTS (
        SELECT 1 FROM registration_consent c
        WHERE c.participant_id = p.id AND c.purpose = 'sensitive' AND c.withdrawn_at IS NULL)) AS difficulty
FROM registration_registration r
INNER JOIN conference_webinar w ON w.id = r.webinar_id
INNER JOIN registration_participant p ON p.id = r.participant_id
WHERE p.is_made_up IS FALSE AND p.restricted_at IS NULL
"""


def rows_of(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in cursor]


def one(sql, *params):
    [row] = rows_of(f"SELECT ({sql}) AS number", *params)
    return row.number


# ---- Who is there, and who must not be counted


@pytest.fixture
def conference(now):
    """Over, so that who deletes her data later stays in its numbers."""
    ends_on = now.date() - timedelta(days=2)
    edition = factories.EditionFactory(year=2027, starts_on=ends_on - timedelta(days=1), ends_on=ends_on)
    own = [
        factories.WebinarFactory(
            edition=edition, number=number, date=ends_on, starts_at=None, ends_at=None, capacity=capacity
        )
        for number, capacity in ((1, 300), (2, None), (3, 200))
    ]
    before = factories.EditionFactory(year=2026, earlier=True, starts_on=ends_on - timedelta(days=300))
    other = factories.WebinarFactory(edition=before, number=1, starts_at=None, ends_at=None, title_en="Before")
    return SimpleNamespace(edition=edition, before=before, webinars=own, other=other)


@pytest.fixture
def crowd(conference, now):
    dice = random.Random(11)
    carer = factories.UserFactory(email="pendamping@example.org")
    everybody = people(240, dice, carer=carer)
    taken = [
        seat(person, webinar, now, dice, came=dice.random() < 0.5)
        for person in everybody
        for webinar in dice.sample(conference.webinars, dice.choice([1, 1, 2, 3]))
    ]
    # Sixty are in two editions.
    taken += [seat(person, conference.other, now, dice, came=dice.random() < 0.7) for person in everybody[:60]]
    write([*taken, *bait(conference.webinars[0], carer, dice, now)], now)
    agreed(everybody[:100], dice, now)
    # Gone by her own wish, and so in the numbers as if she were still here.
    gone = everybody[200:215]
    before = seats()
    for person in gone:
        erasure.erase(Participant.objects.get(pk=person.pk), now=now)
    assert not {row.person for row in seats()} & {person.pk for person in gone}
    statistics.count(now=now)
    cache.clear()
    return before


def bait(webinar, carer, dice, now):
    """Made up, restricted, not proven, waiting, cancelled, offered a seat; some of them were there."""
    strangers = people(60, dice, carer=carer)
    Participant.objects.filter(pk__in=[person.pk for person in strangers[:15]]).update(is_made_up=True)
    Participant.objects.filter(pk__in=[person.pk for person in strangers[15:30]]).update(restricted_at=now)
    Participant.objects.filter(pk__in=[person.pk for person in strangers[30:35]]).update(proven_at=None)
    states = [
        *[{"came": True}] * 30,
        *[{"status": "PENDING", "held_until": now}] * 5,
        *[{"status": "WAITLISTED", "waitlisted_at": now}] * 7,
        *[{"status": "CANCELLED", "cancelled_at": now}] * 8,
        *[{"status": "PENDING", "held_until": now, "offered_at": now}] * 6,
        *[{"status": "CANCELLED", "cancelled_at": now, "came": True}] * 4,  # was there all the same
    ]
    return [seat(person, webinar, now, dice, **state) for person, state in zip(strangers, states, strict=True)]


def people(number, dice, *, carer):
    """One in ten is in somebody's care."""
    rows = []
    for place in range(number):
        in_care = place % 10 == 0
        email = f"orang{dice.random()}@example.org"
        rows.append(
            Participant(
                account=carer if in_care else User.objects.create(email=email),
                email="" if in_care else email,
                name="Orang Contoh",
                gender=dice.choices(["female", "male", "undisclosed", ""], [60, 25, 8, 9])[0],
                age_group=dice.choice(["18_24", "25_34", "35_44", "undisclosed", ""]),
                province=dice.choices(["53", "73", "81", "00"], [40, 30, 20, 1])[0],
                organisation_kind=dice.choices(["community", "cso", "media", ""], [30, 20, 2, 10])[0],
                language=dice.choices(["id", "en"], [9, 1])[0],
                proven_at=carer.date_joined,
            )
        )
    return Participant.objects.bulk_create(rows)


def seat(person, webinar, now, dice, *, came=False, **fields):
    created = now - timedelta(hours=dice.randrange(24 * 9))
    values = {"status": "CONFIRMED", "confirmed_at": created} | fields
    return Registration(participant=person, webinar=webinar, created_at=created, **values), came


def write(taken, now):
    """On two devices, where she came: it is one attendance."""
    Registration.objects.bulk_create([row for row, _came in taken])
    Attendance.objects.bulk_create(
        Attendance(registration=row, source=source, joined_at=now)
        for row, came in taken
        for source in ("link", "report")
        if came
    )


def agreed(own, dice, now):
    """The last of them took her consent back, so her answers count for nothing."""
    SensitiveAnswers.objects.bulk_create(
        SensitiveAnswers(
            participant=person,
            delete_on=now.date() + timedelta(days=99),
            seeing=dice.choices(["none", "a_lot", "undisclosed"], [6, 3, 1])[0],
        )
        for person in own
    )
    Consent.objects.bulk_create(
        Consent(
            participant=person,
            purpose="sensitive",
            granted_at=now,
            withdrawn_at=now if place >= len(own) - 5 else None,
        )
        for place, person in enumerate(own)
    )


def seats():
    return [row for row in rows_of(SEATS) if not (row.status == "PENDING" and not row.offered)]


# ---- What is true


def is_in(row):
    return row.status == "CONFIRMED" or row.came


def each_once(rows, test):
    return len({row.person for row in rows if test(row)})


def five(before, after, chosen):
    """Signed up, registered, attended, waiting, cancelled. Who is gone since stays as registered and attended."""
    then, now = [row for row in before if chosen(row)], [row for row in after if chosen(row)]
    here = {row.person for row in after}
    gone = [row for row in then if row.person not in here]
    return [
        each_once(now, lambda row: True) + each_once(gone, is_in),
        each_once(then, is_in),
        each_once(then, lambda row: row.came),
        each_once(now, lambda row: row.status in ("WAITLISTED", "PENDING")),
        each_once(now, lambda row: row.status == "CANCELLED"),
    ]


@pytest.fixture(autouse=True)
def english():
    """The language of the pages that are looked at, for the labels that they are held against."""
    with translation.override("en"):
        yield


@pytest.fixture
def look(signed_in_client, now):
    clients = {}

    def client(group):
        if group not in clients:
            user = factories.UserFactory(is_staff=True)
            user.groups.add(Group.objects.get(name=group))
            clients[group] = signed_in_client(user)
        return clients[group]

    return lambda address, group="Organisers", **query: client(group).get(address, query)


def parsed(answer):
    assert answer.status_code == 200
    return html.fromstring(answer.content.decode())


def text(node):
    return " ".join(node.text_content().split())


def number(words):
    return None if words in ("hidden", reportwords.HIDDEN) else int(words.replace(",", ""))


# ---- The charts


def charted(page, name):
    """Label and numbers of each line of a chart's table."""
    [section] = page.xpath(f"//section[@aria-labelledby='chart-{name}']")
    lines = section.xpath(".//tbody/tr | .//tfoot/tr")
    return section, {text(line.xpath("th")[0]): [text(cell) for cell in line.xpath("td")] for line in lines}


def files_of(look, section, group="Organisers"):
    """The same table from the CSV and from the XLSX that the page links to: under the line of headings."""
    csv_link, xlsx_link = section.xpath(".//a[@download]/@href")
    lines = list(csv.reader(io.StringIO(look(csv_link, group).content.decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(look(xlsx_link, group).content)).active
    cells = [["" if value is None else str(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    tables = []
    for rows in (lines, cells):
        top = next(place for place, row in enumerate(rows) if len(row) > 1 and not row[0] and any(row))
        tables.append({row[0]: [cell for cell in row[1:] if cell != ""] for row in rows[top + 1 :]})
    return tables


@pytest.mark.parametrize("which", [None, 0, 2])
def test_each_chart_by_an_answer_and_its_files(which, crowd, conference, look):
    webinar = None if which is None else conference.webinars[which]
    query = {"edition": conference.edition.pk} | ({"webinar": webinar.pk} if webinar else {})
    page = parsed(look(CHARTS, **query))
    here = of_webinar(webinar) if webinar else of_edition(conference.edition)
    after = seats()
    for name in ANSWERS:
        labels = charts.answers_to(name)
        expected = {
            label: five(crowd, after, both(here, name, value))
            for value, label in labels.items()
            if any(both(here, name, value)(row) for row in crowd)
        }
        expected["Total"] = five(crowd, after, here)
        assert expected["Total"][1] > 50
        section, found = charted(page, name)
        for table in (found, *files_of(look, section)):
            shown = {label: [number(cell) for cell in cells] for label, cells in table.items()}
            assert {label: numbers for label, numbers in shown.items() if any(numbers)} == expected
        check_picture(section, name, expected, labels)


def of_webinar(webinar):
    return lambda row: row.webinar == webinar.pk


def of_edition(edition):
    return lambda row: row.edition == edition.pk


def both(here, name, value):
    return lambda row: here(row) and getattr(row, name) == value


def check_picture(section, name, expected, labels):
    """The map's tiles, or the two numbers at the end of each pair of bars."""
    if name == "province":
        tiles = [words.partition(": ") for words in section.xpath(".//*[contains(@class, 'tile step')]/title/text()")]
        assert len(tiles) == len(PLACES) == 38
        assert {place: int(words) for place, _colon, words in tiles if words != "0"} == {
            label: numbers[1] for label, numbers in expected.items() if label not in ("Total", labels["00"])
        }
        return
    drawn = section.xpath(".//*[@class='number']/text()")
    wanted = [expected.get(label, [0] * 5)[1:3] for label in section.xpath(".//tbody/tr/th/text()")]
    assert drawn == [f"{registered} · {came}" for registered, came in wanted]


def test_the_chart_of_webinars_and_its_files(crowd, conference, look):
    page = parsed(look(CHARTS, edition=conference.edition.pk))
    section, found = charted(page, "webinars")
    after = seats()
    expected = {
        f"{webinar.number}. {webinar.title_en}": [
            *map(str, five(crowd, after, lambda row, pk=webinar.pk: row.webinar == pk)),
            str(webinar.capacity or "no limit"),
        ]
        for webinar in conference.webinars
    }
    assert found == expected
    assert files_of(look, section) == [expected, expected]
    assert section.xpath(".//*[@class='number']/text()") == [f"{row[1]} · {row[2]}" for row in expected.values()]


@pytest.mark.parametrize("which", [None, 1])
def test_the_chart_of_days_and_its_files(which, crowd, conference, look):
    webinar = None if which is None else conference.webinars[which]
    query = {"edition": conference.edition.pk} | ({"webinar": webinar.pk} if webinar else {})
    section, found = charted(parsed(look(CHARTS, **query)), "days")
    here = of_webinar(webinar) if webinar else of_edition(conference.edition)
    still_known = {row.person for row in seats()}
    first = {}
    for row in crowd:
        if here(row) and (row.person in still_known or is_in(row)):
            first[row.person] = min(row.day, first.get(row.person, row.day))
    expected = [str(count) for _day, count in sorted(Counter(first.values()).items())]
    assert [cells[0] for cells in found.values() if cells != ["0"]] == expected
    assert f"the highest column is {max(map(int, expected))}." in text(section.xpath(".//figcaption")[0])
    for table in files_of(look, section):
        assert [cells[0] for cells in table.values() if cells != ["0"]] == expected


@pytest.mark.parametrize("which", [None, 0])
def test_an_observer_reads_true_numbers_or_none_and_no_small_one(which, crowd, conference, look):
    webinar = None if which is None else conference.webinars[which]
    query = {"edition": conference.edition.pk} | ({"webinar": webinar.pk} if webinar else {})
    page = parsed(look(CHARTS, "Observers", **query))
    after, seen = seats(), Counter()
    here = of_webinar(webinar) if webinar else of_edition(conference.edition)
    for name in ANSWERS:
        section, found = charted(page, name)
        own = files_of(look, section, "Observers")
        for value, label in charts.answers_to(name).items():
            true = five(crowd, after, both(here, name, value))[1:3]
            for table in (found, *own):
                for cell, right in zip(table.get(label, ["0", "0"]), true, strict=True):
                    assert number(cell) in (None, right)
                    assert number(cell) not in (1, 2, 3, 4)
                    seen[number(cell) is None] += 1
    assert seen[True]
    assert seen[False] > seen[True]


# ---- Reports

ASKED = [
    {"rows": "age_group", "columns": "gender"},
    {"rows": "province"},
    {"rows": "organisation_kind", "columns": "language"},
    {"rows": "difficulty", "columns": "gender"},
    {"rows": "webinar", "unit": "participations"},
    {"rows": "gender", "columns": "webinar", "unit": "participations"},
    {"rows": "gender", "only": "province:53"},
    {"rows": "gender", "measure": "attended"},
    {"rows": "age_group", "measure": "registered"},
]


def true_pair(before, edition, unit, chosen):
    rows = [
        row
        for row in before
        if row.edition == edition.pk and is_in(row) and all(answer_of(row, *pair) for pair in chosen.items())
    ]
    counts = (len, lambda found: len({row.person for row in found}))[unit == "people"]
    return counts(rows), counts([row for row in rows if row.came])


def answer_of(row, name, value):
    return str(getattr(row, name) if name != "difficulty" else row.difficulty or "unknown") == value


def answers(name, conference):
    found = reports.QUESTIONS[name].answers(conference.webinars) if name else {}
    return [*((label, {name: value}) for value, label in found.items()), ("Total", {})]


def expected_cells(before, conference, asked, edition):
    """By line, what each of its cells must be where it isn't hidden."""
    only = dict([asked["only"].split(":")]) if "only" in asked else {}
    measure = asked.get("measure", "both")
    lines = {}
    for label, row in answers(asked["rows"], conference):
        cells = []
        for _label, column in answers(asked.get("columns"), conference):
            registered, came = true_pair(before, edition, asked.get("unit", "people"), only | row | column)
            rate = str(int(100 * came / registered + 0.5)) if registered else ""
            all_three = {"registered": str(registered), "attended": str(came), "rate": rate}
            cells += [all_three[measure]] if measure != "both" else list(all_three.values())
        lines[label] = cells
    return lines


def on_page(page):
    lines = page.xpath("//div[@class='numbers']//tbody/tr")
    return {text(line.xpath("th")[0]): [text(cell) for cell in line.xpath("td")] for line in lines}


def in_csv(answer):
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    return {row[0]: row[1:] for row in lines[1 : lines.index([])]}


def in_sheet(sheet):
    found = {}
    for first, *rest in sheet.iter_rows(min_row=2, values_only=True):
        if first is None:
            return found
        found[first] = ["" if value is None else str(value) for value in rest]
    return found


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_each_number_of_a_report_on_the_page_in_print_and_in_files(asked, crowd, conference, look):
    query = {"edition": "2027", **asked}
    expected = expected_cells(crowd, conference, asked, conference.edition)
    page = parsed(look(f"{START}table/", "Observers", **query))
    shown = on_page(page)
    files = [on_page(parsed(look(f"{START}print/", "Observers", **query)))]
    files.append(in_csv(look(f"{START}table.csv", "Observers", **query)))
    book = openpyxl.load_workbook(io.BytesIO(look(f"{START}table.xlsx", "Observers", **query).content))
    files.append({label: cells[: len(shown[label])] for label, cells in in_sheet(book.active).items()})
    assert files == [shown] * 3
    assert {label for label in expected if label not in shown} <= {
        label for label, cells in expected.items() if set(cells) <= {"0", ""}
    }
    seen = Counter()
    for label, cells in shown.items():
        for cell, right in zip(cells, expected[label], strict=True):
            assert cell in (reportwords.HIDDEN, right), (label, cells, expected[label])
            seen[cell == reportwords.HIDDEN] += 1
    assert 2 * seen[False] > seen[True]
    check_bars(page, asked, expected)


def check_bars(page, asked, expected):
    """At the end of each bar the number of the last column, which is the total; without a chart for it there is no row."""
    drawn = list(page.xpath("//figure//svg/text[not(@text-anchor)]/text()"))
    wanted = []
    for label, cells in on_page(page).items():
        if label != "Total":
            wanted += cells[-3:-1] if asked.get("measure", "both") == "both" else cells[-1:]
    assert drawn == wanted
    assert expected["Total"][0] != "0"


def test_editions_side_by_side(crowd, conference, look):
    """Sixty are in both, and count once in each."""
    page = on_page(parsed(look(f"{START}table/", "Observers", edition=["2026", "2027"], rows="gender")))
    sides = [
        expected_cells(crowd, conference, {"rows": "gender"}, edition)
        for edition in (conference.before, conference.edition)
    ]
    assert [sides[0]["Total"][0], page["Total"][0]] == ["60", "60"]
    for label, cells in page.items():
        for cell, right in zip(cells, sides[0][label] + sides[1][label], strict=True):
            assert cell in (reportwords.HIDDEN, right)


def test_the_donors_file_has_these_numbers_on_every_sheet(crowd, conference, look):
    book = openpyxl.load_workbook(io.BytesIO(look(f"{START}donor.xlsx", "Observers", edition="2027").content))
    asked = [
        {"rows": "age_group", "columns": "gender"},
        {"rows": "province"},
        {"rows": "organisation_kind"},
        {"rows": "difficulty", "columns": "gender"},
        {"rows": "webinar", "unit": "participations"},
    ]
    for sheet, one_asked in zip(book, asked, strict=True):
        expected, found = expected_cells(crowd, conference, one_asked, conference.edition), in_sheet(sheet)
        assert found["Total"][len(expected["Total"]) - 1] == expected["Total"][-1]
        for label, cells in found.items():
            for cell, right in zip(cells, expected[label], strict=False):
                assert cell in (reportwords.HIDDEN, right)


def test_in_a_rehearsal_made_up_people_count_as_in_the_charts(crowd, conference, look):
    """So that somebody can try the reports before anybody is in the books; said above the table and in the file."""
    conference.edition.is_rehearsal = True
    conference.edition.save()
    own = "FROM registration_registration r JOIN conference_webinar w ON w.id = r.webinar_id JOIN registration_participant p"
    counted = f"""SELECT count(DISTINCT p.id) {own} ON p.id = r.participant_id
        WHERE w.edition_id = %s AND p.restricted_at IS NULL AND (r.status = 'CONFIRMED'
            OR EXISTS (SELECT 1 FROM registration_attendance a WHERE a.registration_id = r.id))"""
    gone = "SELECT sum(registered) FROM registration_keptcount WHERE edition_id = %s AND webinar_id IS NULL"
    whole = one(counted, conference.edition.pk) + one(gone, conference.edition.pk)
    page = parsed(look(f"{START}table/", "Observers", rows="gender"))
    assert on_page(page)["Total"][0] == str(whole) == str(five(crowd, seats(), of_edition(conference.edition))[1] + 15)
    words = "is a rehearsal: made-up people count too"
    assert words in text(page.xpath("//*[@role='alert']")[0])
    assert words in text(parsed(look(START, "Observers")).xpath("//*[@role='alert']")[0])
    assert words in look(f"{START}table.csv", "Observers", rows="gender").content.decode()


def test_an_empty_report_says_why_above_the_table(conference, look):
    """A load test's people are in no report of a real conference."""
    seat = factories.RegistrationFactory(webinar=conference.webinars[0])
    Participant.objects.filter(pk=seat.participant_id).update(is_made_up=True)
    page = parsed(look(f"{START}table/", "Observers", edition="2027"))
    [why] = page.xpath("//*[@role='alert']")
    assert "Nobody is counted here yet" in text(why)
    assert "made-up people" in text(why)
    assert why.getnext().get("class") == "numbers"


# ---- The desk


def test_seats_and_who_waits_on_each_card(crowd, conference, look, now):
    """Seats are seats, whoever is on them: made-up and restricted people too, and those who hold one for an answer."""
    conference.edition.ends_on = now.date() + timedelta(days=9)
    conference.edition.save()
    factories.InvitationFactory.create_batch(3, webinar=conference.webinars[0])
    factories.InvitationFactory(webinar=conference.webinars[0], status="declined")
    cards = parsed(look("/en/admin/")).xpath("//ul[@class='seat-cards']/li")
    found = {text(card.xpath("h3")[0]): card for card in cards}
    assert len(found) == 3
    of = "SELECT count(*) FROM registration_registration WHERE webinar_id = %s AND status"
    for webinar in conference.webinars:
        held, waiting = one(f"{of} = 'PENDING'", webinar.pk), one(f"{of} = 'WAITLISTED'", webinar.pk)
        taken = one(f"{of} = 'CONFIRMED'", webinar.pk) + held
        kept = one("SELECT count(*) FROM registration_invitation WHERE webinar_id = %s AND status = 'open'", webinar.pk)
        card = found[f"{webinar.number}. {webinar.title_en}"]
        words, capacity = text(card), one("SELECT capacity FROM conference_webinar WHERE id = %s", webinar.pk)
        assert (f"{taken} of {capacity} seats taken" if capacity else f"{taken} seats taken, no limit") in words
        bar = {part.get("class"): float(part.get("width")) for part in card.xpath(".//*[local-name()='rect']")}
        whole, parts = max(capacity or 0, taken + kept), {"confirmed": taken - held, "held": held, "reserved": kept}
        shares = {name: round(number / whole * bar["free"], 1) for name, number in parts.items()} if capacity else {}
        assert bar == shares | ({"free": bar["free"]} if capacity else {})
        for number_of, sentence in (
            (held, "{} of them held for an answer"),
            (kept, "{} more kept for guests"),
            (waiting, "{} people wait"),
        ):
            assert (sentence.format(number_of) in words) == (number_of > 0)
    assert (held, waiting) == (0, 0), "all bait is in the first"


def test_the_numbers_of_what_needs_a_decision(look, now):
    edition = factories.EditionFactory()
    full = factories.WebinarFactory(number=1, title_en="Full", capacity=1, edition=edition)
    free = factories.WebinarFactory(number=2, title_en="Free", capacity=9, edition=edition)
    factories.RegistrationFactory(webinar=full)
    factories.RegistrationFactory.create_batch(3, webinar=full, waitlisted=True)
    factories.RegistrationFactory.create_batch(2, webinar=free, waitlisted=True)
    factories.RegistrationFactory(webinar=free, cancelled=True)
    for place in range(5):
        BouncedAddress.objects.create(email=f"a{place}@example.org", cleared_at=now if place == 4 else None)
    for days in (1, 2, 3, 4):
        factories.InvitationFactory(webinar=free, expires_at=now + timedelta(days=days))
    factories.InvitationFactory(webinar=free, expires_at=now + timedelta(days=1), status="declined")
    factories.InvitationFactory(webinar=free, expires_at=now - timedelta(days=1))
    for place, (days, done) in enumerate([(7, False), (8, False), (9, True), (6, False)]):
        Withdrawal.objects.create(
            organisation=factories.OrganisationFactory(),
            webinar=full,
            registration_code=f"KODE{place}",
            withdrawn_at=now - timedelta(days=days),
            done_at=now if done else None,
        )
    facts = {"planned_at": now, "due_at": now + timedelta(days=7), "up_to": now.date()}
    RetentionRun.objects.create(kind="person", planned=1234, **facts)
    RetentionRun.objects.create(kind="history", planned=77, ran_at=now, **facts)
    lines = [text(line) for line in parsed(look("/en/admin/")).xpath("//ul[@class='todo']/li/span")]
    waiting = "SELECT count(*) FROM registration_registration WHERE webinar_id = %s AND status = 'WAITLISTED'"
    expected = [
        f"“Full” is full and {one(waiting, full.pk)} people wait",
        f"“Free” has free seats and {one(waiting, free.pk)} people wait",
        f"Mail to {one('SELECT count(*) FROM registration_bouncedaddress WHERE cleared_at IS NULL')} addresses",
        "{} invitations end without an answer".format(
            one(
                "SELECT count(*) FROM registration_invitation WHERE status = 'open' AND expires_at BETWEEN %s AND %s",
                now,
                now + timedelta(hours=72),
            )
        ),
        "{} people who took their consent back are still in partners' lists after 7 days".format(
            one(
                "SELECT count(*) FROM registration_withdrawal WHERE done_at IS NULL AND withdrawn_at <= %s",
                now - timedelta(hours=168),
            )
        ),
        "{} rows go".format(
            one("SELECT sum(planned) FROM registration_retentionrun WHERE ran_at IS NULL AND stopped_at IS NULL")
        ),
    ]
    for words in expected:
        assert sum(words in line for line in lines) == 1, (words, lines)
    assert len(lines) == len(expected)


def test_the_mails_that_wait_and_those_that_failed(look, now):
    hour = timedelta(hours=1)
    for place, facts in enumerate(
        [
            {"not_before": now - hour},
            {"not_before": now + hour},
            {"status": "RETRY", "attempts": 1, "created_at": now - 3 * hour, "not_before": now + hour},
            {"status": "CANCELLED"},
            {"sent": True},
            {"sending": True},
        ]
    ):
        factories.OutgoingMailFactory(to=f"b{place}@example.org", **facts)
    page = text(parsed(look("/en/admin/")))
    waiting = one("SELECT count(*) FROM registration_outgoingmail WHERE status IN ('QUEUED', 'RETRY')")
    hours = one(
        """
        SELECT extract(epoch FROM %s - min(CASE status WHEN 'RETRY' THEN created_at ELSE not_before END))::int / 3600
        FROM registration_outgoingmail WHERE status = 'RETRY' OR status = 'QUEUED' AND not_before <= %s
        """,
        now,
        now,
    )
    assert hours == 3
    assert f"{waiting} mails wait, the oldest for {hours} h" in page
    Heartbeat.objects.create(role="mail", worker="a:1", seen_at=now)
    for place, (status, ago) in enumerate(
        [("FAILED", 1), ("BOUNCED", 24 * 6), ("FAILED", 24 * 7 + 1), ("FAILED", 24 * 3)]
    ):
        factories.OutgoingMailFactory(to=f"c{place}@example.org", status=status, claimed_at=now - ago * hour)
    failed = one(
        "SELECT count(*) FROM registration_outgoingmail WHERE status IN ('FAILED', 'BOUNCED') AND claimed_at >= %s",
        now - timedelta(hours=168),
    )
    assert failed == 3
    assert f"{failed} mails could not be sent" in text(parsed(look("/en/admin/")))


def test_how_much_a_coming_webinar_still_lacks(look, now):
    webinar = factories.WebinarFactory(
        number=1, date=(now + timedelta(days=60)).date(), unknown_hour=True, zoom_url="", title_en="", description=""
    )
    [summary] = parsed(look("/en/admin/")).xpath("//ul[@class='seat-cards']//summary")
    empty = [
        f"SELECT count(*) FROM conference_webinar WHERE id = %s AND coalesce({field}, '') = ''"
        for field in ("title_en", "zoom_url")
    ]
    of_texts = """SELECT (SELECT count(*) FROM unnest(ARRAY[summary_ind, description_ind]) AS of_ind WHERE of_ind = '')
        + (summary_ind <> '' AND coalesce(summary_en, '') = '')::int
        + (description_ind <> '' AND coalesce(description_en, '') = '')::int
        FROM conference_webinar WHERE id = %s"""
    lacks = sum(one(sql, webinar.pk) for sql in [*empty, of_texts])
    for table in ("conference_webinar_hosts", "conference_appearance"):
        lacks += not one(f"SELECT count(*) FROM {table} WHERE webinar_id = %s", webinar.pk)
    lacks += one("SELECT (starts_at IS NULL)::int FROM conference_webinar WHERE id = %s", webinar.pk)
    lacks += one("SELECT (cardinality(reminder_minutes) = 0)::int FROM conference_webinar WHERE id = %s", webinar.pk)
    assert re.fullmatch(rf"Still missing: {lacks}", text(summary))


# ---- Words of people stay words


def test_a_name_in_the_donors_file_is_no_formula(crowd, conference, look):
    """Titles of webinars and names of conferences come from people; a spreadsheet must not run them."""
    conference.webinars[0].title_ind = conference.webinars[0].title_en = '=HYPERLINK("https://jahat.example.org")'
    conference.webinars[0].save()
    conference.edition.name_ind = conference.edition.name_en = "@SUM(1+1)"
    conference.edition.save()
    query = {"edition": "2027", "rows": "gender", "columns": "webinar", "unit": "participations"}
    books = [look(f"{START}donor.xlsx", "Observers", edition="2027"), look(f"{START}table.xlsx", "Observers", **query)]
    for book in books:
        cells = [cell for sheet in openpyxl.load_workbook(io.BytesIO(book.content)) for row in sheet for cell in row]
        assert any("@SUM(1+1)" in str(cell.value) for cell in cells)
        assert {cell.data_type for cell in cells if cell.value is not None} <= {"s", "n"}
        assert not [cell for cell in cells if cell.hyperlink]
    lines = look(f"{START}table.csv", "Observers", edition="2027", rows="webinar", unit="participations")
    starts = [row[0] for row in csv.reader(io.StringIO(lines.content.decode("utf-8-sig"))) if row]
    assert any("HYPERLINK" in cell for cell in starts)
    assert not [cell for cell in starts if cell[:1] in "=+-@"]
