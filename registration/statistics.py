"""Counts of people for the desk and the charts: taken anew in one pass when something has changed, and read from a small table.

A person counts once in each webinar and once in each edition, in every column that is true of her at least once. Made-up
people and those who restricted the use of their data are in no report, see `keptcounts`; only in an edition that is a
rehearsal do made-up people count, since there are no others, and its pages say so.
"""

import time
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from conference.models import Edition, Webinar
from conference.timezones import WITA
from registration import reports
from registration.models import Counting, Figure

Dimension = Figure.Dimension
ANSWERS = [dimension.value for dimension in Dimension if dimension not in (Dimension.ALL, Dimension.DAY)]
COUNTS = ["signed_up", "registered", "waiting", "cancelled", "attended"]

# Each of these writes moves the marks. A restart may lose some, so it moves them too.
MARKS = """
SELECT md5(string_agg(concat_ws(' ', relname, n_tup_ins, n_tup_upd, n_tup_del), ',' ORDER BY relname)
    || pg_postmaster_start_time())
FROM pg_stat_user_tables WHERE relname IN ('registration_registration', 'registration_participant',
    'registration_attendance', 'registration_keptcount', 'conference_webinar', 'conference_edition')
"""
# By all answers at once first: a few thousand rows are left of a million, and kept counts have the same shape.
COUNTED = """
WITH each AS MATERIALIZED (
    SELECT w.edition_id, r.webinar_id, r.participant_id, {answers},
        r.status = 'CONFIRMED' OR t.registration_id IS NOT NULL AS registered,
        r.status IN ('WAITLISTED', 'PENDING') AS waiting,
        r.status = 'CANCELLED' AS cancelled,
        t.registration_id IS NOT NULL AS attended,
        (r.created_at AT TIME ZONE %(zone)s)::date AS day
    FROM registration_registration r
    JOIN conference_webinar w ON w.id = r.webinar_id
    JOIN conference_edition e ON e.id = w.edition_id
    JOIN registration_participant p ON p.id = r.participant_id
    LEFT JOIN (SELECT DISTINCT registration_id FROM registration_attendance) t ON t.registration_id = r.id
    WHERE p.restricted_at IS NULL AND (e.is_rehearsal OR NOT p.is_made_up)
        AND (r.status <> 'PENDING' OR r.offered_at IS NOT NULL)
), people AS MATERIALIZED (
    SELECT edition_id, NULL::bigint AS webinar_id, {answers}, bool_or(registered) AS registered,
        bool_or(waiting) AS waiting, bool_or(cancelled) AS cancelled, bool_or(attended) AS attended, min(day) AS day
    FROM each GROUP BY edition_id, participant_id, {answers}
), alike AS (
    SELECT edition_id, webinar_id, {answers}, count(*) AS signed_up, count(*) FILTER (WHERE registered) AS registered,
        count(*) FILTER (WHERE waiting) AS waiting, count(*) FILTER (WHERE cancelled) AS cancelled,
        count(*) FILTER (WHERE attended) AS attended
    FROM (
        SELECT edition_id, webinar_id, {answers}, registered, waiting, cancelled, attended FROM each
        UNION ALL SELECT edition_id, webinar_id, {answers}, registered, waiting, cancelled, attended FROM people
    ) AS both_ways
    GROUP BY edition_id, webinar_id, {answers}
    UNION ALL
    SELECT edition_id, webinar_id, {answers}, registered, registered, 0, 0, attended
    FROM registration_keptcount WHERE NOT answers_only
)
SELECT edition_id, webinar_id, CASE {names} ELSE 'all' END, coalesce({answers}, ''), {sums}
FROM alike
GROUP BY GROUPING SETS ((edition_id, webinar_id), {sets})
UNION ALL
SELECT edition_id, webinar_id, 'day', day::text, sum(number), 0, 0, 0, 0
FROM (
    SELECT edition_id, webinar_id, day, count(*) AS number FROM each GROUP BY edition_id, webinar_id, day
    UNION ALL SELECT edition_id, webinar_id, day, count(*) FROM people GROUP BY edition_id, webinar_id, day
    UNION ALL SELECT edition_id, webinar_id, day, registered FROM registration_keptday
) AS days
GROUP BY edition_id, webinar_id, day
""".format(  # nosec B608  # made of constants
    answers=", ".join(ANSWERS),
    names=" ".join(f"WHEN GROUPING({name}) = 0 THEN '{name}'" for name in ANSWERS),
    sums=", ".join(f"sum({name})" for name in COUNTS),
    sets=", ".join(f"(edition_id, webinar_id, {name})" for name in ANSWERS),
)

# So much of the time it may count, however long it takes.
SHARE = 0.02
LONGEST = timedelta(minutes=5)


# ---- Counting


def refresh(*, now: datetime) -> bool:
    """Each minute: counts only if something has changed and enough time has passed for what the latest counting took."""
    latest = Counting.objects.first()
    if latest and latest.marks and (is_early(latest, now=now) or latest.marks == marks()):
        return False
    return count(now=now)


def is_early(latest: Counting, *, now: datetime) -> bool:
    return now < latest.counted_at + timedelta(seconds=latest.seconds / SHARE)


def ask() -> None:
    """The next minute counts, whatever the state of things."""
    Counting.objects.update(marks="")


def count(*, now: datetime) -> bool:
    """Whatever the state of things; False while another process is counting."""
    with transaction.atomic():
        if not is_alone():
            return False
        before, started = marks(), time.perf_counter()
        store(figures(counted()))
        Counting.objects.all().delete()
        Counting.objects.create(counted_at=now, seconds=time.perf_counter() - started, marks=before)
    return True


def is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('kpt.figures'))")
        return bool(cursor.fetchone()[0])


def marks() -> str:
    with connection.cursor() as cursor:
        cursor.execute(MARKS)
        return str(cursor.fetchone()[0])


def counted() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(f"SET LOCAL statement_timeout = {LONGEST // timedelta(milliseconds=1)}")
        cursor.execute(COUNTED, {"zone": WITA.info.key})
        return cursor.fetchall()


def figures(rows: list[tuple[Any, ...]]) -> list[Figure]:
    made = [
        Figure(
            edition_id=edition,
            webinar_id=webinar,
            dimension=dimension,
            value=value,
            **dict(zip(COUNTS, numbers, strict=True)),
        )
        for edition, webinar, dimension, value, *numbers in rows
    ]
    by_edition: dict[int, list[Figure]] = defaultdict(list)
    for figure in made:
        by_edition[figure.edition_id].append(figure)
    for edition in Edition.objects.filter(pk__in=by_edition):
        hide(edition, by_edition[edition.pk])
    return made


def hide(edition: Edition, own: list[Figure]) -> None:
    """Made-up people need no protection; a day says nothing about anybody but that somebody signed up on it."""
    if edition.is_rehearsal:
        for figure in own:
            figure.shown_registered, figure.shown_attended = figure.registered, figure.attended
        return
    webinars = list(Webinar.objects.filter(edition=edition).in_order())
    of_people = reports.protected(edition, reports.Unit.PEOPLE, webinars, None)
    # In an edition of one webinar both units are one, see `reports.questions_of`.
    are_two = len(webinars) > 1
    of_webinars = reports.protected(edition, reports.Unit.PARTICIPATIONS, webinars, None) if are_two else of_people
    for figure in own:
        if figure.dimension == Dimension.DAY:
            continue
        by_webinar = figure.webinar_id is not None and are_two
        tables = of_webinars if by_webinar else of_people
        answers = {} if figure.dimension == Dimension.ALL else {reports.PLACES[figure.dimension]: figure.value}
        if by_webinar:
            answers[reports.PLACES["webinar"]] = str(figure.webinar_id)
        places, cell = tuple(sorted(answers)), tuple(answers[place] for place in sorted(answers))
        figure.shown_registered, figure.shown_attended = tables.registered(places, cell), tables.attended(places, cell)


def store(made: list[Figure]) -> None:
    """In place of the earlier ones, at the end and in a moment."""
    Figure.objects.all().delete()
    Figure.objects.bulk_create(made)
