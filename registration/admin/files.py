"""Files that workers write: who has asked for which. What is in one is for its asker alone, on its own page."""

from django.contrib import admin, messages
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from registration import files
from registration.admin.readonly import ReadOnlyAdmin
from registration.models import PreparedFile


@admin.register(PreparedFile)
class PreparedFileAdmin(ReadOnlyAdmin):
    list_display = [
        "created_at",
        "requested_by",
        "organisation",
        "webinar",
        "format",
        "rows_total",
        "status",
        "ends_at",
    ]
    list_filter = ["status", "format", "organisation"]
    list_select_related = ["requested_by", "organisation", "webinar"]
    search_fields = ["requested_by__email", "requested_by__name"]
    ordering = ["-created_at", "-pk"]
    fields = [
        ("requested_by", "organisation", "webinar"),
        ("format", "columns"),
        ("status", "rows_done", "rows_total"),
        ("created_at", "ready_at", "fetched_at", "ends_at"),
        "error",
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).lean()


def export(model_admin, request, queryset, format):
    """Exactly the rows that the list has found, in its order."""
    pks = list(queryset.values_list("pk", flat=True)[: files.MOST_ROWS + 1])
    if len(pks) > files.MOST_ROWS:
        words = _("These are more than %(number)d people, too many for one file. Filter the list first.")
        model_admin.message_user(request, words % {"number": files.MOST_ROWS}, messages.WARNING)
        return None
    facts = {"language": translation.get_language(), "now": timezone.now()}
    try:
        file = files.ask_as_organiser(request.user, pks, request.GET.dict(), format, **facts)
    except files.Refused as refused:
        model_admin.message_user(request, str(refused), messages.WARNING)
        return None
    return redirect("registration:file", file.token)
