"""Everything that `make test` runs, one step after the other; all of them run even when one fails."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree  # nosec B405

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
FOLDERS = [name for name in ("kpt", "conference", "registration", "bench") if (ROOT / name).is_dir()]
# Enough for the settings to load; nothing here is connected to.
SETTINGS = {
    "DEBUG": "on",
    "DATABASE_URL": "postgres://unused@127.0.0.1:1/unused",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
COMPOSE = {
    "SITE_URL": "https://kpt.example.org",
    "SITE_HOST": "kpt.example.org",
    "SECRET_KEY": "unused",
    "POSTGRES_PASSWORD": "unused",
}
PROCESSES = str(min(os.cpu_count() or 1, 4))


@dataclass
class Outcome:
    """What a step says of itself."""

    passed: int = 0
    failed: int = 0
    complaint: str = ""
    not_run: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.failed and not self.not_run


@dataclass
class Step:
    name: str
    run: Callable[[], Outcome]


# ---- Kinds of steps


def tool(name: str, *command: str, needs: tuple[str, ...] = (), environment: dict[str, str] | None = None) -> Step:
    """A program of the virtual environment that is quiet unless something is wrong."""

    def run() -> Outcome:
        missing = [path for path in needs if not (ROOT / path).exists()]
        if missing or not (TOOLS / command[0]).exists():
            return Outcome(not_run=[f"{name}: there is no {(missing or command)[0]}"])
        done = subprocess.run(
            [str(TOOLS / command[0]), *command[1:]],
            cwd=ROOT,
            env=clean_environment() | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Outcome(failed=1, complaint=done.stdout) if done.returncode else Outcome(passed=1)

    return Step(name, run)


def tests(name: str, marks: str, *options: str) -> Step:
    """A part of the suite, which speaks for itself while it runs."""

    def run() -> Outcome:
        with tempfile.TemporaryDirectory(prefix="kpt-check-") as folder:
            report = Path(folder) / "report.xml"
            command = [sys.executable, "-m", "pytest", "-q", "-m", marks, f"--junitxml={report}", *options]
            code = subprocess.run(command, cwd=ROOT, env=clean_environment()).returncode
            return read_report(name, report, code)

    return Step(name, run)


def read_report(name: str, report: Path, code: int) -> Outcome:
    if not report.exists():
        return Outcome(failed=1, complaint=f"pytest ended with {code} and no report.")
    suite = ElementTree.parse(report).getroot().find("testsuite")  # nosec B314
    count = (
        {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
        if suite is not None
        else {}
    )
    failed = count.get("failures", 0) + count.get("errors", 0)
    skipped = count.get("skipped", 0)
    outcome = Outcome(passed=count.get("tests", 0) - failed - skipped, failed=failed)
    if skipped:
        outcome.not_run.append(f"{name}: {skipped} tests were skipped")
    if not count.get("tests"):
        outcome.not_run.append(f"{name}: pytest found no test")
    if code and outcome.is_good:
        outcome.failed, outcome.complaint = 1, f"pytest ended with {code}."
    return outcome


def browser_tests(name: str) -> Step:
    def run() -> Outcome:
        found = subprocess.run(
            [sys.executable, "-m", "tests.browser"],
            cwd=ROOT,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        if found.returncode:
            return Outcome(not_run=[f"{name}: no browser"])
        print(f"Browser: {found.stdout.strip()}", flush=True)
        return tests(name, "browser").run()

    return Step(name, run)


def clean_environment() -> dict[str, str]:
    """Ours with the tools of the virtual environment first, and settings that need no server."""
    path = os.pathsep.join([str(TOOLS), os.environ.get("PATH", os.defpath)])
    return os.environ | {"PATH": path, "PYTHONUNBUFFERED": "1"} | SETTINGS


# ---- The list


STEPS = [
    tool("ruff check", "ruff", "check", "--quiet", "."),
    tool("ruff format", "ruff", "format", "--check", "--quiet", "."),
    tool("djlint format", "djlint", "--check", "templates", needs=("templates",)),
    tool("djlint rules", "djlint", "--lint", "templates", needs=("templates",)),
    tool("import contracts", "lint-imports", "--no-logo"),
    tool("types", "mypy", "--no-error-summary"),
    tool(
        "bandit",
        "bandit",
        "--quiet",
        "--severity-level",
        "medium",
        "--configfile",
        "pyproject.toml",
        "--recursive",
        *FOLDERS,
    ),
    tool("hadolint", "hadolint", "Dockerfile", needs=("Dockerfile",)),
    tool(
        "compose file",
        "docker-compose",
        "--file",
        "compose.yaml",
        "config",
        "--quiet",
        needs=("compose.yaml",),
        environment=COMPOSE,
    ),
    tool(
        "compose schema",
        "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "compose.yaml",
        needs=("compose.yaml",),
    ),
    tests("unit and database tests", "not browser and not fault", "--numprocesses", PROCESSES),
    tests("queue, mail and fault tests", "fault", "--numprocesses", PROCESSES),
    browser_tests("browser tests"),
]


def main() -> int:
    done = []
    for step in STEPS:
        begun = time.monotonic()
        print(f"\n==> {step.name}", flush=True)
        outcome = step.run()
        if outcome.complaint:
            print(outcome.complaint.rstrip())
        done.append((step, outcome, time.monotonic() - begun))
    return conclude(done)


def conclude(done: list[tuple[Step, Outcome, float]]) -> int:
    print(f"\n==> in all {sum(seconds for _, _, seconds in done):.0f} s")
    for step, outcome, seconds in done:
        word = "ok" if outcome.is_good else "FAILED" if outcome.failed else "NOT RUN"
        print(f"{word:8}{seconds:6.1f} s  {step.name}")
    for sentence in [sentence for _, outcome, _ in done for sentence in outcome.not_run]:
        print(f"Could not run: {sentence}")
    passed = sum(outcome.passed for _, outcome, _ in done)
    failed = sum(outcome.failed for _, outcome, _ in done)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if all(outcome.is_good for _, outcome, _ in done) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
