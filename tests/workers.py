"""A Celery worker as a process of its own, on the database of the test."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from kpt import embedded
from kpt.celery import app
from tests.servers import wait_until

ROOT = Path(__file__).resolve().parent.parent


class Worker:
    def __init__(self, log: Path) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.log = log

    def start(self, *options: str, concurrency: int = 1, environment: dict[str, str] | None = None) -> "Worker":
        command = [sys.executable, "-m", "celery", "-A", "kpt", "worker", "--queues=fast,mail", "--loglevel=INFO"]
        options = (f"--concurrency={concurrency}", "--without-gossip", "--without-mingle", *options)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*embedded.as_user(None, signal.SIGTERM), *command, *options],
                cwd=ROOT,
                env=os.environ | {"DATABASE_URL": database_url()} | (environment or {}),
                stdout=log,
                stderr=subprocess.STDOUT,
                # Its own group, so that a kill reaches its children too.
                start_new_session=True,
            )
        wait_until(self.is_ready, 30, lambda: f"the worker did not start: {self.output()}")
        return self

    def is_ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"the worker ended: {self.output()}")
        return " ready." in self.output()

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """SIGKILL to the worker and its children, in the middle of whatever they do."""
        self.end(signal.SIGKILL)

    def stop(self) -> None:
        self.end(signal.SIGTERM)

    def end(self, with_signal: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        # Asked to end, a worker lets its children finish; a kill takes them all.
        (os.killpg if with_signal == signal.SIGKILL else os.kill)(process.pid, with_signal)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def tick(self, task: str) -> None:
        """What beat does at its minute: put the task in the queue."""
        app.send_task(f"registration.tasks.{task}")


def database_url() -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
