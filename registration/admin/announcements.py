"""Announcements: written, looked at, tried out, sent, watched, stopped. Who may write is not who may send."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSplitDateTimeWidget,
)

from conference.admin import OrganiserFields
from conference.models import Webinar
from registration import announcements, audiences, pace, regions
from registration.admin.desk import back_to, page
from registration.models import Announcement, Participant

Status = Announcement.Status
STATUS_COLOURS = {
    Status.DRAFT: "info",
    Status.SCHEDULED: "warning",
    Status.SENDING: "warning",
    Status.SENT: "success",
    Status.STOPPED: "danger",
}
LANGUAGES = [("id", "Bahasa Indonesia"), ("en", "English")]
IN_EDITION, EVERYBODY = "edition", "everybody"


# ---- Writing


def ticks(label, choices, help_text=""):
    return forms.MultipleChoiceField(
        label=label,
        choices=choices,
        required=False,
        help_text=help_text,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


class AnnouncementForm(forms.ModelForm):
    """The filters of `audiences` as boxes to tick; saved as the JSON that they stand for."""

    about = forms.ChoiceField(
        label=_("What it is about"),
        choices=list(audiences.ABOUT.items()),
        initial=audiences.NEWS,
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=_(
            "About their own webinars you may write to everybody who is registered for them: it belongs to taking "
            "part. Anything else goes only to people who have ticked that they want news; the site leaves the others "
            "out by itself. A mail about another event or a request for donations is never about their own webinars."
        ),
    )
    reach = forms.ChoiceField(
        label=_("Of which edition"),
        choices=[
            (IN_EDITION, _("People who are registered in the edition above")),
            (EVERYBODY, _("Everybody who has asked for news, of any edition")),
        ],
        initial=IN_EDITION,
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
    )
    webinars = forms.TypedMultipleChoiceField(
        label=_("Webinars"),
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None ticked: all webinars of the edition."),
    )
    statuses = ticks(
        _("Registration"),
        list(audiences.STATUSES.items()),
        _("None ticked: confirmed and waiting. Who has cancelled is written to only when that is ticked."),
    )
    attended = forms.ChoiceField(
        label=_("Attendance"),
        choices=[("", _("Makes no difference")), *audiences.ATTENDED.items()],
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
    )
    provinces = forms.MultipleChoiceField(
        label=_("Provinces"),
        choices=regions.province_choices,
        required=False,
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("None chosen: all provinces."),
    )
    languages = ticks(_("Language of their mails"), LANGUAGES)
    organisation_kinds = ticks(_("Kind of organisation"), Participant.OrganisationKind.choices)
    consents = ticks(_("Have agreed to"), list(audiences.CONSENTS.items()), _("None ticked: makes no difference."))

    class Meta:
        model = Announcement
        fields = ("edition", "subject", "body")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        webinars = Webinar.objects.select_related("edition").order_by("-edition__year", "number", "pk")
        self.fields["webinars"].choices = [
            (row.pk, f"{row.edition.year} · {row.number}. {row.title}") for row in webinars
        ]
        self.show(self.instance.audience)

    def show(self, data):
        try:
            audience = audiences.read(data)
        except ValidationError:
            return  # written by another hand: chosen anew, from what widens nothing
        for name, value in audience.as_json().items():
            if name in self.fields:
                self.fields[name].initial = value
        if self.instance.pk:
            self.fields["reach"].initial = IN_EDITION if audience.editions else EVERYBODY

    def clean(self):
        data = super().clean()
        for field, words in announcements.slips(data):
            if field in self.fields:
                self.add_error(field, words)
        if self.errors:
            return data
        self.audience = audiences.read(self.filters(data))
        for name, words in audiences.objections(self.audience).items():
            self.add_error(name if name in self.fields else "reach", words)
        return data

    def filters(self, data):
        names = ("webinars", "statuses", "provinces", "languages", "organisation_kinds", "consents")
        chosen = {name: list(data[name]) for name in names if data.get(name)}
        about = data.get("about") or audiences.NEWS
        is_of_edition = data.get("reach") != EVERYBODY or about == audiences.OWN_WEBINARS
        editions = {"editions": [data["edition"].pk]} if is_of_edition else {}
        return {"about": about, "attended": data.get("attended", ""), **editions, **chosen}

    def save(self, commit=True):
        self.instance.audience = self.audience.as_json()
        return super().save(commit)


class SendForm(forms.Form):
    when = forms.ChoiceField(
        label=_("When"),
        choices=[("now", _("Now")), ("later", _("At the hour below"))],
        initial="now",
        widget=UnfoldAdminRadioSelectWidget,
    )
    send_at = forms.SplitDateTimeField(
        label=_("Day and hour"),
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("In WITA. Whoever is meant at that hour gets it."),
    )

    def clean(self):
        data = super().clean()
        if data.get("when") == "later" and "send_at" not in self.errors:
            if not data.get("send_at"):
                self.add_error("send_at", _("Write the day and the hour."))
            elif data["send_at"] <= timezone.now():
                self.add_error("send_at", _("This hour has passed."))
        return data


# ---- The pages


@admin.register(Announcement)
class AnnouncementAdmin(OrganiserFields, ModelAdmin):
    compressed_fields = False
    list_filter_sheet = False
    warn_unsaved_form = True
    form = AnnouncementForm
    list_display = ["subject", "edition", "status_label", "send_at", "created_by", "created_at"]
    list_filter = ["status", "edition"]
    list_select_related = ["edition", "created_by"]
    search_fields = ["subject_ind", "subject_en", "body_ind", "body_en"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    readonly_fields = ["status", "send_at", "started_at", "ended_at", "created_by", "created_at"]
    change_form_outer_before_template = "admin/registration/announcement/panel.html"
    fieldsets = [
        (
            None,
            {
                "fields": ["edition", ("subject_ind", "subject_en"), ("body_ind", "body_en")],
                "description": _(
                    "Markdown: **bold**, a line that begins with “- ” is a list, [words](https://address) is a link; "
                    "a link alone on its line is a button. {name} becomes the reader's name, {page} the address of "
                    "her own page. A greeting with her name comes by itself. Without an English text everybody gets "
                    "the Indonesian one."
                ),
            },
        ),
        (
            _("To whom"),
            {
                "fields": [
                    *("about", "reach", "webinars", "statuses", "attended"),
                    *("provinces", "languages", "organisation_kinds", "consents"),
                ],
                "description": _(
                    "Each heading narrows, each tick under one heading widens. Everybody gets it once, whatever fits; "
                    "a carer gets one mail for all in her care. Left out are people who want no announcements, have "
                    "their data restricted, have not proven their address, or whose mail comes back."
                ),
            },
        ),
        (_("State"), {"fields": [("status", "send_at"), ("started_at", "ended_at"), ("created_by", "created_at")]}),
    ]

    def get_urls(self):
        steps = {"send": self.send, "test": self.test, "stop": self.stop, "resume": self.resume, "draft": self.draft}
        steps["progress"] = self.progress
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"registration_announcement_{name}")
            for name, view in steps.items()
        ]
        return [*own, *super().get_urls()]

    def get_fieldsets(self, request, obj=None):
        """What is on its way is read, not changed; its filters stand in words above."""
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        text, _filters, state = self.fieldsets
        return [(None, {"fields": text[1]["fields"]}), state]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_draft)

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would take along what was sent
        return actions

    def save_model(self, request, obj, form, change):
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)

    def response_add(self, request, obj, post_url_continue=None):
        """On to whom it reaches and how it looks, not back to the list."""
        return self.stay(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request, obj):
        return self.stay(request, obj) or super().response_change(request, obj)

    def stay(self, request, obj):
        if "_addanother" in request.POST or "_continue" in request.POST:
            return None
        return back_to(request, self, _("Saved. Look at it below before it goes out."), messages.SUCCESS, address(obj))

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        row = Announcement.objects.filter(pk=object_id).first() if str(object_id).isdigit() else None
        shown = request.method == "GET" and row and self.has_view_permission(request, row)
        context = panel(row, request.user) if shown else {}
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    # ---- What is done with it

    def chosen(self, request, pk):
        if not may_send(request.user):
            raise PermissionDenied
        return get_object_or_404(Announcement, pk=pk)

    def send(self, request, pk):
        row = self.chosen(request, pk)
        form = SendForm(request.POST or None)
        found = announcements.objections(row)
        if found or row.status not in (Status.DRAFT, Status.SCHEDULED):
            words = " ".join(found) or _("It was sent before.")
            return back_to(request, self, words, messages.ERROR, address(row))
        if form.is_valid():
            return self.sent(request, row, form.cleaned_data)
        reach = audiences.count(audiences.read(row.audience))
        return page(
            request,
            self,
            title=_("Send the announcement"),
            form=form,
            lead=[_("What is sent can't be taken back. What is not sent yet can be stopped at any time.")],
            facts=[row.subject, reach_words(reach)],
            send=_("Send it"),
            back=address(row),
            is_final=True,
        )

    def sent(self, request, row, data):
        now = timezone.now()
        try:
            if data["when"] == "later":
                is_done = announcements.schedule(row, send_at=data["send_at"], now=now)
                words = _("It waits for its hour.")
            else:
                number = announcements.send(row, now=now)
                is_done, words = number is not None, queued_words(number or 0)
        except announcements.Unfit as objection:
            return back_to(request, self, str(objection), messages.ERROR, address(row))
        return self.told(request, row, is_done, words, "send")

    @method_decorator(require_POST)
    def test(self, request, pk):
        row = get_object_or_404(Announcement, pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        language = "en" if request.POST.get("language") == "en" and row.has_english else "id"
        if found := announcements.objections(row):
            return back_to(request, self, " ".join(found), messages.ERROR, address(row))
        announcements.queue_test(row, request.user, language=language, now=timezone.now())
        words = _("A test is on its way to %(email)s.") % {"email": request.user.email}
        return back_to(request, self, words, messages.SUCCESS, address(row))

    @method_decorator(require_POST)
    def stop(self, request, pk):
        row = self.chosen(request, pk)
        number = announcements.stop(row, now=timezone.now())
        words = ngettext(
            "Stopped. %d mail is held back; what is sent stays sent.",
            "Stopped. %d mails are held back; what is sent stays sent.",
            number or 0,
        )
        return self.told(request, row, number is not None, words % (number or 0), "stop")

    @method_decorator(require_POST)
    def resume(self, request, pk):
        row = self.chosen(request, pk)
        try:
            number = announcements.resume(row, now=timezone.now())
        except announcements.Unfit as objection:
            return back_to(request, self, str(objection), messages.ERROR, address(row))
        return self.told(request, row, number is not None, queued_words(number or 0), "resume")

    @method_decorator(require_POST)
    def draft(self, request, pk):
        row = self.chosen(request, pk)
        words = _("It is a draft again and goes out at no hour.")
        return self.told(request, row, announcements.unschedule(row), words, "unschedule")

    def told(self, request, row, is_done, words, step):
        """Who did it is kept; a second click, or another organiser's, is said to be one."""
        if is_done:
            self.log_change(request, row, step)
            return back_to(request, self, words, messages.SUCCESS, address(row))
        words = _("Nothing has changed: another click, or another organiser, was faster.")
        return back_to(request, self, words, messages.WARNING, address(row))

    @method_decorator(require_safe)
    def progress(self, request, pk):
        """The bar alone, for the page that watches it."""
        row = get_object_or_404(Announcement, pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        response = render(request, "admin/registration/announcement/progress.html", watched(row))
        response["Cache-Control"] = "no-store"
        return response

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, row):
        return row.status, row.get_status_display()


def address(row):
    return reverse("admin:registration_announcement_change", args=[row.pk])


def may_send(user):
    return user.has_perm("registration.send_announcement")


def reach_words(reach):
    words = ngettext("It goes to %(mailboxes)d mailbox.", "It goes to %(mailboxes)d mailboxes.", reach["mailboxes"])
    if reach["in_care"]:
        words = _("It goes to %(mailboxes)d mailboxes, for %(people)d people; %(in_care)d of them in another's care.")
    return words % reach


def queued_words(number):
    return ngettext("%d mail is queued.", "%d mails are queued.", number) % number


# ---- What stands above the form


def panel(row, user):
    """Names of people only for who may see people."""
    found = announcements.objections(row)
    context = {
        "announcement": row,
        "objections": found,
        "may_send": may_send(user),
        "is_waiting": row.status in (Status.DRAFT, Status.SCHEDULED),
        **watched(row),
    }
    if not found:
        context["previews"] = previews(row, user)
    if not found and context["is_waiting"]:
        audience = audiences.read(row.audience)
        context |= {"reach": reach_words(audiences.count(audience)), "needs_consent": audience.needs_news_consent}
        if user.has_perm("registration.view_participant"):
            context["people"] = audiences.sample(audience)
    return context


def previews(row, user):
    languages = LANGUAGES if row.has_english else LANGUAGES[:1]
    now = timezone.now()
    return [(name, code, announcements.preview(row, user, language=code, now=now)) for code, name in languages]


def watched(row):
    if row.status in (Status.DRAFT, Status.SCHEDULED):
        return {"announcement": row}
    return {
        "announcement": row,
        "progress": announcements.progress(row),
        "is_moving": row.status == Status.SENDING,
        # Of everything that waits: what was queued before it goes first.
        "expected_end": pace.expected_end_in_words(timezone.now()) if row.status == Status.SENDING else "",
    }
