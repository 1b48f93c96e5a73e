"""What is asked of a file that an organiser uploads."""

from typing import Any

from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

IMAGE_BYTES = 5 * 1024 * 1024
IMAGE_SIDE = 8000
IMAGE_FORMATS = frozenset({"PNG", "JPEG", "WEBP"})


def validate_image(upload: Any) -> None:
    """For a form's ImageField, which has opened the image already and knows what it really is, whatever its name."""
    if upload.size > IMAGE_BYTES:
        facts = {"size": filesizeformat(upload.size), "limit": filesizeformat(IMAGE_BYTES)}
        raise ValidationError(
            _("The image has %(size)s, the most is %(limit)s. Save it smaller and choose it again."), params=facts
        )
    if upload.image.format not in IMAGE_FORMATS:
        raise ValidationError(_("Only PNG, JPEG and WebP can be shown. Save the image as one of them."))
    if max(upload.image.size) > IMAGE_SIDE:
        words = _("The image is larger than %(side)d pixels. Save it smaller and choose it again.")
        raise ValidationError(words, params={"side": IMAGE_SIDE})
