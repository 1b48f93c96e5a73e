"""The supervisor behind `make run`: the whole site as children of one process, with its data in var/<port>/."""

import fcntl
import hashlib
import io
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import django
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections, transaction

from kpt import embedded

ROOT = Path(__file__).resolve().parent.parent
CURRENT_EDITION = "kpt2020.yaml"
READY_WITHIN = 60  # seconds from the start of the web server
GRACE = 4  # seconds for requests and tasks to finish; what is cut off then is done again or lost with its page
SETTLED = 10  # a child that lived this many seconds is started again at once
LONGEST_DELAY = 30


class Problem(Exception):
    """A sentence for the person at the console; the command ends with 1."""


class Stop(BaseException):
    """SIGINT, SIGTERM or SIGHUP, wherever we are."""


class Program:
    """A child of ours with the face of an embedded server."""

    def __init__(self, name: str, log: Path, *command: str) -> None:
        self.name = self.title = name
        self.log = log
        self.command = [*embedded.as_user(None, signal.SIGTERM), sys.executable, *command]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.end_group()
        self.process = embedded.spawn(self.command, self.log, ROOT, dict(os.environ))

    def stop(self) -> None:
        if self.process:
            embedded.end(self.process, signal.SIGTERM, GRACE)
            self.end_group()

    def end_group(self) -> None:
        """End what a dead child left behind: its workers would keep the port, or work on beside the next ones."""
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class Watched:
    child: embedded.Server | Program
    started: float = 0
    delay: float = 0
    due: float | None = None

    def start(self) -> None:
        self.started = time.monotonic()
        self.due = None
        self.child.start()

    def tend(self) -> None:
        """Start a dead child again: at once, or later and later when it dies at once every time."""
        process = self.child.process
        code = process.poll() if process else None
        if process and code is None:
            return
        now = time.monotonic()
        if self.due is None:
            self.delay = 0 if now - self.started > SETTLED else min(LONGEST_DELAY, max(1, self.delay * 2))
            self.due = now + self.delay
            say(f"{self.child.title} ended (exit code {code}) and is started again. Its log: {shown(self.child.log)}")
        if now >= self.due:
            try:
                self.start()
            except embedded.ServerError as error:
                say(str(error))


Guard = Callable[[list[Watched]], None]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def given(name: str) -> bool:
    """Whether the person who runs us set the variable, or the file that holds it."""
    return any(os.environ.get(key, "").strip() for key in (name, f"{name}_FILE"))


def default(name: str, value: str) -> None:
    if not given(name):
        os.environ[name] = value


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, raise_stop)
    follow_make()
    try:
        run()
    except (Problem, embedded.ServerError, ImproperlyConfigured, CommandError, DatabaseError) as error:
        say(str(error).strip())
        return 1
    except PermissionError as error:
        say(f"{error.filename} belongs to another user: run as that user, or let that user `make clean`.")
        return 1
    except Stop:
        pass
    return 0


def run() -> None:
    port = chosen_port()
    folder = ROOT / "var" / str(port)
    for name in ("log", "media", "static", "inbox"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    watched: list[Watched] = []
    with only_run(folder, port), guardian() as guard:
        say(f"Data is kept in {shown(folder)}/, logs in {shown(folder / 'log')}/.")
        try:
            start(watched, folder, port, guard)
            while True:
                time.sleep(0.2)
                tend(watched, guard)
        finally:
            stop(watched)


def start(watched: list[Watched], folder: Path, port: int, guard: Guard) -> None:
    add_servers(watched, folder)
    guard(watched)
    set_environment(folder, port)
    demo_lines = prepare(folder)
    add_programs(watched, folder, port)
    wait_until_ready(watched, port, folder / "log" / "web.log", guard)
    announce(port, demo_lines)


def raise_stop(number: int, frame: FrameType | None) -> None:
    ignore_signals()
    raise Stop


def ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def stop(watched: list[Watched]) -> None:
    ignore_signals()
    if watched:
        say("Stopping.")
    for each in reversed(watched):
        each.child.stop()


def tend(watched: list[Watched], guard: Guard) -> None:
    for each in watched:
        each.tend()
    guard(watched)


@contextmanager
def guardian() -> Iterator[Guard]:
    """A process that ends our children should we be killed; `guard(watched)` tells it who they are."""
    command = [sys.executable, str(ROOT / "kpt" / "guardian.py")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
    told = ""

    def guard(watched: list[Watched]) -> None:
        nonlocal told
        groups = " ".join(str(each.child.process.pid) for each in watched if each.child.process)
        if groups != told:
            told = groups
            write(groups)

    def write(groups: str) -> None:
        # A guardian that somebody has ended is missed only if we are killed too.
        with suppress(BrokenPipeError):
            print(groups, file=process.stdin, flush=True)

    try:
        yield guard
    finally:
        write("")
        with suppress(BrokenPipeError):
            process.communicate()


def follow_make() -> None:
    """Stop when the make above us is told to stop: it passes SIGTERM on, but not a SIGINT for it alone."""
    parent = os.getppid()
    if process_status(parent).get("Name") in {"make", "gmake"}:
        catches = catches_interrupt(parent)
        threading.Thread(target=follow, args=(parent, catches), daemon=True).start()


def follow(parent: int, catches: bool) -> None:
    # On SIGINT make drops its handler and waits for us: that is all there is to see from here.
    while os.getppid() == parent and catches_interrupt(parent) == catches:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)


def catches_interrupt(pid: int) -> bool:
    return bool(int(process_status(pid).get("SigCgt", "0"), 16) >> (signal.SIGINT - 1) & 1)


def process_status(pid: int) -> dict[str, str]:
    lines = embedded.read_lines(Path(f"/proc/{pid}/status"))
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def chosen_port() -> int:
    text = os.environ.get("PORT", "").strip() or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Problem(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


@contextmanager
def only_run(folder: Path, port: int) -> Iterator[None]:
    """Keep a second run away from our port and data; after a run that was killed wait for its last processes."""
    with (folder / "running").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Problem(f"Another `make run` uses port {port}: stop it, or {another(port)}.") from None
        lock.seek(0)
        wait_for_port(port, embedded.PATIENCE if lock.read() else 0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def wait_for_port(port: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while (error := bind_error(port)) is not None:
        if time.monotonic() >= deadline:
            raise Problem(f"Port {port} cannot be used ({error}): free it, or {another(port)}.")
        time.sleep(0.1)


def bind_error(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return None


def another(port: int) -> str:
    return f"choose another port: PORT={port + 1 if port < 65535 else 8000} make run"


def add_servers(watched: list[Watched], folder: Path) -> None:
    """PostgreSQL and Valkey, unless the person who runs us brings their own."""
    kinds: list[tuple[str, type[embedded.Server]]] = [
        ("DATABASE_URL", embedded.Postgres),
        ("REDIS_URL", embedded.Valkey),
    ]
    for variable, kind in kinds:
        if not given(variable):
            server = kind(folder / kind.name, log=folder / "log" / f"{kind.name}.log")
            watched.append(Watched(server))
            watched[-1].start()
            os.environ[variable] = server.url


def set_environment(folder: Path, port: int) -> None:
    default("SITE_URL", f"http://127.0.0.1:{port}")
    default("ALLOWED_HOSTS", f"127.0.0.1,localhost,[::1],{urlsplit(os.environ.get('SITE_URL', '')).hostname or ''}")
    default("SECRET_KEY", kept_secret(folder / "secret_key"))
    default("MEDIA_ROOT", str(folder / "media"))
    default("STATIC_ROOT", str(folder / "static"))
    default("DEMO", "on")
    default("DJANGO_SETTINGS_MODULE", "kpt.settings")
    if not given("EMAIL_URL"):
        os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{embedded.free_port()}"
        os.environ["INBOX_DIR"] = str(folder / "inbox")


def kept_secret(file: Path) -> str:
    if not file.exists() or not file.read_text():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(50))
    return file.read_text()


def prepare(folder: Path) -> list[str]:
    """Migrate, load the content, collect the static files; the demo sign-ins, one a line."""
    django.setup()
    collect_static(folder / "static.json")
    call_command("migrate", verbosity=0, interactive=False)
    load_editions()
    output = io.StringIO()
    call_command("seed_demo", stdout=output)
    connections.close_all()
    return [line for line in output.getvalue().splitlines() if line.startswith("Demo ")]


def load_editions() -> None:
    starts = os.environ.get("REHEARSAL_STARTS", "").strip() or None
    editions = ROOT / "conference" / "editions"
    first = not apps.get_model("conference", "Edition").objects.exists()
    # All or none: a start that is interrupted here leaves a first start to the next.
    with transaction.atomic():
        if first:
            for file in sorted(editions.glob("*.yaml")):
                if file.name != CURRENT_EDITION:
                    call_command("load_edition", str(file), stdout=io.StringIO())
        if first or starts:
            current = str(editions / CURRENT_EDITION)
            call_command("load_edition", current, rehearsal=True, starts=starts, stdout=io.StringIO())


def collect_static(record: Path) -> None:
    """Collect when a file, or the way to store them, differs from what `record` says: it takes seconds."""
    state = [str(settings.STORAGES["staticfiles"]), str(settings.STATIC_ROOT)]
    for finder in get_finders():
        for path, storage in finder.list([]):
            file = os.stat(storage.path(path))
            state.append(f"{path} {file.st_size} {file.st_mtime_ns}")
    now = hashlib.sha256(json.dumps(state).encode()).hexdigest()
    if not record.exists() or record.read_text() != now:
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        record.write_text(now)


def add_programs(watched: list[Watched], folder: Path, port: int) -> None:
    """Started in this order and stopped in the opposite one."""
    logs = folder / "log"
    programs = []
    if inbox := os.environ.get("INBOX_DIR"):
        smtp_port = str(urlsplit(os.environ["EMAIL_URL"]).port)
        programs.append(Program("inbox", logs / "inbox.log", "-m", "kpt.inbox", "--dir", inbox, "--port", smtp_port))
    celery = ("-m", "celery", "-A", "kpt", "--quiet")
    worker = (
        "worker",
        "-Q",
        "fast,mail,files,celery",
        "-c",
        "2",
        "--without-mingle",
        "--without-gossip",
        "-l",
        "warning",
    )
    beat = ("beat", "-s", str(folder / "celerybeat-schedule"), "--pidfile=", "-l", "warning")
    programs.append(Program("worker", logs / "worker.log", *celery, *worker))
    programs.append(Program("beat", logs / "beat.log", *celery, *beat))
    programs.append(Program("web", logs / "web.log", *web_command(port)))
    for program in programs:
        watched.append(Watched(program))
        watched[-1].start()


def web_command(port: int) -> list[str]:
    command = ["-m", "gunicorn", "kpt.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "4", "--worker-class", "gthread", "--graceful-timeout", str(GRACE - 1)]
    # Its control socket has one place for all runs of a user.
    command += ["--no-control-socket", "--log-level", "warning"]
    if settings.DEBUG:
        command.append("--reload")
        for template in sorted((ROOT / "templates").rglob("*.*")):
            command += ["--reload-extra-file", str(template)]
    return command


def wait_until_ready(watched: list[Watched], port: int, log: Path, guard: Guard) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while (answer := readiness(port)) != "200":
        if time.monotonic() > deadline:
            raise Problem(f"The site was not ready within {READY_WITHIN} seconds ({answer}). Its log: {shown(log)}")
        time.sleep(0.1)
        tend(watched, guard)


def readiness(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz/ready", timeout=5) as response:  # nosec B310
            return str(response.status)
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read(200).decode(errors='replace')}"
    except OSError as error:
        return str(error)


def announce(port: int, demo_lines: list[str]) -> None:
    site = f"http://127.0.0.1:{port}"
    say(f"Site: {site}/ and {site}/en/")
    say(f"Admin: {site}/admin/")
    if os.environ.get("INBOX_DIR"):
        say(f"Inbox, where every mail of the site arrives: {site}/kotak-masuk/")
    for line in demo_lines:
        say(line)
    say(f"Ready: {site}/")


if __name__ == "__main__":
    sys.exit(main())
