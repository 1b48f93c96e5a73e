"""Does the time of the form's answer tell whether an address is known? Three kinds of address, in turn, one visitor."""

import itertools
import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from bench.signup import Browser, complete, send_form

KINDS = ("unknown", "known, unproven", "known, in this webinar")
CONFIDENT = 2.576  # standard errors: 99 of 100 intervals of honest noise include the truth


@dataclass(frozen=True)
class Comparison:
    """How well one time tells two kinds apart: `area` 0.5 is a coin, 1 is always."""

    area: float
    error: float
    difference_ms: float
    spread_ms: float

    @property
    def is_noise(self) -> bool:
        return abs(self.area - 0.5) <= CONFIDENT * self.error or abs(self.difference_ms) < self.spread_ms / 2

    def __str__(self) -> str:
        around = CONFIDENT * self.error
        words = f"area under the curve {self.area:.3f} ± {around:.3f}"
        return f"{words}, medians {self.difference_ms:+.2f} ms apart, spread {self.spread_ms:.2f} ms"


def measure(port: int, database_url: str, webinar: str, *, visits: int) -> dict[str, list[float]]:
    """Seconds that POST /daftar/ took, by kind. Each address is used once, since a code was never sent to it lately."""
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with psycopg.connect(database_url, autocommit=True) as database:
        for number in range(visits):
            complete(port, database, webinar, known(number))
            with Browser(port) as browser:
                send_form(browser, webinar, unproven(number), browser.form("/daftar/"))
        # As if the earlier visits were yesterday's.
        database.execute("UPDATE registration_outgoingmail SET created_at = created_at - interval '1 day'")
        database.execute("VACUUM ANALYZE")
        for number, kind in in_turn(visits):
            address = {KINDS[0]: f"baru{number}@example.org", KINDS[1]: unproven(number), KINDS[2]: known(number)}
            times[kind].append(visit(port, webinar, address[kind]))
    return times


def known(number: int) -> str:
    return f"kenal{number}@example.org"


def unproven(number: int) -> str:
    return f"belum{number}@example.org"


def in_turn(visits: int) -> Iterator[tuple[int, str]]:
    """In every order equally often, so that none profits from what came before it."""
    orders = itertools.cycle(itertools.permutations(KINDS))
    for number in range(visits):
        yield from ((number, kind) for kind in next(orders))


def visit(port: int, webinar: str, address: str) -> float:
    with Browser(port) as browser:
        token = browser.form("/daftar/")
        started = time.perf_counter()
        send_form(browser, webinar, address, token)
        return time.perf_counter() - started


def compare(these: list[float], those: list[float]) -> Comparison:
    """The chance that one of these took longer than one of those, with Hanley and McNeil's standard error."""
    order = sorted([(time, 0) for time in these] + [(time, 1) for time in those])
    ranks = sum(rank for rank, (_time, group) in enumerate(order, 1) if group == 0)
    n, m = len(these), len(those)
    area = (ranks - n * (n + 1) / 2) / (n * m)
    likeness, twice = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (n - 1) * (likeness - area**2) + (m - 1) * (twice - area**2)) / (n * m)
    low, _middle, high = statistics.quantiles([*these, *those], n=4)
    difference = statistics.median(these) - statistics.median(those)
    return Comparison(area, math.sqrt(max(variance, 0)), difference * 1000, (high - low) * 1000)
