from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from conference.models import Edition, Page


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame shows; nothing here may depend on the visitor."""
    return {
        "current_edition": SimpleLazyObject(Edition.objects.current),
        "menu_pages": Page.objects.in_menu(),
    }
