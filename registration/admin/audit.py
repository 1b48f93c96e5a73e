"""The record of who did what with people's data, as a line of time. Nobody adds to it, changes it or deletes from it."""

from datetime import timedelta
from tempfile import TemporaryFile

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, Subquery
from django.http import FileResponse, Http404, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display
from unfold.utils import parse_date_str

from conference import timezones
from conference.models import Webinar
from registration import audit, auditfile, exports, maillog, records
from registration.admin.readonly import ABSURD, ReadOnlyAdmin, pk_of
from registration.models import AuditEntry, Event, Participant, PartnerMember, User

Action = AuditEntry.Action
COLOURS = dict.fromkeys(Action, "") | {  # one that is missing would show its key
    Action.LOOKED_AT: "info",
    Action.LISTED: "info",
    Action.LOOKED_AT_SENSITIVE: "danger",
    Action.DOWNLOADED: "warning",
    Action.READ_BY_TOKEN: "warning",
    Action.DELETED: "danger",
    Action.REFUSED: "danger",
}
STEPS = dict(Event.Kind.choices)


class ActorFilter(DropdownFilter):
    """Whoever may see people's data now; who could earlier is found by her address."""

    title = _("by")
    parameter_name = "actor"

    def lookups(self, request, model_admin):
        # As numbers: else all accounts would be read for the few.
        members = list(PartnerMember.objects.values_list("user", flat=True))
        people = User.objects.filter(Q(is_staff=True) | Q(pk__in=members))
        return [(str(pk), email) for pk, email in people.order_by("email").values_list("pk", "email")]

    def queryset(self, request, queryset):
        return queryset.filter(actor=self.value()) if (self.value() or "").isdecimal() else queryset


class KindFilter(DropdownFilter):
    title = _("kind of row")
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        kinds = [(model._meta.label_lower, str(model._meta.verbose_name)) for model in admin.site._registry]
        return sorted(kinds, key=lambda kind: kind[1].casefold())

    def queryset(self, request, queryset):
        return queryset.filter(object_type=self.value()) if self.value() else queryset


class PersonFilter(DropdownFilter):
    """One participant's line of time, from her own page: her rows, and the lists of partners that held her."""

    title = _("participant")
    parameter_name = "person"

    def lookups(self, request, model_admin):
        key = request.GET.get("person", "")
        found = Participant.objects.filter(pk=pk_of(key)).first()
        return [(str(found.pk), found.name)] if found else []

    def has_output(self):
        return bool(self.used_parameters)

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        found = Participant.objects.filter(pk=pk_of(self.value())).first()
        return queryset.filter(pk__in=audit.about(found).order_by().values("pk")) if found else queryset.none()


class DaysFilter(RangeDateFilter):
    """Whole days in WITA, the last one with it."""

    def queryset(self, request, queryset):
        first, last = (self.day(name) for name in ("from", "to"))
        if first:
            queryset = queryset.filter(at__gte=first)
        return queryset.filter(at__lt=last + timedelta(days=1)) if last else queryset

    def day(self, name):
        day = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_{name}", ""))
        return timezones.start_of(day) if day else None


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "who", "action_word", "what", "person", "organisation", "rows", "more", "network"]
    list_display_links = ["at"]
    list_filter = [
        ActorFilter,
        ("action", ChoicesDropdownFilter),
        KindFilter,
        ("organisation", RelatedDropdownFilter),
        ("at", DaysFilter),
        PersonFilter,
    ]
    list_filter_submit = True
    list_filter_sheet = True
    list_select_related = ["organisation"]
    list_before_template = "admin/registration/auditentry/export.html"
    search_fields = ["actor_name"]  # any: see `get_search_results`
    search_help_text = _("Address of who did it, or name, address or registration code of whom it was done to")
    sortable_by = ["at"]  # of a million rows no other order is at hand
    ordering = ["-at", "-pk"]
    actions = None
    fieldsets = [
        (None, {"fields": [("at", "who"), ("action", "what"), ("person", "object_name"), "more"]}),
        (_("Where"), {"fields": [("organisation", "webinar_id"), ("rows", "network"), "blanked_at"]}),
    ]
    readonly_fields = ["who", "what", "person", "more"]

    def get_queryset(self, request):
        name = Participant.objects.filter(pk=OuterRef("participant_id")).values("name")[:1]
        title = Webinar.objects.filter(pk=OuterRef("webinar_id")).values("title_ind")[:1]
        return super().get_queryset(request).annotate(person_name=Subquery(name), webinar_title=Subquery(title))

    def get_search_results(self, request, queryset, search_term):
        return (queryset.filter(found_by(search_term.strip())) if search_term.strip() else queryset), False

    def get_urls(self):
        export = self.admin_site.admin_view(self.export)
        return [path("export/<slug:format>/", export, name="registration_auditentry_export"), *super().get_urls()]

    @method_decorator(require_POST)  # it is noted who takes it
    def export(self, request, format):
        if not self.has_view_permission(request):
            raise PermissionDenied
        if format not in auditfile.WRITERS:
            raise Http404
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except ABSURD:
            self.without_filters(request)
            return redirect("admin:registration_auditentry_changelist")
        if found.order_by()[: auditfile.MOST + 1].count() > auditfile.MOST:
            words = _("A file holds at most %(number)s entries. Choose a shorter time, or filter.")
            self.message_user(request, words % {"number": number_format(auditfile.MOST)}, messages.ERROR)
            back = reverse("admin:registration_auditentry_changelist")
            return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}")
        file = TemporaryFile()  # noqa: SIM115 -- the response closes it
        number = auditfile.WRITERS[format](file, auditfile.rows_of(found))
        audit.note(Action.DOWNLOADED, AuditEntry, actor=request.user, now=timezone.now(), rows=number, details=format)
        file.seek(0)
        facts = {"filename": f"audit.{format}", "content_type": exports.CONTENT_TYPES[format]}
        return FileResponse(file, as_attachment=True, **facts)

    # ---- Columns

    @admin.display(description=_("by"))
    def who(self, entry):
        return entry.actor_name or "-"

    @display(description=_("action"), label=COLOURS)
    def action_word(self, entry):
        return entry.action, entry.get_action_display()

    @admin.display(description=_("what"))
    def what(self, entry):
        name = entry.object_name if entry.object_name != entry.person_name else ""
        return " · ".join(filter(None, [records.kind_word(entry.object_type), name, entry.webinar_title]))

    @admin.display(description=_("participant"))
    def person(self, entry):
        if entry.person_name is None:
            return _("gone: no. %(number)d") % {"number": entry.participant_id} if entry.participant_id else "-"
        page = reverse("admin:registration_participant_change", args=[entry.participant_id])
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, entry.person_name
        )

    @admin.display(description=_("details"))
    def more(self, entry):
        return details_in_words(entry.details)


def details_in_words(details):
    """Steps and names of fields as the reader's language calls them; what is neither stays as it is."""
    return " · ".join(all_in_words(part) for part in details.split(" · "))


def all_in_words(names):
    if names == ", ".join(exports.COLUMNS):
        return gettext("all columns")
    return ", ".join(word_for(part) for part in names.split(", ")) if names else ""


def word_for(part):
    if part in STEPS:
        return str(STEPS[part])
    known = records.field_word(part)
    return known if known != part else gettext(part)


def found_by(words):
    """By keys that are looked up first: a search through the entries themselves would read all of them."""
    people = [pk for pk, _own, _account in maillog.people_of(words)]
    actors = []
    if " " not in words:
        actors = list(User.objects.filter(email__startswith=words.lower()).values_list("pk", flat=True)[:100])
    return Q(participant_id__in=people) | Q(actor__in=actors)
