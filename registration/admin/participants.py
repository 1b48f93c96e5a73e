"""The people who attend: their data, their history, and two entries that are one person."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from conference.admin.steps import back_to
from registration import bounces, finding, history, mergedmail, merging, reached, rights, roles, timeline
from registration.admin.bounces import BouncesFilter, with_bounces
from registration.admin.mail import MailInline
from registration.admin.readonly import ListAdmin, LongListPaginator, ReadOnlyAdmin, ReadOnlyInline
from registration.forms import PhoneField
from registration.models import Consent, Participant, Registration, SensitiveAnswers


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


class DuplicateFilter(admin.SimpleListFilter):
    title = _("twice in the list")
    parameter_name = "twice"

    def lookups(self, request, model_admin):
        return [("perhaps", _("Perhaps: one name, and one phone, address or account"))]

    def queryset(self, request, queryset):
        if self.value() == "perhaps":
            # As numbers: the list and its count would each look anew.
            twice = merging.possible_duplicates().values_list("pk", flat=True)[: LongListPaginator.COUNTED + 1]
            return queryset.filter(pk__in=list(twice)).order_by("name", "pk")
        return queryset


@admin.register(Participant)
class ParticipantAdmin(ListAdmin):
    # Even that she has answered is an owner's to know.
    secret_fields = ("sensitive_answers",)
    form = ParticipantForm
    list_display = ["name", "address", "phone", "province", "organisation", "proven_at", "is_made_up"]
    list_filter = [
        DuplicateFilter,
        BouncesFilter,
        "gender",
        "age_group",
        "organisation_kind",
        "language",
        "is_made_up",
        ("created_at", admin.DateFieldListFilter),
        "province",
    ]
    list_select_related = ["account"]
    search_fields = ["name"]  # any: the search is finding's
    search_help_text = _("Name, email, phone, organisation or registration code")
    sortable_by = ["created_at"]
    ordering = ["-created_at", "-pk"]
    readonly_fields = [
        "account",
        "email",
        "mail_comes_back",
        "contact_email",
        "proven_at",
        "restricted_at",
        "created_at",
        "is_made_up",
        "perhaps_the_same",
        "link_reached",
        "steps",
    ]
    inlines = [RegistrationInline, ConsentInline, MailInline]
    actions = ["merge_two"]
    actions_detail = ["merge", "record"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("name", "phone"),
                    ("email", "account"),
                    "mail_comes_back",
                    "contact_email",
                    ("language", "guardian_name"),
                ]
            },
        ),
        (_("Did she get her link?"), {"fields": ["link_reached"]}),
        (_("Where from"), {"fields": [("province", "regency"), ("organisation", "organisation_kind")]}),
        (_("For the statistics"), {"fields": [("gender", "age_group")]}),
        (_("Times"), {"fields": [("created_at", "proven_at"), ("restricted_at", "is_made_up"), "perhaps_the_same"]}),
        (_("History"), {"fields": ["steps"]}),
    ]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        """By the rule that she herself corrects her data with, so that her history tells of it."""
        rights.correct(obj, form.cleaned_data, actor=request.user, language=obj.language, now=timezone.now())
        Participant.objects.filter(pk=obj.pk).update(language=obj.language)

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        """Who looks at a person's data is told to her, see her record of processing."""
        if obj:
            history.look(obj, actor=request.user, now=timezone.now())
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_queryset(self, request):
        return with_bounces(super().get_queryset(request))

    def get_search_results(self, request, queryset, search_term):
        return (finding.participants(queryset, search_term) if search_term.strip() else queryset), False

    @admin.display(description=_("email"))
    def address(self, participant):
        if not participant.address_bounces:
            return participant.address
        return format_html(
            '{} <strong class="text-red-700 dark:text-red-500">{}</strong>', participant.address, _("bounces")
        )

    @admin.display(description=_("mail comes back"))
    def mail_comes_back(self, participant):
        """What servers said of her address, and how often they put mail off."""
        dead, put_off = bounces.of(participant.address), bounces.put_off(participant.address)
        if dead:
            url = reverse("admin:registration_bouncedaddress_change", args=[dead.pk])
            html = '<a class="text-red-700 dark:text-red-500" href="{}">{}</a>'
            return format_html(html, url, dead.words or _("No such address"))
        words = ngettext(
            "%d mail was not delivered for a passing reason.",
            "%d mails were not delivered for a passing reason.",
            put_off,
        )
        return words % put_off if put_off else _("No")

    @admin.display(description=_("her link"))
    def link_reached(self, participant):
        return reached.by(participant)

    @admin.display(description=_("the newest first"))
    def steps(self, participant):
        lines = timeline.of(participant)
        return render_to_string("admin/registration/participant/timeline.html", {"lines": lines})

    @admin.display(description=_("perhaps the same person"))
    def perhaps_the_same(self, participant):
        rows = [
            (merge_page(participant, other), spoken(other)) for other in merging.possibly_the_same(participant)[:20]
        ]
        return format_html_join(", ", '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', rows) or "-"

    def has_record_permission(self, request, obj=None):
        return request.user.has_perm("registration.view_auditentry")

    @action(description=_("Who did what with her data"), url_path="record", permissions=["record"])
    def record(self, request, object_id):
        found = get_object_or_404(Participant, pk=object_id)
        return HttpResponseRedirect(reverse("admin:registration_auditentry_changelist", query={"person": found.pk}))

    # ---- Two entries of one person

    def has_decide_permission(self, request, obj=None):
        return request.user.has_perm("registration.change_participant")

    @admin.action(permissions=["decide"], description=_("Merge two entries of one person"))
    def merge_two(self, request, queryset):
        chosen = list(queryset.order_by("pk")[:3])
        if len(chosen) != 2:
            self.message_user(request, _("Choose exactly two entries."), messages.WARNING)
            return None
        return HttpResponseRedirect(merge_page(*sorted(chosen, key=rank)))

    @action(description=_("Merge with another entry"), url_path="merge", permissions=["decide"])
    def merge(self, request, object_id):
        people = Participant.objects.select_related("account")
        kept = get_object_or_404(people, pk=object_id)
        other = people.filter(pk=request.GET.get("other")).exclude(pk=kept.pk).first() if other_of(request) else None
        if other is None:
            return self.find_other(request, kept)
        objection = objection_to(kept, other)
        if request.method != "POST" or objection:
            return self.preview(request, kept, other, objection)
        try:
            merged = merging.merge(kept, other, actor=request.user, now=timezone.now())
        except mergedmail.InHand:
            words = _("A mail to both is leaving at this moment. Please merge the two in a few minutes.")
            return back_to(request, self, words, messages.WARNING, merge_page(kept, other))
        words = _("The two entries are one now.") if merged else _("One of the two entries has gone before.")
        return back_to(request, self, words, messages.SUCCESS if merged else messages.WARNING, page_of(kept))

    def find_other(self, request, kept):
        query = request.GET.get("q", "").strip()
        found = merging.possibly_the_same(kept)
        if query:
            rows = Participant.objects.select_related("account").exclude(pk=kept.pk).order_by("name", "pk")
            found, _may_repeat = self.get_search_results(request, rows, query)
        links = [(merge_page(*sorted([kept, other], key=rank)), spoken(other)) for other in found[:20]]
        context = self.context(request, kept=kept, query=query, links=links)
        return TemplateResponse(request, "admin/registration/participant/find_other.html", context)

    def preview(self, request, kept, other, objection):
        context = self.context(
            request,
            kept=kept,
            other=other,
            sides=[(label_of(name), said(kept, name), said(other, name)) for name in SHOWN],
            pairs=merging.pairs(kept, other),
            account_goes=other.account_id != kept.account_id and merging.is_bare(other.account, without=other),
            swapped=merge_page(other, kept),
            objection=objection,
        )
        return TemplateResponse(request, "admin/registration/participant/merge.html", context)

    def context(self, request, *, kept, **facts):
        frame = {**admin.site.each_context(request), "opts": self.opts, "title": _("Merge two entries of one person")}
        return {**frame, "kept": kept, "back": page_of(kept), **facts}


# What is compared before two entries are merged.
SHOWN = [
    "name",
    "email",
    "contact_email",
    "account",
    "phone",
    "province",
    "regency",
    "organisation",
    "gender",
    "age_group",
    "proven_at",
    "created_at",
]


def label_of(name):
    return capfirst(Participant._meta.get_field(name).verbose_name)


def said(participant, name):
    """A field's value in words."""
    if name == "account":
        return participant.account.email
    value = getattr(participant, f"get_{name}_display", lambda: getattr(participant, name))()
    return "-" if value in (None, "") else value


def spoken(participant):
    return " · ".join(
        filter(None, [participant.name, participant.email or participant.contact_email, participant.phone])
    )


def rank(participant):
    """The first of two is proposed as the one that stays: with an address of her own, and known for longer."""
    return participant.is_in_care, participant.proven_at is None, participant.pk


def objection_to(kept, other):
    if kept.is_in_care and not other.is_in_care:
        return _("The other entry has an address of its own. Keep that one, or she would lose her account.")
    if not kept.proven_at and other.proven_at:
        return _("Only the other entry's address is proven. Keep that one.")
    return ""


def other_of(request):
    return request.GET.get("other", "").isdecimal()


def page_of(participant):
    return reverse("admin:registration_participant_change", args=[participant.pk])


def merge_page(kept, other):
    return reverse("admin:registration_participant_merge", args=[kept.pk], query={"other": other.pk})


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ["participant", "purpose", "organisation", "version", "granted_at", "withdrawn_at"]
    list_filter = ["purpose", "organisation", "text", ("granted_at", admin.DateFieldListFilter)]
    list_select_related = ["participant", "organisation"]
    search_fields = ["participant__name"]  # any: the search is finding's
    search_help_text = _("Name, email, phone or organisation")
    sortable_by = ["granted_at"]
    ordering = ["-granted_at", "-pk"]

    def get_search_results(self, request, queryset, search_term):
        words = search_term.strip()
        return (finding.by_person(queryset, "participant", words) if words else queryset), False


@admin.register(SensitiveAnswers)
class SensitiveAnswersAdmin(ReadOnlyAdmin):
    """For owners alone: no permission opens them, so that none can be given by mistake."""

    list_display = ["participant", "delete_on"]
    list_select_related = ["participant"]
    search_fields = ["participant__name"]
    ordering = ["delete_on", "pk"]

    def has_view_permission(self, request, obj=None):
        return roles.is_owner(request.user)
