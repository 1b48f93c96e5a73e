from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from registration.admin.readonly import ReadOnlyAdmin
from registration.models import Download, PartnerMember


@admin.register(PartnerMember)
class PartnerMemberAdmin(ModelAdmin):
    """Who may download an organisation's attendee lists."""

    compressed_fields = False
    list_display = ["user", "email", "organisation", "created_at"]
    list_filter = ["organisation"]
    list_filter_sheet = False
    list_select_related = ["user", "organisation"]
    search_fields = ["user__email", "user__name", "organisation__name_ind", "organisation__acronym"]
    ordering = ["organisation__name_ind", "user__email"]
    autocomplete_fields = ["user", "organisation"]
    fieldsets = [
        (
            None,
            {
                "fields": ["organisation", "user"],
                "description": _(
                    "Search the account by email, or add it with the plus sign. She sees the attendees of the "
                    "organisation's webinars who agreed to it, after setting up a second factor."
                ),
            },
        )
    ]

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
