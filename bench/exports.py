"""Lists of 100,000 people as a partner takes them: CSV over HTTP against a bare COPY, XLSX by the worker against bare XlsxWriter.

`python -m bench.exports ours|bare` is one XLSX in a process of its own, for its time and its memory.
"""

import http.client
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile

import django
import psycopg
import xlsxwriter

WEBINAR = "perempuan-akar-rumput"
FILL = [
    """
    INSERT INTO registration_user (password, is_superuser, email, name, language, is_staff, is_active, date_joined,
        wants_digest)
    SELECT '', false, 'unduh' || n || '@example.org', '', 'id', false, true, now(), false
    FROM generate_series(1, %(people)s) AS n
    """,
    """
    INSERT INTO registration_participant (name, email, phone, gender, age_group, province, regency, organisation,
        organisation_kind, language, guardian_name, contact_email, proven_at, created_at, is_made_up, account_id)
    SELECT (ARRAY['Maria', 'Yosefina', 'Siti', 'Rahma'])[1 + u.id %% 4] || ' ' || substr(md5(u.id::text), 1, 8), u.email,
        '+62812' || lpad(u.id::text, 8, '0'), (ARRAY['female', 'male', 'undisclosed'])[1 + u.id %% 3],
        (ARRAY['18_24', '25_34', '45_54'])[1 + u.id %% 3], (ARRAY['53', '73', '81', '71'])[1 + u.id %% 4],
        (ARRAY['5371', '7371', '8171', '7171'])[1 + u.id %% 4],
        CASE WHEN u.id %% 50 = 0 THEN '=Kelompok, "Tenun" ' ELSE 'Kelompok Perempuan ' END || u.id %% 5000,
        'community', 'id', '', '', now(), now(), true, u.id
    FROM registration_user u WHERE u.email LIKE 'unduh%%'
    """,
    """
    INSERT INTO registration_registration (status, code, created_at, confirmed_at, zoom_registrant_id, zoom_join_url,
        zoom_state, zoom_error, participant_id, webinar_id)
    SELECT 'CONFIRMED', upper(substr(md5(p.id || '-unduh'), 1, 10)), now(), now(), '', '', 'none', '', p.id, %(webinar)s
    FROM registration_participant p WHERE p.email LIKE 'unduh%%'
    """,
    """
    INSERT INTO registration_consent (purpose, version, language, granted_at, organisation_id, participant_id, text_id)
    SELECT 'partner', t.version, t.language, now(), %(organisation)s, p.id, t.id
    FROM registration_participant p CROSS JOIN (
        SELECT t.* FROM registration_consenttext t JOIN registration_consent c ON c.text_id = t.id
        WHERE c.purpose = 'partner' AND c.organisation_id = %(organisation)s LIMIT 1
    ) AS t
    WHERE p.email LIKE 'unduh%%'
    """,
    """
    INSERT INTO registration_attendance (registration_id, source, joined_at, left_at)
    SELECT r.id, 'report', now(), now() + interval '90 minutes'
    FROM registration_registration r JOIN registration_participant p ON p.id = r.participant_id
    WHERE p.email LIKE 'unduh%%' AND r.id %% 2 = 0
    """,
]
HOST = """
SELECT w.id, h.organisation_id, o.slug FROM conference_webinar w
JOIN conference_webinar_hosts h ON h.webinar_id = w.id JOIN conference_organisation o ON o.id = h.organisation_id
WHERE w.slug = %s ORDER BY h.organisation_id LIMIT 1
"""
# The same columns as they stand in the tables: no names of places, no neutral formulas, nobody's consent to each column.
BARE = """
COPY (
    SELECT r.code, w.slug, p.name, p.email, p.phone, p.gender, p.age_group, p.province, p.regency, p.organisation,
        p.organisation_kind, r.status, r.created_at, (
            SELECT floor(extract(epoch FROM sum(a.left_at - a.joined_at)) / 60) FROM registration_attendance a
            WHERE a.registration_id = r.id AND a.source = 'report'
        )
    FROM registration_registration r JOIN registration_participant p ON p.id = r.participant_id
    JOIN conference_webinar w ON w.id = r.webinar_id
    JOIN registration_consent c ON c.participant_id = p.id AND c.purpose = 'partner' AND c.withdrawn_at IS NULL
        AND c.organisation_id = {organisation}
    WHERE r.webinar_id = {webinar} AND r.status = 'CONFIRMED' AND p.restricted_at IS NULL ORDER BY r.id
) TO STDOUT (FORMAT csv)
"""
MEMBER = """
from django.test import Client
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from conference.models import Organisation
from registration.models import PartnerMember, User
user, _new = User.objects.get_or_create(email="mitra.unduh@example.org")
PartnerMember.objects.get_or_create(user=user, organisation=Organisation.objects.get(slug="{slug}"))
TOTP.activate(user, generate_totp_secret())
client = Client()
client.force_login(user)
print(client.cookies["sessionid"].value)
"""

Line = tuple[str, float, str, float, str]


def rows(site: str, database_url: str, people: int, rounds: int) -> Iterator[Line]:
    with psycopg.connect(database_url, autocommit=True) as database:
        webinar, organisation, slug = database.execute(HOST, [WEBINAR]).fetchone()  # type: ignore[misc]
        for statement in FILL:
            facts = {"people": people, "webinar": webinar, "organisation": organisation}
            database.execute(statement, facts)  # type: ignore[arg-type]
        database.execute("VACUUM ANALYZE")
        session = run("manage.py", "shell", "--verbosity=0", "-c", MEMBER.format(slug=slug)).split()[-1]
        path = f"/ruang-mitra/{WEBINAR}/peserta.csv?mitra={slug}"
        yield csv_line(database, BARE.format(webinar=webinar, organisation=organisation), site, path, session, rounds)
    yield xlsx_line(people, rounds)


# ---- CSV


def csv_line(database: psycopg.Connection, bare: str, site: str, path: str, session: str, rounds: int) -> Line:
    take(site, path, session)  # each worker has been at work before
    before = memory(site)
    ours, floors = [], []
    for _round in range(rounds * 3):
        ours.append(take(site, path, session))
        floors.append(copy(database, bare))
    seconds, floor = statistics.median(whole for _first, whole, _size in ours), statistics.median(floors)
    first, size = statistics.median(first for first, _whole, _size in ours), ours[0][2]
    [count] = database.execute("SELECT max(rows) FROM registration_download").fetchone()  # type: ignore[misc]
    remark = f"{count:,} people, {size / 1e6:.1f} MB; first byte after {first * 1000:.0f} ms, "
    remark += f"a web worker's peak {memory(site)} MiB, {before} before"
    return (
        "CSV of attendees",
        count / seconds,
        f"COPY, {count / floor:,.0f} rows/s: times its time",
        seconds / floor,
        remark,
    )


def take(site: str, path: str, session: str) -> tuple[float, float, int]:
    """Until its first byte, until its last, and how many."""
    with closing(http.client.HTTPConnection(site.removeprefix("http://"), timeout=60)) as line:
        begun = time.perf_counter()
        line.request("GET", path, headers={"Cookie": f"sessionid={session}"})
        answer = line.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{path} answers {answer.status}.")
        size = len(answer.read(1))
        first = time.perf_counter() - begun
        while piece := answer.read(1 << 16):
            size += len(piece)
        return first, time.perf_counter() - begun, size


def copy(database: psycopg.Connection, statement: str) -> float:
    begun = time.perf_counter()
    with database.cursor().copy(statement) as blocks:  # type: ignore[arg-type]
        for _block in blocks:
            pass
    return time.perf_counter() - begun


def memory(site: str) -> int:
    """The most that any process of this web server has ever had, in MiB."""
    mark, peaks = f"--bind={site.removeprefix('http://')}".encode(), [0]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "cmdline").read_bytes():
                lines = (process / "status").read_text().splitlines()
                peaks += [int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")]
        except OSError:
            continue
    return max(peaks)


# ---- XLSX


def xlsx_line(people: int, rounds: int) -> Line:
    measured: dict[str, list[list[float]]] = {"ours": [], "bare": []}
    for _round in range(rounds):
        for name, found in measured.items():
            found.append([float(number) for number in run("-m", "bench.exports", name).split()])
    seconds = {name: statistics.median(time for time, _peak, _count in found) for name, found in measured.items()}
    peaks = {name: max(peak for _time, peak, _count in found) for name, found in measured.items()}
    count = measured["ours"][0][2]
    against = f"bare XlsxWriter, {count / seconds['bare']:,.0f} rows/s: times its time"
    remark = f"{count:,.0f} people, in pieces in the database; the worker's peak {peaks['ours']:.0f} MiB"
    return "XLSX by the worker", count / seconds["ours"], against, seconds["ours"] / seconds["bare"], remark


def run(*command: str) -> str:
    done = subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True)
    return done.stdout


def one(name: str) -> None:
    """Prints seconds, the peak of memory in MiB, and how many people."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kpt.settings")
    django.setup()
    seconds, count = ours() if name == "ours" else bare()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{seconds} {peak} {count}\n")


def ours() -> tuple[float, int]:
    """As the worker does it, from its claim to the last piece, its mail queued."""
    from django.utils import timezone  # noqa: PLC0415 -- Django is set up by then

    from registration import choices, files  # noqa: PLC0415
    from registration.models import PartnerMember  # noqa: PLC0415

    member = PartnerMember.objects.select_related("user", "organisation").get(user__email="mitra.unduh@example.org")
    webinar = member.organisation.hosted_webinars.get(slug=WEBINAR)
    facts = {"language": "id", "now": timezone.now()}
    file = files.ask(member.user, member.organisation, webinar, choices.Choice(), "xlsx", **facts)
    begun = time.perf_counter()
    if files.make_due() != 1:
        raise RuntimeError("The file was not made.")
    file.refresh_from_db()
    return time.perf_counter() - begun, file.rows_total


def bare() -> tuple[float, int]:
    """The same rows, ready in memory."""
    from registration import exports  # noqa: PLC0415
    from registration.models import PartnerMember  # noqa: PLC0415

    member = PartnerMember.objects.select_related("organisation").get(user__email="mitra.unduh@example.org")
    found = exports.attendees(member.organisation, member.organisation.hosted_webinars.get(slug=WEBINAR))
    ready = [row for block in exports.rows(found) for row in block]
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    begun = time.perf_counter()
    with TemporaryFile() as file, xlsxwriter.Workbook(file, options) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, found.columns)
        for number, row in enumerate(ready, 1):
            sheet.write_row(number, 0, row)
    return time.perf_counter() - begun, len(ready)


if __name__ == "__main__":
    one(sys.argv[1])
