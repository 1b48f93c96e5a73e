from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from conference import models, publishing, readiness, versions, views
from conference.admin.content import TimesForm, check_sign_up_hours
from conference.admin.materials import MaterialInline
from conference.admin.programme import AgendaItemInline, AppearanceInline, ContentOfWebinarAdmin
from conference.admin.publishing import PublishingAdmin

STATUS_COLOURS = {
    models.Webinar.Status.DRAFT: "info",
    models.Webinar.Status.PUBLISHED: "success",
    models.Webinar.Status.CANCELLED: "danger",
}


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


@admin.register(models.Webinar)
class WebinarAdmin(PublishingAdmin, ContentOfWebinarAdmin):
    form = WebinarForm
    secret_fields = versions.ROOM
    list_display = ["title", "number", "date", "hour", "status_label", "gap_count", "capacity"]
    list_display_links = ["title"]
    list_filter = ["status", "edition"]
    search_fields = ["title_ind", "title_en", "slug", "hosts__name_ind", "hosts__acronym"]
    search_help_text = _("Title or host")
    date_hierarchy = "date"
    ordering = ["-edition__starts_on", "number"]
    prepopulated_fields = {"slug": ["title_ind"]}
    autocomplete_fields = ["edition", "hosts"]
    inlines = [AgendaItemInline, AppearanceInline, MaterialInline]
    actions_detail = ["preview"]
    steps = (*PublishingAdmin.steps, "cancel", "reinstate")
    words = {
        "publish": _("Publish or schedule…"),
        "published": _("The webinar is public."),
        "unpublish": _("Take it off the site…"),
        "unpublished": _("The webinar is a draft again. Nobody but organisers and editors sees it."),
        "cancel": _("Cancel the webinar…"),
        "reinstate": _("It takes place after all…"),
    }
    fieldsets = [
        (None, {"fields": ["edition", "number", ("title_ind", "title_en"), "slug"]}),
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
        examples = {
            "languages": _("Codes separated by commas: id for Indonesian, en for English."),
            "zoom_url": _("The address that Zoom calls the join link. Each person is led there by a link of her own."),
            "backup_stream_url": _("Opened in place of Zoom while there is no Zoom address."),
            "join_opens_minutes": _("So long before the start the personal links lead into the room."),
        }
        return super().get_form(request, obj, change=change, help_texts=examples, **kwargs)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        form.instance.agenda_items.update(date=form.instance.date)

    def get_view_on_site_url(self, obj=None):
        return super().get_view_on_site_url(obj) if obj and obj.status != obj.Status.DRAFT else None

    def get_queryset(self, request):
        webinars = super().get_queryset(request)
        is_list = request.resolver_match.view_name.endswith("_changelist")
        return readiness.with_parts(webinars) if is_list else webinars

    # ---- Its state

    def gaps(self, request, row):
        webinar = readiness.with_parts(models.Webinar.objects.filter(pk=row.pk)).get()
        may = request.user.has_perm
        for gap in readiness.missing(webinar, now=timezone.now()):
            if gap.part != "status":
                yield gap.words, place_of(gap, may), gap.holds_up

    def has_checklist(self, row):
        return not (row.is_cancelled or row.is_over(timezone.now()))

    def state_in_words(self, row):
        if row.is_cancelled:
            words = _("Its page says that it will not take place.")
            return {"label": row.get_status_display(), "type": "danger", "words": words}
        return super().state_in_words(row)

    def deeds(self, row, *, is_public):
        """What is cancelled comes back first."""
        cancel = {"words": self.words["cancel"], "address": self.step_url(row, "cancel"), "variant": "danger"}
        if row.is_cancelled:
            words = self.words["reinstate"]
            return [{"words": words, "address": self.step_url(row, "reinstate"), "variant": "default"}]
        return [*super().deeds(row, is_public=is_public), *([cancel] if is_public else [])]

    def told_of_cancellation(self, row):
        """Sentences that say who learns of it."""
        return []

    def cancel(self, request, pk):
        row = self.to_publish(request, pk)
        if row.status != row.Status.PUBLISHED:
            return self.too_late(request, row)
        return self.asked(
            request,
            row,
            publishing.cancel,
            _("The webinar is cancelled."),
            title=_("Cancel the webinar"),
            lead=[_("Its page stays and says that it will not take place. Nobody can sign up or enter any more.")],
            facts=[row.title, *self.told_of_cancellation(row)],
        )

    def reinstate(self, request, pk):
        row = self.to_publish(request, pk)
        if not row.is_cancelled:
            return self.too_late(request, row)
        return self.asked(
            request,
            row,
            publishing.reinstate,
            _("The webinar takes place after all."),
            title=_("Let it take place after all"),
            lead=[_("Its page invites again. Nobody is told by mail that it takes place: write an announcement.")],
            facts=[row.title],
        )

    @action(description=_("Preview"), url_path="preview", permissions=["view"])
    def preview(self, request, object_id):
        """As readers will see it, before it is published."""
        return views.webinar_page(request, models.Webinar.objects.all(), self.as_preview(object_id), pk=object_id)

    @display(description=_("starts at"), ordering="starts_at", empty_value=_("to be confirmed"))
    def hour(self, webinar):
        return f"{timezone.localtime(webinar.starts_at):%H.%M} WITA" if webinar.starts_at else None

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, webinar):
        return webinar.status, self.state_in_list(webinar, webinar.get_status_display())

    @display(description=_("still missing"), empty_value="-")
    def gap_count(self, webinar):
        """In the list alone: there the parts are loaded for all rows at once."""
        return len(readiness.missing(webinar, now=timezone.now())) or None


TABS = {"agenda_items", "appearances"}


def place_of(gap, may):
    """Where it is mended: a tab and a place in it, the speaker's own page, or nothing for whoever may not."""
    if gap.part == "zoom_url" and not may("conference.change_room"):
        return ""
    if gap.speaker:
        return reverse("admin:conference_speaker_change", args=[gap.speaker])
    if gap.part in TABS:
        return {"tab": gap.part, "place": f"#{gap.part}-group"}
    return {"tab": "general", "place": f".field-{gap.part}"}
