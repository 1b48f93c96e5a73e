"""How soon a page shows on a slow line, and what Lighthouse says of it: `make first-paint`, `make lighthouse`."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.__main__ import project, say
from tests import browser as chromium

PAGES = {"home": "/", "agenda": "/agenda/", "webinar": "/webinar/akhiri-kekerasan/"}
SLOW_LINE = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}  # bytes a second
SOON = 1500  # milliseconds
RUNS = 3
LEAST = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
LIGHTHOUSE = "node_modules/lighthouse/cli/index.js"
FLAGS = ["--headless", *(one for one in chromium.ARGUMENTS if "host-resolver" not in one)]


def first_paint(site: str) -> bool:
    """At 400 kbit/s and 400 ms there and back, on a phone that was never here before."""
    with chromium.launched() as browser:
        pages = PAGES | {"sign-up": "/daftar/", "agenda in English": "/en/agenda/"}
        paints = {
            name: statistics.median(paint(browser, site + path) for _ in range(RUNS)) for name, path in pages.items()
        }
    for name, milliseconds in paints.items():
        say(f"{name}: first contentful paint after {milliseconds:,.0f} ms")
    return max(paints.values()) <= SOON


def paint(browser: Browser, url: str) -> float:
    context = browser.new_context(viewport={"width": 360, "height": 640}, device_scale_factor=2)
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW_LINE)
    page.goto(url, wait_until="load")
    milliseconds = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    context.close()
    return float(milliseconds)


def lighthouse(site: str) -> bool:
    """As Lighthouse's phone sees it; the median of three runs, for performance wobbles with the machine."""
    with sync_playwright() as playwright:
        program = chromium.find(playwright) or chromium.bring(playwright)
    good = True
    for name, path in PAGES.items():
        runs = [scores(program, site + path) for _ in range(RUNS)]
        marks = {category: statistics.median(run[category] for run in runs) for category in LEAST}
        say(f"{name}: " + ", ".join(f"{category} {mark:.0f}" for category, mark in marks.items()))
        good = good and all(marks[category] >= least for category, least in LEAST.items())
    return good


def scores(program: str, url: str) -> dict[str, float]:
    options = ["--quiet", "--output=json", f"--only-categories={','.join(LEAST)}", f"--chrome-flags={' '.join(FLAGS)}"]
    done = subprocess.run(
        ["node", LIGHTHOUSE, url, *options],
        env=os.environ | {"CHROME_PATH": program},
        stdout=subprocess.PIPE,
        check=True,
    )
    report = json.loads(done.stdout)
    for audit in shortcomings(report):
        say(f"    {audit}")
    return {category: 100 * report["categories"][category]["score"] for category in LEAST}


def shortcomings(report: dict) -> list[str]:
    """What costs a mark in a category that should have them all."""
    wanted = [
        audit["id"]
        for name in LEAST
        if name != "performance"
        for audit in report["categories"][name]["auditRefs"]
        if audit["weight"]
    ]
    audits = [report["audits"][name] for name in wanted]
    return [f"{audit['id']}: {audit['title']}" for audit in audits if audit["score"] is not None and audit["score"] < 1]


def main(looks: dict[str, Callable[[str], bool]], name: str) -> int:
    with tempfile.TemporaryDirectory(prefix="kpt-sight-") as folder:
        Path(folder).chmod(0o755)
        with project(Path(folder), people=10) as site:
            return 0 if looks[name](site) else 1


if __name__ == "__main__":
    sys.exit(main({"first-paint": first_paint, "lighthouse": lighthouse}, sys.argv[1]))
