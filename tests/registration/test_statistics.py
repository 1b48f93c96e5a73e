"""Every figure against plain SQL that shares no line with the counting."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registration import erasure, keptcounts, statistics
from registration.models import Attendance, Counting, Figure, KeptCount, KeptDay, Participant, Registration
from tests import factories

pytestmark = pytest.mark.django_db

# A registration that counts, each with what is true of it. Written for the tests, row by row.
SEEN = """
SELECT w.edition_id, r.webinar_id, p.id, p.{answer},
    r.status = 'CONFIRMED' OR EXISTS (SELECT 1 FROM registration_attendance a WHERE a.registration_id = r.id),
    r.status = 'WAITLISTED' OR (r.status = 'PENDING' AND r.offered_at IS NOT NULL),
    r.status = 'CANCELLED',
    EXISTS (SELECT 1 FROM registration_attendance a WHERE a.registration_id = r.id),
    to_char(r.created_at AT TIME ZONE 'Asia/Makassar', 'YYYY-MM-DD')
FROM registration_registration r, conference_webinar w, registration_participant p, conference_edition e
WHERE r.webinar_id = w.id AND r.participant_id = p.id AND w.edition_id = e.id AND p.restricted_at IS NULL
AND (p.is_made_up = false OR e.is_rehearsal = true) AND NOT (r.status = 'PENDING' AND r.offered_at IS NULL)
"""
KEPT = "SELECT edition_id, webinar_id, {answer}, registered, attended FROM registration_keptcount WHERE answers_only = false"
ANSWERS = ["gender", "age_group", "province", "organisation_kind", "language"]


def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def truth(answer):
    """By edition, webinar (None: the edition) and answer: five numbers, each person once in each."""
    people = {}
    for edition, webinar, person, value, *facts, _day in ask(SEEN.format(answer=answer)):
        for place in (webinar, None):
            seen = people.setdefault((edition, place, value), {})
            seen[person] = [a or b for a, b in zip(seen.get(person, [False] * 4), facts, strict=True)]
    found = {
        key: [len(seen), *(sum(facts[place] for facts in seen.values()) for place in range(4))]
        for key, seen in people.items()
    }
    for edition, webinar, value, registered, attended in ask(KEPT.format(answer=answer)):
        numbers = found.setdefault((edition, webinar, value), [0] * 5)
        for place, number in enumerate([registered, registered, 0, 0, attended]):
            numbers[place] += number
    return found


def truth_of_days():
    first, found = {}, {}
    for edition, webinar, person, _value, *_facts, day in ask(SEEN.format(answer="gender")):
        found[edition, webinar, day] = found.get((edition, webinar, day), 0) + 1
        first[edition, person] = min(day, first.get((edition, person), day))
    for (edition, _person), day in first.items():
        found[edition, None, day] = found.get((edition, None, day), 0) + 1
    return found


def figures(dimension):
    rows = Figure.objects.filter(dimension=dimension)
    return {
        (row.edition_id, row.webinar_id, row.value): [getattr(row, name) for name in statistics.COUNTS] for row in rows
    }


@pytest.fixture
def conference(now):
    """Two editions, and in the current one everybody who is counted, and everybody who is not."""
    edition = factories.EditionFactory()
    webinars = [factories.WebinarFactory(edition=edition, number=number) for number in (1, 2, 3)]
    earlier = factories.WebinarFactory(edition=factories.EditionFactory(year=2020, earlier=True), number=1)
    answers = [
        {"gender": "female", "age_group": "25_34", "province": "53", "organisation_kind": "cso"},
        {"gender": "male", "age_group": "under_18", "province": "94", "organisation_kind": ""},
        {"gender": "undisclosed", "age_group": "", "province": "00", "language": "en"},
    ]
    for number in range(12):
        person = factories.ParticipantFactory(**answers[number % 3])
        created = now - timedelta(hours=5 * number)
        seat = register(person, webinars[number % 3], created_at=created)
        if number % 2:
            came(seat, now)
        if number % 4 == 0:  # twice in the edition, and once in the one before
            register(person, webinars[(number + 1) % 3], created_at=created - timedelta(days=2), cancelled=True)
            register(person, earlier, created_at=created)
    register(factories.ParticipantFactory(), webinars[0], waitlisted=True)
    register(factories.ParticipantFactory(), webinars[0], offered=True)
    came(register(factories.ParticipantFactory(), webinars[1], cancelled=True), now)
    # Bait: nobody of these is in a number.
    register(factories.ParticipantFactory(unproven=True), webinars[0], pending=True)
    came(register(factories.ParticipantFactory(is_made_up=True), webinars[0]), now)
    came(register(factories.ParticipantFactory(restricted_at=now), webinars[0]), now)
    return edition


def register(person, webinar, **facts):
    return factories.RegistrationFactory(participant=person, webinar=webinar, **facts)


def came(registration, now):
    """On two devices: it is one person."""
    for source in (Attendance.Source.LINK, Attendance.Source.REPORT):
        Attendance.objects.create(registration=registration, source=source, joined_at=now)


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_figure_is_what_plain_sql_counts(conference, now, answer):
    statistics.count(now=now)
    assert figures(answer) == truth(answer)


def test_the_totals_and_the_days_are_what_plain_sql_counts(conference, now):
    statistics.count(now=now)
    totals = {}
    for (edition, webinar, _value), numbers in truth("gender").items():
        sums = totals.setdefault((edition, webinar, ""), [0] * 5)
        for place, number in enumerate(numbers):
            sums[place] += number
    assert figures("all") == totals
    assert {key: numbers[0] for key, numbers in figures("day").items()} == truth_of_days()


def test_by_hand(now):
    webinar = factories.WebinarFactory()
    for number in range(3):
        seat = register(factories.ParticipantFactory(province="53"), webinar)
        if number == 0:
            came(seat, now)
    register(factories.ParticipantFactory(province="53"), webinar, waitlisted=True)
    register(factories.ParticipantFactory(province="53", is_made_up=True), webinar)
    statistics.count(now=now)
    assert figures("province")[webinar.edition_id, webinar.pk, "53"] == [4, 3, 1, 0, 1]


def test_the_numbers_stay_when_the_people_go(conference, now):
    """Their seats and who was there; who had only waited or cancelled goes without a trace."""
    statistics.count(now=now)
    before = {answer: figures(answer) for answer in [*ANSWERS, "all"]}
    people = list(Participant.objects.filter(registrations__isnull=False).distinct().values_list("pk", flat=True))
    webinars = list(Registration.objects.values_list("webinar", flat=True).distinct())
    keptcounts.add(people, webinars)
    Registration.objects.all().delete()
    statistics.count(now=now)
    for answer in [*ANSWERS, "all"]:
        after = figures(answer)
        for key, (_all, registered, _waiting, _cancelled, attended) in before[answer].items():
            assert after.get(key, [0] * 5)[1::3] == [registered, attended]
            assert after.get(key, [0] * 5)[0] == registered
    by_day = {key: numbers[0] for key, numbers in figures("day").items()}
    totals = {key[:2]: numbers[1] for key, numbers in before["all"].items() if numbers[1]}
    for place, total in totals.items():
        assert sum(number for key, number in by_day.items() if key[:2] == place) == total


def test_one_who_leaves_keeps_her_day(now):
    webinar = factories.WebinarFactory(date=now.date() - timedelta(days=3), starts_at=None, ends_at=None)
    seat = register(factories.ParticipantFactory(), webinar, created_at=now - timedelta(days=9))
    erasure.erase(seat.participant, now=now, actor=seat.participant.account)
    assert sorted(KeptDay.objects.values_list("webinar", "day", "registered"), key=str) == sorted(
        [(webinar.pk, (now - timedelta(days=9)).date(), 1), (None, (now - timedelta(days=9)).date(), 1)], key=str
    )


def test_answers_that_go_first_are_in_no_total(now):
    webinar = factories.WebinarFactory()
    KeptCount.objects.create(
        edition=webinar.edition, gender="female", age_group="25_34", province="53", language="id", difficulty="yes",
        registered=7, attended=7, answers_only=True,
    )  # fmt: skip
    statistics.count(now=now)
    assert Figure.objects.count() == 0


def test_in_a_rehearsal_made_up_people_count(now):
    webinar = factories.WebinarFactory(edition=factories.EditionFactory(is_rehearsal=True))
    register(factories.ParticipantFactory(is_made_up=True), webinar)
    register(factories.ParticipantFactory(restricted_at=now), webinar)
    statistics.count(now=now)
    assert figures("all")[webinar.edition_id, None, ""] == [1, 1, 0, 0, 0]


def test_whoever_sees_no_person_gets_no_small_number(now):
    webinar = factories.WebinarFactory()
    for gender, number in (("female", 20), ("male", 3), ("other", 8)):
        for _person in range(number):
            register(factories.ParticipantFactory(gender=gender), webinar)
    statistics.count(now=now)
    shown = dict(Figure.objects.filter(dimension="gender", webinar=None).values_list("value", "shown_registered"))
    total = Figure.objects.get(dimension="all", webinar=None).shown_registered
    assert shown["male"] is None
    assert [shown["female"], shown["other"], total].count(None) >= 1, "else it is the difference"


# ---- When


@pytest.mark.django_db(transaction=True)
def test_a_minute_counts_only_what_has_changed(now):
    webinar = factories.WebinarFactory()
    seat = register(factories.ParticipantFactory(), webinar)
    flush()
    assert statistics.refresh(now=now)
    Counting.objects.update(seconds=0)
    assert not statistics.refresh(now=now + timedelta(minutes=1)), "nothing has changed"
    Registration.objects.filter(pk=seat.pk).update(status="CANCELLED", cancelled_at=now)
    flush()
    assert statistics.refresh(now=now + timedelta(minutes=2))
    assert figures("all")[webinar.edition_id, None, ""] == [1, 0, 0, 1, 0]


def flush():
    """What a server's process does by itself within ten seconds of rest."""
    ask("SELECT pg_stat_force_next_flush()")
    ask("SELECT 1")


def test_it_spaces_itself_by_its_cost(now):
    Counting.objects.create(counted_at=now, seconds=6, marks="earlier")
    assert not statistics.refresh(now=now + timedelta(seconds=299))
    assert statistics.refresh(now=now + timedelta(seconds=301)), "six seconds in three hundred are two per cent"


def test_asked_for_it_counts_in_the_next_minute(now):
    statistics.count(now=now)
    Counting.objects.update(seconds=60)
    statistics.ask()
    assert statistics.refresh(now=now + timedelta(minutes=1))


@pytest.mark.django_db(transaction=True)
def test_two_never_count_at_once(now):
    other = connection.copy()
    with transaction.atomic():
        assert statistics.count(now=now)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtext('kpt.figures'))")
            assert cursor.fetchone() == (False,)
    other.close()


def test_queries_do_not_grow(now):
    webinar = factories.WebinarFactory()
    counts = []
    for number in (1, 3):
        for _person in range(number):
            register(factories.ParticipantFactory(), webinar)
        with CaptureQueriesContext(connection) as queries:
            statistics.count(now=timezone.now())
        counts.append(len(queries))
    assert counts[0] == counts[1]
