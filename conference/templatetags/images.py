from typing import Any

from django import template
from django.db.models.fields.files import ImageFieldFile

from conference import photos

register = template.Library()


@register.inclusion_tag("includes/image.html")
def image(uploaded: ImageFieldFile, name: str, side: int, loading: str = "lazy") -> dict[str, Any]:
    """A portrait or logo so many pixels wide; a woven tile of the name where there is none."""
    words = photos.alternative_text(uploaded)
    return {"copies": photos.variants(uploaded), "words": words, "name": name, "side": side, "loading": loading}


@register.filter
def sources(copies: photos.Variants, side: int) -> list[tuple[str, str]]:
    return copies.sources(side)


@register.filter
def fallback(copies: photos.Variants, side: int) -> str:
    return copies.fallback(side)
