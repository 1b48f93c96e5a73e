"""The installed site's icons, drawn after static/img/icon.svg: `make icons`."""

import re
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parent.parent / "static" / "img"
THREADS = 16  # the cloth's width in the drawing
# Size of the picture and of one thread. Phones cut a maskable one to any shape, but spare its middle.
SIZES = {"icon-192": (192, 12), "icon-512": (512, 32), "icon-maskable-512": (512, 24)}


def shapes() -> list[tuple[str, list[tuple[int, int]]]]:
    """Each colour with the corners of its shape. The drawing knows right angles only."""
    svg = (FOLDER / "icon.svg").read_text()
    return [(colour, corners(steps)) for colour, steps in re.findall(r'fill="(#\w{6})" d="([^"]+)"', svg)]


def corners(steps: str) -> list[tuple[int, int]]:
    found, x, y = [], 0, 0
    for letter, numbers in re.findall(r"([MhvHV])([-\d ]+)", steps):
        first, *rest = map(int, numbers.split())
        match letter:
            case "M":
                x, y = first, rest[0]
            case "h":
                x += first
            case "v":
                y += first
            case "H":
                x = first
            case "V":
                y = first
        found.append((x, y))
    return found


def drawn(size: int, thread: int) -> Image.Image:
    ground, *rest = shapes()
    image = Image.new("RGB", (size, size), ground[0])
    start = (size - THREADS * thread) // 2
    for colour, points in rest:
        # A polygon's corner is part of it, so a right or lower edge would be a pixel too far: drawn by threads instead.
        for x, y in covered(points):
            left, top = start + x * thread, start + y * thread
            box = (left, top, left + thread - 1, top + thread - 1)
            ImageDraw.Draw(image).rectangle(box, fill=colour)
    return image.quantize(8)


def covered(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The threads inside: each row between its pairs of upright edges."""
    edges = [(a, b) for a, b in zip(points, [*points[1:], points[0]], strict=True) if a[0] == b[0]]
    inside = []
    for y in range(THREADS):
        crossed = sorted(a[0] for a, b in edges if min(a[1], b[1]) <= y < max(a[1], b[1]))
        for left, right in zip(crossed[::2], crossed[1::2], strict=True):
            inside += [(x, y) for x in range(left, right)]
    return inside


if __name__ == "__main__":
    for name, measures in SIZES.items():
        drawn(*measures).save(FOLDER / f"{name}.png", optimize=True)
