from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from conference import models
from conference.admin.content import ContentAdmin, ContentTabular
from conference.admin.images import ImageForm, tile
from conference.admin.tables import TableAdmin


class LogoForm(ImageForm):
    image_field = "logo"
    is_square = False


class OrganisationPartnershipInline(ContentTabular):
    model = models.Partnership
    fields = ["edition", "role", "order"]
    autocomplete_fields = ["edition"]
    ordering = ["-edition__year"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("edition", "organisation")


@admin.register(models.Organisation)
class OrganisationAdmin(TableAdmin):
    form = LogoForm
    list_display = ["name", "acronym", "kind", "website", "logo_tile"]
    list_filter = ["kind", "partnerships__edition"]
    search_fields = ["name_ind", "name_en", "acronym", "slug"]
    ordering = ["name_ind"]
    prepopulated_fields = {"slug": ["acronym"]}
    inlines = [OrganisationPartnershipInline]
    fieldsets = [
        (None, {"fields": [("name_ind", "name_en"), ("acronym", "slug"), "kind"]}),
        (_("For readers"), {"fields": ["website", ("about_ind", "about_en")]}),
        (_("Logo"), {"fields": ["logo", "logo_crop", ("logo_alt_ind", "logo_alt_en")]}),
    ]

    @display(description=_("logo"))
    def logo_tile(self, organisation):
        return tile(organisation.logo)


@admin.register(models.Partnership)
class PartnershipAdmin(ContentAdmin):
    list_display = ["organisation", "edition", "role", "order"]
    list_filter = ["edition", "role"]
    list_select_related = ["organisation", "edition"]
    search_fields = ["organisation__name_ind", "organisation__name_en", "organisation__acronym"]
    ordering = ["-edition__year", "order", "pk"]
    autocomplete_fields = ["edition", "organisation"]
    fields = ["edition", "organisation", ("role", "order")]
