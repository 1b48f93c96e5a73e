from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from registration import accounts, roles, sessions
from registration.admin.readonly import ListAdmin, ReadOnlyAdmin, pk_of
from registration.models import User

admin.site.unregister([Group, EmailAddress, Authenticator])


# ---- Accounts


class AccountForm(forms.ModelForm):
    def clean_is_active(self):
        is_active = self.cleaned_data["is_active"]
        if self.instance.is_superuser and not is_active:
            try:
                roles.keep_an_owner(self.instance)
            except roles.Refused as refused:
                raise ValidationError(str(refused)) from None
        return is_active


@admin.register(User)
class UserAdmin(ListAdmin):
    """Who signs in. The address is the key to the account, so it is an owner's to change; roles are given by the team."""

    form = AccountForm
    list_display = ["email", "name", "language", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active", "is_superuser", "groups", ("date_joined", admin.DateFieldListFilter)]
    search_fields = ["^email", "name"]
    search_help_text = _("The beginning of the address, or name")
    sortable_by = ["email"]
    ordering = ["-date_joined", "-pk"]
    readonly_fields = ["date_joined", "last_login"]
    change_form_outer_before_template = "admin/registration/user/roles.html"

    def get_fieldsets(self, request, obj=None):
        who = (None, {"fields": ["email", ("name", "language"), "is_active", "wants_digest"]})
        return [who, *([(_("Times"), {"fields": [("date_joined", "last_login")]})] if obj else [])]

    def get_readonly_fields(self, request, obj=None):
        return [*self.readonly_fields, *(["email"] if obj and not roles.is_owner(request.user) else [])]

    def has_change_permission(self, request, obj=None):
        is_above = obj is not None and (obj.is_staff or obj.is_superuser) and not roles.is_owner(request.user)
        return super().has_change_permission(request, obj) and not is_above

    def get_urls(self):
        end = self.admin_site.admin_view(self.end_sessions)
        return [path("<int:pk>/end-sessions/", end, name="registration_user_end_sessions"), *super().get_urls()]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        user = User.objects.filter(pk=pk_of(object_id)).first() if object_id else None
        context = self.of_account(request, user) if user else {}
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def of_account(self, request, user):
        return {
            "held_roles": roles.held_by(user),
            "session_count": sessions.of(user, now=timezone.now()).count(),
            "may_end_sessions": roles.is_owner(request.user),
        }

    @method_decorator(require_POST)
    def end_sessions(self, request, pk):
        if not roles.is_owner(request.user):
            raise PermissionDenied
        user = get_object_or_404(User, pk=pk)
        number = sessions.end_for(user, actor=request.user, now=timezone.now())
        words = ngettext("Signed out in %d browser.", "Signed out in %d browsers.", number)
        self.message_user(request, words % number, messages.SUCCESS)
        return redirect("admin:registration_user_change", pk)

    def has_delete_permission(self, request, obj=None):
        return False  # deactivate instead: her registrations and the mails sent to her hang on it

    def save_model(self, request, obj, form, change):
        if not change:
            obj.set_unusable_password()
        if not obj.is_active:
            sessions.end_all(obj)
        super().save_model(request, obj, form, change)
        # Sign-in by code looks here too: an old address must not open the account any more.
        EmailAddress.objects.filter(user=obj).exclude(email=obj.email).delete()
        EmailAddress.objects.get_or_create(user=obj, email=obj.email, defaults={"primary": True})


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    """What each role may do. It is written down with the site and tested, so nobody changes it here."""

    list_display = ["name"]
    search_fields = ["name"]
    ordering = ["name"]
    fields = ["name", "permissions"]


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """An owner removes the second factor of somebody who has lost it; the secret itself is never shown."""

    secret_fields = ("data",)
    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__name"]
    ordering = ["-created_at", "-pk"]
    fields = ["user", "type", "created_at", "last_used_at"]

    def has_delete_permission(self, request, obj=None):
        return roles.is_owner(request.user)

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        self.lose(obj.user)

    def delete_queryset(self, request, queryset):
        users = list(User.objects.filter(authenticator__in=queryset))
        super().delete_queryset(request, queryset)
        for user in users:
            self.lose(user)

    def lose(self, user):
        """Recovery codes stand in for a factor: without one they are none, and whoever has it isn't signed in any more."""
        if not accounts.real_factors().filter(user=user).exists():
            Authenticator.objects.filter(user=user).delete()
        sessions.end_all(user)
