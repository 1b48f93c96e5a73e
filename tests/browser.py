"""Find a Chromium for the browser tests, or bring one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # No test depends on a foreign host: whatever asks for one fails at once.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
OF_THE_SYSTEM = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
PACKAGES = ["chromium-headless-shell", "chromium"]
ADVICE = (
    "No Chromium for the browser tests. Set KPT_BROWSER to the path of one, install the package chromium, "
    "or run: playwright install chromium"
)


class NoBrowser(Exception):
    """A sentence that says how to get one."""


def find(playwright: Playwright) -> str | None:
    if path := os.environ.get("KPT_BROWSER"):
        if not os.access(path, os.X_OK):
            raise NoBrowser(f"KPT_BROWSER names {path}, which is no program.")
        return path
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.executable_path
    return next(filter(None, map(shutil.which, OF_THE_SYSTEM)), None)


def bring(playwright: Playwright) -> str:
    """Install one by the way that fits this machine."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet("apt-get", "update")
        for package in PACKAGES:
            if quiet("apt-get", "install", "-y", "--no-install-recommends", package):
                break
    else:
        quiet(sys.executable, "-m", "playwright", "install", "chromium")
    if path := find(playwright):
        return path
    raise NoBrowser(ADVICE)


def quiet(*command: str) -> bool:
    print("Browser:", *command, file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(*(done.stderr or done.stdout).strip().splitlines()[-1:], file=sys.stderr)
    return done.returncode == 0


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = find(playwright) or bring(playwright)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


if __name__ == "__main__":
    with sync_playwright() as of_playwright:
        try:
            print(find(of_playwright) or bring(of_playwright))
        except NoBrowser as error:
            sys.exit(str(error))
