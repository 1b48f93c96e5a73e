"""Addresses that mail comes back from: what servers said, and what an organiser does about it."""

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminEmailInputWidget

from registration import bounces, comeback, newaddress
from registration.admin.readonly import ReadOnlyAdmin
from registration.models import BouncedAddress, BounceReport, Participant, User


class InForceFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("bounces", _("Bounces")), ("cleared", _("In use again"))]

    def queryset(self, request, queryset):
        if self.value() in ("bounces", "cleared"):
            return queryset.filter(cleared_at__isnull=self.value() == "bounces")
        return queryset


class BouncesFilter(admin.SimpleListFilter):
    """For lists of participants."""

    title = _("address")
    parameter_name = "address"

    def lookups(self, request, model_admin):
        return [("bounces", _("Mail comes back"))]

    def queryset(self, request, queryset):
        return queryset.filter(bounces.unreachable()) if self.value() == "bounces" else queryset


def with_bounces(participants):
    """Whether mail to her, or to the account that gets hers, comes back."""
    dead = BouncedAddress.objects.in_force()
    own, carers = dead.filter(email=OuterRef("email")), dead.filter(email=OuterRef("account__email"))
    return participants.annotate(address_bounces=Exists(own) | (Q(email="") & Exists(carers)))


class AddressForm(forms.Form):
    email = forms.EmailField(label=_("The right address"), widget=UnfoldAdminEmailInputWidget, max_length=254)

    def clean_email(self):
        return self.cleaned_data["email"].lower()


@admin.register(BouncedAddress)
class BouncedAddressAdmin(ReadOnlyAdmin):
    list_display = ["email", "state", "bounced_at", "said", "times", "cleared_at"]
    list_filter = [InForceFilter]
    search_fields = ["email", "words"]
    date_hierarchy = "bounced_at"
    ordering = ["-bounced_at", "-pk"]
    fields = ["email", "bounced_at", "words", "cleared_at", "people", "reports"]
    readonly_fields = fields
    actions = ["use_again"]
    actions_detail = ["correct"]

    def get_queryset(self, request):
        told = BounceReport.objects.filter(email=OuterRef("email")).order_by().values("email")
        count = Subquery(told.annotate(count=Count("pk")).values("count"), output_field=IntegerField())
        return super().get_queryset(request).annotate(times=Coalesce(count, 0))

    def has_decide_permission(self, request, obj=None):
        return request.user.has_perm("registration.change_bouncedaddress")

    def has_correct_permission(self, request, object_id=None):
        return self.has_decide_permission(request) and request.user.has_perm("registration.change_participant")

    @display(description=_("state"), label={"bounces": "danger", "cleared": "success"})
    def state(self, row):
        return ("cleared", _("In use again")) if row.cleared_at else ("bounces", _("Bounces"))

    @admin.display(description=_("the server's words"), ordering="words")
    def said(self, row):
        return Truncator(row.words).chars(80)

    @admin.display(description=_("reports"), ordering="times")
    def times(self, row):
        return row.times

    @admin.display(description=_("participants"))
    def people(self, row):
        found = Participant.objects.filter(Q(email=row.email) | Q(email="", account__email=row.email)).order_by("pk")
        return linked((person.name, "participant", person.pk) for person in found[:20])

    @admin.display(description=_("reports"))
    def reports(self, row):
        told = BounceReport.objects.filter(email=row.email).order_by("-at", "-pk")
        return linked(
            (f"{report.at:%Y-%m-%d} · {report.words[:60]}", "bouncereport", report.pk) for report in told[:20]
        )

    @admin.action(permissions=["decide"], description=_("Write to this address again"))
    def use_again(self, request, queryset):
        count = sum(comeback.proven(row.email, now=timezone.now()) for row in queryset)
        words = ngettext(
            "%d address is in use again, and gets what it missed.",
            "%d addresses are in use again, and get what they missed.",
            count,
        )
        self.message_user(request, words % count, messages.SUCCESS if count else messages.WARNING)

    @action(description=_("Correct the address"), url_path="correct", permissions=["correct"])
    def correct(self, request, object_id):
        """For a person who has told her right address: the organiser answers for it in a code's place."""
        row = get_object_or_404(BouncedAddress, pk=object_id)
        account = User.objects.filter(email=row.email).first()
        form = AddressForm(request.POST or None)
        objection = objection_to(account, actor=request.user)
        if request.method == "POST" and not objection and form.is_valid():
            email = form.cleaned_data["email"]
            if newaddress.change(account, email, now=timezone.now(), actor=request.user):
                self.message_user(
                    request, _("Mail goes to %(email)s from now on.") % {"email": email}, messages.SUCCESS
                )
                return redirect("admin:registration_bouncedaddress_changelist")
            form.add_error("email", _("Another account has this address. Merge the two entries under Participants."))
        frame = {**admin.site.each_context(request), "opts": self.opts, "title": _("Correct the address")}
        context = {**frame, "row": row, "form": form, "objection": objection}
        return TemplateResponse(request, "admin/registration/bouncedaddress/correct.html", context)


def objection_to(account, *, actor):
    if account is None:
        return _("No account has this address.")
    if account.is_staff or account.partner_memberships.exists():
        # Whoever gets that person's codes sees other people's data.
        return (
            "" if actor.is_superuser else _("Only the site's owner changes the address of staff and partners' people.")
        )
    return ""


@admin.register(BounceReport)
class BounceReportAdmin(ReadOnlyAdmin):
    list_display = ["at", "email", "verdict", "source", "said", "mail"]
    list_display_links = ["at", "email"]
    list_filter = ["is_final", "source"]
    list_select_related = ["mail"]
    search_fields = ["email", "words"]
    date_hierarchy = "at"
    ordering = ["-at", "-pk"]
    fields = ["at", "email", "is_final", "source", "words", "mail", "key"]
    readonly_fields = fields
    actions = ["stop_mail"]

    def has_decide_permission(self, request):
        return request.user.has_perm("registration.change_bouncedaddress")

    @display(description=_("verdict"), ordering="is_final", label={"final": "danger", "passing": "warning"})
    def verdict(self, row):
        return ("final", _("No such address")) if row.is_final else ("passing", _("Another reason, or not proven"))

    @admin.display(description=_("the server's words"), ordering="words")
    def said(self, row):
        return Truncator(row.words).chars(80)

    @admin.action(permissions=["decide"], description=_("Stop mail to these addresses"))
    def stop_mail(self, request, queryset):
        now = timezone.now()
        for row in queryset:
            bounces.mark(row.email, row.words, sent_at=now, now=now)
        words = _(
            "No mail but codes goes there until the person corrects her address, or a code that came there is used."
        )
        self.message_user(request, words, messages.SUCCESS)


def linked(rows):
    links = [(reverse(f"admin:registration_{model}_change", args=[pk]), words) for words, model, pk in rows]
    html = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
    return format_html_join(", ", html, links) or "-"
