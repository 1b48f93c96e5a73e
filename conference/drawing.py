"""Draws the picture of a forwarded address: a length of cloth with a plain middle, and words on it.

Programs that crop it to a square keep the middle, and the words stand only there."""

import re
import unicodedata
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from django.contrib.staticfiles import finders
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630
FIELD = 640  # the plain middle
MARGIN = 32
BAND_SCALE, CLOTH_SCALE = 4, 10  # pixels a thread
GAP = 20  # between the parts
AIR = 74  # of the words from the upper and the lower edge: the band and a little more
TITLE_SIZES = range(72, 27, -4)
COTTON, CHARCOAL, ASH, RED, INDIGO = "#fbf6ec", "#221a17", "#5f534b", "#8e2b1f", "#1e2f57"
FONTS = Path(__file__).parent / "fonts"
SERIF, SANS = "NotoSerif-Bold.ttf", "NotoSans-Regular.ttf"
# The motifs are those of the style sheet: rectangles of whole threads.
SHAPES = re.compile(r'<path fill="(#[0-9a-f]{6})" d="([^"]+)"')
RECTANGLE = re.compile(r"M(\d+) (\d+)h(\d+)v(\d+)")


class Line(NamedTuple):
    text: str
    font: ImageFont.FreeTypeFont
    colour: str

    @property
    def height(self) -> int:
        return round(self.font.size * 1.25)


@cache
def motif(name: str, scale: int) -> Image.Image:
    """One repeat of a motif."""
    source = Path(str(finders.find(f"img/{name}.svg"))).read_text()
    shapes = [
        (colour, [int(number) for number in rectangle.groups()])
        for colour, path in SHAPES.findall(source)
        for rectangle in RECTANGLE.finditer(path)
    ]
    _, (_, _, width, height) = shapes[0]  # the ground
    image = Image.new("RGB", (width * scale, height * scale))
    draw = ImageDraw.Draw(image)
    for colour, (x, y, across, down) in shapes:
        draw.rectangle((x * scale, y * scale, (x + across) * scale - 1, (y + down) * scale - 1), fill=colour)
    return image


def card_png(label: str, title: str, strong: tuple[str, ...], quiet: tuple[str, ...], foot: str) -> bytes:
    image = cloth()
    draw = ImageDraw.Draw(image)
    above = lines(label, SANS, 26, ASH)[:1]
    hours = [line for text in strong for line in lines(text, SERIF, 34, INDIGO)][:3]
    facts = clipped([line for text in quiet for line in lines(text, SANS, 26, CHARCOAL)], 3)
    host = lines(foot, SANS, 24, ASH)[:1]
    top, bottom = AIR, HEIGHT - AIR - height_of(host) - GAP // 2
    title_room = bottom - top - sum(height_of(block) + GAP for block in (above, hours, facts) if block)
    blocks = [block for block in (above, fitted(title, title_room), hours, facts) if block]
    y = top + (bottom - top - height_of(*blocks) - GAP * (len(blocks) - 1)) // 2
    for block in blocks:
        write(draw, block, y)
        y += height_of(block) + GAP
    write(draw, host, bottom + GAP // 2)
    return png(image)


def cloth() -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), COTTON)
    side, band = motif("cloth", CLOTH_SCALE), motif("band", BAND_SCALE)
    edge = (WIDTH - FIELD) // 2
    for y in range((HEIGHT - side.height) // 2 - side.height, HEIGHT, side.height):
        image.paste(side, (edge - side.width, y))
        image.paste(side, (WIDTH - edge, y))
    for x in range((WIDTH - band.width) // 2 - band.width * (WIDTH // band.width), WIDTH, band.width):
        image.paste(band, (x, 0))
        image.paste(band, (x, HEIGHT - band.height))
    return image


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / name), size)


def fitted(title: str, height: int) -> list[Line]:
    """As large as the words leave room for."""
    wrapped: list[Line] = []
    for size in TITLE_SIZES:
        letters = font(SERIF, size)
        wrapped = lines(title, SERIF, size, RED)
        if height_of(wrapped) <= height and all(is_narrow(word, letters) for word in title.split()):
            return wrapped
    return clipped(wrapped, height // wrapped[0].height) if wrapped else []


def clipped(block: list[Line], most: int) -> list[Line]:
    """What is still too long ends in an ellipsis."""
    if len(block) <= most:
        return block
    last = block[most - 1]
    return [*block[: most - 1], last._replace(text=last.text.rstrip(".,;: ") + " …")]


def lines(text: str, name: str, size: int, colour: str) -> list[Line]:
    letters = font(name, size)
    return [Line(words, letters, colour) for words in wrap(text, letters)]


def wrap(text: str, letters: ImageFont.FreeTypeFont) -> list[str]:
    """Into lines as wide as the plain middle; a word that is wider by itself is broken."""
    written: list[str] = []
    # A letter and its mark as one sign: not every machine can put them together.
    for word in unicodedata.normalize("NFC", text).split():
        longer = f"{written[-1]} {word}" if written else word
        if written and is_narrow(longer, letters):
            written[-1] = longer
        else:
            written += broken(word, letters)
    return written


def broken(word: str, letters: ImageFont.FreeTypeFont) -> list[str]:
    pieces = [""]
    for character in word:
        if pieces[-1] and not is_narrow(pieces[-1] + character, letters):
            pieces.append("")
        pieces[-1] += character
    return pieces


def is_narrow(text: str, letters: ImageFont.FreeTypeFont) -> bool:
    return letters.getlength(text) <= FIELD - 2 * MARGIN


def height_of(*blocks: list[Line]) -> int:
    return sum(line.height for block in blocks for line in block)


def write(draw: ImageDraw.ImageDraw, block: list[Line], y: int) -> None:
    for line in block:
        draw.text((WIDTH // 2, y), line.text, font=line.font, fill=line.colour, anchor="ma")
        y += line.height


def png(image: Image.Image) -> bytes:
    """With few colours, which is all the cloth has: a phone on 2G is worth it."""
    written = BytesIO()
    image.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue()
