from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponseBase
from django.utils.cache import patch_cache_control


def kept(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For a page that depends on content, language and time alone: any cache may hold it and must ask whether it still holds."""

    @wraps(view)
    def keeping(*args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(*args, **kwargs)
        if response.status_code == 200 and not response.has_header("Cache-Control"):
            patch_cache_control(response, public=True, max_age=0, must_revalidate=True)
        response.may_be_kept = True  # type: ignore[attr-defined]
        return response

    return keeping
