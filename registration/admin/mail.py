from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from unfold.decorators import action, display

from conference.admin.steps import back_to
from registration import board, maillog
from registration.admin.board import board_facts
from registration.admin.mailbulk import CANCEL, REPEAT, RETRY, note
from registration.admin.readonly import ReadOnlyAdmin, ReadOnlyInline, pk_of
from registration.models import OutgoingMail

STATUS_COLOURS = {
    OutgoingMail.Status.QUEUED: "info",
    OutgoingMail.Status.SENDING: "info",
    OutgoingMail.Status.SENT: "success",
    OutgoingMail.Status.RETRY: "warning",
    OutgoingMail.Status.FAILED: "danger",
    OutgoingMail.Status.BOUNCED: "danger",
    OutgoingMail.Status.CANCELLED: "",
}
# By the address under a mail's own.
DEEDS = {"send-again": RETRY, "cancel": CANCEL, "repeat": REPEAT}


class MailInline(ReadOnlyInline):
    model = OutgoingMail
    fields = ["kind", "to", "status", "attempts", "sent_at", "why"]
    readonly_fields = fields
    ordering = ["-created_at"]
    show_change_link = True

    def get_queryset(self, request):
        return super().get_queryset(request).defer("context", "text", "html")

    @admin.display(description=_("error"))
    def why(self, row):
        return row.why


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """A log. `context` is not in it: it may hold a code that signs somebody in."""

    secret_fields = ("context", "text", "html")
    list_display = ["created_at", "kind", "to", "status_label", "attempts", "sent_at", "short_error"]
    list_display_links = ["created_at", "kind"]
    list_filter = ["status", "kind", ("created_at", admin.DateFieldListFilter)]
    sortable_by = ["created_at"]  # of a million rows no other order is at hand
    search_fields = ["to"]  # any: the search is maillog's
    search_help_text = _("Name, address or its beginning, registration code or Message-ID")
    ordering = ["-created_at", "-pk"]
    list_select_related = False
    actions = acts_on_all = ["send_again", "cancel_mails", "repeat_mails"]
    actions_list = ["to_board"]
    actions_detail = ["send_this_again", "cancel_this", "repeat_this"]
    fieldsets = [
        (None, {"fields": [("kind", "status"), ("to", "language"), ("participant", "registration", "announcement")]}),
        (
            _("Sending"),
            {"fields": [("created_at", "sent_at"), ("not_before", "not_after"), ("attempts", "priority"), "why"]},
        ),
        (_("As sent"), {"fields": ["subject_as_sent", "as_sent", "text_as_sent"]}),
        (_("Traces"), {"fields": ["message_id", "key"], "classes": ["collapse"]}),
    ]
    readonly_fields = ["why", "subject_as_sent", "as_sent", "text_as_sent"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("context", "text", "html")

    def get_object(self, request, object_id, from_field=None):
        about = ["participant", "registration__participant", "registration__webinar", "announcement"]
        return self.model.objects.select_related(*about).defer("context").filter(pk=pk_of(object_id)).first()

    def get_search_results(self, request, queryset, search_term):
        return (maillog.search(queryset, search_term) if search_term.strip() else queryset), False

    def get_urls(self):
        own = [
            path("board/mend/", self.admin_site.admin_view(self.mend), name="registration_outgoingmail_mend"),
            path("board/", self.admin_site.admin_view(self.board_page), name="registration_outgoingmail_board"),
        ]
        return [*own, *super().get_urls()]

    def has_decide_permission(self, request, obj=None):
        return request.user.has_perm("registration.change_outgoingmail")

    def get_fieldsets(self, request, obj=None):
        """Whether she got it is for the mail desk too; what it says holds her personal links."""
        parts = super().get_fieldsets(request, obj)
        may_read = request.user.has_perm("registration.view_participant")
        return parts if may_read else [part for part in parts if "as_sent" not in part[1]["fields"]]

    def get_actions_detail(self, request, object_id):
        """Only what can be done to this mail: a button whose page says that nothing is done helps nobody."""
        row, now = OutgoingMail.objects.filter(pk=pk_of(object_id)), timezone.now()
        useless = {path for path, deed in DEEDS.items() if not deed.which(row, now=now).exists()}
        return [one for one in super().get_actions_detail(request, object_id) if one.path not in useless]

    # ---- The board

    @action(description=_("Mail board"), url_path="to-board", permissions=["view"])
    def to_board(self, request):
        return redirect("admin:registration_outgoingmail_board")

    def board_page(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        facts = board_facts(timezone.now(), may_mend=self.has_decide_permission(request))
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Mail board")}
        return TemplateResponse(request, "admin/registration/outgoingmail/board.html", {**frame, **facts})

    @method_decorator(require_POST)
    def mend(self, request):
        if not self.has_decide_permission(request):
            raise PermissionDenied
        count = board.mend(timezone.now())
        note(request, _("Mended on the mail board: %(number)d mails") % {"number": count})
        words = ngettext(
            "%d mail goes out now, and the workers are called.",
            "%d mails go out now, and the workers are called.",
            count,
        )
        return back_to(request, self, words % count, messages.SUCCESS, reverse("admin:registration_outgoingmail_board"))

    # ---- One mail, or all that match a filter

    @admin.action(permissions=["decide"], description=_("Send again what failed"))
    def send_again(self, request, queryset):
        return RETRY.ask(request, self, queryset)

    @admin.action(permissions=["decide"], description=_("Cancel what is still queued"))
    def cancel_mails(self, request, queryset):
        return CANCEL.ask(request, self, queryset)

    @admin.action(permissions=["decide"], description=_("Send once more what was sent"))
    def repeat_mails(self, request, queryset):
        return REPEAT.ask(request, self, queryset)

    @action(description=_("Send again after a failure"), url_path="send-again", permissions=["decide"])
    def send_this_again(self, request, object_id):
        return RETRY.ask(request, self, self.only(object_id), back=page_of(object_id))

    @action(description=_("Cancel this mail"), url_path="cancel", permissions=["decide"])
    def cancel_this(self, request, object_id):
        return CANCEL.ask(request, self, self.only(object_id), back=page_of(object_id))

    @action(description=_("Send once more"), url_path="repeat", permissions=["decide"])
    def repeat_this(self, request, object_id):
        return REPEAT.ask(request, self, self.only(object_id), back=page_of(object_id))

    def only(self, object_id):
        rows = OutgoingMail.objects.filter(pk=pk_of(object_id))
        if not rows:
            raise Http404
        return rows

    # ---- Columns

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, row):
        return row.status, row.get_status_display()

    @admin.display(description=_("error"))
    def short_error(self, row):
        return Truncator(row.why).chars(60)

    @admin.display(description=_("error"))
    def why(self, row):
        return row.why

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


def page_of(object_id):
    return reverse("admin:registration_outgoingmail_change", args=[object_id])


def shown(row, words):
    """Nothing of a mail with a code: it would let its reader sign in as somebody else."""
    return words if row.kind != OutgoingMail.Kind.CODE else ""
