"""What stays when people go: their number, by coarse answers. Added in the transaction that removes them.

People who are made up, and those who restricted the use of their data, are in no report and so in no count.
"""

from collections.abc import Collection

from django.db import connection

from registration.models import SensitiveAnswers

# A registration counts when she has the seat or was there; one that is given back with her leaving counts only when she
# was there. Answers about difficulties belong to one edition: those of an earlier one were counted when they went.
COUNTED = """
WITH answers AS (
    SELECT participant_id,
        CASE WHEN {many} THEN 'yes' WHEN {any} THEN 'no' ELSE 'unknown' END AS difficulty
    FROM registration_sensitiveanswers WHERE participant_id = ANY(%(people)s)
), counted AS (
    SELECT w.edition_id, w.id AS webinar_id, p.id AS person, p.gender, p.age_group, p.province, p.organisation_kind,
        p.language,
        CASE WHEN w.edition_id = %(answered_for)s THEN coalesce(a.difficulty, 'unknown') ELSE 'unknown' END
            AS difficulty,
        EXISTS (SELECT FROM registration_attendance t WHERE t.registration_id = r.id) AS attended,
        r.status = 'CONFIRMED' AND NOT w.id = ANY(%(given_back)s) AS seated
    FROM registration_registration r
    JOIN conference_webinar w ON w.id = r.webinar_id
    JOIN registration_participant p ON p.id = r.participant_id
    LEFT JOIN answers a ON a.participant_id = p.id
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
# The measure of the Washington Group: a lot of difficulty or more in at least one domain.
MANY = " OR ".join(f"{domain} IN ('a_lot', 'cannot')" for domain in SensitiveAnswers.DOMAINS)
ANY = " OR ".join(f"{domain} IN ('none', 'some')" for domain in SensitiveAnswers.DOMAINS)


def add(
    people: Collection[int],
    webinars: Collection[int],
    *,
    answered_for: int | None,
    given_back: Collection[int] = (),
    answers_only: bool = False,
) -> None:
    """Counts these people in these webinars and once in each of their editions; `answered_for` is an edition's id."""
    values = {
        "people": list(people),
        "webinars": list(webinars),
        "given_back": list(given_back),
        "answered_for": answered_for,
        "answers_only": answers_only,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTED.format(many=MANY, any=ANY), values)
