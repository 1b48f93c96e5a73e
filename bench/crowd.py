"""A large past: one real sign-up copied by plain SQL, with its people, consents, steps and mails."""

import psycopg
from psycopg import sql

MODEL = "dahulu@example.org"
OTHERS = "p.email LIKE 'dahulu%' AND p.email <> 'dahulu@example.org'"
OF_MODEL = "participant_id = (SELECT id FROM registration_participant WHERE email = 'dahulu@example.org')"
# Table, which of its rows are copied, for whom, and what differs in each copy.
COPIES: list[tuple[str, str, str, dict[str, str]]] = [
    (
        "registration_user",
        f"email = '{MODEL}'",
        "generate_series(1, {people}) AS n",
        {"email": "'dahulu' || n || '@example.org'"},
    ),
    (
        "registration_participant",
        f"email = '{MODEL}'",
        "registration_user AS p",
        {"account_id": "p.id", "email": "p.email"},
    ),
    (
        "registration_registration",
        OF_MODEL,
        "registration_participant AS p CROSS JOIN (SELECT id FROM conference_webinar WHERE status = 'published'"
        " ORDER BY number LIMIT 3) AS w",
        {"participant_id": "p.id", "webinar_id": "w.id", "code": "upper(substr(md5(p.id || '-' || w.id), 1, 12))"},
    ),
    ("registration_consent", OF_MODEL, "registration_participant AS p", {"participant_id": "p.id"}),
    (
        "registration_event",
        f"kind = 'confirmed' AND {OF_MODEL}",
        "registration_registration AS r JOIN registration_participant AS p ON p.id = r.participant_id",
        {"participant_id": "p.id", "registration_id": "r.id", "actor_id": "p.account_id"},
    ),
    (
        "registration_outgoingmail",
        f"\"to\" = '{MODEL}'",
        "registration_participant AS p",
        {
            "to": "p.email",
            "participant_id": "p.id",
            "key": "model.kind || ':dahulu:' || p.id",
            "message_id": "'<' || model.kind || p.id || '@example.org>'",
            "status": "'SENT'",
            "sent_at": "model.created_at",
            "created_at": "model.created_at - interval '1 day'",
        },
    ),
]
COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' AND column_name <> 'id'
ORDER BY ordinal_position
"""


def write(database_url: str, registrations: int) -> int:
    """For each person three registrations; MODEL has just signed up. How many registrations there are afterwards."""
    with psycopg.connect(database_url, autocommit=True) as database:
        for table, which, people, differing in COPIES:
            database.execute(copying(database, table, which, people.format(people=registrations // 3), differing))
        database.execute("VACUUM ANALYZE")
        [count] = database.execute("SELECT count(*) FROM registration_registration").fetchone()  # type: ignore[misc]
    return int(count)


def copying(
    database: psycopg.Connection, table: str, which: str, people: str, differing: dict[str, str]
) -> sql.Composed:
    columns = [name for [name] in database.execute(COLUMNS, [table])]
    values = [sql.SQL(differing[name]) if name in differing else sql.Identifier("model", name) for name in columns]  # type: ignore[arg-type]
    condition = "true" if table == "registration_user" else OTHERS
    statement = """
        INSERT INTO {table} ({columns}) SELECT {values}
        FROM (SELECT * FROM {table} WHERE {which}) AS model CROSS JOIN {people} WHERE {condition}
    """
    return sql.SQL(statement).format(
        table=sql.Identifier(table),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(values),
        which=sql.SQL(which),  # type: ignore[arg-type]
        people=sql.SQL(people),  # type: ignore[arg-type]
        condition=sql.SQL(condition),
    )
