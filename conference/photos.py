"""Portraits and logos in the few sizes that pages show, made once of the uploaded image and kept beside it."""

import hashlib
import io
import logging
import re
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db.models.fields.files import ImageFieldFile
from PIL import Image, ImageOps

from conference.validators import IMAGE_SIDE

SIDES = (80, 160, 320)
FOLDER = "variants"
COPIES = re.compile(r"[0-9a-f]{16}")  # a folder that is complete; others are being made
BROKEN = "broken"  # a file of this name says that the image couldn't be read: it isn't tried again
# By file ending, best first; the last is for browsers that know none of the others.
FORMATS: dict[str, dict[str, Any]] = {
    "avif": {"format": "AVIF", "quality": 55, "speed": 6},
    "webp": {"format": "WEBP", "quality": 72, "method": 5},
    "jpg": {"format": "JPEG", "quality": 76, "optimize": True, "progressive": True},
}
# Of an upload nothing is kept that no page can show: room for a crop is enough.
LARGEST = (2560, 2560)
UPLOADED: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 92, "optimize": True},
    "PNG": {"optimize": True},
    "WEBP": {"quality": 92},
}
TYPES = {"avif": "image/avif", "webp": "image/webp"}
GROUND = "#ffffff"
FACE, MIDDLE = (0.5, 0.35), (0.5, 0.5)  # what stays when a portrait is cropped to a square

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Variants:
    """Addresses of one image's copies."""

    base: str

    def address(self, side: int, ending: str = "jpg") -> str:
        return f"{self.base}/{side}.{ending}"

    def sources(self, side: int) -> list[tuple[str, str]]:
        """(media type, srcset) for an image shown `side` pixels wide, for screens of one and two dots a pixel."""
        once, twice = next(pair for pair in pairwise(SIDES) if side <= pair[0])
        return [
            (kind, f"{self.address(once, ending)}, {self.address(twice, ending)} 2x") for ending, kind in TYPES.items()
        ]

    def fallback(self, side: int) -> str:
        return self.address(next(one for one in SIDES if side <= one))


def variants(image: ImageFieldFile) -> Variants | None:
    """Of an uploaded image; None without one, and when it can't be read as an image."""
    if not image:
        return None
    try:
        name = folder_name(image)
        folder = Path(settings.MEDIA_ROOT) / FOLDER / name
        if not folder.exists():
            make(Path(image.path), folder, crop_of(image), is_square=image.field.name == "photo")
        return None if (folder / BROKEN).exists() else Variants(f"{settings.MEDIA_URL}{FOLDER}/{name}")
    except (OSError, SuspiciousFileOperation) as error:
        # Gone from the disk, no room, or a name that leads out of the folder: the page shows the woven tile.
        logger.warning("No copies of an uploaded image: %s", type(error).__name__)
        return None


def crop_of(image: ImageFieldFile) -> list[int]:
    """What an organiser has chosen of it, see models.py; empty when all of it, or its middle, is shown."""
    return getattr(image.instance, f"{image.field.name}_crop", None) or []


def alternative_text(image: ImageFieldFile) -> str:
    """In the reader's language; empty for an image that was uploaded before anybody asked: its name stands beside it."""
    return getattr(image.instance, f"{image.field.name}_alt", "") or "" if image else ""


def folder_name(image: ImageFieldFile) -> str:
    """Another upload has another name or another time."""
    facts = Path(image.path).stat()
    words = " ".join(map(str, [image.name, facts.st_size, facts.st_mtime_ns, *crop_of(image)]))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def keep_only(images: Iterable[ImageFieldFile]) -> None:
    """Removes the copies of all others. Those of an image whose upload is on its way are made again when first shown."""
    wanted = set()
    for image in images:
        with suppress(OSError, SuspiciousFileOperation):
            wanted.add(folder_name(image))
    for folder in (Path(settings.MEDIA_ROOT) / FOLDER).glob("*"):
        if COPIES.fullmatch(folder.name) and folder.name not in wanted:
            shutil.rmtree(folder, ignore_errors=True)


def make(source: Path, folder: Path, crop: list[int], *, is_square: bool) -> None:
    """All at once or nothing, though several processes may be at it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        write_copies(source, made, crop, is_square=is_square)
        made.chmod(0o755)
        made.rename(folder)
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write_copies(source: Path, folder: Path, crop: list[int], *, is_square: bool) -> None:
    try:
        image = cut(small(source), crop)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # of the disk, not of the image
        logger.warning("An uploaded image can't be read: %s", type(error).__name__)
        (folder / BROKEN).touch()
        return
    centre = MIDDLE if crop else FACE
    for side in SIDES:
        copy = (
            ImageOps.fit(image, (side, side), centering=centre) if is_square else ImageOps.contain(image, (side, side))
        )
        for ending, options in FORMATS.items():
            copy.save(folder / f"{side}.{ending}", **options)


def cut(image: Image.Image, crop: list[int]) -> Image.Image:
    """`crop` in thousandths: left, top, width, height."""
    if not crop:
        return image
    left, top, width, height = crop
    box = [left * image.width, top * image.height, (left + width) * image.width, (top + height) * image.height]
    return image.crop(tuple(round(part / 1000) for part in box))  # type: ignore[arg-type]


def bare(upload: "UploadedFile[bytes]") -> "ContentFile[bytes]":
    """The picture alone: not the place where it was taken, nor what else lies in its file or behind it.

    Raises what a picture raises that can't be read.
    """
    upload.seek(0)
    with Image.open(upload) as opened:
        kind = opened.format or ""
        opened.draft("RGB", LARGEST)
        is_plain = opened.mode in {"RGB", "RGBA", "L"} and "transparency" not in opened.info
        image = opened if is_plain else opened.convert("RGBA")
        image.thumbnail(LARGEST, reducing_gap=2)
        upright = ImageOps.exif_transpose(image)
    upright.info = {}  # comments and the like, which some formats would write again
    file = io.BytesIO()
    (upright.convert("RGB") if kind == "JPEG" else upright).save(file, kind, **UPLOADED[kind])
    return ContentFile(file.getvalue(), upload.name)


def small(source: Path) -> Image.Image:
    """Upright, without transparency, and without whatever else a camera or a program wrote into the file."""
    with Image.open(source) as opened:
        if max(opened.size) > IMAGE_SIDE:
            raise ValueError("too large")
        most = (4 * SIDES[-1], 4 * SIDES[-1])
        opened.draft("RGB", most)  # a large JPEG needn't be read in full
        image = opened if opened.mode in {"RGB", "RGBA", "L"} else opened.convert("RGBA")
        image.thumbnail(most, reducing_gap=2)
        clear = ImageOps.exif_transpose(image).convert("RGBA")
    ground = Image.new("RGBA", clear.size, GROUND)
    return Image.alpha_composite(ground, clear).convert("RGB")
