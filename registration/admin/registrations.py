from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from conference.admin.steps import back_to, page
from conference.models import Webinar
from registration import care, desk, files, finding, mail, reached, signup, waitinglist
from registration.admin.desk import CancelForm, MoveForm, SignUpForm
from registration.admin.files import export
from registration.admin.mail import MailInline
from registration.admin.paperlist import PaperListAdmin
from registration.admin.readonly import ListAdmin, ReadOnlyAdmin, ReadOnlyInline
from registration.models import Attendance, Certificate, Download, Feedback, Registration

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
class RegistrationAdmin(PaperListAdmin):
    """The status moves by rules alone, so seats, waiting list and mails always agree."""

    secret_fields = ("zoom_join_url",)
    list_display = ["participant", "webinar", "status_label", "created_at", "code", "zoom_state"]
    list_filter = [
        "status",
        "webinar",
        "webinar__edition",
        "zoom_state",
        ("created_at", admin.DateFieldListFilter),
        "participant__province",
    ]
    list_select_related = ["participant", "webinar"]
    search_fields = ["code"]  # any: the search is finding's
    search_help_text = _("Name, email, phone, organisation or registration code")
    sortable_by = ["created_at"]  # of a million rows no other order is at hand
    ordering = ["-created_at", "-pk"]
    actions = ["cancel_registrations", "send_links_again", "export_xlsx", "export_csv"]
    acts_on_all = ["export_xlsx", "export_csv"]
    actions_detail = ["give_seat", "move", "cancel"]
    inlines = [AttendanceInline, MailInline]
    fieldsets = [
        (None, {"fields": [("participant", "webinar"), ("status", "code"), "link_reached"]}),
        (
            _("Times"),
            {
                "fields": [
                    ("created_at", "held_until"),
                    ("confirmed_at", "waitlisted_at"),
                    ("cancelled_at", "cancel_reason"),
                ]
            },
        ),
        ("Zoom", {"fields": [("zoom_state", "zoom_registrant_id"), ("zoom_synced_at", "zoom_error")]}),
    ]

    readonly_fields = ["link_reached"]

    def get_queryset(self, request):
        # For the autocomplete too, which names each registration by its person and webinar.
        return super().get_queryset(request).select_related("participant", "webinar")

    def get_search_results(self, request, queryset, search_term):
        words = search_term.strip()
        if not words:
            return queryset, False
        return finding.by_person(queryset, "participant", words, also=Q(code=words.upper())), False

    def has_add_permission(self, request):
        return request.user.has_perm("registration.add_registration")

    def has_export_permission(self, request):
        return request.user.has_perm(files.RIGHT)

    def is_too_much(self, request):
        # A file has room for all that a filter finds; a worker writes it.
        return request.POST.get("action") not in ("export_xlsx", "export_csv") and super().is_too_much(request)

    def has_decide_permission(self, request, obj=None):
        return request.user.has_perm("registration.change_registration")

    def get_actions_detail(self, request, object_id):
        """A seat is offered to be given only where somebody waits for one."""
        actions = super().get_actions_detail(request, object_id)
        row = Registration.objects.filter(pk=object_id).first()
        if row and (row.is_waitlisted or row.is_offered):
            return actions
        return [action for action in actions if not action.action_name.endswith("give_seat")]

    def page_of(self, registration):
        return reverse("admin:registration_registration_change", args=[registration.pk])

    def chosen(self, object_id):
        rows = Registration.objects.select_related("participant__account", "webinar__edition")
        return get_object_or_404(rows, pk=object_id)

    # ---- Signing a person up

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        now = timezone.now()
        form = SignUpForm(request.POST or None, actor=request.user, now=now)
        if form.is_valid() and (signed_up := self.sign_up(request, form, now=now)):
            return back_to(request, self, *outcome(signed_up), person_page(signed_up.participant))
        lead = [
            _(
                "For a person who can't sign up herself. She gets the same mail as everybody, and nobody gets a seat "
                "that is not there."
            ),
            *([] if form.open_webinars else [_("No webinar is open for registration now.")]),
        ]
        back = reverse("admin:registration_registration_changelist")
        return page(request, self, title=_("Sign a person up"), form=form, lead=lead, send=_("Sign her up"), back=back)

    def sign_up(self, request, form, *, now):
        facts = {"note": form.cleaned_data["note"], "actor": request.user, "now": now}
        if form.cleaned_data["email"]:
            return desk.sign_up(form.answers(now=now), **facts)
        language = form.cleaned_data["language"]
        try:
            return desk.sign_up_in_care(form.carer, form.entry(), language=language, **facts)
        except care.Refused as refused:
            form.refuse(refused.problems)
            return None

    # ---- One registration

    @action(description=_("Give a seat"), url_path="give-seat", permissions=["decide"])
    def give_seat(self, request, object_id):
        registration = self.chosen(object_id)
        if request.method == "POST":
            given = waitinglist.give_seat(registration, now=timezone.now(), actor=request.user)
            words = _("She has a seat now and gets a mail.") if given else _("No seat is left, or she does not wait.")
            level = messages.SUCCESS if given else messages.WARNING
            return back_to(request, self, words, level, self.page_of(registration))
        lead = [
            _(
                "She gets a free seat out of turn, before others who wait, and a mail. Above the capacity nobody is seated."
            )
        ]
        return self.ask(request, registration, title=_("Give a seat"), lead=lead, send=_("Give her the seat"))

    @action(description=_("Move to another webinar"), url_path="move", permissions=["decide"])
    def move(self, request, object_id):
        registration, now = self.chosen(object_id), timezone.now()
        rows = Webinar.objects.published().filter(edition=registration.webinar.edition).in_order()
        form = MoveForm(request.POST or None, webinars=desk.move_targets(registration, rows, now=now))
        if form.is_valid():
            try:
                new = desk.move(registration, int(form.cleaned_data["webinar"]), actor=request.user, now=now)
            except desk.Refused as refused:
                form.add_error("webinar", str(refused))
            else:
                words = _("She has a seat in “%(webinar)s” and gets one mail.") % {"webinar": new.webinar.title}
                return back_to(request, self, words, messages.SUCCESS, self.page_of(new))
        lead = [
            _(
                "She gets a seat there if one is free. Her seat here passes on to the next who waits; this can't be undone."
            )
        ]
        return self.ask(
            request,
            registration,
            title=_("Move to another webinar"),
            form=form,
            lead=lead,
            send=_("Move her"),
            is_final=True,
        )

    @action(description=_("Cancel the registration"), url_path="cancel", permissions=["decide"])
    def cancel(self, request, object_id):
        registration = self.chosen(object_id)
        return self.cancel_page(
            request, [registration], back=self.page_of(registration), is_sent=request.method == "POST"
        )

    def ask(self, request, registration, *, form=(), **facts):
        about = [f"{registration.participant} · {registration.webinar} · {registration.get_status_display()}"]
        return page(request, self, form=form, facts=about, back=self.page_of(registration), **facts)

    # ---- Several registrations

    @admin.action(permissions=["decide"], description=_("Cancel the registrations and pass their seats on"))
    def cancel_registrations(self, request, queryset):
        chosen = list(queryset.select_related("participant__account", "webinar").order_by("webinar_id", "pk"))
        repeated = [("action", "cancel_registrations"), ("is_sent", "yes")]
        repeated += [(ACTION_CHECKBOX_NAME, registration.pk) for registration in chosen]
        back = reverse("admin:registration_registration_changelist")
        return self.cancel_page(request, chosen, back=back, is_sent="is_sent" in request.POST, hidden=repeated)

    def cancel_page(self, request, chosen, *, back, is_sent, hidden=()):
        form = CancelForm(request.POST if is_sent else None)
        if is_sent and form.is_valid():
            reason, now = form.cleaned_data["reason"], timezone.now()
            done = [row for row in chosen if signup.cancel(row, now=now, actor=request.user, reason=reason)]
            for registration in done:
                self.log_change(request, registration, [{"changed": {"fields": ["status"]}}])
            words = ngettext("%d registration is cancelled.", "%d registrations are cancelled.", len(done))
            return back_to(request, self, words % len(done), messages.SUCCESS if done else messages.WARNING, back)
        lead = [_("Each person gets a mail, and each seat passes on to the next who waits. This can't be undone.")]
        return page(
            request,
            self,
            title=_("Cancel registrations"),
            form=form,
            lead=lead,
            facts=[f"{row} · {row.get_status_display()}" for row in chosen],
            send=_("Cancel them"),
            back=back,
            is_final=True,
            hidden=hidden,
        )

    @admin.action(permissions=["decide"], description=_("Send the confirmation with the personal links again"))
    def send_links_again(self, request, queryset):
        now = timezone.now()
        chosen = queryset.live().select_related("participant__account")
        people = {registration.participant_id: registration.participant for registration in chosen}
        for participant in people.values():
            mail.queue_confirmation(participant, moment=now)
        words = ngettext("%d mail is queued.", "%d mails are queued.", len(people))
        self.message_user(request, words % len(people), messages.SUCCESS if people else messages.WARNING)

    @admin.action(permissions=["export"], description=_("Export these as an Excel file"))
    def export_xlsx(self, request, queryset):
        return export(self, request, queryset, Download.Format.XLSX)

    @admin.action(permissions=["export"], description=_("Export these as CSV"))
    def export_csv(self, request, queryset):
        return export(self, request, queryset, Download.Format.CSV)

    @admin.display(description=_("did she get her link?"))
    def link_reached(self, registration):
        return reached.about(registration)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, registration):
        return registration.status, registration.get_status_display()


def person_page(participant):
    return reverse("admin:registration_participant_change", args=[participant.pk])


def outcome(signed_up):
    """What came of a sign-up, and whether that is good news."""
    if not signed_up.changed:
        return _("She was registered for all of these already. Nothing has changed."), messages.WARNING
    parts = [f"{row.webinar} ({row.get_status_display()})" for row in signed_up.changed]
    words = _("%(name)s is signed up: %(webinars)s") % {
        "name": signed_up.participant.name,
        "webinars": ", ".join(parts),
    }
    return words, messages.SUCCESS


@admin.register(Attendance)
class AttendanceAdmin(ListAdmin):
    """Zoom and the personal link write their own rows; an organiser adds and corrects those of her hand."""

    list_display = ["person", "webinar", "source", "joined_at", "left_at"]
    list_filter = ["source", "registration__webinar", ("joined_at", admin.DateFieldListFilter)]
    list_select_related = ["registration__participant", "registration__webinar"]
    search_fields = ["registration__code"]  # any: the search is finding's
    search_help_text = _("Name, email, phone, organisation or registration code")
    sortable_by = ["joined_at"]
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

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "registration":
            field.widget.can_add_related = False  # a person is signed up on a page of its own
        return field

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would take rows of Zoom along
        return actions

    def save_model(self, request, obj, form, change):
        obj.source = Attendance.Source.HAND
        super().save_model(request, obj, form, change)

    def get_search_results(self, request, queryset, search_term):
        words = search_term.strip()
        if not words:
            return queryset, False
        code = Q(registration__code=words.upper())
        return finding.by_person(queryset, "registration__participant", words, also=code), False

    @admin.display(description=_("participant"))
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
