"""The page of a list's files: an export, and an import that shows what it would do before it does it."""

import base64
import binascii
import logging

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget

from conference import spreadsheets, tables
from conference.admin import importing
from conference.admin.content import ContentAdmin
from conference.spreadsheets import Unreadable

logger = logging.getLogger(__name__)

WRITERS = {"csv": tables.csv_of, "xlsx": tables.xlsx_of}
SALT = "kpt.table"
# Long enough to look at all of it; the content may have changed meanwhile, which is noticed too.
HOLDS_FOR = 2 * 60 * 60
MOST_SHOWN = 200


def file_field(words):
    return forms.FileField(
        label=_("Your file"),
        help_text=words,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": spreadsheets.OFFERED}),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty."),
            "missing": _("Choose a file."),
        },
    )


def kept_in_page(facts, content, salt):
    """The file waits in the page: nothing of it lies about on a disk, and nobody else can send it."""
    return signing.dumps([*facts, base64.b64encode(content).decode()], salt=salt, compress=True)


def sent_again(text, salt):
    """The facts and the file, or nothing where they did not arrive whole, or too late."""
    try:
        *facts, content = signing.loads(text, salt=salt, max_age=HOLDS_FOR)
        return facts, base64.b64decode(content)
    except (signing.BadSignature, ValueError, binascii.Error):
        return None, b""


def download(content, name):
    media = spreadsheets.CONTENT_TYPES[name.rpartition(".")[2]]
    return HttpResponse(content, media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


class FileForm(forms.Form):
    file = file_field(
        _("CSV or Excel (.xlsx), at most 1,000 rows and 1 MB. Nothing is written before you have seen it.")
    )


class TableAdmin(ContentAdmin):
    actions_list = ["table"]

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_table_file"
        return [
            path("table/<str:format>/", self.admin_site.admin_view(self.table_file), name=name),
            *super().get_urls(),
        ]

    @action(description=_("Import and export"), url_path="table", permissions=["change"])
    def table(self, request):
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "kept" in request.POST:
            return self.write_table(request)
        sent = (request.POST, request.FILES) if request.method == "POST" else ()
        form = FileForm(*sent)
        if form.is_bound and form.is_valid():
            upload = form.cleaned_data["file"]
            content = upload.read(tables.LIMITS.largest + 1)
            try:
                return self.show_plan(request, content)
            except Unreadable as error:
                logger.warning("A file for %s was refused: %d bytes", self.opts.label_lower, upload.size)
                form.add_error("file", str(error))
        return self.table_page(request, "start", form=form, columns=importing.columns_for(self, request))

    def show_plan(self, request, content, words=""):
        plan = importing.planned(self, request, spreadsheets.read(content, tables.LIMITS))
        told = [request.user.pk, self.opts.label_lower, plan.digest]
        facts = {
            "plan": plan,
            "wrong": plan.wrong[:MOST_SHOWN],
            "wrong_rows": len(plan.wrong),
            "new": plan.new[:MOST_SHOWN],
            "changed": plan.changed[:MOST_SHOWN],
            "most": MOST_SHOWN,
            "kept": "" if plan.wrong else kept_in_page(told, content, SALT),
            "words": words,
        }
        return self.table_page(request, "preview", **facts)

    def write_table(self, request):
        told, content = sent_again(request.POST["kept"], SALT)
        if not told or told[:2] != [request.user.pk, self.opts.label_lower]:
            self.message_user(
                request, _("The file did not arrive whole, or too late. Choose it once more."), messages.ERROR
            )
            return HttpResponseRedirect(self.table_url())
        plan = importing.planned(self, request, spreadsheets.read(content, tables.LIMITS))
        if plan.wrong or plan.digest != told[2] or not importing.write(self, request, plan):
            return self.show_plan(request, content, _("The content has changed meanwhile. Look at it once more."))
        self.message_user(request, written_words(plan), messages.SUCCESS)
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    @method_decorator(require_safe)
    def table_file(self, request, format):
        if not self.has_change_permission(request):
            raise PermissionDenied
        if format not in WRITERS:
            raise Http404
        columns, key = importing.columns_for(self, request), tables.key_of(self.model)
        rows = importing.rows_for(self, request).order_by(key)
        try:
            content = WRITERS[format](columns, (tables.cells_of(row, columns) for row in rows))
        except Unreadable as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(self.table_url())
        name = f"kpt-{self.opts.model_name}-{timezone.localdate():%Y-%m-%d}.{format}"
        return download(content, name)

    def table_url(self):
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_table")

    def table_page(self, request, step, **facts):
        address = f"admin:{self.opts.app_label}_{self.opts.model_name}_table_file"
        context = {
            **admin.site.each_context(request),
            "opts": self.opts,
            "title": _("Import and export"),
            "media": self.media,
            "files": {format: reverse(address, args=[format]) for format in WRITERS},
            "start": self.table_url(),
            "back": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
            **facts,
        }
        return TemplateResponse(request, f"admin/conference/table_{step}.html", context)


def written_words(plan):
    new = ngettext("%d row added.", "%d rows added.", len(plan.new)) % len(plan.new)
    changed = ngettext("%d row changed.", "%d rows changed.", len(plan.changed)) % len(plan.changed)
    return f"{new} {changed}"
