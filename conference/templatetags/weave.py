"""A woven tile where a portrait or a logo is missing. The name decides its pattern, so it is always the same one."""

import hashlib

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

THREADS = 16  # threads a side; the pattern of one quarter is mirrored into the other three
HALF = THREADS // 2
# Ground, first and second colour of the pattern, plate and letter.
CLOTHS = [
    ("#1e2f57", "#e2a52b", "#fbf6ec", "#1e2f57", "#fbf6ec"),
    ("#8e2b1f", "#f0e4cf", "#e2a52b", "#8e2b1f", "#fbf6ec"),
    ("#2f5d34", "#e2a52b", "#f0e4cf", "#2f5d34", "#fbf6ec"),
    ("#f0e4cf", "#8e2b1f", "#1e2f57", "#fbf6ec", "#8e2b1f"),
]

SVG = """<svg viewBox="0 0 16 16" width="80" height="80" aria-hidden="true" focusable="false">
<g shape-rendering="crispEdges"><path fill="{}" d="M0 0h16v16H0z"/><path fill="{}" d="{}"/><path fill="{}" d="{}"/>
<path fill="{}" d="{}"/></g><text x="8" y="10.05" font-family="Georgia,serif" font-size="6" font-weight="700"
 text-anchor="middle" fill="{}">{}</text></svg>"""


@register.simple_tag
def weave(name: str) -> SafeString:
    seed = hashlib.sha256(name.encode()).digest()
    ground, first, second, plate, letter = CLOTHS[seed[0] % len(CLOTHS)]
    return format_html(
        SVG,
        ground,
        *(first, rows(pattern(seed, 0))),
        *(second, rows(pattern(seed, 1))),
        *(plate, PLATE),
        *(letter, initial(name)),
    )


def initial(name: str) -> str:
    return next((character for character in name if character.isalpha()), "·").upper()


def pattern(seed: bytes, colour: int) -> set[tuple[int, int]]:
    """The threads of one colour: whole steps around the middle, the choice of steps taken from the seed."""
    quarter = {(x, y) for x in range(HALF) for y in range(HALF) if ring_colour(seed, x, y) == colour}
    return {(a, b) for x, y in quarter for a in (x, THREADS - 1 - x) for b in (y, THREADS - 1 - y)}


def ring_colour(seed: bytes, x: int, y: int) -> int:
    """Each stepped diamond around the middle, and around the corners, takes one of ground, first and second."""
    from_middle = (HALF - 1 - x) + (HALF - 1 - y)
    ring = from_middle if from_middle < HALF else 32 - (x + y)
    return (seed[1 + ring % 30] + ring) % 3


def rows(threads: set[tuple[int, int]]) -> SafeString:
    """One path of horizontal runs."""
    runs: list[list[int]] = []
    for x, y in sorted(threads, key=lambda thread: (thread[1], thread[0])):
        if runs and runs[-1][1] == y and runs[-1][0] + runs[-1][2] == x:
            runs[-1][2] += 1
        else:
            runs.append([x, y, 1])
    return SafeString("".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs))  # nosec B703


PLATE = rows({(x, y) for x in range(THREADS) for y in range(THREADS) if abs(x - 7.5) + abs(y - 7.5) <= 5})
