"""Announcements: written, looked at, tried out, sent, watched, stopped. Who may write is not who may send."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from unfold.admin import ModelAdmin
from unfold.decorators import display

from conference.admin import OrganiserFields
from conference.admin.steps import back_to, page
from conference.models import Edition
from registration import announcements, audiences, pace
from registration.admin.announcement_forms import LANGUAGES, AnnouncementForm, SendForm
from registration.models import Announcement

Status = Announcement.Status
STATUS_COLOURS = {
    Status.DRAFT: "info",
    Status.SCHEDULED: "warning",
    Status.SENDING: "warning",
    Status.SENT: "success",
    Status.STOPPED: "danger",
}


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
    readonly_fields = [
        *("status", "send_at", "started_at", "ended_at", "created_by", "created_at"),
        *("in_indonesian", "in_english"),
    ]
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
        *_written, state = self.fieldsets
        return [(None, {"fields": ["edition", "in_indonesian", "in_english"]}), state]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_draft)

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would take along what was sent
        return actions

    def get_changeform_initial_data(self, request):
        return {"edition": Edition.objects.current()} | super().get_changeform_initial_data(request)

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

    @admin.display(description=_("text in Indonesian"))
    def in_indonesian(self, row):
        return as_written(row.subject_ind, row.body_ind)

    @admin.display(description=_("text in English"))
    def in_english(self, row):
        return as_written(row.subject_en, row.body_en)


def as_written(subject, body):
    """Line by line: a field that is only read runs them together."""
    if not body:
        return None
    return format_html('<p><strong>{}</strong></p><pre class="letter-text">{}</pre>', subject, body)


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
