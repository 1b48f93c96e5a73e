from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from conference.models import Edition, Page


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame shows; nothing here may depend on the visitor."""
    path = path_without_language(request.path)
    return {
        "current_edition": SimpleLazyObject(Edition.objects.current),
        "menu_pages": Page.objects.in_menu(),
        "SITE_URL": settings.SITE_URL,
        "canonical_url": settings.SITE_URL + request.path,
        "path_id": path,
        "path_en": f"/en{path}",
    }


def path_without_language(path: str) -> str:
    return path.removeprefix("/en") if path.startswith("/en/") else path
