"""The rules that never bend, asked of the database in plain SQL, whatever has happened to it before."""

from django.db import connection

# What each query finds is wrong.
BROKEN = {
    "a webinar has more seats taken than it ever had": """
        SELECT c.webinar_id, c.taken FROM registration_seatcount c JOIN conference_webinar w ON w.id = c.webinar_id
        WHERE c.taken + c.reserved > %(most_seats)s AND w.capacity IS NOT NULL
    """,
    "the count of seats is not the number of rows": """
        SELECT w.id, c.taken, c.held, count(r.id) FILTER (WHERE r.status IN ('PENDING', 'CONFIRMED'))
        FROM conference_webinar w
        LEFT JOIN registration_seatcount c ON c.webinar_id = w.id
        LEFT JOIN registration_registration r ON r.webinar_id = w.id
        GROUP BY w.id, c.taken, c.held
        HAVING coalesce(c.taken, 0) <> count(r.id) FILTER (WHERE r.status IN ('PENDING', 'CONFIRMED'))
            OR coalesce(c.held, 0) <> count(r.id) FILTER (WHERE r.status = 'PENDING')
    """,
    "a seat is free while somebody waits": """
        SELECT w.id, w.capacity, c.taken FROM conference_webinar w JOIN registration_seatcount c ON c.webinar_id = w.id
        WHERE w.status = 'published' AND (w.capacity IS NULL OR c.taken + c.reserved < w.capacity)
            AND EXISTS (
                SELECT FROM registration_registration r
                WHERE r.webinar_id = w.id AND r.status = 'WAITLISTED' AND r.offered_at IS NULL
            )
    """,
    "a person is twice in one webinar": """
        SELECT r.webinar_id, p.email_key FROM registration_registration r
        JOIN registration_participant p ON p.id = r.participant_id
        WHERE p.email <> '' GROUP BY 1, 2 HAVING count(*) > 1
    """,
    "somebody whose address nobody proved has a seat or waits for one": """
        SELECT r.id FROM registration_registration r JOIN registration_participant p ON p.id = r.participant_id
        WHERE r.status IN ('CONFIRMED', 'WAITLISTED') AND p.email <> '' AND p.proven_at IS NULL
    """,
    "a status lacks its time": """
        SELECT id, status FROM registration_registration
        WHERE (status = 'CONFIRMED' AND confirmed_at IS NULL) OR (status = 'WAITLISTED' AND waitlisted_at IS NULL)
            OR (status = 'CANCELLED' AND cancelled_at IS NULL) OR ((status = 'PENDING') <> (held_until IS NOT NULL))
    """,
    "somebody has a seat and no mail that says so": """
        SELECT r.id FROM registration_registration r WHERE r.status = 'CONFIRMED' AND NOT EXISTS (
            SELECT FROM registration_outgoingmail m
            WHERE (m.kind = 'confirmation' AND m.participant_id = r.participant_id AND m.created_at >= r.created_at)
                OR (m.kind = 'promoted' AND m.registration_id = r.id)
        )
    """,
}


def broken(*, most_seats: int) -> dict[str, list[tuple]]:
    """By rule, the rows that break it. `most_seats` is the highest capacity that a limited webinar has had."""
    with connection.cursor() as cursor:
        found = {}
        for rule, query in BROKEN.items():
            cursor.execute(query, {"most_seats": most_seats} if "%(" in query else None)
            if rows := cursor.fetchall():
                found[rule] = rows
    return found
