"""What a list of attendees says of each: its columns, and the rows as PostgreSQL writes them, block by block.

A block is read whole before anybody gets it: a slow line then holds no cursor, and memory stays flat.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference import spreadsheets
from conference.models import Organisation, Webinar
from registration import regions
from registration.models import Attendance, Registration

# What partners' own scripts read: a change of names or order is a decision of its own.
COLUMNS = (
    "registration_code",
    "webinar",
    "name",
    "email",
    "phone",
    "gender",
    "age_group",
    "province",
    "regency",
    "organisation",
    "organisation_kind",
    "status",
    "registered_at",
    "attended_minutes",
)
# The same in the words of consents: what is added here must be asked for anew.
WORDS = {
    "registration_code": gettext_lazy("registration code"),
    "webinar": gettext_lazy("webinar"),
    "name": gettext_lazy("name"),
    "email": gettext_lazy("email"),
    "phone": gettext_lazy("phone"),
    "gender": gettext_lazy("gender"),
    "age_group": gettext_lazy("age group"),
    "province": gettext_lazy("province"),
    "regency": gettext_lazy("regency or city"),
    "organisation": gettext_lazy("organisation"),
    "organisation_kind": gettext_lazy("kind of organisation"),
    "status": gettext_lazy("status"),
    "registered_at": gettext_lazy("time of sign-up"),
    "attended_minutes": gettext_lazy("minutes attended"),
}
# Zoom's report corrects what its webhook said at the time; a click on the link has no end, so it measures nothing.
SOURCES = (Attendance.Source.REPORT, Attendance.Source.WEBHOOK, Attendance.Source.HAND, Attendance.Source.LINK)
BLOCK = 10_000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# By the ending of a file.
CONTENT_TYPES = spreadsheets.CONTENT_TYPES | {"zip": "application/zip"}

Cell = str | int | None
Row = list[Cell]


def place_names() -> dict[str, str]:
    return {**regions.names(), regions.OUTSIDE_INDONESIA: _("Outside Indonesia")}


@dataclass(frozen=True)
class Attendees:
    """These registrations, in this order. Whoever is not the reader's to see any more when a block is read is left out.

    Without an organisation it is a list of the organisers' own, where consents to share say nothing.
    """

    pks: Sequence[int]
    organisation: Organisation | None
    columns: tuple[str, ...] = COLUMNS
    # The file may be written after the reader's language is switched off again.
    places: dict[str, str] = field(default_factory=place_names)

    def __len__(self) -> int:
        return len(self.pks)


def attendees(organisation: Organisation, webinar: Webinar) -> Attendees:
    """All that the organisation may see, in the order of their sign-up."""
    shared = Registration.objects.shared_with(organisation).filter(webinar=webinar)
    return Attendees(list(shared.order_by("pk").values_list("pk", flat=True)), organisation)


def one_line(text: str) -> str:
    """A tab or a line end in front of a formula would hide it from the check of its first character."""
    return " ".join(text.split())


# ---- In SQL


# What `str.split` takes for a space.
SPACES = r"[\t-\r \x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
RANK = f"array_position('{{{','.join(SOURCES)}}}', a.source::text)"
# The most trusted source's time; sources are never added up. Two devices at once count twice.
MINUTES = f"""(
    SELECT floor(extract(epoch FROM sum(a.left_at - a.joined_at)) / 60)::bigint
    FROM registration_attendance a WHERE a.registration_id = r.id AND a.left_at IS NOT NULL
    GROUP BY {RANK} ORDER BY {RANK} LIMIT 1
)"""  # nosec B608  # made of constants
CELLS = {
    "registration_code": "r.code",
    "webinar": "w.slug",
    "name": "p.name",
    # Her own address only: an account that manages several people is not theirs to pass on.
    "email": "p.email",
    "phone": "p.phone",
    "gender": "p.gender",
    "age_group": "p.age_group",
    "province": "coalesce(places.names ->> p.province, p.province)",
    "regency": "coalesce(places.names ->> p.regency, p.regency)",
    "organisation": "p.organisation",
    "organisation_kind": "p.organisation_kind",
    "status": "r.status",
    "registered_at": """to_char(r.created_at AT TIME ZONE 'Asia/Makassar', 'YYYY-MM-DD"T"HH24:MI:SS') || '+08:00'""",
    "attended_minutes": MINUTES,
}
TYPED = ("name", "email", "organisation")
# Where a formula might stand; the others are words of ours.
FREE = (*TYPED, "phone", "webinar")
FORMULA = ", ".join(str(ord(sign)) for sign in "=+-@|%")
# The inner SELECT is one, so that a cell is made once however often the outer one reads it.
ROWS = """
SELECT {{columns}} FROM (
    SELECT wanted.place, {{cells}}
    FROM unnest(%(pks)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
    JOIN registration_registration r ON r.id = wanted.id
    JOIN registration_participant p ON p.id = r.participant_id AND p.restricted_at IS NULL
    JOIN conference_webinar w ON w.id = r.webinar_id
    {consent}
    CROSS JOIN (SELECT %(places)s::jsonb AS names) AS places
    OFFSET 0
) AS found ORDER BY place
"""
SHARED = """
    JOIN conference_webinar_hosts h ON h.webinar_id = w.id AND h.organisation_id = %(organisation)s
    JOIN registration_consent c ON c.participant_id = p.id AND c.organisation_id = h.organisation_id
        AND c.purpose = 'partner' AND c.withdrawn_at IS NULL AND r.status = 'CONFIRMED'
    LEFT JOIN (
        SELECT id, columns, columns @> '{{{{{columns}}}}}' AS is_whole FROM registration_consenttext OFFSET 0
    ) AS t ON t.id = c.text_id
""".format(columns=",".join(COLUMNS))  # nosec B608  # made of constants
OF_PARTNER, OF_ORGANISERS = ROWS.format(consent=SHARED), ROWS.format(consent="")


def statement(found: Attendees, *, is_csv: bool) -> str:
    """Made of this module's constants alone: a column that is none of its keys raises."""
    cells = [f"{cell(name, is_shared=bool(found.organisation))} AS {name}" for name in found.columns]
    columns = [in_csv(name, is_alone=len(found.columns) == 1) if is_csv else name for name in found.columns]
    template = OF_PARTNER if found.organisation else OF_ORGANISERS
    return template.format(columns=", ".join(columns), cells=", ".join(cells))


def cell(name: str, *, is_shared: bool) -> str:
    """The code is ours, and by it she is removed; all else must stand in the text that she agreed to."""
    value = CELLS[name]
    if name in TYPED:
        # To rewrite all would cost half as much again as everything else.
        line = f"btrim(regexp_replace({value}, '{SPACES}', ' ', 'g'), ' ')"
        value = f"CASE WHEN {value} ~ '[^ -~]|  |^ | $' THEN {line} ELSE {value} END"
    if is_shared and name != "registration_code":
        value = f"CASE WHEN t.is_whole OR t.columns @> '{{{name}}}' THEN {value} END"
    return value


def in_csv(name: str, *, is_alone: bool) -> str:
    """As defusedcsv writes it: an apostrophe stands before possible formulas, so before a phone's `+` too."""
    value = name
    if name in FREE:
        is_formula = f"ascii({name}) IN ({FORMULA}) AND {name} !~ '^-?[0-9,.]+$'"
        value = f"CASE WHEN {is_formula} THEN '''' || replace({name}, '|', '\\|') ELSE {name} END"
    if name == "attended_minutes":
        return f"coalesce({value}::text, '')" if is_alone else value
    # PostgreSQL writes an empty text as two quotation marks and none as nothing; a line must not be empty.
    return f"coalesce({value}, '')" if is_alone else f"nullif({value}, '')"


def in_blocks(found: Attendees, size: int) -> Iterator[dict[str, Any]]:
    organisation = found.organisation.pk if found.organisation else None
    places = json.dumps(found.places)
    for start in range(0, len(found), size):
        pks = ",".join(map(str, found.pks[start : start + size]))
        yield {"pks": f"{{{pks}}}", "places": places, "organisation": organisation}


def rows(found: Attendees, size: int = BLOCK) -> Iterator[list[Row]]:
    query = statement(found, is_csv=False)
    for parameters in in_blocks(found, size):
        with connection.cursor() as cursor:
            cursor.execute(query, parameters)
            yield [list(row) for row in cursor.fetchall()]


def csv_blocks(found: Attendees, size: int = BLOCK) -> Iterator[bytes]:
    """RFC 4180 with a byte order mark; no cell holds a line end of its own."""
    yield BYTE_ORDER_MARK + ",".join(found.columns).encode() + b"\r\n"
    query = f"COPY ({statement(found, is_csv=True)}) TO STDOUT (FORMAT csv)"
    for parameters in in_blocks(found, size):
        yield copy(query, parameters).replace(b"\n", b"\r\n")


def copy(query: str, parameters: dict[str, Any]) -> bytes:
    with transaction.atomic(), connection.cursor() as cursor:
        # Compiling a statement that runs for a few hundredths of a second takes longer than it saves.
        cursor.execute("SET LOCAL jit = off")
        with cursor.copy(cursor.mogrify(query, parameters)) as blocks:
            return b"".join(map(bytes, blocks))
