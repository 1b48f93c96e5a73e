"""Usage: python -m bench [--seconds 6] [--rounds 3] [--people 1000] [--visits 400] [--mails 6000]
    [--rows 100000]
    [--only pages sign-ups addresses mails exports million lists]

`million` and `lists` are not done unless they are asked for (`make bench-million`): each takes a few minutes and a few
gigabytes.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import commits as bare_commits
from bench import crowd, enumeration, exports, lists, load, mail, signup
from kpt import embedded

PRETIX_ORDERS = 2.3  # complete free orders a second on a machine of this kind (docs/performance.md)
PARTS = ["pages", "sign-ups", "addresses", "mails", "exports", "million", "lists"]
CLIENTS = 8
SEATS = 500


def main() -> None:
    options = arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kpt-bench-")))
        folder.chmod(0o755)
        site = stack.enter_context(project(folder, options.people))
        database = os.environ["DATABASE_URL"]
        if "pages" in options.only:
            pages(site, options)
        if "sign-ups" in options.only:
            sign_ups(site, database, options)
        if "addresses" in options.only:
            addresses(site, database, options)
        if "mails" in options.only:
            for line in mail.rows(options.mails, options.rounds):
                row(*line)
        if "exports" in options.only:
            for line in exports.rows(site, database, options.rows, options.rounds):
                row(*line)
        if {"million", "lists"} & set(options.only):
            large = stack.enter_context(project(folder / "large", options.people))
            past = grow((site, database), (large, os.environ["DATABASE_URL"]))
        if "million" in options.only:
            million((site, database), past, options)
        if "lists" in options.only:
            for line in lists.compare(database, past.database):
                say(line)


def pages(site: str, options: argparse.Namespace) -> None:
    size = len(urllib.request.urlopen(f"{site}/agenda/").read())  # nosec B310  # our own address
    with gunicorn("bench.floor:application", {"FLOOR_BYTES": str(size)}, "/") as floor:
        say(f"Load: {load.generator()}, 4 clients, {options.rounds} interleaved rounds of {options.seconds:g} s.")
        for name, path in [("home", "/"), ("agenda", "/agenda/"), ("agenda in English", "/en/agenda/")]:
            compare(name, f"{site}{path}", floor, size, options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--mails", type=int, default=6000)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=400)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:5])
    return parser.parse_args()


@contextmanager
def project(folder: Path, people: int) -> Iterator[str]:
    """The site as in production, on servers of its own, with the KPT 2020 rehearsal; its address."""
    folder.mkdir(mode=0o755, exist_ok=True)
    database, cache = embedded.Postgres(folder / "postgres"), embedded.Valkey(folder / "valkey")
    try:
        for server in (database, cache):
            server.start()
        os.environ.update(
            DATABASE_URL=database.url,
            REDIS_URL=cache.url,
            EMAIL_URL="smtp://127.0.0.1:25",
            SITE_URL="http://127.0.0.1",
            ALLOWED_HOSTS="127.0.0.1",
            SECRET_KEY="bench",
            SIGNUPS_PER_HOUR_PER_NETWORK="0",
            STATIC_ROOT=str(folder / "static"),
        )
        for command in ("migrate -v0", "collectstatic -v0 --no-input", "load_edition kpt2020 --rehearsal"):
            manage(*command.split())
        manage("seed_participants", str(people))
        with gunicorn("kpt.wsgi:application", {}, "/healthz/live") as site:
            yield site
    finally:
        for server in (cache, database):
            server.stop()


def manage(*words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def gunicorn(application: str, environment: dict[str, str], path: str) -> Iterator[str]:
    port = embedded.free_port()
    # The load of a day in a minute: no worker is replaced.
    options = ["--config=deploy/gunicorn.py", f"--bind=127.0.0.1:{port}", "--workers=2", "--max-requests=0"]
    command = [sys.executable, "-m", "gunicorn", application, *options]
    process = subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL)
    site = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{site}{path}")
        yield site
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str) -> None:
    for _try in range(200):
        try:
            urllib.request.urlopen(url).close()  # nosec B310  # our own address
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer.")


def compare(name: str, url: str, floor: str, size: int, options: argparse.Namespace) -> None:
    ours, constants = [], []
    for _round in range(options.rounds):
        ours.append(load.get(url, seconds=options.seconds))
        constants.append(load.get(f"{floor}/", seconds=options.seconds))
    rate, constant = (statistics.median(r.per_second for r in rates) for rates in (ours, constants))
    times = f"p50 {statistics.median(r.p50_ms for r in ours):.1f} ms, p99 {statistics.median(r.p99_ms for r in ours):.1f} ms"
    row(name, rate, f"constant page of {size:,} bytes, {constant:,.0f}/s", rate / constant, times)


def sign_ups(site: str, database: str, options: argparse.Namespace) -> None:
    """One limited webinar that fills on the way, so that seats and the waiting list both count; bare commits in turn."""
    rounds, commits = [], []
    with limited_webinar(database, SEATS) as slug:
        for number in range(options.rounds):
            rounds.append(complete_ones(site, database, slug, f"beban{number}x", options))
            commits.append(bare_commits.per_second(database, seconds=2, clients=CLIENTS))
    rate, floor = statistics.median(load.rate(times, options.seconds) for times in rounds), statistics.median(commits)
    spent = load.summary([time for times in rounds for time in times], options.seconds * options.rounds)
    times = f"p50 {spent.p50_ms:.0f} ms, p99 {spent.p99_ms:.0f} ms, {CLIENTS} clients, none over capacity"
    row("complete sign-up", rate, f"pretix's free order, {PRETIX_ORDERS}/s", rate / PRETIX_ORDERS, times)
    row("the same", rate, "pretix's published 500 orders a minute", rate * 60 / 500, f"{rate * 60:,.0f} a minute")
    row("bare commits", floor, "complete sign-up", floor / rate, "one small row each, over as many connections")


@dataclass(frozen=True)
class Past:
    """A site with very many registrations, and the slug of a webinar without a limit, there and beside a small past."""

    site: str
    database: str
    registrations: int
    slug: str


def grow(small: tuple[str, str], large: tuple[str, str]) -> Past:
    with limited_webinar(small[1], None) as slug, limited_webinar(large[1], None):
        for site, database_url in (small, large):
            with psycopg.connect(database_url, autocommit=True) as database:
                signup.complete(port_of(site), database, slug, crowd.MODEL)
    return Past(*large, crowd.write(large[1], 1_000_000), slug)


def million(small: tuple[str, str], past: Past, options: argparse.Namespace) -> None:
    """The same sign-ups beside a small and a very large past, in turn."""
    large = (past.site, past.database)
    few, many = [], []
    for number in range(options.rounds):
        few.append(len(complete_ones(*small, past.slug, f"sedikit{number}x", options)))
        many.append(len(complete_ones(*large, past.slug, f"banyak{number}x", options)))
    before, after = statistics.median(few) / options.seconds, statistics.median(many) / options.seconds
    against = f"the same beside {options.people:,} people, {before:.1f}/s"
    row("complete sign-up", after, against, after / before, f"beside {past.registrations:,} registrations")


def complete_ones(site: str, database: str, slug: str, prefix: str, options: argparse.Namespace) -> list[float]:
    return signup.run(port_of(site), database, slug, seconds=options.seconds, clients=CLIENTS, prefix=prefix)


@contextmanager
def limited_webinar(database_url: str, seats: int | None) -> Iterator[str]:
    """The first webinar's slug, with so many seats left; afterwards its seats are counted."""
    with psycopg.connect(database_url, autocommit=True) as database:
        query = "SELECT id, slug FROM conference_webinar WHERE status = 'published' ORDER BY number LIMIT 1"
        [pk, slug] = database.execute(query).fetchone()  # type: ignore[misc]
        taken = "coalesce((SELECT taken FROM registration_seatcount WHERE webinar_id = %(pk)s), 0)"
        capacity = f"UPDATE conference_webinar SET capacity = {taken} + %(seats)s WHERE id = %(pk)s"  # nosec B608
        database.execute(capacity, {"pk": pk, "seats": seats})
        yield slug
        query = "SELECT count(*) FROM registration_registration WHERE webinar_id = %s AND status IN ('PENDING', 'CONFIRMED')"
        [seated] = database.execute(query, [pk]).fetchone()  # type: ignore[misc]
        [capacity] = database.execute("SELECT capacity FROM conference_webinar WHERE id = %s", [pk]).fetchone()  # type: ignore[misc]
    if capacity is not None and seated > capacity:
        raise RuntimeError(f"{seated - capacity} seats too many were given away.")


def port_of(site: str) -> int:
    return int(site.rpartition(":")[2])


def addresses(site: str, database: str, options: argparse.Namespace) -> None:
    """Whether the time of the form's answer tells if an address is known."""
    with limited_webinar(database, None) as slug:
        times = enumeration.measure(port_of(site), database, slug, visits=options.visits)
    for kind, taken in times.items():
        say(f"form with an address that is {kind}: median {statistics.median(taken) * 1000:.2f} ms")
    for kind in enumeration.KINDS[1:]:
        found = enumeration.compare(times[kind], times[enumeration.KINDS[0]])
        say(f"{kind} or unknown: {found}: {'within noise' if found.is_noise else 'CAN BE TOLD APART'}")


def row(name: str, rate: float, against: str, ratio: float, remark: str) -> None:
    say(f"{name:20} {rate:9,.1f}/s   {ratio:6.2f} x {against}   ({remark})")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
