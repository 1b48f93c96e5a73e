from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from conference import changes, models


@admin.register(models.ProgrammeChange)
class ProgrammeChangeAdmin(ModelAdmin):
    """Written by the rule alone. A line that names somebody who must not be named any more can be deleted."""

    compressed_fields = False
    list_filter_sheet = False
    list_per_page = 50
    list_display = ["sentence", "kind", "at", "edition"]
    list_filter = ["kind", "edition"]
    list_select_related = ["edition"]
    ordering = ["-at", "-pk"]
    fields = ["sentence", "kind", "at", "edition", "webinar", "agenda_item"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @display(description=_("change"))
    def sentence(self, change):
        return changes.sentence(change)
