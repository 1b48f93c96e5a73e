from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from conference import models
from conference.admin.content import ContentAdmin, ContentTabular
from conference.admin.images import ImageForm, tile
from conference.admin.tables import TableAdmin


class SpeakerAppearanceForm(forms.ModelForm):
    def clean(self):
        data = super().clean()
        webinar, item = data.get("webinar"), data.get("agenda_item")
        if webinar and item:
            self.add_error("agenda_item", _("Choose a webinar or an agenda item, not both."))
        part = webinar or item
        if part and data.get("edition") and part.edition_id != data["edition"].pk:
            self.add_error("edition", _("The webinar or agenda item belongs to another edition."))
        return data


class SpeakerAppearanceInline(ContentTabular):
    model = models.Appearance
    form = SpeakerAppearanceForm
    fields = ["edition", "webinar", "agenda_item", "role", "order"]
    autocomplete_fields = ["edition", "webinar", "agenda_item"]
    ordering = ["-edition__year", "order", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("speaker", "edition", "webinar", "agenda_item")


@admin.register(models.Speaker)
class SpeakerAdmin(TableAdmin):
    form = ImageForm
    list_display = ["name", "position", "organisation", "photo_tile"]
    list_filter = ["appearances__edition"]
    list_select_related = ["organisation"]
    search_fields = ["name", "position_ind", "position_en", "organisation__name_ind", "organisation__acronym"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    autocomplete_fields = ["organisation"]
    inlines = [SpeakerAppearanceInline]
    fieldsets = [
        (None, {"fields": [("name", "slug"), ("position_ind", "position_en"), "organisation"]}),
        (_("For readers"), {"fields": [("bio_ind", "bio_en")]}),
        (_("Photo"), {"fields": ["photo", "photo_crop", ("photo_alt_ind", "photo_alt_en")]}),
    ]

    @display(description=_("photo"))
    def photo_tile(self, speaker):
        return tile(speaker.photo)


@admin.register(models.Appearance)
class AppearanceAdmin(ContentAdmin):
    form = SpeakerAppearanceForm
    list_display = ["speaker", "role", "webinar", "agenda_item", "edition"]
    list_filter = ["edition", "role"]
    list_select_related = ["speaker", "webinar", "agenda_item", "edition"]
    search_fields = ["speaker__name", "webinar__title_ind", "agenda_item__title_ind"]
    ordering = ["-edition__year", "webinar__number", "order", "pk"]
    autocomplete_fields = ["edition", "speaker", "webinar", "agenda_item"]
    fields = ["edition", "speaker", ("webinar", "agenda_item"), ("role", "order")]
