from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from registration import roles
from registration.admin.readonly import ReadOnlyAdmin
from registration.models import Download, PartnerMember


@admin.register(PartnerMember)
class PartnerMemberAdmin(ModelAdmin):
    """Who may download an organisation's attendee lists. The team's page invites by mail; here an account is chosen."""

    compressed_fields = False
    list_display = ["user", "email", "organisation", "role", "created_at"]
    list_filter = ["role", "organisation"]
    list_filter_sheet = False
    list_select_related = ["user", "organisation"]
    search_fields = ["user__email", "user__name", "organisation__name_ind", "organisation__acronym"]
    ordering = ["organisation__name_ind", "user__email"]
    autocomplete_fields = ["user", "organisation"]
    fieldsets = [
        (
            None,
            {
                "fields": ["organisation", "user", "role"],
                "description": _(
                    "Search the account by email, or add it with the plus sign. She sees the attendees of the "
                    "organisation's webinars who agreed to it, after setting up a second factor."
                ),
            },
        )
    ]

    def get_readonly_fields(self, request, obj=None):
        return ["organisation", "user"] if obj else []

    def save_model(self, request, obj, form, change):
        """The rule writes the row and the record; the form shows it from then on."""
        held = roles.held_as(obj)
        roles.give(obj.user, held, actor=request.user, now=timezone.now())
        obj.pk = PartnerMember.objects.get(user=obj.user, organisation=obj.organisation).pk

    def delete_model(self, request, obj):
        roles.end(obj.user, roles.held_as(obj), actor=request.user, now=timezone.now())

    def delete_queryset(self, request, queryset):
        for member in queryset.select_related("user", "organisation").order_by("pk"):
            self.delete_model(request, member)

    @admin.display(description=_("email"), ordering="user__email")
    def email(self, member):
        return member.user.email


@admin.register(Download)
class DownloadAdmin(ReadOnlyAdmin):
    list_display = ["downloaded_at", "user", "organisation", "webinar", "format", "rows"]
    list_filter = ["organisation", "webinar", "format"]
    list_select_related = ["user", "organisation", "webinar"]
    search_fields = ["user__email", "user__name", "organisation__name_ind", "organisation__acronym"]
    date_hierarchy = "downloaded_at"
    ordering = ["-downloaded_at", "-pk"]
