"""Usage: python -m bench [--seconds 6] [--rounds 3] [--registrations 1000]"""

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
from pathlib import Path

import psycopg

from bench import load, signup
from kpt import embedded

PRETIX_ORDERS_PER_SECOND = 2.3  # a complete free order on a machine of this kind (docs/performance.md)


def main() -> None:
    options = arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kpt-bench-")))
        folder.chmod(0o755)
        site = stack.enter_context(project(folder, options.registrations))
        size = len(urllib.request.urlopen(f"{site}/agenda/").read())  # nosec B310  # our own address
        floor = stack.enter_context(gunicorn("bench.floor:application", {"FLOOR_BYTES": str(size)}, "/"))
        say(f"Load: {load.generator()}, 4 clients, {options.rounds} interleaved rounds of {options.seconds:g} s.")
        pages = [("home", "/"), ("agenda", "/agenda/"), ("agenda in English", "/en/agenda/")]
        for name, path in pages:
            compare(name, f"{site}{path}", floor, size, options)
        sign_ups(int(site.rpartition(":")[2]), options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--registrations", type=int, default=1000)
    return parser.parse_args()


@contextmanager
def project(folder: Path, registrations: int) -> Iterator[str]:
    """The site as in production, on servers of its own, with the KPT 2020 rehearsal; its address."""
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
        manage("seed_participants", str(registrations))
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
    command = [sys.executable, "-m", "gunicorn", application, "-w2", f"-b127.0.0.1:{port}", "--log-level=error"]
    process = subprocess.Popen(command, env=os.environ | environment)
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


def sign_ups(port: int, options: argparse.Namespace) -> None:
    """One limited webinar that fills half-way through, so that seats and the waiting list both count."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        query = "SELECT id, slug FROM conference_webinar WHERE status = 'published' ORDER BY number LIMIT 1"
        [pk, slug] = database.execute(query).fetchone()  # type: ignore[misc]
        taken = "(SELECT taken FROM registration_seatcount WHERE webinar_id = %s)"
        database.execute(f"UPDATE conference_webinar SET capacity = {taken} + 150 WHERE id = %s", [pk, pk])  # nosec B608  # a number
        rate = signup.run(
            port, os.environ["DATABASE_URL"], slug, seconds=options.seconds * 2, clients=8, prefix="beban"
        )
        query = "SELECT taken - capacity FROM registration_seatcount JOIN conference_webinar ON id = webinar_id WHERE id = %s"
        [over] = database.execute(query, [pk]).fetchone()  # type: ignore[misc]
    if over > 0:
        raise RuntimeError(f"{over} seats too many were given away.")
    times = f"p50 {rate.p50_ms:.0f} ms, p99 {rate.p99_ms:.0f} ms, 8 clients, {options.registrations:,} participants"
    against = f"pretix's free order, {PRETIX_ORDERS_PER_SECOND}/s"
    row("complete sign-up", rate.per_second, against, rate.per_second / PRETIX_ORDERS_PER_SECOND, times)


def row(name: str, rate: float, against: str, ratio: float, remark: str) -> None:
    say(f"{name:20} {rate:9,.1f}/s   {ratio:6.2f} x {against}   ({remark})")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
