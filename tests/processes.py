"""The site's own programs as real processes, on the database of the test."""

import html
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
from django.db import connection

from kpt import embedded
from kpt.celery import app
from tests.servers import wait_until

ROOT = Path(__file__).resolve().parent.parent
# Of programs whose clock for ticks runs fast.
HASTY = {"DJANGO_SETTINGS_MODULE": "tests.faults.hasty"}


class Program:
    """A child in a process group of its own, so that a kill reaches its children too."""

    def __init__(self, log: Path, redis_url: str = "") -> None:
        self.log = log
        self.redis_url = redis_url or os.environ["REDIS_URL"]
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *command: str, environment: dict[str, str] | None = None) -> None:
        self.launch(*command, environment=environment)
        self.wait()

    def launch(self, *command: str, environment: dict[str, str] | None = None) -> None:
        self.log.unlink(missing_ok=True)
        own = {"DATABASE_URL": database_url(), "REDIS_URL": self.redis_url}
        words = [*embedded.as_user(None, signal.SIGTERM), sys.executable, *command]
        self.process = embedded.spawn(words, self.log, ROOT, os.environ | own | (environment or {}))

    def wait(self) -> None:
        wait_until(self.is_ready, 40, lambda: f"{type(self).__name__} did not start: {self.output()}")

    def is_ready(self) -> bool:
        raise NotImplementedError

    def is_alive(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"the process ended: {self.output()}")
        return True

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """SIGKILL to the program and its children, in the middle of whatever they do."""
        process, self.process = self.process, None
        if process and process.poll() is None:  # else its number may be somebody else's by now
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            embedded.end(self.process, signal.SIGTERM)
            self.process = None


class Worker(Program):
    def __init__(self, log: Path, redis_url: str = "") -> None:
        super().__init__(log, redis_url)
        self.killed: set[int] = set()

    def start(self, concurrency: int = 1, environment: dict[str, str] | None = None) -> "Worker":
        self.prepare(concurrency, environment)
        self.wait()
        return self

    def prepare(self, concurrency: int = 1, environment: dict[str, str] | None = None) -> None:
        """It starts while the test does something else; `wait` for it."""
        options = ["--queues=fast,mail,files", "--loglevel=INFO", "--without-gossip", "--without-mingle"]
        command = ["-m", "celery", "-A", "kpt", "worker", f"--concurrency={concurrency}", *options]
        self.launch(*command, environment=environment)

    def is_ready(self) -> bool:
        return self.is_alive() and " ready." in self.output()

    def find_child(self) -> int:
        """The process that does the work, once there is one: another takes the place of one that was killed."""
        wait_until(self.children, 20, lambda: f"no process works: {self.output()}")
        return self.children()[0]

    def children(self) -> list[int]:
        assert self.process
        children = psutil.Process(self.process.pid).children()
        return [child.pid for child in children if child.pid not in self.killed]

    def kill_child(self, pid: int) -> None:
        self.killed.add(pid)
        os.kill(pid, signal.SIGKILL)

    def tick(self, task: str) -> None:
        """What beat does at its minute: put the task in the queue."""
        with app.connection_for_write(self.redis_url) as broker:
            app.send_task(f"registration.tasks.{task}", connection=broker)


class Beat(Program):
    """The clock that calls the workers, in the haste of tests/faults/hasty.py."""

    def start(self) -> "Beat":
        self.prepare()
        self.wait()
        return self

    def prepare(self) -> None:
        schedule = self.log.with_suffix(".schedule")
        command = ["-m", "celery", "-A", "kpt", "beat", f"--schedule={schedule}", "--pidfile=", "--loglevel=INFO"]
        self.launch(*command, environment=HASTY)

    def is_ready(self) -> bool:
        return self.is_alive() and "beat: Starting" in self.output()

    @property
    def ticks(self) -> int:
        return self.output().count("Scheduler: Sending due task deliver-due-mail")


class Site(Program):
    """The web server as in production, with its Redis at `redis_url`."""

    port = 0

    def start(self) -> "Site":
        self.port = embedded.free_port()
        bind = ["--bind", f"127.0.0.1:{self.port}", "--workers", "2", "--no-control-socket"]
        self.run("-m", "gunicorn", "kpt.wsgi", *bind, environment={"ALLOWED_HOSTS": "127.0.0.1"})
        return self

    def is_ready(self) -> bool:
        try:
            return self.is_alive() and Visitor(self).get("/healthz/live")[0] == 200
        except OSError:
            return False


class Visitor:
    """A browser without JavaScript: keeps cookies, follows redirects, fills in the form that it last saw."""

    def __init__(self, site: Site) -> None:
        self.home = f"http://127.0.0.1:{site.port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.address = self.home
        self.page = ""

    def get(self, path: str) -> tuple[int, str]:
        return self.open(urllib.request.Request(f"{self.home}{path}"))

    def send(self, **fields: object) -> tuple[int, str]:
        """POST to the page's own address; the status, and the path that it led to."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page)
        data = urlencode(fields | {"csrfmiddlewaretoken": token[1] if token else ""}, doseq=True).encode()
        return self.open(urllib.request.Request(self.address, data, {"Referer": self.address}))

    def open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            answer = self.opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.page = html.unescape(answer.read().decode(errors="replace"))
            self.address = answer.url
            return answer.status, urlsplit(answer.url).path


def database_url() -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
