"""How long data is kept, and what goes next."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from registration import retention
from registration.admin.readonly import ReadOnlyAdmin
from registration.models import RetentionPeriod, RetentionRun

COUNTED_FROM = {
    RetentionPeriod.Kind.SENSITIVE: _("the last day of the conference; never longer than the person was told"),
    RetentionPeriod.Kind.MAIL_TEXT: _("the sending of each mail"),
    RetentionPeriod.Kind.PERSON: _("the last day of her newest conference; who wants news stays"),
    RetentionPeriod.Kind.HISTORY: _("the last day of the conference"),
    RetentionPeriod.Kind.DOWNLOAD: _("the last day of the conference"),
    RetentionPeriod.Kind.AUDIT: _("the deed itself; that something was done stays, without names"),
}


@admin.register(RetentionPeriod)
class RetentionPeriodAdmin(ModelAdmin):
    """People were told these periods, so a superuser alone changes them."""

    compressed_fields = False
    list_display = ["kind", "days", "counted_from"]
    ordering = ["days", "kind"]
    fields = ["kind", "days", "counted_from"]
    readonly_fields = ["kind", "counted_from"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return request.user.is_superuser

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description=_("counted from"))
    def counted_from(self, period):
        return COUNTED_FROM[period.kind]


def may_stop(user):
    return user.has_perm("registration.change_retentionrun")


@admin.register(RetentionRun)
class RetentionRunAdmin(ReadOnlyAdmin):
    list_display = ["kind", "state", "planned", "due_at", "removed", "ran_at"]
    list_filter = ["kind"]
    ordering = ["-planned_at", "-pk"]
    fields = ["kind", "up_to", ("planned_at", "due_at"), ("planned", "removed"), ("ran_at", "stopped_at")]
    change_form_outer_before_template = "admin/registration/retentionrun/stop.html"

    def get_urls(self):
        stop = self.admin_site.admin_view(self.stop)
        return [path("<int:pk>/stop/", stop, name="registration_retentionrun_stop"), *super().get_urls()]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        run = RetentionRun.objects.open().filter(pk=object_id).first() if may_stop(request.user) else None
        return super().changeform_view(request, object_id, form_url, {"stoppable": run, **(extra_context or {})})

    @method_decorator(require_POST)
    def stop(self, request, pk):
        if not may_stop(request.user):
            raise PermissionDenied
        run = get_object_or_404(RetentionRun, pk=pk)
        self.tell(request, [run] if retention.stop(run, now=timezone.now()) else [])
        return redirect("admin:registration_retentionrun_change", pk)

    def tell(self, request, stopped):
        for run in stopped:
            self.log_change(request, run, [{"changed": {"fields": ["stopped at"]}}])
        words = _("Stopped. It is announced again in %(days)d days at the earliest; a superuser may change the period.")
        if stopped:
            self.message_user(request, words % {"days": retention.PAUSE.days}, messages.SUCCESS)
        else:
            self.message_user(request, _("Nothing was left to stop."), messages.WARNING)

    @display(
        description=_("state"),
        label={"announced": "warning", "done": "success", "stopped": "info"},
    )
    def state(self, run):
        if run.stopped_at:
            return "stopped", _("stopped")
        return ("done", _("carried out")) if run.ran_at else ("announced", _("announced"))
