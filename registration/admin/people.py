from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from registration.admin.mail import MailInline
from registration.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from registration.forms import PhoneField
from registration.models import Consent, Participant, Registration, SensitiveAnswers, User

admin.site.unregister([Group, EmailAddress, Authenticator])


# ---- Accounts


@admin.register(User)
class UserAdmin(ModelAdmin):
    """Who signs in. The address is the key to the account, so it and every right are a superuser's to give."""

    compressed_fields = False
    list_display = ["email", "name", "language", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active", "is_superuser", "groups"]
    list_filter_sheet = False
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["email", "name"]
    date_hierarchy = "date_joined"
    ordering = ["-date_joined", "-pk"]
    filter_horizontal = ["groups", "user_permissions"]
    readonly_fields = ["date_joined", "last_login"]

    def get_fieldsets(self, request, obj=None):
        rights = ["is_staff"]
        if request.user.is_superuser:
            rights += ["groups", "is_superuser", "user_permissions"]
        who = (None, {"fields": ["email", ("name", "language"), "is_active"]})
        if obj is None and not request.user.is_superuser:
            return [who]
        return [
            who,
            (_("Rights"), {"fields": rights, "description": _("Whoever enters the admin needs a second factor.")}),
            (_("Times"), {"fields": [("date_joined", "last_login")]}),
        ]

    def get_readonly_fields(self, request, obj=None):
        if request.user.is_superuser:
            return self.readonly_fields
        return [*self.readonly_fields, "is_staff", *(["email"] if obj else [])]

    def has_change_permission(self, request, obj=None):
        is_above = obj is not None and (obj.is_staff or obj.is_superuser) and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_above

    def has_delete_permission(self, request, obj=None):
        return False  # deactivate instead: her registrations and the mails sent to her hang on it

    def save_model(self, request, obj, form, change):
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        # Sign-in by code looks here too: an old address must not open the account any more.
        EmailAddress.objects.filter(user=obj).exclude(email=obj.email).delete()
        EmailAddress.objects.get_or_create(user=obj, email=obj.email, defaults={"primary": True})


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """A superuser removes the second factor of somebody who has lost it; the secret itself is never shown."""

    secret_fields = ("data",)
    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__name"]
    ordering = ["-created_at", "-pk"]
    fields = ["user", "type", "created_at", "last_used_at"]

    def has_delete_permission(self, request, obj=None):
        return request.user.is_superuser


# ---- Participants


class RegistrationInline(ReadOnlyInline):
    model = Registration
    fields = ["webinar", "status", "created_at", "confirmed_at", "waitlisted_at", "cancelled_at"]
    readonly_fields = fields
    ordering = ["-created_at"]
    show_change_link = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("participant", "webinar")


class ConsentInline(ReadOnlyInline):
    model = Consent
    fields = ["purpose", "organisation", "version", "language", "granted_at", "withdrawn_at"]
    readonly_fields = fields
    ordering = ["-granted_at"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("participant", "organisation")


class ParticipantForm(forms.ModelForm):
    phone = PhoneField(label=_("Phone"), required=False, widget=UnfoldAdminTextInputWidget)

    def clean(self):
        data = super().clean()
        regency = data.get("regency")
        if regency and not regency.startswith(data.get("province", "")):
            self.add_error("regency", _("This regency or city lies in another province."))
        return data


@admin.register(Participant)
class ParticipantAdmin(ModelAdmin):
    compressed_fields = False
    form = ParticipantForm
    list_display = ["name", "address", "phone", "province", "organisation", "proven_at", "is_made_up"]
    list_filter = ["gender", "age_group", "organisation_kind", "language", "is_made_up", "province"]
    list_filter_sheet = False
    list_select_related = ["account"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["name", "email", "phone", "organisation", "account__email"]
    search_help_text = _("Name, email, phone or organisation")
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    readonly_fields = ["account", "email", "proven_at", "created_at", "is_made_up"]
    inlines = [RegistrationInline, ConsentInline, MailInline]
    fieldsets = [
        (None, {"fields": [("name", "phone"), ("email", "account"), ("language", "guardian_name")]}),
        (_("Where from"), {"fields": [("province", "regency"), ("organisation", "organisation_kind")]}),
        (_("For the statistics"), {"fields": [("gender", "age_group")]}),
        (_("Times"), {"fields": [("created_at", "proven_at", "is_made_up")]}),
    ]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description=_("email"), ordering="email")
    def address(self, participant):
        return participant.address


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ["participant", "purpose", "organisation", "version", "granted_at", "withdrawn_at"]
    list_filter = ["purpose", "organisation", "version"]
    list_select_related = ["participant", "organisation"]
    search_fields = ["participant__name", "participant__email"]
    date_hierarchy = "granted_at"
    ordering = ["-granted_at", "-pk"]


@admin.register(SensitiveAnswers)
class SensitiveAnswersAdmin(ReadOnlyAdmin):
    """For superusers and whoever is given the permission by name; no group has it."""

    list_display = ["participant", "delete_on"]
    list_select_related = ["participant"]
    search_fields = ["participant__name"]
    ordering = ["delete_on", "pk"]
