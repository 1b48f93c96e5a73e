"""In a data breach: whom to tell, of what, until when, in which words."""

from tempfile import TemporaryFile

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from registration import audit
from registration import breach as rules
from registration.models import Breach


@admin.register(Breach)
class BreachAdmin(ModelAdmin):
    compressed_fields = False
    list_display = ["__str__", "known_at", "tell_until", "recorded_by"]
    list_select_related = ["webinar", "organisation", "recorded_by"]
    ordering = ["-known_at", "-pk"]
    autocomplete_fields = ["webinar", "organisation"]
    fieldsets = [
        (
            None,
            {
                "fields": ["scope", ("webinar", "organisation"), "mail_kind", "known_at", "note"],
                "description": _(
                    "Say what got into wrong hands and since when you know it. Saved, this page shows whom to tell, "
                    "until when and in which words. When in doubt choose more rather than less. Hours are in WITA."
                ),
            },
        )
    ]
    change_form_outer_before_template = "admin/registration/breach/whom.html"

    def get_urls(self):
        take = self.admin_site.admin_view(self.take_list)
        return [path("<int:pk>/list.csv", take, name="registration_breach_list"), *super().get_urls()]

    def has_delete_permission(self, request, obj=None):
        return False  # the law wants a record

    def save_model(self, request, obj, form, change):
        if not change:
            obj.recorded_by = request.user
        super().save_model(request, obj, form, change)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        breach = Breach.objects.filter(pk=object_id).first() if str(object_id).isdigit() else None
        context = whom(breach) if breach and self.has_view_permission(request, breach) else {}
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def response_add(self, request, obj, post_url_continue=None):
        """On to what follows from it, not back to the list."""
        request.POST = request.POST.copy()
        request.POST["_continue"] = "1"
        return super().response_add(request, obj, post_url_continue)

    @method_decorator(require_POST)  # it is noted who took the list
    def take_list(self, request, pk):
        breach = get_object_or_404(Breach, pk=pk)
        if not self.has_change_permission(request, breach):
            raise PermissionDenied
        file = TemporaryFile()  # noqa: SIM115 -- the response closes it
        number = rules.write_csv(file, breach)
        audit.note(audit.Action.DOWNLOADED, breach, actor=request.user, now=timezone.now(), rows=number, details="csv")
        self.log_change(request, breach, f"CSV, {number}")
        file.seek(0)
        return FileResponse(
            file, as_attachment=True, filename=f"breach-{pk}.csv", content_type="text/csv; charset=utf-8"
        )

    @admin.display(description=_("tell them until"), ordering="known_at")
    def tell_until(self, breach):
        return rules.deadline(breach)


def whom(breach):
    left = rules.deadline(breach) - timezone.now()
    return {
        "breach": breach,
        "figures": rules.figures(breach),
        "deadline": rules.deadline(breach),
        "hours_left": int(left.total_seconds() // 3600),
        "notices": [(language, rules.notice(breach, language)) for language in ("id", "en")],
    }
