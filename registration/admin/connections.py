"""Other systems: the tokens by which they read attendees, and the webhooks by which they hear of registrations."""

from datetime import timedelta

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminURLInputWidget

from conference.admin.steps import back_to, page
from registration import outside, tokens, webhooks
from registration.admin.readonly import ReadOnlyAdmin
from registration.models import ApiToken, WebhookDelivery, WebhookEndpoint

USUAL_LIFE = timedelta(days=365)
SCOPE = ["scope", "edition", "webinars"]
DELIVERY_COLOURS = {
    WebhookDelivery.Status.WAITING: "info",
    WebhookDelivery.Status.DELIVERED: "success",
    WebhookDelivery.Status.GIVEN_UP: "danger",
}


class ScopedForm(forms.ModelForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in {"edition", "webinars"} & set(self.fields):
            widget = self.fields[name].widget  # editions and webinars are made on pages of their own
            widget.can_add_related = widget.can_change_related = widget.can_view_related = False

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("scope") == "webinars" and not cleaned.get("webinars"):
            self.add_error("webinars", _("Choose one webinar at least."))
        return cleaned


def shown_once(request, model_admin, secret, words, back):
    """The answer to the very request that made it: it is kept nowhere, in no message and no cookie."""
    frame = {**admin.site.each_context(request), "opts": model_admin.opts, "title": _("The secret")}
    context = {**frame, "secret": secret, "words": words, "back": back}
    response = TemplateResponse(request, "admin/registration/connections/secret.html", context)
    add_never_cache_headers(response)
    return response


def deed(request, model_admin, row, *, title, lead, send, is_final=False):
    return page(
        request,
        model_admin,
        title=title,
        form=(),
        lead=[lead],
        facts=[str(row)],
        send=send,
        back=page_of(row),
        is_final=is_final,
    )


def page_of(row):
    return reverse(f"admin:registration_{row._meta.model_name}_change", args=[row.pk])


class ConnectionAdmin(ModelAdmin):
    """What owners write, and below it the `traces` that the site leaves in a row that is there."""

    compressed_fields = False
    list_filter_sheet = False
    list_select_related = ["edition", "created_by"]
    filter_horizontal = ["webinars"]
    traces = ()

    def get_fieldsets(self, request, obj=None):
        own = super().get_fieldsets(request, obj)
        return [*own, (gettext_lazy("Traces"), {"fields": self.traces})] if obj else own

    def get_readonly_fields(self, request, obj=None):
        return self.traces if obj else []


# ---- Tokens


@admin.register(ApiToken)
class ApiTokenAdmin(ConnectionAdmin):
    list_display = ["name", "key", "scope", "edition", "created_by", "created_at", "ends_at", "last_used_at", "state"]
    list_filter = ["scope", "edition"]
    search_fields = ["name", "key"]
    ordering = ["-created_at", "-pk"]
    form = ScopedForm
    actions_detail = ["revoke"]
    fieldsets = [
        (
            None,
            {
                "fields": ["name", *SCOPE, "ends_at"],
                "description": gettext_lazy(
                    "With a token another system reads attendees at /api/v1/, with name, address and phone, and each "
                    "reading is recorded. Its secret is shown once, after saving."
                ),
            },
        )
    ]
    traces = ["key", "created_by", "created_at", "last_used_at", "revoked_at"]

    def get_changeform_initial_data(self, request):
        return {"ends_at": timezone.now() + USUAL_LIFE} | super().get_changeform_initial_data(request)

    def has_change_permission(self, request, obj=None):
        return False  # another scope is another token: what was given away stays what it was

    def has_delete_permission(self, request, obj=None):
        return False  # the record names it

    def has_revoke_permission(self, request, object_id=None):
        return request.user.has_perm("registration.change_apitoken")

    def save_model(self, request, obj, form, change):
        obj.secret = tokens.issue(obj, actor=request.user, now=timezone.now())

    def response_add(self, request, obj, post_url_continue=None):
        words = _("Give it to whoever looks after the other system, by a safe way. It is not shown again.")
        return shown_once(request, self, obj.secret, words, page_of(obj))

    @action(description=gettext_lazy("Revoke"), url_path="revoke", permissions=["revoke"])
    def revoke(self, request, object_id):
        token = get_object_or_404(ApiToken, pk=object_id)
        if request.method == "POST":
            is_done = tokens.revoke(token, now=timezone.now())
            words = _("The token is good no more.") if is_done else _("It was revoked before.")
            return back_to(request, self, words, messages.SUCCESS, page_of(token))
        lead = _("Whatever system reads with it is refused from then on. This can't be undone.")
        return deed(request, self, token, title=_("Revoke"), lead=lead, send=_("Revoke it"), is_final=True)

    @display(description=gettext_lazy("state"), label={"good": "success", "ended": "danger"})
    def state(self, token):
        words = tokens.fault(token, now=timezone.now())
        return ("ended", _("ended")) if words else ("good", _("good"))


# ---- Webhooks


class EndpointForm(ScopedForm):
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=WebhookEndpoint.Event,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["name", "url", "events", *SCOPE, "is_active"]
        widgets = {"url": UnfoldAdminURLInputWidget}

    def clean_url(self):
        url = self.cleaned_data["url"]
        try:
            outside.place_of(url)
        except outside.Unreachable as unreachable:
            raise forms.ValidationError(_(str(unreachable))) from None
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ConnectionAdmin):
    list_display = ["name", "url", "scope", "edition", "state", "failures", "created_by"]
    list_filter = ["is_active", "edition"]
    search_fields = ["name", "url"]
    ordering = ["name", "pk"]
    form = EndpointForm
    actions_detail = ["see_log", "test", "renew"]
    fieldsets = [
        (
            None,
            {
                "fields": ["name", "url", "events", *SCOPE, "is_active"],
                "description": gettext_lazy(
                    "What happens is told with the code of the registration and its webinar, without names and addresses. "
                    "How the other system checks the signature stands in docs/api.md."
                ),
            },
        )
    ]
    traces = ["created_by", "created_at", "failures", "paused_until", "switched_off_at"]

    def has_decide_permission(self, request, object_id=None):
        return request.user.has_perm("registration.change_webhookendpoint")

    def save_model(self, request, obj, form, change):
        if not change:
            obj.created_by, obj.created_at = request.user, timezone.now()
        obj.switched_off_at = None  # somebody has seen it
        if obj.is_active and "is_active" in form.changed_data:
            obj.failures, obj.paused_until = 0, None
        super().save_model(request, obj, form, change)
        transaction.on_commit(webhooks.remember_listening)

    def response_add(self, request, obj, post_url_continue=None):
        words = _("With it the other system checks that what arrives comes from here. It is not shown again.")
        return shown_once(request, self, webhooks.secret(obj), words, page_of(obj))

    @action(description=gettext_lazy("Log"), url_path="log", permissions=["view"])
    def see_log(self, request, object_id):
        endpoint = get_object_or_404(WebhookEndpoint, pk=object_id)
        return redirect(log_of(endpoint))

    @action(description=gettext_lazy("Send a test"), url_path="test", permissions=["decide"])
    def test(self, request, object_id):
        endpoint = get_object_or_404(WebhookEndpoint, pk=object_id)
        if request.method != "POST":
            lead = _("An event of the kind “test” goes out, about no registration. The log shows the answer.")
            return deed(request, self, endpoint, title=_("Send a test"), lead=lead, send=_("Send it"))
        if not endpoint.is_active:
            words = _("This webhook is off. Switch it on first.")
            return back_to(request, self, words, messages.WARNING, page_of(endpoint))
        delivery = webhooks.test(endpoint, now=timezone.now())
        words = _("The test is on its way. Load this page again in a moment.")
        return back_to(request, self, words, messages.SUCCESS, page_of(delivery))

    @action(description=gettext_lazy("New secret"), url_path="renew", permissions=["decide"])
    def renew(self, request, object_id):
        endpoint = get_object_or_404(WebhookEndpoint, pk=object_id)
        if request.method == "POST":
            words = _("All that is sent from now on is signed with it. It is not shown again.")
            return shown_once(request, self, webhooks.renew_secret(endpoint), words, page_of(endpoint))
        lead = _("The earlier secret ends at once: until the other system has the new one it takes nothing from us.")
        return deed(request, self, endpoint, title=_("New secret"), lead=lead, send=_("Make it"), is_final=True)

    @display(description=gettext_lazy("state"), label={"on": "success", "off": "info", "broken": "danger"})
    def state(self, endpoint):
        if endpoint.switched_off_at and not endpoint.is_active:
            return "broken", _("switched off by itself")
        return ("on", _("in use")) if endpoint.is_active else ("off", _("off"))


def log_of(endpoint):
    query = {"endpoint__id__exact": endpoint.pk}
    return reverse("admin:registration_webhookdelivery_changelist", query=query)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        *("created_at", "endpoint", "event", "registration_code", "webinar", "state", "attempts", "response_status"),
        "wrong",
    ]
    list_display_links = ["created_at", "event"]
    list_filter = ["status", "event", "endpoint"]
    list_select_related = ["endpoint"]
    search_fields = ["registration_code", "event_id"]
    search_help_text = gettext_lazy("Registration code or ID of the event, whole")
    sortable_by = ["created_at"]
    ordering = ["-created_at", "-pk"]
    actions_detail = ["again"]
    fields = [
        ("endpoint", "event"),
        ("registration_code", "webinar", "edition"),
        ("event_id", "at"),
        ("status", "attempts"),
        ("created_at", "tried_at", "not_before"),
        "body",
        ("response_status", "wrong"),
        "response",
    ]
    readonly_fields = ["wrong"]

    def get_search_results(self, request, queryset, search_term):
        words = search_term.strip()
        if not words:
            return queryset, False
        if len(words) == 36:
            ids = WebhookDelivery._meta.get_field("event_id")
            try:
                return queryset.filter(event_id=ids.to_python(words)), False
            except forms.ValidationError:
                return queryset.none(), False
        return queryset.filter(registration_code=words.upper()), False

    def has_decide_permission(self, request, object_id=None):
        return request.user.has_perm("registration.change_webhookendpoint")

    @action(description=gettext_lazy("Send again"), url_path="again", permissions=["decide"])
    def again(self, request, object_id):
        delivery = get_object_or_404(WebhookDelivery, pk=object_id)
        if request.method == "POST":
            is_done = webhooks.send_again(delivery, now=timezone.now())
            words = _("It is sent again, with the same ID.") if is_done else _("It is on its way already.")
            return back_to(request, self, words, messages.SUCCESS, page_of(delivery))
        lead = _("The same words go out once more with the same ID. Who has had it already ignores it.")
        return deed(request, self, delivery, title=_("Send again"), lead=lead, send=_("Send it again"))

    @display(description=gettext_lazy("state"), ordering="status", label=DELIVERY_COLOURS)
    def state(self, delivery):
        return delivery.status, delivery.get_status_display()

    @admin.display(description=gettext_lazy("what went wrong"))
    def wrong(self, delivery):
        return _(delivery.error) if delivery.error else ""
