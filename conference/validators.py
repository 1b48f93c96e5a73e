"""What is asked of a file that an organiser uploads."""

import logging
import zipfile
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from PIL import Image

IMAGE_BYTES = 5 * 1024 * 1024
IMAGE_SIDE = 8000
IMAGE_FORMATS = frozenset({"PNG", "JPEG", "WEBP"})
PACKED = frozenset({"docx", "odp", "odt", "pptx"})
HEIC = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
MP4 = (b"ftyp", 4)
# What a file of this ending begins with, and where.
BEGINNINGS: dict[str, list[tuple[bytes, int]]] = {
    "pdf": [(b"%PDF-", 0)],
    "mp3": [(b"ID3", 0), (b"\xff\xfb", 0), (b"\xff\xf3", 0), (b"\xff\xf2", 0), (b"\xff\xfa", 0)],
    "m4a": [MP4],
    "mp4": [MP4],
    "ogg": [(b"OggS", 0)],
    "webm": [(b"\x1a\x45\xdf\xa3", 0)],
    **{ending: [(b"PK\x03\x04", 0)] for ending in PACKED},
}

logger = logging.getLogger(__name__)


def refusal(why: str, words: Any, **params: object) -> ValidationError:
    logger.warning("An uploaded file was refused: %s", why)
    return ValidationError(words, params=params, code=why)


def validate_image(upload: Any) -> None:
    """For a form's ImageField, which has opened the image already and knows what it really is, whatever its name."""
    if upload.size > IMAGE_BYTES:
        words = _("The image has %(size)s, the most is %(limit)s. Save it smaller and choose it again.")
        raise refusal("heavy", words, size=filesizeformat(upload.size), limit=filesizeformat(IMAGE_BYTES))
    if upload.image.format not in IMAGE_FORMATS:
        raise refusal("format", _("Only PNG, JPEG and WebP can be shown. Save the image as one of them."))
    if max(upload.image.size) > IMAGE_SIDE:
        raise too_wide()


def unread_image(upload: Any, cause: BaseException | None) -> ValidationError:
    """Of what could not be opened: which of the files that people do choose it is, and what to do with it."""
    upload.seek(0)
    start = upload.read(1024)
    if isinstance(cause, Image.DecompressionBombError):
        return too_wide()
    if start[4:8] == b"ftyp" and start[8:12] in HEIC:
        words = _("This photo is a HEIC file, as iPhones take them. Save it as JPEG and choose that.")
        return refusal("heic", words)
    if b"<svg" in start.lower():
        return refusal("svg", _("This is an SVG drawing. Save it as PNG and choose that."))
    return refusal("no_image", _("This is no image, or it is damaged. Choose a PNG, JPEG or WebP file."))


def too_wide() -> ValidationError:
    words = _("The image is larger than %(side)d pixels. Save it smaller and choose it again.")
    return refusal("side", words, side=IMAGE_SIDE)


def validate_material(upload: "UploadedFile[bytes]") -> None:
    """That it is what its name says, and that opening it starts no program. Its ending is known to be a good one."""
    ending = (upload.name or "").rpartition(".")[2].lower()
    upload.seek(0)
    start = upload.read(64)
    if not any(start[place:].startswith(mark) for mark, place in BEGINNINGS.get(ending, [])):
        words = _("This is no %(ending)s file, whatever its name says. Save it anew and choose it again.")
        raise refusal("not_what_it_says", words, ending=ending.upper())
    if ending in PACKED and not is_plain_package(upload):
        words = _("The file is broken, or it holds macros. Save it as a PDF and choose that.")
        raise refusal("package", words)
    upload.seek(0)


def is_plain_package(upload: "UploadedFile[bytes]") -> bool:
    try:
        with zipfile.ZipFile(upload) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return False
    return not any(name.lower().endswith("vbaproject.bin") or name.startswith("Basic/") for name in names)
