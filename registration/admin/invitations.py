"""Invitations: whoever is added here gets a mail and a kept seat; one address or many, a line each."""

import re

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from registration import addresses, invitations, seats
from registration.models import Invitation, OutgoingMail

MOST_LINES = 500
ADDRESS = re.compile(r"[^\s<>,;]+@[^\s<>,;]+")
STATUS_COLOURS = {
    Invitation.Status.OPEN: "info",
    Invitation.Status.ACCEPTED: "success",
    Invitation.Status.DECLINED: "warning",
    Invitation.Status.EXPIRED: "warning",
    Invitation.Status.WITHDRAWN: "danger",
}

MailStatus = OutgoingMail.Status
MAIL_COLOURS = {
    MailStatus.QUEUED: "info",
    MailStatus.SENDING: "info",
    MailStatus.CANCELLED: "warning",
    MailStatus.SENT: "success",
    MailStatus.RETRY: "warning",
    MailStatus.FAILED: "danger",
    MailStatus.BOUNCED: "danger",
}


def guest_of(line):
    """“Maria Contoh <maria@example.org>”, the two with a comma or tab between them, or the address alone."""
    found = ADDRESS.search(line)
    if not found:
        raise ValidationError(_("“%(line)s”: there is no address in this line."), params={"line": line[:80]})
    email = found[0].lower()
    try:
        validate_email(email)
    except ValidationError:
        email = ""
    if not addresses.can_be_written_to(email or "@") or not email:
        raise ValidationError(_("“%(line)s”: this is no address."), params={"line": line[:80]})
    name = " ".join(line.replace(found[0], " ").translate(str.maketrans('<>,;"', "     ")).split())
    return invitations.Guest(name[:120] or email, email)


class InviteForm(forms.ModelForm):
    """Runs in the admin's transaction: the webinar it locks stays locked until the invitations are written."""

    people = forms.CharField(
        label=_("Whom"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text=_("One person a line, such as: Maria Contoh, maria@example.org"),
    )
    adds_seats = forms.BooleanField(
        label=_("Add seats where they are missing"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Raises the capacity by what is missing, for these guests alone. Nobody who waits loses a place."),
    )

    class Meta:
        model = Invitation
        fields = ("webinar", "language", "message", "expires_at")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["expires_at"].required = False
        self.fields["expires_at"].help_text = _("Empty: for a week, but not beyond the start of the webinar.")

    def clean_people(self):
        lines = [line.strip() for line in self.cleaned_data["people"].splitlines() if line.strip()]
        if len(lines) > MOST_LINES:
            raise ValidationError(_("These are more than %d lines. Send them in parts.") % MOST_LINES)
        guests, errors = [], []
        for line in lines:
            try:
                guests.append(guest_of(line))
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return guests

    def clean_webinar(self):
        webinar = self.cleaned_data["webinar"]
        if not webinar.is_on(timezone.now()):
            raise ValidationError(_("This webinar is a draft, cancelled or over."))
        return webinar

    def clean_expires_at(self):
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now():
            raise ValidationError(_("This hour has passed."))
        return expires_at

    def clean(self):
        data = super().clean()
        webinar, guests = data.get("webinar"), data.get("people")
        if not webinar or not guests:
            return data
        if data.get("expires_at") is None and not self.has_error("expires_at"):
            data["expires_at"] = invitations.end_of_life(webinar, now=timezone.now())
        ends_at = webinar.expected_end
        if ends_at and data.get("expires_at") and data["expires_at"] > ends_at:
            self.add_error("expires_at", _("The webinar is over by then."))
        [self.locked] = seats.lock([webinar.pk])
        self.guests = invitations.new_guests(self.locked, guests)
        self.missing = invitations.seats_missing(self.locked, self.guests)
        if not self.guests:
            self.add_error("people", _("All of them are registered or have an open invitation."))
        elif self.missing and not data.get("adds_seats"):
            words = ngettext(
                "%d seat is missing. Add it below, or raise the capacity.",
                "%d seats are missing. Add them below, or raise the capacity.",
                self.missing,
            )
            self.add_error("people", words % self.missing)
        return data


@admin.register(Invitation)
class InvitationAdmin(ModelAdmin):
    """Open invitations may be given more time; what they say is not taken back by an edit."""

    compressed_fields = False
    list_display = ["name", "email", "webinar", "status_label", "mail", "expires_at", "reminded_at", "answered_at"]
    list_filter = ["status", "webinar"]
    list_filter_sheet = False
    list_select_related = ["webinar"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["name", "email"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    autocomplete_fields = ["webinar"]
    actions = ["withdraw", "send_again"]
    inviting = [
        (None, {"fields": ["webinar", "people", "adds_seats"]}),
        (
            _("The mail"),
            {
                "fields": ["language", "message", "expires_at"],
                "description": _(
                    "Each gets a mail with a link of her own at once, and a reminder before the seat passes on. Hours are in WITA."
                ),
            },
        ),
    ]
    fieldsets = [
        (None, {"fields": [("name", "email"), ("webinar", "status"), "registration"]}),
        (_("The mail"), {"fields": ["language", "message", "expires_at"]}),
        (_("Times"), {"fields": [("created_at", "created_by"), ("reminded_at", "answered_at")]}),
    ]

    def get_queryset(self, request):
        about = ["webinar", "registration__participant", "registration__webinar", "created_by"]
        return super().get_queryset(request).select_related(*about)

    def get_changelist_instance(self, request):
        """With what became of each one's mail, in one query for the page."""
        found = super().get_changelist_instance(request)
        mails = invitations.newest_mails([row.pk for row in found.result_list])
        for row in found.result_list:
            row.newest_mail = mails.get(row.pk)
        return found

    def get_fieldsets(self, request, obj=None):
        return self.fieldsets if obj else self.inviting

    def get_form(self, request, obj=None, change=False, **kwargs):
        if obj is None:
            return super().get_form(request, obj, change=change, form=InviteForm, **kwargs)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return []
        return [field.name for field in Invitation._meta.fields if field.name != "expires_at"]

    def has_change_permission(self, request, obj=None):
        is_open = obj is None or obj.is_open(timezone.now())
        return super().has_change_permission(request, obj) and is_open

    def has_delete_permission(self, request, obj=None):
        return False

    def has_decide_permission(self, request):
        return request.user.has_perm("registration.change_invitation")

    def save_model(self, request, obj, form, change):
        if change:
            obj.reminded_at = None  # more time, and a reminder before its end
            obj.save(update_fields=["expires_at", "reminded_at"])
            return
        if form.missing:
            invitations.add_seats(form.locked, form.missing)
        made = invitations.invite(
            form.locked,
            form.guests,
            expires_at=obj.expires_at,
            language=obj.language,
            message=obj.message,
            created_by=request.user,
            now=timezone.now(),
        )
        obj.__dict__.update(made[0].__dict__)  # the one that the admin's own log names
        self.say_invited(request, len(made), len(form.cleaned_data["people"]) - len(made))

    def say_invited(self, request, count, left_out):
        words = ngettext("%d invitation is on its way.", "%d invitations are on their way.", count)
        self.message_user(request, words % count, messages.SUCCESS)
        if left_out:
            words = ngettext(
                "%d person is registered or has an open invitation, and gets no mail.",
                "%d people are registered or have an open invitation, and get no mail.",
                left_out,
            )
            self.message_user(request, words % left_out, messages.WARNING)

    @admin.action(permissions=["decide"], description=_("Withdraw the invitations and pass the seats on"))
    def withdraw(self, request, queryset):
        count = sum(invitations.withdraw(row, now=timezone.now()) for row in queryset.order_by("webinar_id", "pk"))
        words = ngettext("%d invitation is withdrawn.", "%d invitations are withdrawn.", count)
        self.message_user(request, words % count, messages.SUCCESS if count else messages.WARNING)

    @admin.action(permissions=["decide"], description=_("Send again; open anew what is over, if a seat is left"))
    def send_again(self, request, queryset):
        rows = queryset.order_by("webinar_id", "pk")
        count = sum(invitations.send_again(row, now=timezone.now()) for row in rows)
        words = ngettext("%d mail is queued.", "%d mails are queued.", count)
        self.message_user(request, words % count, messages.SUCCESS if count else messages.WARNING)

    @display(description=_("mail"), label=MAIL_COLOURS)
    def mail(self, invitation):
        state = getattr(invitation, "newest_mail", None)
        return (state, MailStatus(state).label) if state else None

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, invitation):
        return invitation.status, invitation.get_status_display()
