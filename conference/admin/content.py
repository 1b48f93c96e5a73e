from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ImageField, TextField, URLField
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline, TabularInline

from conference import changes, photos, uploads
from conference.admin.versions import VersionedAdmin
from conference.validators import unread_image, validate_image

LANGUAGE_NAMES = dict(settings.LANGUAGES)


# For those who have never written in it.
MARKDOWN = _(
    "An empty line begins a new paragraph. **bold** is bold, a line that begins with “- ” is a list, "
    "[words](https://address) is a link."
)
HELP = {
    "slug": _(
        "The end of the page's address: small letters, digits and hyphens. Once it is public, leave it as it is."
    ),
    "order": _("Smaller numbers come first. In a table you can also drag the rows by their dots."),
    "size_bytes": _("Only for an address: with a file it is filled in by itself."),
    "photo": _("PNG, JPEG or WebP, at most 5 MB. Ask her whether she agrees."),
    "logo": _("PNG, JPEG or WebP, at most 5 MB; best on a white or clear ground."),
    "number": _("As visitors count: 1 for the first."),
    "acronym": _("Shown in place of the long name where there is little room."),
    "capacity": _("Who comes later waits for a seat. Empty: no limit."),
    "menu_order": _("Smaller numbers stand further left. Empty: not in the menu."),
}


class PictureField(forms.ImageField):
    def to_python(self, data):
        try:
            return super().to_python(data)
        except ValidationError as error:
            if error.code != "invalid_image":
                raise
            raise unread_image(data, error.__cause__) from error


class OrganiserFields:
    """Names the language beside a translated field, and looks into uploaded images."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if isinstance(db_field, URLField):
            kwargs["assume_scheme"] = "https"
        if isinstance(db_field, ImageField):
            kwargs["form_class"] = PictureField
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and (language := getattr(db_field, "language", None)):
            name = capfirst(db_field.translated_field.verbose_name)
            field.label = _("%(field)s (%(language)s)") % {"field": name, "language": LANGUAGE_NAMES[language]}
        if field and isinstance(db_field, ImageField):
            field.validators.append(validate_image)
        return field


class ContentFields(OrganiserFields):
    """Says in plain words what belongs into a field."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field:
            words = MARKDOWN if isinstance(db_field, TextField) else HELP.get(db_field.name)
            field.help_text = words or field.help_text
        return field


class ContentAdmin(ContentFields, VersionedAdmin):
    compressed_fields = False
    list_filter_sheet = False
    warn_unsaved_form = True
    list_per_page = 50
    # Django lets a reader filter a list by any column in its address, and so guess what no page shows her.
    secret_fields = ()

    def lookup_allowed(self, lookup, value, request=None):
        return lookup.partition("__")[0] not in self.secret_fields and super().lookup_allowed(lookup, value, request)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        content_written()

    def save_model(self, request, obj, form, change):
        earlier = uploads.named_by(self.model.objects.filter(pk=obj.pk))
        super().save_model(request, obj, form, change)
        uploads.forget_unused(earlier)

    def delete_model(self, request, obj):
        earlier = uploads.named_by(self.model.objects.filter(pk=obj.pk))
        super().delete_model(request, obj)
        uploads.forget_unused(earlier)
        content_written()

    def delete_queryset(self, request, queryset):
        earlier = uploads.named_by(queryset)
        super().delete_queryset(request, queryset)
        uploads.forget_unused(earlier)
        content_written()


def content_written():
    changes.record_soon()
    transaction.on_commit(remove_old_copies, robust=True)


def remove_old_copies():
    """Of photos and logos that were replaced, taken back or deleted."""
    fields = uploads.FIELDS.items()
    photos.keep_only([getattr(row, name) for model, name in fields for row in model.objects.exclude(**{name: ""})])


class ContentTabular(ContentFields, TabularInline):
    hide_title = True
    extra = 0


class ContentStacked(ContentFields, StackedInline):
    extra = 0


class TimesForm(forms.ModelForm):
    """A start and an end that the database would refuse are answered beside the field."""

    start_field, end_field = "starts_at", "ends_at"

    def clean(self):
        data = super().clean()
        start, end = data.get(self.start_field), data.get(self.end_field)
        if end and not start and self.start_field not in self.errors:
            self.add_error(self.start_field, _("There is an end: say when it starts too."))
        elif end and start and end <= start:
            self.add_error(self.end_field, _("The end must come after the start."))
        return data


def check_sign_up_hours(form, data):
    opens, closes = data.get("registration_opens_at"), data.get("registration_closes_at")
    if opens and closes and closes <= opens:
        form.add_error("registration_closes_at", _("Registration must close after it opens."))
