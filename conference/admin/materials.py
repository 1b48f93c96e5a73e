from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from conference import models
from conference.admin.content import ContentAdmin, ContentStacked
from conference.validators import validate_material


class MaterialForm(forms.ModelForm):
    def clean_file(self):
        file = self.cleaned_data["file"]
        if isinstance(file, UploadedFile):
            validate_material(file)
        return file

    def clean(self):
        data = super().clean()
        if bool(data.get("file")) == bool(data.get("url")) and not {"file", "url"} & self.errors.keys():
            self.add_error("url", _("Give either a file or an address."))
        return data


class MaterialInline(ContentStacked):
    model = models.Material
    form = MaterialForm
    fields = [("order", "kind"), ("title_ind", "title_en"), ("file", "url"), "size_bytes"]
    ordering = ["order", "pk"]
    ordering_field = "order"
    tab = True


@admin.register(models.Material)
class MaterialAdmin(ContentAdmin):
    form = MaterialForm
    list_display = ["__str__", "kind", "webinar", "size_bytes"]
    list_filter = ["kind", "webinar__edition"]
    list_select_related = ["webinar"]
    search_fields = ["title_ind", "title_en", "webinar__title_ind", "webinar__title_en"]
    ordering = ["-webinar__date", "webinar_id", "order", "pk"]
    autocomplete_fields = ["webinar"]
    fieldsets = [
        (None, {"fields": ["webinar", ("kind", "order"), ("title_ind", "title_en")]}),
        (_("File or address"), {"fields": ["file", "url", "size_bytes"]}),
    ]
