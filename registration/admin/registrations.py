from django.contrib import admin, messages
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from registration import mail, signup
from registration.admin.mail import MailInline
from registration.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from registration.models import Attendance, Certificate, Feedback, Registration

STATUS_COLOURS = {
    Registration.Status.PENDING: "info",
    Registration.Status.CONFIRMED: "success",
    Registration.Status.WAITLISTED: "warning",
    Registration.Status.CANCELLED: "danger",
}


class AttendanceInline(ReadOnlyInline):
    model = Attendance
    fields = ["source", "joined_at", "left_at"]
    readonly_fields = fields
    ordering = ["-joined_at"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("registration__participant", "registration__webinar")


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    """The status moves by rules alone, so seats, waiting list and mails always agree."""

    secret_fields = ("zoom_join_url",)
    list_display = ["participant", "webinar", "status_label", "created_at", "code", "zoom_state"]
    list_filter = ["status", "webinar", "webinar__edition", "zoom_state", "participant__province"]
    list_select_related = ["participant", "webinar"]
    search_fields = [*(f"participant__{field}" for field in ("name", "email", "phone", "account__email")), "code"]
    search_help_text = _("Name, email, phone or registration code")
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    actions = ["cancel_registrations", "send_links_again"]
    inlines = [AttendanceInline, MailInline]
    fieldsets = [
        (None, {"fields": [("participant", "webinar"), ("status", "code")]}),
        (
            _("Times"),
            {"fields": [("created_at", "held_until"), ("confirmed_at", "waitlisted_at"), "cancelled_at"]},
        ),
        ("Zoom", {"fields": [("zoom_state", "zoom_registrant_id"), ("zoom_synced_at", "zoom_error")]}),
    ]

    def get_queryset(self, request):
        # For the autocomplete too, which names each registration by its person and webinar.
        return super().get_queryset(request).select_related("participant", "webinar")

    def has_decide_permission(self, request):
        return request.user.has_perm("registration.change_registration")

    @admin.action(permissions=["decide"], description=_("Cancel the registrations and pass their seats on"))
    def cancel_registrations(self, request, queryset):
        chosen = queryset.select_related("participant__account", "webinar")
        cancelled = [registration for registration in chosen if signup.cancel(registration, now=timezone.now())]
        for registration in cancelled:
            self.log_change(request, registration, [{"changed": {"fields": ["status"]}}])
        words = ngettext("%d registration is cancelled.", "%d registrations are cancelled.", len(cancelled))
        self.message_user(request, words % len(cancelled), messages.SUCCESS if cancelled else messages.WARNING)

    @admin.action(permissions=["decide"], description=_("Send the confirmation with the personal links again"))
    def send_links_again(self, request, queryset):
        now = timezone.now()
        chosen = queryset.live().select_related("participant__account")
        people = {registration.participant_id: registration.participant for registration in chosen}
        for participant in people.values():
            mail.queue_confirmation(participant, moment=now)
        words = ngettext("%d mail is queued.", "%d mails are queued.", len(people))
        self.message_user(request, words % len(people), messages.SUCCESS if people else messages.WARNING)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, registration):
        return registration.status, registration.get_status_display()


@admin.register(Attendance)
class AttendanceAdmin(ModelAdmin):
    """Zoom and the personal link write their own rows; an organiser adds and corrects those of her hand."""

    compressed_fields = False
    list_display = ["person", "webinar", "source", "joined_at", "left_at"]
    list_filter = ["source", "registration__webinar"]
    list_filter_sheet = False
    list_select_related = ["registration__participant", "registration__webinar"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["registration__participant__name", "registration__participant__email", "registration__code"]
    date_hierarchy = "joined_at"
    ordering = ["-joined_at", "-pk"]
    autocomplete_fields = ["registration"]
    fieldsets = [
        (
            None,
            {"fields": ["registration", ("joined_at", "left_at")], "description": _("Hours are in WITA.")},
        )
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("registration__participant", "registration__webinar")

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or obj.source == Attendance.Source.HAND)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or obj.source == Attendance.Source.HAND)

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would take rows of Zoom along
        return actions

    def save_model(self, request, obj, form, change):
        obj.source = Attendance.Source.HAND
        super().save_model(request, obj, form, change)

    @admin.display(description=_("participant"), ordering="registration__participant__name")
    def person(self, attendance):
        return attendance.registration.participant

    @admin.display(description=_("webinar"))
    def webinar(self, attendance):
        return attendance.registration.webinar


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "webinar", "version", "issued_at", "revoked_at"]
    list_select_related = ["registration__participant", "registration__webinar"]
    search_fields = ["code", "name", "registration__participant__email"]
    date_hierarchy = "issued_at"
    ordering = ["-issued_at", "-pk"]

    @admin.display(description=_("webinar"))
    def webinar(self, certificate):
        return certificate.registration.webinar


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    list_display = ["webinar", "rating", "text", "created_at"]
    list_filter = ["rating", "registration__webinar"]
    list_select_related = ["registration__webinar"]
    search_fields = ["text"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    fields = ["webinar", "rating", "text", "created_at"]

    @admin.display(description=_("webinar"))
    def webinar(self, feedback):
        return feedback.registration.webinar
