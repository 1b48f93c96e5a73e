"""What stays when people go: their number, by coarse answers. Added in the transaction that removes them.

People who are made up, and those who restricted the use of their data, are in no report and so in no count.
"""

from collections.abc import Collection
from typing import Any

from django.db import connection

from conference.timezones import WITA
from registration.models import SensitiveAnswers

# The measure of the Washington Group: a lot of difficulty or more in at least one domain.
MANY = " OR ".join(f"s.{domain} IN ('a_lot', 'cannot')" for domain in SensitiveAnswers.DOMAINS)
ANY = " OR ".join(f"s.{domain} IN ('none', 'some')" for domain in SensitiveAnswers.DOMAINS)
REFUSED = " OR ".join(f"s.{domain} = 'undisclosed'" for domain in SensitiveAnswers.DOMAINS)
DIFFICULTY = f"CASE WHEN {MANY} THEN 'yes' WHEN {ANY} THEN 'no' WHEN {REFUSED} THEN 'refused' ELSE 'unknown' END"
# Answers about difficulties count under their consent alone, and in one edition, the newest that the person is in the
# books for: those of an earlier one were counted when they went.
AGREED = """EXISTS (
    SELECT FROM registration_consent c
    WHERE c.participant_id = s.participant_id AND c.purpose = 'sensitive' AND c.withdrawn_at IS NULL
)"""
ANSWERS = f"""
SELECT s.participant_id, {DIFFICULTY} AS difficulty, (
        SELECT w.edition_id FROM registration_registration r
        JOIN conference_webinar w ON w.id = r.webinar_id
        JOIN conference_edition e ON e.id = w.edition_id
        WHERE r.participant_id = s.participant_id ORDER BY e.ends_on DESC, e.id DESC LIMIT 1
    ) AS edition_id
FROM registration_sensitiveanswers s
WHERE {AGREED}
"""  # nosec B608  # made of constants
# A registration counts when she has the seat or was there; one that is given back with her leaving counts only when she
# was there.
COUNTED = """
WITH answers AS (
    {answers} AND s.participant_id = ANY(%(people)s)
), counted AS (
    SELECT w.edition_id, w.id AS webinar_id, p.id AS person, p.gender, p.age_group, p.province, p.organisation_kind,
        p.language,
        coalesce(a.difficulty, 'unknown') AS difficulty,
        EXISTS (SELECT FROM registration_attendance t WHERE t.registration_id = r.id) AS attended,
        r.status = 'CONFIRMED' AND NOT w.id = ANY(%(given_back)s) AS seated
    FROM registration_registration r
    JOIN conference_webinar w ON w.id = r.webinar_id
    JOIN registration_participant p ON p.id = r.participant_id
    LEFT JOIN answers a ON a.participant_id = p.id AND a.edition_id = w.edition_id
    WHERE p.id = ANY(%(people)s) AND w.id = ANY(%(webinars)s) AND NOT p.is_made_up AND p.restricted_at IS NULL
)
INSERT INTO registration_keptcount AS kept (edition_id, webinar_id, gender, age_group, province, organisation_kind,
    language, difficulty, answers_only, registered, attended)
SELECT edition_id, CASE WHEN GROUPING(webinar_id) = 0 THEN webinar_id END, gender, age_group, province,
    organisation_kind, language, difficulty, %(answers_only)s,
    count(DISTINCT person), count(DISTINCT person) FILTER (WHERE attended)
FROM counted
WHERE (seated OR attended) AND (difficulty <> 'unknown' OR NOT %(answers_only)s)
GROUP BY GROUPING SETS (
    (edition_id, gender, age_group, province, organisation_kind, language, difficulty),
    (edition_id, webinar_id, gender, age_group, province, organisation_kind, language, difficulty)
)
ON CONFLICT ON CONSTRAINT kept_count_once DO UPDATE
    SET registered = kept.registered + excluded.registered, attended = kept.attended + excluded.attended
"""

# For the chart of sign-ups a day: the same people by the day, and in an edition by the first of their days.
DAYS = """
WITH counted AS (
    SELECT w.edition_id, w.id AS webinar_id, p.id AS person, (r.created_at AT TIME ZONE %(zone)s)::date AS day
    FROM registration_registration r
    JOIN conference_webinar w ON w.id = r.webinar_id
    JOIN registration_participant p ON p.id = r.participant_id
    WHERE p.id = ANY(%(people)s) AND w.id = ANY(%(webinars)s) AND NOT p.is_made_up AND p.restricted_at IS NULL AND (
        r.status = 'CONFIRMED' AND NOT w.id = ANY(%(given_back)s)
        OR EXISTS (SELECT FROM registration_attendance t WHERE t.registration_id = r.id)
    )
)
INSERT INTO registration_keptday AS kept (edition_id, webinar_id, day, registered)
SELECT edition_id, webinar_id, day, count(*)
FROM (
    SELECT edition_id, webinar_id, day FROM counted
    UNION ALL SELECT edition_id, NULL, min(day) FROM counted GROUP BY edition_id, person
) AS days
GROUP BY edition_id, webinar_id, day
ORDER BY edition_id, webinar_id, day
ON CONFLICT ON CONSTRAINT kept_day_once DO UPDATE SET registered = kept.registered + excluded.registered
"""


def add(
    people: Collection[int],
    webinars: Collection[int],
    *,
    given_back: Collection[int] = (),
    answers_only: bool = False,
) -> None:
    """Counts these people in these webinars and once in each of their editions."""
    values: dict[str, Any] = {
        "people": list(people),
        "webinars": list(webinars),
        "given_back": list(given_back),
        "answers_only": answers_only,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTED.format(answers=ANSWERS), values)
        if not answers_only:
            cursor.execute(DAYS, values | {"zone": WITA.info.key})
