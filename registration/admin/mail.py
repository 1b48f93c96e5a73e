from django.contrib import admin, messages
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from conference.admin import ContentAdmin
from registration import mail
from registration.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from registration.models import Announcement, OutgoingMail

STATUS_COLOURS = {
    OutgoingMail.Status.QUEUED: "info",
    OutgoingMail.Status.SENDING: "info",
    OutgoingMail.Status.SENT: "success",
    OutgoingMail.Status.RETRY: "warning",
    OutgoingMail.Status.FAILED: "danger",
    OutgoingMail.Status.BOUNCED: "danger",
}


class MailInline(ReadOnlyInline):
    model = OutgoingMail
    fields = ["kind", "to", "status", "attempts", "sent_at", "error"]
    readonly_fields = fields
    ordering = ["-created_at"]
    show_change_link = True


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """A log. `context` is not in it: it may hold a code that signs somebody in."""

    secret_fields = ("context",)
    list_display = ["created_at", "kind", "to", "status_label", "attempts", "sent_at", "reason"]
    list_display_links = ["created_at", "kind"]
    list_filter = ["status", "kind", "priority", "language"]
    search_fields = ["to", "participant__name", "registration__code", "=message_id", "key"]
    search_help_text = _("Address, name, registration code or Message-ID")
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    list_select_related = False
    actions = ["send_again", "cancel_mails"]
    fieldsets = [
        (None, {"fields": [("kind", "status"), ("to", "language"), ("participant", "registration", "announcement")]}),
        (
            _("Sending"),
            {"fields": [("created_at", "sent_at"), ("not_before", "not_after"), ("attempts", "priority"), "error"]},
        ),
        (_("As sent"), {"fields": ["subject_as_sent", "as_sent", "text_as_sent"]}),
        (_("Traces"), {"fields": ["message_id", "key"], "classes": ["collapse"]}),
    ]
    readonly_fields = ["subject_as_sent", "as_sent", "text_as_sent"]

    def get_queryset(self, request):
        about = ["participant", "registration__participant", "registration__webinar", "announcement"]
        return super().get_queryset(request).select_related(*about).defer("context")

    def has_decide_permission(self, request):
        return request.user.has_perm("registration.change_outgoingmail")

    @admin.action(permissions=["decide"], description=_("Send again what failed"))
    def send_again(self, request, queryset):
        count = mail.retry(list(queryset), now=timezone.now())
        words = ngettext("%d mail is queued again.", "%d mails are queued again.", count)
        self.message_user(request, words % count, messages.SUCCESS if count else messages.WARNING)

    @admin.action(permissions=["decide"], description=_("Cancel what is still queued"))
    def cancel_mails(self, request, queryset):
        count = mail.cancel(list(queryset))
        words = ngettext("%d mail is cancelled.", "%d mails are cancelled.", count)
        self.message_user(request, words % count, messages.SUCCESS if count else messages.WARNING)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, row):
        return row.status, row.get_status_display()

    @admin.display(description=_("error"), ordering="error")
    def reason(self, row):
        return Truncator(row.error).chars(60)

    @admin.display(description=_("subject as sent"))
    def subject_as_sent(self, row):
        return shown(row, row.subject)

    @admin.display(description=_("HTML as sent"))
    def as_sent(self, row):
        if not shown(row, row.html):
            return None
        # Without scripts, forms, links that open, and our own origin.
        return format_html(
            '<iframe sandbox srcdoc="{}" title="{}" style="width:100%;height:32rem;background:#fff"></iframe>',
            row.html,
            _("HTML as sent"),
        )

    @admin.display(description=_("text as sent"))
    def text_as_sent(self, row):
        return shown(row, row.text)


def shown(row, words):
    """Nothing of a mail with a code: it would let its reader sign in as somebody else."""
    return words if row.kind != OutgoingMail.Kind.CODE else ""


@admin.register(Announcement)
class AnnouncementAdmin(ContentAdmin):
    list_display = ["subject", "edition", "status", "created_by", "created_at"]
    list_filter = ["status", "edition"]
    list_select_related = ["edition", "created_by"]
    search_fields = ["subject_ind", "subject_en", "body_ind", "body_en"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    autocomplete_fields = ["edition"]
    readonly_fields = ["status", "created_by", "created_at"]
    fieldsets = [
        (None, {"fields": ["edition", ("subject_ind", "subject_en"), ("body_ind", "body_en")]}),
        (_("State"), {"fields": [("status", "created_by", "created_at")]}),
    ]

    def has_change_permission(self, request, obj=None):
        is_draft = obj is None or obj.status == Announcement.Status.DRAFT
        return super().has_change_permission(request, obj) and is_draft

    def has_delete_permission(self, request, obj=None):
        is_draft = obj is None or obj.status == Announcement.Status.DRAFT
        return super().has_delete_permission(request, obj) and is_draft

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would take along what was sent
        return actions

    def save_model(self, request, obj, form, change):
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
