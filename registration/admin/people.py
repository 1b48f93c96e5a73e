from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from registration.admin.readonly import ReadOnlyAdmin
from registration.models import User

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
        who = (None, {"fields": ["email", ("name", "language"), "is_active", "wants_digest"]})
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
