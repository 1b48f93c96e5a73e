"""What the rules write down: steps, wordings of consents, withdrawals and handovers."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from registration import finding
from registration.admin.readonly import ReadOnlyAdmin
from registration.models import ConsentText, Event, Handover, User, Withdrawal


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Over all people; one person's steps stand on her own page."""

    list_display = ["at", "participant", "kind", "webinar", "by", "note"]
    list_filter = ["kind", ("at", admin.DateFieldListFilter)]
    search_fields = ["participant__name"]  # any: the search is finding's
    search_help_text = _("Name, email, phone or organisation, or an organiser's address")
    sortable_by = ["at"]  # of a million rows no other order is at hand
    ordering = ["-at", "-pk"]

    def get_search_results(self, request, queryset, search_term):
        words = search_term.strip()
        if not words:
            return queryset, False
        actors = User.objects.filter(email=words.lower()).values_list("pk", flat=True)
        return finding.by_person(queryset, "participant", words, also=Q(actor__in=list(actors))), False

    def get_queryset(self, request):
        about = ["participant", "registration__participant", "registration__webinar", "actor"]
        return super().get_queryset(request).select_related(*about)

    @admin.display(description=_("webinar"))
    def webinar(self, event):
        return event.registration.webinar if event.registration else None

    @admin.display(description=_("by"), empty_value=_("the site, by its rules"))
    def by(self, event):
        return event.actor


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    """Exactly what people read before they agreed."""

    list_display = ["purpose_in_words", "language", "version", "first_shown_at"]
    list_filter = ["purpose", "language"]
    search_fields = ["text", "version"]
    ordering = ["purpose", "language", "-first_shown_at", "-pk"]

    @admin.display(description=_("purpose"), ordering="purpose")
    def purpose_in_words(self, text):
        return dict(text.consents.model.Purpose.choices).get(text.purpose, text.purpose)


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    """Who must leave an organisation's files, and whether the organisation has said that she is removed."""

    list_display = ["withdrawn_at", "organisation", "webinar", "registration_code", "done_at", "done_by"]
    list_filter = [("done_at", admin.EmptyFieldListFilter), "organisation"]
    list_select_related = ["organisation", "webinar", "done_by"]
    search_fields = ["registration_code", "organisation__name_ind", "organisation__acronym"]
    date_hierarchy = "withdrawn_at"
    ordering = ["-withdrawn_at", "-pk"]


@admin.register(Handover)
class HandoverAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "participant", "email", "created_by", "accepted_at", "withdrawn_at"]
    list_filter = [("accepted_at", admin.EmptyFieldListFilter), ("withdrawn_at", admin.EmptyFieldListFilter)]
    list_select_related = ["participant", "created_by"]
    search_fields = ["participant__name", "email", "created_by__email"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
