from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.forms import PaginationInlineFormSet

from conference import models
from conference.admin.content import ContentStacked, ContentTabular, TimesForm
from conference.admin.tables import TableAdmin


class AppearanceFormSet(PaginationInlineFormSet):
    def clean(self):
        super().clean()
        seen = set()
        for form in self.forms:
            data = getattr(form, "cleaned_data", {})
            role = (data.get("speaker"), data.get("role"))
            if None in role or data.get("DELETE"):
                continue
            if role in seen:
                form.add_error("speaker", _("This person is listed twice in the same role."))
            seen.add(role)


class AppearanceInline(ContentTabular):
    model = models.Appearance
    formset = AppearanceFormSet
    tab = True
    fields = ["order", "speaker", "role"]
    ordering_field = "order"
    autocomplete_fields = ["speaker"]
    ordering = ["order", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("speaker")


class AgendaItemInline(ContentStacked):
    model = models.AgendaItem
    form = TimesForm
    fields = [("order", "kind"), ("title_ind", "title_en"), ("starts_at", "ends_at"), ("note_ind", "note_en")]
    ordering = ["order", "pk"]
    ordering_field = "order"
    tab = True
    show_change_link = True


class ContentOfWebinarAdmin(TableAdmin):
    """For pages whose inlines are parts of a webinar: its edition and day are theirs."""

    def save_formset(self, request, form, formset, change):
        for row in formset.save(commit=False):
            if isinstance(row, models.Appearance | models.AgendaItem):
                row.edition_id = form.instance.edition_id
            if isinstance(row, models.AgendaItem):
                row.date = form.instance.date
            row.save()
        for row in formset.deleted_objects:
            row.delete()
        formset.save_m2m()


class AgendaItemForm(TimesForm):
    def clean(self):
        data = super().clean()
        edition, webinar = data.get("edition"), data.get("webinar")
        if edition and webinar and webinar.edition_id != edition.pk:
            self.add_error("webinar", _("This webinar belongs to another edition."))
        return data


@admin.register(models.AgendaItem)
class AgendaItemAdmin(ContentOfWebinarAdmin):
    form = AgendaItemForm
    list_display = ["title", "kind", "date", "starts_at", "webinar", "edition"]
    list_filter = ["edition", "kind"]
    list_select_related = ["webinar", "edition"]
    search_fields = ["title_ind", "title_en", "webinar__title_ind", "webinar__title_en"]
    date_hierarchy = "date"
    ordering = ["-date", "order", "pk"]
    autocomplete_fields = ["edition", "webinar"]
    inlines = [AppearanceInline]
    fieldsets = [
        (None, {"fields": [("edition", "webinar"), ("title_ind", "title_en"), ("kind", "order")]}),
        (
            _("Day and hour"),
            {"fields": ["date", ("starts_at", "ends_at")], "description": _("Hours are in WITA.")},
        ),
        (_("Note"), {"fields": [("note_ind", "note_en")]}),
    ]
