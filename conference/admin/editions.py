from datetime import timedelta

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from conference import copying, models, previewing, views
from conference.admin.content import ContentTabular, check_sign_up_hours, content_written
from conference.admin.publishing import PreviewLinkAdmin
from conference.admin.steps import back_to, page


class EditionForm(forms.ModelForm):
    def clean(self):
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day can't come before the first."))
        check_sign_up_hours(self, data)
        if not data.get("is_published") and self.instance.pk:
            self.check_hidden(data)
        return data

    def check_hidden(self, data):
        if data.get("is_current"):
            self.add_error("is_published", _("The current edition is shown. Untick “current edition” first."))
        elif self.instance.webinars.published().exists():
            self.add_error(
                "is_published", _("Webinars of this edition are public, so it is too. Unpublish them first.")
            )

    def clean_is_current(self):
        is_current = self.cleaned_data["is_current"]
        other = models.Edition.objects.exclude(pk=self.instance.pk).filter(is_current=True).first()
        if is_current and other:
            words = _("%(edition)s is the current edition. Untick it there first.")
            raise ValidationError(words, params={"edition": other})
        return is_current


# A new year is planned ahead, but not for ever.
FARTHEST = timedelta(days=3660)


class CopyForm(forms.Form):
    name_ind = forms.CharField(label=_("Name (Indonesian)"), max_length=200, widget=UnfoldAdminTextInputWidget)
    name_en = forms.CharField(
        label=_("Name (English)"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )
    starts_on = forms.DateField(
        label=_("First day"),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text=_("All days move along: what was on the second day is on the second day again, at the same hours."),
    )

    def __init__(self, *args, edition, **kwargs):
        super().__init__(*args, **kwargs)
        self.edition = edition

    def clean_starts_on(self):
        first = self.cleaned_data["starts_on"]
        if not self.edition.starts_on < first <= self.edition.starts_on + FARTHEST:
            raise ValidationError(_("Choose a day after this edition, within the ten years that follow it."))
        return first


class PartnershipInline(ContentTabular):
    model = models.Partnership
    fields = ["order", "organisation", "role"]
    ordering_field = "order"
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
class EditionAdmin(PreviewLinkAdmin):
    form = EditionForm
    list_display = [
        "name",
        "year",
        "starts_on",
        "ends_on",
        "webinar_count",
        "is_published",
        "is_current",
        "is_rehearsal",
    ]
    search_fields = ["name_ind", "name_en", "theme_ind", "theme_en", "=year"]
    ordering = ["-year"]
    prepopulated_fields = {"slug": ["number", "year"]}
    inlines = [PartnershipInline, EditionWebinarInline]
    actions_detail = ["preview"]
    steps = (*PreviewLinkAdmin.steps, "copy")
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
        (_("On the site"), {"fields": ["is_published", ("is_current", "is_rehearsal")]}),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(webinar_count=Count("webinars"))

    @display(description=_("webinars"), ordering="webinar_count")
    def webinar_count(self, edition):
        return edition.webinar_count

    def panel(self, request, row):
        panel = super().panel(request, row)
        is_shown = previewing.is_shown(row)
        words = _("Visitors see this edition.") if is_shown else _("Only organisers and editors see this edition.")
        label, colour = (_("Public"), "success") if is_shown else (_("Draft"), "info")
        copy = {"words": _("Copy it as a new edition…"), "address": self.step_url(row, "copy"), "variant": "default"}
        return panel | {
            "state": {"label": label, "type": colour, "words": words},
            "deeds": [copy] if self.has_add_permission(request) else [],
        }

    def get_view_on_site_url(self, obj=None):
        return super().get_view_on_site_url(obj) if obj and previewing.is_shown(obj) else None

    @action(description=_("Preview"), url_path="preview", permissions=["view"])
    def preview(self, request, object_id):
        return views.edition_page(request, models.Edition.objects.all(), self.as_preview(object_id), pk=object_id)

    def copy(self, request, pk):
        edition = self.to_change(request, pk)
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CopyForm(request.POST or None, edition=edition)
        copied = self.copied(edition, form) if form.is_valid() else None
        if copied:
            self.log_addition(request, copied, [{"added": {}}])
            content_written()
            words = _("This is the new edition. Check its days, then its webinars: each is a draft.")
            return back_to(request, self, words, messages.SUCCESS, self.step_url(copied))
        return page(
            request,
            self,
            title=_("Copy “%(edition)s” as a new edition") % {"edition": edition},
            form=form,
            lead=[
                _("These come along: webinars with hosts, texts, agenda and number of seats, and the organisations."),
                _("These stay behind: people and registrations, speakers, materials, Zoom rooms, opening hours."),
                _("Visitors see nothing of the new edition until you publish it or one of its webinars."),
            ],
            send=_("Make the new edition"),
            back=self.step_url(edition),
        )

    def copied(self, edition, form):
        try:
            return copying.copy_edition(edition, **form.cleaned_data)
        except copying.YearIsTaken:
            other = models.Edition.objects.filter(year=form.cleaned_data["starts_on"].year).first()
            words = _("In that year there is an edition already: %(edition)s.")
            form.add_error("starts_on", ValidationError(words, params={"edition": other}))
