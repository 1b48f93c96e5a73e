from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from conference.models import Edition, Page
from conference.notices import remembered


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame shows; nothing here may depend on the visitor."""
    path = path_without_language(request.path)
    return {
        "current_edition": SimpleLazyObject(current_edition),
        "menu_pages": SimpleLazyObject(menu_pages),
        "SITE_URL": settings.SITE_URL,
        "canonical_url": settings.SITE_URL + request.path,
        "path_id": path,
        "path_en": f"/en{path}",
    }


@remembered
def current_edition() -> Edition | None:
    return Edition.objects.current()


@remembered
def menu_pages() -> list[Page]:
    return list(Page.objects.in_menu())


def path_without_language(path: str) -> str:
    return path.removeprefix("/en") if path.startswith("/en/") else path
