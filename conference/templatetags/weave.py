"""A woven tile where a portrait or a logo is missing. The name decides its pattern, so it is always the same one."""

import hashlib
from collections.abc import Iterator
from functools import cache

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

HALF = 8  # of the sixteen threads a side
PLATE = 4  # the rings under the letter
# Ground, first and second colour of the pattern, plate and letter.
CLOTHS = [
    ("#1e2f57", "#e2a52b", "#fbf6ec", "#1e2f57", "#fbf6ec"),
    ("#8e2b1f", "#f0e4cf", "#e2a52b", "#8e2b1f", "#fbf6ec"),
    ("#2f5d34", "#e2a52b", "#f0e4cf", "#2f5d34", "#fbf6ec"),
    ("#f0e4cf", "#8e2b1f", "#1e2f57", "#fbf6ec", "#8e2b1f"),
]

SVG = """<svg viewBox="0 0 16 16" width="80" height="80" aria-hidden="true" focusable="false">\
<g shape-rendering="crispEdges"><path fill="{}" d="M0 0h16v16H0z"/>{}</g><text x="8" y="10.05" \
font-family="Georgia,serif" font-size="6" font-weight="700" text-anchor="middle" fill="{}">{}</text></svg>"""


@register.simple_tag
def weave(name: str) -> SafeString:
    seed = hashlib.sha256(name.encode()).digest()
    ground, first, second, plate, letter = CLOTHS[seed[0] % len(CLOTHS)]
    shapes = format_html_join("", '<path fill="{}" d="{}"/>', layers(seed, (first, second, ground), plate))
    return format_html(SVG, ground, shapes, letter, initial(name))


def initial(name: str) -> str:
    return next((character for character in name if character.isalpha()), "·").upper()


def layers(seed: bytes, colours: tuple[str, str, str], plate: str) -> Iterator[tuple[str, str]]:
    """Colour and shape, each over the one before. The shapes are the same on every tile, which compresses well."""
    under = colours[2]
    for size in range(HALF - 1, 0, -1):
        if (colour := colours[chosen(seed, 4 * HALF + 1 - size)]) != under:
            yield colour, corners(size)
        under = colour
    under = ""
    for ring in range(HALF - 1, PLATE, -1):
        if (colour := colours[chosen(seed, ring)]) != under:
            yield colour, diamond(ring)
        under = colour
    yield plate, diamond(PLATE)


def chosen(seed: bytes, ring: int) -> int:
    return (seed[1 + ring % 30] + ring) % 3


@cache
def diamond(ring: int) -> str:
    """Stepped, around the middle, with so many rings around its heart."""
    steps = ("v1h1", "v2", "h-1v1", "h-2", "v-1h-1", "v-2", "h1v-1")
    return f"M7 {7 - ring}h2{''.join(step * (1 if len(step) < 4 else ring) for step in steps)}z"


@cache
def corners(size: int) -> str:
    """Stepped, in all four corners, with so many threads along each side."""
    starts = (
        (f"M0 0h{size}", "v1h-1"),
        (f"M16 0v{size}", "h-1v-1"),
        (f"M16 16h-{size}", "v-1h1"),
        (f"M0 16v-{size}", "h1v1"),
    )
    return "".join(f"{start}{step * size}z" for start, step in starts)
