from functools import wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from kpt.recording import Recorded, RecordedAutocomplete, recorded
from registration import roles
from registration.accounts import lacks_second_factor

# Unfold evaluates Alpine expressions and styles inline; public pages keep the strict policy of the settings.
POLICY = {
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:"],
}

# Where an editor without a second factor may go, to write drafts; what is not named here asks her for it.
DRAFT_PAGES = {
    "admin:index",
    "admin:jsi18n",
    "admin:autocomplete",
    "admin:conference_webinar_changelist",
    "admin:conference_webinar_add",
    "admin:conference_webinar_change",
    "admin:conference_webinar_preview",
}


def for_keys(view: Any, then: Any) -> Any:
    """A key that no row can have is answered as one that no row has: so no page about a row has to ask."""
    model_admin = getattr(view, "__self__", None)
    if not isinstance(model_admin, ModelAdmin):
        return then

    @wraps(then)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if key := kwargs.get("object_id"):
            try:
                model_admin.model._meta.pk.to_python(unquote(key) if isinstance(key, str) else key)
            except ValidationError:
                return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, str(key))
        return then(request, *args, **kwargs)

    return checked


class PlainFilters(ModelAdmin):  # type: ignore[type-arg]  # Django's own takes none
    """In front of every class: a pattern in the address of a list may hold up the database for as long as its writer likes,
    and half a range is an error."""

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        is_plain = lookup.rpartition("__")[2] not in ("regex", "iregex", "range")
        return is_plain and bool(super().lookup_allowed(lookup, value, request))


class AdminSite(UnfoldAdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        if not super().has_permission(request):
            return False
        if not lacks_second_factor(request.user):
            return True
        match = request.resolver_match
        if match is None or match.view_name not in DRAFT_PAGES or not roles.is_editor(request.user):
            return False
        request.user.only_rights = roles.DRAFT_RIGHTS | roles.DRAFT_CHOICES
        return True

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        if request.user.is_authenticated and request.user.is_staff and lacks_second_factor(request.user):
            messages.info(request, _("This needs a second factor. Set one up, then come back."))
            return redirect("mfa_index")
        return secure_admin_login(super().login)(request, extra_context)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return csp_replace(POLICY)(super().admin_view(for_keys(view, recorded(view)), cacheable))

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        admin_class = admin_class or ModelAdmin
        facts = {"__module__": admin_class.__module__, "__doc__": admin_class.__doc__}
        super().register(
            model_or_iterable, type(admin_class.__name__, (PlainFilters, Recorded, admin_class), facts), **options
        )

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return RecordedAutocomplete.as_view(admin_site=self)(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        raise Http404  # nobody has a password here
