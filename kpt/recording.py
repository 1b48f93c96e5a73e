"""Whatever stands in the admin is recorded, in one place, so that no page and no class has to remember it.

Every change, deed and file of every page; every look and every list where people stand behind the rows. What a rule has
noted itself, in its own transaction, is not noted again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, cast

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import Model
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.translation import gettext_noop

from registration import audit
from registration.models import AuditEntry, User

View = Callable[..., HttpResponseBase]
Action = audit.Action
# Nobody stands behind these rows: looking at them says nothing about a person.
OF_NOBODY = {
    "auth.group",
    "registration.consenttext",
    "registration.figure",
    "registration.keptcount",
    "registration.mailtext",
    "registration.retentionperiod",
    "registration.retentionrun",
}
LOOKS = {Action.LOOKED_AT, Action.LOOKED_AT_SENSITIVE, Action.LISTED}
TYPING = gettext_noop("suggestions while typing")
# An action on so many chosen rows has an entry for each; on more it is one entry with their number.
EACH = 100


def holds_people(model: type[Model]) -> bool:
    return model._meta.app_label != "conference" and model._meta.label_lower not in OF_NOBODY


@contextmanager
def watch() -> Iterator[list[AuditEntry]]:
    """What is noted meanwhile."""
    page: list[AuditEntry] = []
    token = audit.noted.set(page)
    try:
        yield page
    finally:
        audit.noted.reset(token)


def has_deed(noted: list[AuditEntry]) -> bool:
    return any(entry.action not in LOOKS for entry in noted)


# ---- Each page


def recorded(view: View) -> View:
    """Around every view of a ModelAdmin, see `AdminSite.admin_view`."""
    model_admin = getattr(view, "__self__", None)
    if not isinstance(model_admin, ModelAdmin):
        return view

    @wraps(view)
    def watched(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with watch() as noted:
            response = view(request, *args, **kwargs)
            tell(request, response, view, model_admin, noted, object_id=object_id_of(args, kwargs))
        return response

    return watched


def who(request: HttpRequest) -> dict[str, Any]:
    """She who asks, and now."""
    return {"actor": cast(User, request.user), "now": timezone.now()}


def object_id_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    found = kwargs.get("object_id", kwargs.get("pk", args[0] if args else ""))
    return str(found or "")


def tell(
    request: HttpRequest,
    response: HttpResponseBase,
    view: View,
    model_admin: "ModelAdmin[Any]",
    noted: list[AuditEntry],
    *,
    object_id: str,
) -> None:
    is_page = is_html(response)
    if is_page and request.FILES:
        tell_refused_files(request, response, model_admin, object_id=object_id)
    if is_page and response.status_code == 200:
        tell_look(request, response, view, model_admin, noted, object_id=object_id)
    elif response.status_code < 400 and request.method == "POST" and not is_list(view) and not has_deed(noted):
        row = row_of(model_admin, object_id) or model_admin.model
        action = Action.ACTED if response.status_code != 200 else Action.DOWNLOADED
        audit.note(action, row, **who(request), details=spoken(view))
    elif response.status_code == 200 and not noted and holds_people(model_admin.model):
        row = row_of(model_admin, object_id) or model_admin.model
        audit.note(Action.DOWNLOADED, row, **who(request), details=spoken(view))


def is_html(response: HttpResponseBase) -> bool:
    return not response.streaming and response.headers.get("Content-Type", "").startswith("text/html")


def is_list(view: View) -> bool:
    """Its posts are actions, see `Recorded.response_action`."""
    return view.__name__ == "changelist_view"


def tell_look(
    request: HttpRequest,
    response: Any,
    view: View,
    model_admin: "ModelAdmin[Any]",
    noted: list[AuditEntry],
    *,
    object_id: str,
) -> None:
    if not holds_people(model_admin.model) or view.__name__ == "add_view":
        return
    context = getattr(response, "context_data", None) or {}
    if shown := context.get("cl"):
        is_narrowed = bool(shown.query or shown.get_filters_params())
        rows = len(shown.result_list)
        audit.look_through(model_admin.model, **who(request), rows=rows, is_narrowed=is_narrowed)
    elif not noted and not is_list(view):  # a question about rows that she had in a list
        row = context.get("original") or row_of(model_admin, object_id)
        audit.look(row or model_admin.model, **who(request), details="" if row else spoken(view))


def tell_refused_files(request: HttpRequest, response: Any, model_admin: "ModelAdmin[Any]", *, object_id: str) -> None:
    """Those on which the page has answered with a fault."""
    context = getattr(response, "context_data", None) or {}
    refused = [(name, why) for form in forms_of(context) for name, why in refused_files(form)]
    if not refused and context.get("wrong_rows"):
        refused = [(next(iter(request.FILES)), "rows")]
    for name, why in refused:
        size = sum(file.size or 0 for file in request.FILES.getlist(name))
        audit.refuse_file(model_admin.model._meta.label_lower, object_id, why, size=size, **who(request))


def forms_of(context: dict[str, Any]) -> Iterator[BaseForm]:
    """Of an admin's page: its own and those of the rows that belong to it."""
    if isinstance(form := getattr(context.get("adminform"), "form", context.get("form")), BaseForm):
        yield form
    for inline in context.get("inline_admin_formsets") or []:
        yield from inline.formset.forms


def refused_files(form: BaseForm) -> Iterator[tuple[str, str]]:
    """Under which name each was sent, and the code of the error."""
    for field, errors in form.errors.as_data().items() if form.is_bound else ():
        name = form.add_prefix(field)
        if name in form.files:
            yield name, str(errors[0].code or "")


def row_of(model_admin: "ModelAdmin[Any]", object_id: str) -> Model | None:
    try:
        return model_admin.model._default_manager.filter(pk=unquote(object_id)).first() if object_id else None
    except (ValueError, TypeError):  # an address that no row has
        return None


def spoken(view: View) -> str:
    """As it is called in the catalogue, so that a reader's language finds it."""
    with translation.override("en"):
        return str(getattr(view, "short_description", "") or view.__name__.replace("_", " "))


# ---- What is looked up while somebody types


class RecordedAutocomplete(AutocompleteJsonView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        model = self.model_admin.model
        if holds_people(model):
            audit.look(model, **who(request), details=TYPING)
        return response


# ---- Each class


class Recorded(ModelAdmin):  # type: ignore[type-arg]  # Django's own takes none
    """In front of every class that is registered, see `AdminSite.register`."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self.note_row(request, Action.ADDED, obj, "")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self.note_row(request, Action.CHANGED, obj, fields_in(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        audit.note_all(Action.DELETED, queryset, **who(request))
        return super().log_deletions(request, queryset)

    def note_row(self, request: HttpRequest, action: AuditEntry.Action, obj: Model, details: str) -> None:
        facts = audit.facts_of(obj)
        same = (facts["object_type"], facts["object_id"])
        if any((entry.object_type, entry.object_id) == same for entry in audit.noted.get() or []):
            return  # the rule has told it
        audit.note(action, obj, **who(request), details=details)

    def response_action(self, request: HttpRequest, queryset: Any, *where: Any) -> Any:
        model, name = self.model, request.POST.get("action", "")
        chosen = chosen_rows(request, queryset)
        number = queryset.count() if chosen is None else len(chosen)
        response = super().response_action(request, queryset, *where)
        noted = audit.noted.get() or []
        if response is None or not is_done(request, response) or has_deed(noted):
            return response
        facts = {**who(request), "details": self.action_words(name)}
        is_file = response.status_code != 302
        if chosen and not is_file:
            audit.note_all(Action.ACTED, chosen, **facts)
        else:
            audit.note(Action.DOWNLOADED if is_file else Action.ACTED, model, rows=number, **facts)
        return response

    def action_words(self, name: str) -> str:
        found = self.get_action(name)
        with translation.override("en"):
            return str(found[2]) if found else name


def chosen_rows(request: HttpRequest, queryset: Any) -> list[Model] | None:
    """Before they are changed or gone; None when they are too many to be named one by one."""
    keys = request.POST.getlist(ACTION_CHECKBOX_NAME)
    if request.POST.get("select_across", "0") != "0" or len(keys) > EACH:
        return None
    return list(queryset.filter(pk__in=keys))


def is_done(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Not a page that asks first, and not the way to one."""
    if response.status_code == 302:
        return response.headers["Location"].partition("?")[0] == request.path
    return not is_html(response)


def fields_in(message: Any) -> str:
    """Their names alone: what the admin's own log says of a row beside it may name a person."""
    if isinstance(message, str):
        return ""
    parts = [part for step in message for part in step.values()]
    names = [name for part in parts for name in part.get("fields", [])]
    return ", ".join([*names, *dict.fromkeys(part["name"] for part in parts if "name" in part)])
