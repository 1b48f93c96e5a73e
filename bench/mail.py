"""Workers that send mail, beside a bare loop that sends the same bytes; both to the same mail server."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
import psycopg

from kpt import embedded

# The first takes no longer than it must; the second is what Python programs are usually tried against; then one in the same
# building and one across the internet.
SINKS = {
    "lean": lambda port: ["bench.mailsink", str(port)],
    "aiosmtpd": lambda port: ["aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"],
    "2 ms away": lambda port: ["bench.mailsink", str(port), "2"],
    "20 ms away": lambda port: ["bench.mailsink", str(port), "20"],
}
START = 2.5  # seconds for a process to load the site
QUEUE = """
    WITH people AS (
        SELECT id, email, language FROM registration_participant person
        WHERE email <> '' AND EXISTS (
            SELECT 1 FROM registration_registration seat WHERE seat.participant_id = person.id AND seat.status = 'CONFIRMED'
        )
    )
    INSERT INTO registration_outgoingmail (
        kind, key, "to", language, participant_id, context, priority, status, attempts, created_at, not_before, error,
        message_id, subject, text, html
    )
    SELECT %(kind)s, 'bench:' || person.id || ':' || turn, person.email, person.language, person.id, '{}', 9, 'QUEUED', 0,
        now(), now(), '', '<' || gen_random_uuid() || '@bench>', '', '', ''
    FROM people person, generate_series(1, (SELECT 1 + %(count)s / count(*) FROM people)) turn
    ORDER BY turn, person.id LIMIT %(count)s
"""


@dataclass(frozen=True)
class Run:
    """`cpu`, `database_cpu` and `server_cpu`: seconds of processor time of the senders, PostgreSQL and the mail server."""

    count: int
    seconds: float
    cpu: float
    database_cpu: float
    server_cpu: float
    memory: int

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


@contextmanager
def sink(name: str) -> Iterator[dict[str, str]]:
    """What a process needs to know to send its mail there."""
    port = embedded.free_port()
    process = subprocess.Popen([sys.executable, "-m", *SINKS[name](port)])
    time.sleep(1)
    try:
        yield {
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "DJANGO_SETTINGS_MODULE": "kpt.settings",
            "BENCH_SINK": str(process.pid),
        }
    finally:
        process.terminate()
        process.wait()


def queue(kind: str, count: int) -> float:
    """In how many seconds so many were queued; all earlier ones are gone."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute("TRUNCATE registration_outgoingmail CASCADE")
        begun = time.perf_counter()
        database.execute(QUEUE, {"kind": kind, "count": count})
        return time.perf_counter() - begun


def run(role: str, environment: dict[str, str], processes: int = 1) -> Run:
    """All of them together, from the common start to the last one's end."""
    programs = [database_program(), int(environment["BENCH_SINK"])]
    spent = [cpu_of(pid) for pid in programs]
    moment = str(time.time() + START)
    command = [sys.executable, "-m", "bench.mailers", role, moment]
    started = [
        subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.PIPE) for _ in range(processes)
    ]
    said = [json.loads(process.communicate()[0]) for process in started]
    database_cpu, server_cpu = (cpu_of(pid) - before for pid, before in zip(programs, spent, strict=True))
    return Run(
        count=sum(one["count"] for one in said),
        seconds=max(one["seconds"] for one in said),
        cpu=sum(one["cpu"] for one in said),
        database_cpu=database_cpu,
        server_cpu=server_cpu,
        memory=max(one["memory"] for one in said),
    )


def database_program() -> int:
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        return psutil.Process(database.info.backend_pid).ppid()


def cpu_of(pid: int) -> float:
    """Of the program, its children and those that have ended."""
    program = psutil.Process(pid)
    times = [program.cpu_times()]
    for child in program.children():
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            times.append(child.cpu_times())
    return sum(one.user + one.system for one in times) + times[0].children_user + times[0].children_system


def rounds(kind: str, count: int, environment: dict[str, str], times: int) -> dict[str, list[Run]]:
    """One worker, the bare loop with its letters, two such loops, two workers, in turn."""
    found: dict[str, list[Run]] = {"one": [], "bare": [], "two bare": [], "two": []}
    for _round in range(times):
        queue(kind, count)
        found["one"].append(run("worker", environment))
        found["bare"].append(run("bare", environment))
        found["two bare"].append(run("bare", environment, processes=2))
        queue(kind, count)
        found["two"].append(run("worker", environment, processes=2))
    due = {"two bare": 2 * count}  # each of them sends all
    if any(each.count != due.get(which, count) for which, runs in found.items() for each in runs):
        raise RuntimeError(f"Not all {count} mails were sent: {found}")
    return found


def rate(runs: list[Run]) -> float:
    return statistics.median(each.per_second for each in runs)


def cpu_ms(runs: list[Run]) -> str:
    """A mail: sender, PostgreSQL, mail server."""
    parts = [[run.cpu / run.count, run.database_cpu / run.count, run.server_cpu / run.count] for run in runs]
    return " + ".join(f"{statistics.median(part) * 1000:.2f}" for part in zip(*parts, strict=True))


MEASURED = [
    ("lean", "confirmation", 1),
    ("aiosmtpd", "confirmation", 1),
    ("aiosmtpd", "unknown_account", 1),
    ("2 ms away", "confirmation", 0.5),
    ("20 ms away", "confirmation", 0.05),
]


def rows(mails: int, times: int) -> Iterator[tuple[str, float, str, float, str]]:
    """Confirmations with their calendar file, and a short mail. Workers, database and sink share the cores."""
    seconds = queue("confirmation", 12_000)
    yield (
        "queueing 12,000",
        12_000 / seconds,
        "the 3 s that it may take",
        3 / seconds,
        f"one statement, {seconds:.2f} s",
    )
    for name, kind, share in MEASURED:
        with sink(name) as environment:
            found = rounds(kind, int(mails * share), environment, times)
        one, bare, two_bare, two = (rate(runs) for runs in found.values())
        memory = max(each.memory for each in found["one"])
        cpu = {which: f"CPU a mail {cpu_ms(runs)} ms" for which, runs in found.items()}
        yield (
            f"mail: {kind}",
            one,
            f"bare smtplib, {bare:,.0f}/s",
            one / bare,
            f"{name} sink; {cpu['one']}; {memory} MiB",
        )
        remark = f"{name} sink; a second bare loop adds {two_bare / bare - 1:.2f}; {cpu['two']}"
        yield "a second worker", two - one, "what the first sends", two / one - 1, remark
