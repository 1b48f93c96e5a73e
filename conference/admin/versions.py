"""The page of a row's earlier versions: who changed what, a way back, and an end to what must not be kept."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from conference import versions
from conference.admin import filling
from conference.admin.steps import back_to

A_PAGE = 25


class VersionedAdmin(ModelAdmin):
    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        wrap = self.admin_site.admin_view
        own = [
            path("<int:object_id>/history/<int:version>/", wrap(self.go_back), name=f"{name}_go_back"),
            path("<int:object_id>/history/forget/", wrap(self.forget), name=f"{name}_forget"),
        ]
        return [*own, *super().get_urls()]

    def save_model(self, request, obj, form, change):
        if change:
            versions.keep_first(obj)
        super().save_model(request, obj, form, change)

    def check_filled(self, form):
        """What is refused to a file and to an earlier version, though an organiser may do it by hand with open eyes."""

    def history_view(self, request, object_id, extra_context=None):
        row = self.row_with_versions(request, object_id)
        page = Paginator(versions.of(row), A_PAGE).get_page(request.GET.get("p"))
        shown = versions.newest(row, A_PAGE, start=page.start_index() - 1 if page.object_list else 0)
        facts = {
            "page": page,
            "shown": shown,
            "newest": versions.of(row).values_list("pk", flat=True).first(),
            "may_go_back": self.has_change_permission(request, row),
            "may_forget": request.user.is_superuser,
            **(extra_context or {}),
        }
        return self.versions_page(request, "versions", row, _("Versions"), **facts)

    def row_with_versions(self, request, object_id):
        row = get_object_or_404(self.get_queryset(request), pk=object_id) if str(object_id).isdecimal() else None
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def versions_page(self, request, template, row, title, status=200, **facts):
        context = {
            **admin.site.each_context(request),
            "opts": self.opts,
            "title": title,
            "original": row,
            "back": self.step_url(row),
            "history": self.step_url(row, "history"),
            **facts,
        }
        return TemplateResponse(request, f"admin/conference/{template}.html", context, status=status)

    def step_url(self, row, step="change"):
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{step}", args=[row.pk])

    # ---- The way back

    def go_back(self, request, object_id, version):
        """To what a version says in the fields that she may change. It is a change like any other, with all its rules."""
        row = self.row_with_versions(request, object_id)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        record = get_object_or_404(versions.of(row), pk=version)
        form = filling.filled(self, request, row, versions.values(record))
        changed = differences_of(form, record) if filling.is_sound(self, form) else []
        if request.method == "POST" and changed:
            with transaction.atomic():
                filling.save(self, request, form, versions.WENT_BACK)
            words = _("It is as it was then, and that is a new version.")
            return back_to(request, self, words, messages.SUCCESS, self.step_url(row, "history"))
        facts = {
            "record": record,
            "writer": versions.writers_of([record]).get(record.history_user_id, ""),
            "changed": changed,
            "objections": objections(form),
        }
        status = 409 if request.method == "POST" else 200
        return self.versions_page(request, "go_back", row, _("Back to an earlier version"), status, **facts)

    # ---- An end to it

    def forget(self, request, object_id):
        row = self.row_with_versions(request, object_id)
        if not request.user.is_superuser:
            raise PermissionDenied
        if request.method != "POST":
            number = max(versions.of(row).count() - 1, 0)
            return self.versions_page(request, "forget", row, _("Forget earlier versions"), number=number)
        number = versions.forget(row, but=versions.of(row).first())
        words = ngettext("%d earlier version is gone for good.", "%d earlier versions are gone for good.", number)
        return back_to(request, self, words % number, messages.SUCCESS, self.step_url(row, "history"))

    forget.short_description = _("forgot earlier versions")


def differences_of(form, record):
    """From what stands now to what the form would write: fields that it does not have stay."""
    model = type(form.instance)
    stored = model._default_manager.get(pk=form.instance.pk)
    return [one for one in versions.to_row(record, stored) if one.name in form.changed_data]


def objections(form):
    labels = {name: str(field.label) for name, field in form.fields.items()}
    return [(labels.get(name, ""), words) for name, words in filling.problems(form)]
