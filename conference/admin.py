from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, ImageField, URLField
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.decorators import action, display
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from conference import changes, models, photos, views
from conference.validators import validate_image

LANGUAGE_NAMES = dict(settings.LANGUAGES)
STATUS_COLOURS = {
    models.Webinar.Status.DRAFT: "info",
    models.Webinar.Status.PUBLISHED: "success",
    models.Webinar.Status.CANCELLED: "danger",
}


# ---- What every form of an organiser has


class OrganiserFields:
    """Names the language beside a translated field, and looks into uploaded images."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if isinstance(db_field, URLField):
            kwargs["assume_scheme"] = "https"
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and (language := getattr(db_field, "language", None)):
            name = capfirst(db_field.translated_field.verbose_name)
            field.label = _("%(field)s (%(language)s)") % {"field": name, "language": LANGUAGE_NAMES[language]}
        if field and isinstance(db_field, ImageField):
            field.validators.append(validate_image)
        return field


class ContentAdmin(OrganiserFields, ModelAdmin):
    compressed_fields = False
    list_filter_sheet = False
    warn_unsaved_form = True
    list_per_page = 50

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        content_written()

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        content_written()

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        content_written()


def content_written():
    changes.record_soon()
    transaction.on_commit(remove_old_copies, robust=True)


def remove_old_copies():
    """Of photos and logos that were replaced, taken back or deleted."""
    portraits = [speaker.photo for speaker in models.Speaker.objects.exclude(photo="")]
    logos = [organisation.logo for organisation in models.Organisation.objects.exclude(logo="")]
    photos.keep_only([*portraits, *logos])


class ContentTabular(OrganiserFields, TabularInline):
    hide_title = True
    extra = 0


class ContentStacked(OrganiserFields, StackedInline):
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


def tile(file: Any) -> str:
    if not file:
        return "-"
    return format_html('<img src="{}" alt="" style="height:2.5rem;max-width:6rem;object-fit:contain">', file.url)


# ---- Editions


def check_sign_up_hours(form, data):
    opens, closes = data.get("registration_opens_at"), data.get("registration_closes_at")
    if opens and closes and closes <= opens:
        form.add_error("registration_closes_at", _("Registration must close after it opens."))


class EditionForm(forms.ModelForm):
    def clean(self):
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day can't come before the first."))
        check_sign_up_hours(self, data)
        return data

    def clean_is_current(self):
        is_current = self.cleaned_data["is_current"]
        other = models.Edition.objects.exclude(pk=self.instance.pk).filter(is_current=True).first()
        if is_current and other:
            words = _("%(edition)s is the current edition. Untick it there first.")
            raise ValidationError(words, params={"edition": other})
        return is_current


class PartnershipInline(ContentTabular):
    model = models.Partnership
    fields = ["order", "organisation", "role"]
    autocomplete_fields = ["organisation"]
    ordering = ["order", "pk"]


class EditionWebinarInline(ContentTabular):
    """A table of contents: a webinar is written on its own page."""

    model = models.Webinar
    fields = ["number", "title", "date", "starts_at", "status"]
    readonly_fields = fields
    ordering = ["number"]
    show_change_link = True
    can_delete = False

    def has_add_permission(self, request, obj):
        return False


@admin.register(models.Edition)
class EditionAdmin(ContentAdmin):
    form = EditionForm
    list_display = ["name", "year", "starts_on", "ends_on", "webinar_count", "is_current", "is_rehearsal"]
    search_fields = ["name_ind", "name_en", "theme_ind", "theme_en", "=year"]
    ordering = ["-year"]
    prepopulated_fields = {"slug": ["number", "year"]}
    inlines = [PartnershipInline, EditionWebinarInline]
    fieldsets = [
        (None, {"fields": [("number", "year"), ("name_ind", "name_en"), ("theme_ind", "theme_en"), "slug"]}),
        (_("When and where"), {"fields": [("starts_on", "ends_on"), ("place_ind", "place_en")]}),
        (
            _("Registration"),
            {
                "fields": [("registration_opens_at", "registration_closes_at")],
                "description": _("Hours are in WITA. Without an opening hour nobody can register."),
            },
        ),
        (_("Summary"), {"fields": [("summary_ind", "summary_en")]}),
        (_("On the site"), {"fields": [("is_current", "is_rehearsal")]}),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(webinar_count=Count("webinars"))

    @display(description=_("webinars"), ordering="webinar_count")
    def webinar_count(self, edition):
        return edition.webinar_count


# ---- Webinars


# A month ahead; more than a few are a nuisance.
LONGEST_REMINDER = 43_200
MOST_REMINDERS = 6


class WebinarForm(TimesForm):
    def clean_reminder_minutes(self):
        minutes = sorted(set(self.cleaned_data["reminder_minutes"]), reverse=True)
        if len(minutes) > MOST_REMINDERS:
            raise ValidationError(_("These are more than %(most)d reminders."), params={"most": MOST_REMINDERS})
        if minutes and minutes[0] > LONGEST_REMINDER:
            words = _("A reminder goes %(most)d minutes (30 days) before the start at most.")
            raise ValidationError(words, params={"most": LONGEST_REMINDER})
        return minutes

    def clean(self):
        data = super().clean()
        date, starts_at = data.get("date"), data.get("starts_at")
        if date and starts_at and timezone.localdate(starts_at) != date:
            self.add_error("starts_at", _("The start lies on another day than the date above."))
        check_sign_up_hours(self, data)
        return data


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
    autocomplete_fields = ["speaker"]
    ordering = ["order", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("speaker")


class AgendaItemInline(ContentStacked):
    model = models.AgendaItem
    form = TimesForm
    fields = [("order", "kind"), ("title_ind", "title_en"), ("starts_at", "ends_at"), ("note_ind", "note_en")]
    ordering = ["order", "pk"]
    tab = True
    show_change_link = True


class MaterialForm(forms.ModelForm):
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
    tab = True


class ContentOfWebinarAdmin(ContentAdmin):
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


@admin.register(models.Webinar)
class WebinarAdmin(ContentOfWebinarAdmin):
    form = WebinarForm
    list_display = ["title", "number", "date", "hour", "status_label", "capacity"]
    list_display_links = ["title"]
    list_filter = ["status", "edition"]
    search_fields = ["title_ind", "title_en", "slug", "hosts__name_ind", "hosts__acronym"]
    search_help_text = _("Title or host")
    date_hierarchy = "date"
    ordering = ["-date", "number"]
    prepopulated_fields = {"slug": ["title_ind"]}
    autocomplete_fields = ["edition", "hosts"]
    inlines = [AgendaItemInline, AppearanceInline, MaterialInline]
    actions_detail = ["preview"]
    fieldsets = [
        (None, {"fields": ["edition", ("number", "status"), ("title_ind", "title_en"), "slug"]}),
        (
            _("Day and hour"),
            {
                "fields": ["date", ("starts_at", "ends_at"), "join_opens_minutes"],
                "description": _("Hours are in WITA. The site shows them in WIB, WITA and WIT."),
            },
        ),
        (
            _("Sign-up"),
            {
                "fields": [("registration_opens_at", "registration_closes_at"), "allows_late_sign_up"],
                "description": _("Hours are in WITA. Leave them empty for those of the edition."),
            },
        ),
        (_("For readers"), {"fields": [("summary_ind", "summary_en"), ("description_ind", "description_en")]}),
        (_("Seats and hosts"), {"fields": ["capacity", "hosts"]}),
        (_("Languages and access"), {"fields": ["languages", ("has_sign_language", "has_captions")]}),
    ]

    room = (
        _("The room"),
        {
            "fields": [("zoom_url", "zoom_meeting_id"), ("zoom_passcode", "backup_stream_url")],
            "description": _("Never shown on a page: only a personal link leads there, and only at the hour."),
        },
    )

    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}

    def get_fieldsets(self, request, obj=None):
        """Editors write the programme; the key to the room is not theirs."""
        *before, languages = super().get_fieldsets(request, obj)
        return [*before, *([self.room] if request.user.has_perm("conference.change_room") else []), languages]

    def get_form(self, request, obj=None, change=False, **kwargs):
        examples = {"languages": _("Codes separated by commas: id for Indonesian, en for English.")}
        return super().get_form(request, obj, change=change, help_texts=examples, **kwargs)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        form.instance.agenda_items.update(date=form.instance.date)

    def get_view_on_site_url(self, obj=None):
        return super().get_view_on_site_url(obj) if obj and obj.status != obj.Status.DRAFT else None

    @action(description=_("Preview"), url_path="preview", permissions=["view"])
    def preview(self, request, object_id):
        """As readers will see it, before it is published."""
        return views.webinar_page(request, models.Webinar.objects.all(), pk=object_id)

    @display(description=_("starts at"), ordering="starts_at", empty_value=_("to be confirmed"))
    def hour(self, webinar):
        return f"{timezone.localtime(webinar.starts_at):%H.%M} WITA" if webinar.starts_at else None

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, webinar):
        return webinar.status, webinar.get_status_display()


# ---- The parts of a programme


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


# ---- Who takes part


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
class SpeakerAdmin(ContentAdmin):
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
        (_("For readers"), {"fields": [("bio_ind", "bio_en"), "photo"]}),
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


class OrganisationPartnershipInline(ContentTabular):
    model = models.Partnership
    fields = ["edition", "role", "order"]
    autocomplete_fields = ["edition"]
    ordering = ["-edition__year"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("edition", "organisation")


@admin.register(models.Organisation)
class OrganisationAdmin(ContentAdmin):
    list_display = ["name", "acronym", "kind", "website", "logo_tile"]
    list_filter = ["kind", "partnerships__edition"]
    search_fields = ["name_ind", "name_en", "acronym", "slug"]
    ordering = ["name_ind"]
    prepopulated_fields = {"slug": ["acronym"]}
    inlines = [OrganisationPartnershipInline]
    fieldsets = [
        (None, {"fields": [("name_ind", "name_en"), ("acronym", "slug"), "kind"]}),
        (_("For readers"), {"fields": ["website", ("about_ind", "about_en"), "logo"]}),
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


# ---- Pages


@admin.register(models.Page)
class PageAdmin(ContentAdmin):
    list_display = ["title", "slug", "menu_order", "is_published"]
    list_filter = ["is_published"]
    search_fields = ["title_ind", "title_en", "slug", "body_ind", "body_en"]
    ordering = ["menu_order", "slug"]
    prepopulated_fields = {"slug": ["title_ind"]}
    actions_detail = ["preview"]
    fieldsets = [
        (None, {"fields": [("title_ind", "title_en"), "slug"]}),
        (_("Text"), {"fields": [("body_ind", "body_en")]}),
        (_("On the site"), {"fields": [("is_published", "menu_order")]}),
    ]

    def get_view_on_site_url(self, obj=None):
        return super().get_view_on_site_url(obj) if obj and obj.is_published else None

    @action(description=_("Preview"), url_path="preview", permissions=["view"])
    def preview(self, request, object_id):
        return views.written_page(request, models.Page.objects.all(), pk=object_id)


# ---- What visitors were told


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
