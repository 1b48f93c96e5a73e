"""Tables for programme officers and donors: ready-made ones, and any other by choosing."""

from io import BytesIO

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
)

from conference.models import Edition, Webinar
from registration import audit, exports, reportfiles, reports, reportwords
from registration.admin.charts import shortened, usual
from registration.admin.readonly import ReadOnlyAdmin
from registration.models import KeptCount

# What donors ask for, in the order in which they ask.
READY = (
    (gettext_lazy("Gender and age"), {"rows": "age_group", "columns": "gender"}),
    (gettext_lazy("Province"), {"rows": "province"}),
    (gettext_lazy("Kind of organisation"), {"rows": "organisation_kind"}),
    (gettext_lazy("Functional difficulty and gender"), {"rows": "difficulty", "columns": "gender"}),
    (gettext_lazy("Webinar by webinar"), {"rows": "webinar", "unit": "participations"}),
)
# The chart in its own units; the page scales it.
BAR, GAP, LABEL, SCALE, NUMBER = 14, 12, 240, 420, 60


def question_choices():
    return [(name, question.label) for name, question in reports.QUESTIONS.items()]


class AskForm(forms.Form):
    """Everything is in the address, so a table can be sent on as a link."""

    edition = forms.MultipleChoiceField(
        label=gettext_lazy("Conference"),
        help_text=gettext_lazy("Several are compared side by side."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    unit = forms.ChoiceField(
        label=gettext_lazy("Count"),
        choices=reports.Unit.choices,
        initial=reports.Unit.PEOPLE,
        widget=UnfoldAdminRadioSelectWidget,
    )
    rows = forms.ChoiceField(
        label=gettext_lazy("Rows"), choices=question_choices, initial="gender", widget=UnfoldAdminSelectWidget
    )
    columns = forms.ChoiceField(
        label=gettext_lazy("Columns"),
        required=False,
        choices=lambda: [("", gettext_lazy("None")), *question_choices()],
        widget=UnfoldAdminSelectWidget,
    )
    only = forms.ChoiceField(
        label=gettext_lazy("Only"),
        required=False,
        help_text=gettext_lazy("One answer to one question. With more, single people could be made out."),
        widget=UnfoldAdminSelectWidget,
    )
    measure = forms.ChoiceField(
        label=gettext_lazy("Numbers"),
        choices=reports.Measure.choices,
        initial=reports.Measure.BOTH,
        widget=UnfoldAdminRadioSelectWidget,
    )

    def __init__(self, data, *args, **kwargs):
        self.editions = list(Edition.objects.newest_first())
        self.webinars = list(Webinar.objects.in_order().select_related("edition"))
        super().__init__(self.filled(data), *args, **kwargs)
        self.fields["edition"].choices = [(str(edition.year), str(edition)) for edition in self.editions]
        self.fields["only"].choices = [("", _("Everybody")), *self.answers()]

    def filled(self, data):
        """What an address leaves out is as usual: the current conference, or else the newest."""
        data = data.copy()
        for name, field in self.base_fields.items():
            if name not in data and field.initial:
                data[name] = field.initial
        if "edition" not in data and self.editions:
            data["edition"] = str(usual(self.editions).year)
        return data

    def answers(self):
        for name, question in reports.QUESTIONS.items():
            if name != "webinar":
                rows = question.answers([]).items()
                yield question.label, [(f"{name}:{code}", words) for code, words in rows]
        for edition in self.editions:
            own = [webinar for webinar in self.webinars if webinar.edition_id == edition.pk]
            rows = reports.QUESTIONS["webinar"].answers(own).items()
            yield f"{_('Webinar')} · {edition}", [(f"webinar:{code}", words) for code, words in rows]

    def clean_only(self):
        name, colon, answer = self.cleaned_data["only"].partition(":")
        return (name, answer) if colon else None

    def clean(self):
        """A webinar of another conference is none of this one's."""
        only = self.cleaned_data.get("only")
        years = self.cleaned_data.get("edition", [])
        if only and only[0] == "webinar":
            own = {str(webinar.pk) for webinar in self.webinars if str(webinar.edition.year) in years}
            if only[1] not in own:
                self.add_error("only", _("This webinar belongs to another conference."))

    def ask(self):
        values = dict(self.cleaned_data)
        years = values.pop("edition")
        editions = [edition for edition in self.editions if str(edition.year) in years]
        return reports.Ask(editions=sorted(editions, key=lambda edition: edition.year), **values)


@admin.register(KeptCount)
class KeptCountAdmin(ReadOnlyAdmin):
    """Numbers of people whose data is gone. Reports show them with the others, and hide small ones: the rows are the
    owner's alone."""

    list_display = ["edition", "webinar", "gender", "age_group", "province", "difficulty", "registered", "attended"]
    list_filter = ["edition", "webinar", "gender", "age_group", "difficulty", "province"]
    list_select_related = ["edition", "webinar"]
    ordering = ["-edition__year", "webinar__number", "pk"]

    def has_view_permission(self, request, obj=None):
        return request.user.is_superuser

    def get_urls(self):
        views = {
            "reports/": (self.reports, "reports"),
            "reports/table/": (self.table, "report"),
            "reports/print/": (self.printed, "report_print"),
            "reports/table.csv": (self.table_csv, "report_csv"),
            "reports/table.xlsx": (self.table_xlsx, "report_xlsx"),
            "reports/donor.xlsx": (self.donor_xlsx, "report_pack"),
        }
        own = [
            path(address, self.admin_site.admin_view(view), name=f"registration_keptcount_{name}")
            for address, (view, name) in views.items()
        ]
        return [*own, *super().get_urls()]

    @method_decorator(require_GET)
    def reports(self, request):
        """The ready-made tables, of the conference that is chosen or the current one."""
        check(request)
        form = AskForm(request.GET)
        is_valid = form.is_valid()
        years = form.data.getlist("edition")[:1] if is_valid else []
        context = {
            "title": _("Reports"),
            "form": form,
            "editions": [(year, name, year in years) for year, name in form.fields["edition"].choices],
            "ready": [ready(name, asked, years) for name, asked in READY] if is_valid else [],
            "pack": address("report_pack", {"edition": years}),
            "compare": comparison(form),
            "rehearsals": reportwords.rehearsals(row for row in form.editions if str(row.year) in years),
        }
        is_fine = is_valid or not form.editions
        return self.page(request, "admin/registration/report/start.html", context, status=200 if is_fine else 400)

    @method_decorator(require_GET)
    def table(self, request):
        check(request)
        form = AskForm(request.GET)
        report, refusal = made(form)
        context = {"title": _("Reports"), "form": form, "refusal": refusal, "start": address("reports")}
        if report:
            query = query_of(report.ask)
            links = {name: address(f"report_{name}", query) for name in ("csv", "xlsx", "print")}
            context |= shown(report) | {"links": links}
        return self.page(request, "admin/registration/report/table.html", context, status=200 if report else 400)

    @method_decorator(require_GET)
    def printed(self, request):
        check(request)
        report, refusal = made(AskForm(request.GET))
        context = shown(report) if report else {"refusal": refusal}
        return render(request, "admin/registration/report/print.html", context, status=200 if report else 400)

    @method_decorator(require_GET)
    def table_csv(self, request):
        return self.download(request, "csv")

    @method_decorator(require_GET)
    def table_xlsx(self, request):
        return self.download(request, "xlsx")

    def download(self, request, format):
        check(request)
        report, _refusal = made(AskForm(request.GET))
        if not report:
            return redirect(f"{address('report')}?{request.GET.urlencode()}")
        return self.file(request, [report], format)

    @method_decorator(require_GET)
    def donor_xlsx(self, request):
        """All ready-made tables of one conference, a sheet each."""
        check(request)
        form = AskForm(request.GET)
        if not form.is_valid():
            return redirect("admin:registration_keptcount_reports")
        years = form.data.getlist("edition")[:1]
        tables = [made(AskForm(query_dict({"edition": years, **asked})))[0] for _name, asked in READY]
        return self.file(request, [table for table in tables if table], "xlsx")

    def file(self, request, tables, format):
        """Recorded before it leaves."""
        asked = " · ".join(f"{format} {query_dict(query_of(table.ask)).urlencode()}" for table in tables)
        file = BytesIO()
        if format == "csv":
            reportfiles.write_csv(file, tables[0])
        else:
            reportfiles.write_xlsx(file, tables)
        audit.note(audit.Action.DOWNLOADED, KeptCount, actor=request.user, now=timezone.now(), details=asked)
        name = f"{name_of(tables)}.{format}"
        headers = {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name)}
        return HttpResponse(file.getvalue(), content_type=exports.CONTENT_TYPES[format], headers=headers)

    def page(self, request, template, context, *, status):
        context = {**self.admin_site.each_context(request), **context}
        return TemplateResponse(request, template, context, status=status)


def check(request):
    if not request.user.has_perm("registration.see_numbers"):
        raise PermissionDenied


def made(form):
    """The report, or the words why there is none."""
    if not form.is_valid():
        return None, _("There is no such table. Please look at the fields marked below.")
    try:
        return reports.report(form.ask(), now=timezone.now()), ""
    except reports.Refused as refusal:
        return None, str(refusal)


def name_of(tables):
    ask = tables[0].ask
    words = [str(edition.year) for edition in ask.editions]
    words += [reportwords.title(tables[0])] if len(tables) == 1 else []
    return slugify(" ".join([_("Report"), *words]))


# ---- Addresses


def address(page, query=None):
    found = reverse(f"admin:registration_keptcount_{page}")
    return f"{found}?{query_dict(query).urlencode()}" if query else found


def query_dict(query):
    found = QueryDict(mutable=True)
    for name, value in query.items():
        found.setlist(name, value if isinstance(value, list) else [value])
    return found


def query_of(ask):
    query = {"edition": [str(edition.year) for edition in ask.editions], "unit": ask.unit, "rows": ask.rows}
    if ask.columns:
        query["columns"] = ask.columns
    if ask.only:
        query["only"] = ":".join(ask.only)
    return query | {"measure": ask.measure}


def ready(name, asked, years):
    query = {"edition": years, "unit": reports.Unit.PEOPLE, **asked}
    links = {page: address(f"report_{page}", query) for page in ("csv", "xlsx", "print")}
    return {"name": name, "link": address("report", query), **links}


def comparison(form):
    """Of the last conferences, if there are several."""
    years = [year for year, _name in form.fields["edition"].choices][:4]
    return address("report", {"edition": years, "rows": "gender"}) if len(years) > 1 else ""


# ---- What the pages show


def shown(report):
    return {
        "report": report,
        "report_title": reportwords.title(report),
        "subtitle": reportwords.subtitle(report),
        "rehearsals": reportwords.rehearsals(report.ask.editions),
        "definitions": reportwords.definitions(report),
        "measures": reportfiles.measures(report),
        "rows_label": reports.QUESTIONS[report.ask.rows].label,
        "lines": [line_of(report, line) for line in report.lines],
        "hidden": reportwords.HIDDEN,
        "chart": chart(report),
    }


def line_of(report, line):
    """Each number with the words that a phone shows before it."""
    values = [value for pair in line.cells for value in reportfiles.values(report, pair)]
    return {"label": line.label, "is_total": line.is_total, "values": values}


def chart(report):
    """A pair of bars for each row: registered and attended, of the last column, which is the total if there is one."""
    lines = [line for line in report.lines if not line.is_total]
    most = max((line.cells[-1].registered or line.cells[-1].attended or 0 for line in lines), default=0)
    if not most:
        return None
    step = 2 * BAR + GAP
    rows = [
        {
            "label": shortened(line.label),
            "y": number * step,
            "middle": number * step + BAR + 4,
            "bars": bars(report, line.cells[-1], number * step, most),
        }
        for number, line in enumerate(lines)
    ]
    return {
        "rows": rows,
        "width": LABEL + SCALE + NUMBER,
        "height": len(lines) * step,
        "label_end": LABEL - 8,
        "column": report.columns[-1] if len(report.columns) > 1 else "",
    }


def bars(report, pair, y, most):
    wanted = [("registered", pair.registered), ("attended", pair.attended)]
    if report.ask.measure != reports.Measure.BOTH:
        wanted = [(name, number) for name, number in wanted if name == report.ask.measure]
    return [
        {
            "kind": name,
            "x": LABEL,
            "y": y + place * BAR,
            "width": round((number or 0) * SCALE / most, 1),
            "height": BAR - 2,
            "number": reportwords.HIDDEN if number is None else number,
            "number_x": LABEL + round((number or 0) * SCALE / most, 1) + 6,
            "number_y": y + place * BAR + BAR - 3,
        }
        for place, (name, number) in enumerate(wanted)
    ]
