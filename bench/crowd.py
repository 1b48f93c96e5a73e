"""A large past: one real sign-up copied by plain SQL, with its people, consents, steps and mails; some of them came."""

import psycopg
from psycopg import sql

MODEL = "dahulu@example.org"
OTHERS = "p.email LIKE 'dahulu%' AND p.email <> 'dahulu@example.org'"
OF_MODEL = "participant_id = (SELECT id FROM registration_participant WHERE email = 'dahulu@example.org')"
GIVEN = "ARRAY['Maria', 'Yosefina', 'Siti', 'Rahma', 'Ningsih', 'Fatimah', 'Debora', 'Martha', 'Agustina', 'Salma']"
FAMILY = "ARRAY['Tanono', 'Lestari', 'Wenda', 'Latuconsina', 'Mokodompit', 'Bere', 'Rumbiak', 'Adu', 'Woleka']"
# Answers that are common, then rare ones; more from the East, as it is, and nobody from 61.
PROVINCES = [
    *("53", "73", "81", "94", "71", "52", "91", "74", "31", "35", "82", "95", "92", "96", "93", "75", "72", "76", "51"),
    *("33", "32", "34", "36", "12", "63", "64", "62", "65", "11", "13", "14", "15", "16", "17", "18", "19", "21", "00"),
]
GENDERS = ["female", "female", "male", "undisclosed", "other"]
AGES = ["25_34", "35_44", "18_24", "45_54", "55_plus", "undisclosed", "under_18"]
KINDS = ["community", "cso", "government", "education", "individual", "", "media", "other"]
DIFFICULTIES = ["none", "none", "none", "some", "undisclosed", "a_lot"]
STATUSES = "ARRAY['CONFIRMED', 'CONFIRMED', 'CONFIRMED', 'CONFIRMED', 'CONFIRMED', 'CANCELLED', 'WAITLISTED']"


def answer(to: str, answers: list[str]) -> str:
    """By a number, so that each run has the same people: of each answer fewer than of the one before."""
    dice = f"(('x' || substr(md5(p.id || '{to}'), 1, 7))::bit(28)::int / 268435456.0)"
    return f"(ARRAY{answers})[1 + floor({len(answers)} * power({dice}, 2))::int]"


# In the order of sign-up, over 30 days.
AGO = "interval '1 second' * (2592000 - {column}.id * 8 % 2592000)"
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
        {
            "account_id": "p.id",
            "email": "p.email",
            "name": f"({GIVEN})[1 + p.id % 10] || ' ' || ({FAMILY})[1 + p.id % 9] || ' ' || substr(md5(p.id::text), 1, 5)",
            "province": answer("province", PROVINCES),
            "gender": answer("gender", GENDERS),
            "age_group": answer("age_group", AGES),
            "organisation_kind": answer("organisation_kind", KINDS),
            "organisation": "'Kelompok ' || p.id % 5000",
            "created_at": f"model.created_at - {AGO.format(column='p')}",
        },
    ),
    (
        "registration_registration",
        OF_MODEL,
        "registration_participant AS p CROSS JOIN (SELECT id, number FROM conference_webinar WHERE status = 'published'"
        " ORDER BY number LIMIT 3) AS w",
        {
            "participant_id": "p.id",
            "webinar_id": "w.id",
            "code": "upper(substr(md5(p.id || '-' || w.id), 1, 12))",
            "created_at": f"model.created_at - {AGO.format(column='p')}",
            # Nobody waits for the first one, which has no limit.
            "status": f"({STATUSES})[1 + (p.id + w.id) % (6 + (w.number > 1)::int)]",
            "waitlisted_at": "model.created_at",
            "cancelled_at": "model.created_at",
        },
    ),
    (
        "registration_consent",
        OF_MODEL,
        "registration_participant AS p",
        {"participant_id": "p.id", "granted_at": f"model.granted_at - {AGO.format(column='p')}"},
    ),
    (
        "registration_consent",
        f"purpose = 'processing' AND {OF_MODEL}",
        "registration_participant AS p",
        {"participant_id": "p.id", "purpose": "'sensitive'"},
    ),
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
# Half of those with a seat came, and staff looked at somebody as often.
MORE = (
    f"""
    INSERT INTO registration_sensitiveanswers (participant_id, seeing, hearing, walking, remembering, self_care,
        communicating, access_needs, needs, delete_on)
    SELECT p.id, {answer("seeing", DIFFICULTIES)}, 'none', {answer("walking", DIFFICULTIES)}, 'none', 'none', 'none', '',
        '{{}}', current_date + 365
    FROM registration_participant p WHERE p.email LIKE 'dahulu%' AND p.id % 3 > 0
    """,  # nosec B608  # made of constants
    """
    INSERT INTO registration_attendance (registration_id, source, joined_at, left_at)
    SELECT id, 'report', created_at + interval '40 days', created_at + interval '40 days 90 minutes'
    FROM registration_registration WHERE status = 'CONFIRMED' AND id % 2 = 0
    """,
    """
    INSERT INTO registration_auditentry (at, actor_id, actor_name, action, object_type, object_id, object_name,
        participant_id, details, network)
    SELECT p.created_at, NULL, 'panitia' || p.id % 20 || '@example.org', (ARRAY['looked_at', 'listed', 'changed'])[1 + p.id % 3],
        'registration.participant', p.id, p.name, p.id, '', '192.0.2.1'
    FROM registration_participant p
    """,
)
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
        for statement in MORE:
            database.execute(statement)
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
