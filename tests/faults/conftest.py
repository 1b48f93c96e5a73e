"""Rounds of the faults that depend on chance, and what they counted."""

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from kpt import embedded
from tests.faults.ledger import Ledger
from tests.processes import Beat, Site, Worker, database_url
from tests.servers import MailServer, numbered

# `make faults` plays more rounds, each with dice of its own.
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "dice" in metafunc.fixturenames and not hasattr(metafunc.module, "dice"):
        metafunc.parametrize("dice", range(ROUNDS), indirect=True, ids=lambda number: f"round {number + 1}")


@pytest.fixture
def dice(request) -> random.Random:
    return random.Random(f"{os.environ['FAULT_SEED']}:{request.param}")


@pytest.fixture
def ledger(request, mailbox: MailServer, dice: random.Random) -> Iterator[Ledger]:
    """The account of one test: `queue(n)`, `let_the_lease_pass()`, `check()`; its counts stand at the end of the run."""
    ledger = Ledger(mailbox, dice)
    yield ledger
    for words in ledger.counts:
        request.node.user_properties.append(("mails", words))


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path) -> Iterator[list[Worker]]:
    """Two workers on the broker of all tests, not started yet."""
    yield from killed_at_the_end([Worker(tmp_path / f"worker-{number}.log") for number in range(2)])


@pytest.fixture
def lone_workers(transactional_db: None, broker: embedded.Valkey, tmp_path: Path) -> Iterator[list[Worker]]:
    """Six workers that hear of no tick but their own, not started yet."""
    places = [(tmp_path / f"worker-{number}.log", numbered(broker.url, number)) for number in range(6)]
    yield from killed_at_the_end([Worker(*place) for place in places])


@pytest.fixture
def beats(transactional_db: None, tmp_path: Path) -> Iterator[list[Beat]]:
    """Two beats on the broker of all tests, not started yet."""
    yield from killed_at_the_end([Beat(tmp_path / f"beat-{number}.log") for number in range(2)])


@pytest.fixture
def site_beat(site: Site, tmp_path: Path) -> Iterator[Beat]:
    """A beat beside `site`, not started yet."""
    beat = Beat(tmp_path / "site-beat.log", site.redis_url)
    yield beat
    beat.kill()


@pytest.fixture
def database(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[embedded.Postgres]:
    """A PostgreSQL of the test's own, to be stopped and started, with what the tests' own holds by now. It keeps its word:
    what it has committed is on the disk. Ask for it before `site`."""
    server = embedded.Postgres()
    server.throwaway = False  # a stop is not the end of it
    server.start()
    theirs = dict(connection.settings_dict)
    copy_into(server)
    connection.close()
    monkeypatch.setenv("DATABASE_URL", server.url)
    connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": server.port, "NAME": "kpt", "USER": "kpt", "PASSWORD": ""}
    yield server
    connection.close()
    connection.settings_dict |= theirs
    server.throwaway = True
    server.stop()


def copy_into(server: embedded.Postgres) -> None:
    dump = [server.binary("pginstall/bin/pg_dump"), "--no-owner", database_url()]
    load = [server.binary("pginstall/bin/psql"), "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1", server.url]
    words = subprocess.run(dump, check=True, capture_output=True, env=embedded.server_environment()).stdout
    subprocess.run(load, check=True, capture_output=True, env=embedded.server_environment(), input=words)


def killed_at_the_end(programs: list[Any]) -> Iterator[list[Any]]:
    yield programs
    for program in programs:
        program.kill()
