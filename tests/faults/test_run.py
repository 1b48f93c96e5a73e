"""`make run`'s supervisor as a person meets it: it says Ready, mends its children, and leaves no process behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from kpt import embedded
from tests.servers import wait_until

pytestmark = pytest.mark.fault

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def port():
    port = embedded.free_port()
    yield port
    for entry in (ROOT / "var" / str(port)).glob("*"):
        if entry.is_symlink():
            embedded.forget(entry)
    shutil.rmtree(ROOT / "var" / str(port), ignore_errors=True)


def start(port):
    """The supervisor and what it said up to its last line."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {"PORT": str(port)}
    command = [sys.executable, "-m", "kpt.run"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, process_group=0)
    said = []
    for line in process.stdout:
        said.append(line.rstrip("\n"))
        if line.startswith("Ready: "):
            return process, said
    raise AssertionError("\n".join(said))


def family(process):
    return psutil.Process(process.pid).children(recursive=True)


def are_gone(children):
    return not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/agenda/", timeout=5) as page:
            return page.status == 200
    except OSError:
        return False


def test_it_says_ready_mends_its_children_and_leaves_nothing_behind(port):
    process, said = start(port)
    assert said[-1] == f"Ready: http://127.0.0.1:{port}/"
    assert [line for line in said if line.startswith("Demo organiser: ")] == [
        "Demo organiser: penyelenggara@example.org"
    ]
    partners = [match[1] for line in said if (match := re.fullmatch(r"Demo partner ([\w-]+): \S+@example\.org", line))]
    assert partners == ["bakti", "fpl", "komnas-perempuan", "mampu"]

    [web] = [child for child in psutil.Process(process.pid).children() if "gunicorn" in " ".join(child.cmdline())]
    web.kill()
    wait_until(lambda: not answers(port) or are_gone([web]), 10)
    wait_until(lambda: answers(port), 20)

    children = family(process)
    assert len(children) >= 7  # web, worker, beat, inbox, both servers, and the children of some
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=5)
    wait_until(lambda: are_gone(children), 15)

    process, said = start(port)
    children = family(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0
    wait_until(lambda: are_gone(children), 5)
