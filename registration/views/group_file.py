"""The group as a file: what it says is shown with its mistakes and can be mended in place, before anything is written."""

import json
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from conference.models import Webinar
from conference.spreadsheets import CONTENT_TYPES, Unreadable
from registration import audit, care, groupfile, limits, regions
from registration.group_forms import InCareForm, ListForm
from registration.models import Participant
from registration.views.fresh import fresh_code_required
from registration.views.group import language, open_webinars, take_problems, too_often

# Each is a field of the form: far more mistakes are mended in the file.
MOST_MENDED = 300
TEMPLATES = {"csv": groupfile.template_csv, "xlsx": groupfile.template_xlsx}


class Cell(NamedTuple):
    field: str
    label: str
    text: str
    errors: list[str]
    # Of the field in which the mistake is mended; empty when there is none.
    name: str
    words: list[str]


class Line(NamedTuple):
    number: int
    cells: list[Cell]

    @property
    def sound(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.text and not cell.errors]

    @property
    def wrong(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.errors]


@fresh_code_required
@require_safe
def template(request: HttpRequest, format: str) -> HttpResponse:
    if format not in TEMPLATES:
        raise Http404
    response = HttpResponse(TEMPLATES[format](), content_type=CONTENT_TYPES[format])
    name = _("kpt-group")
    response["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    return response


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    webinars = open_webinars(timezone.now())
    if request.method == "POST" and "rows" in request.POST:
        if listed := sent_again(request):
            return preview(request, listed, webinars)
        messages.error(request, _("The list did not arrive whole. Choose the file once more."))
    form = ListForm(*((request.POST, request.FILES) if request.method == "POST" else ()), webinars=webinars)
    if form.is_bound and form.is_valid():
        try:
            return preview(request, groupfile.listed(form.cleaned_data["file"]), webinars)
        except Unreadable as error:
            form.add_error("file", str(error))
    if form.is_bound and form.has_error("file"):
        note_refusal(request, "unreadable")
    return page(request, form)


def note_refusal(request: HttpRequest, why: str) -> None:
    """For those who run the site: somebody can't get her group in, or tries what she may with files."""
    if sent := request.FILES.get("file"):
        label = Participant._meta.label_lower
        audit.refuse_file(
            label, "", why if sent.size else "empty", size=sent.size, actor=request.user, now=timezone.now()
        )


def page(request: HttpRequest, form: ListForm) -> HttpResponse:
    context = {"form": form, "columns": groupfile.COLUMNS, "accepted": short_lists()}
    return render(request, "registration/group_file.html", context)


def short_lists() -> list[tuple[Any, list[list[str]]]]:
    """The regencies are in the template alone: 514 of them."""
    return [(column, words) for column, words in groupfile.accepted() if column.field != "regency"]


# ---- The preview


def sent_again(request: HttpRequest) -> groupfile.Listed | None:
    """The rows that the preview carries along, with what was mended in it."""
    try:
        kept = json.loads(request.POST["rows"])
        numbers = [int(number) for number in kept["numbers"]]
        rows = [{column.field: str(row.get(column.field, "")) for column in groupfile.COLUMNS} for row in kept["rows"]]
        json.dumps(rows, ensure_ascii=False).encode()  # half of a letter is none
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    if not rows or len(rows) != len(numbers) or len(rows) > groupfile.MOST_ROWS:
        return None
    if stay := [place for place, number in enumerate(numbers) if f"{number}-out" not in request.POST]:
        numbers, rows = [numbers[place] for place in stay], [rows[place] for place in stay]
    for number, row in zip(numbers, rows, strict=True):
        for field in row:
            row[field] = " ".join(request.POST.get(f"{number}-{field}", row[field])[:1000].split())
    return groupfile.Listed(rows, numbers, [])


def preview(request: HttpRequest, listed: groupfile.Listed, webinars: list[Webinar]) -> HttpResponse:
    """Writes only when told to, and when nothing is wrong."""
    forms = [row_form(request, row, webinars) for row in listed.rows]
    about_all = check(request, forms)
    is_sound = not about_all and all(form.is_valid() for form in forms)
    if is_sound and request.POST.get("action") == "write" and (answer := write(request, forms, about_all)):
        return answer
    lines = lines_of(listed, forms)
    if not is_sound or about_all:
        note_refusal(request, "rows")
    context = {
        "lines": lines,
        "wrong": [line for line in lines if line.wrong],
        "about_all": about_all,
        "unknown": listed.unknown,
        "kept": json.dumps({"numbers": listed.numbers, "rows": listed.rows}, ensure_ascii=False),
        "chosen": request.POST.getlist("webinars"),
        "asks_about_names": any(cell.field == "name" and cell.text for line in lines for cell in line.wrong),
        "has_namesakes": "namesakes" in request.POST,
        "is_sound": is_sound and not about_all,
    }
    return render(request, "registration/group_preview.html", context)


def check(request: HttpRequest, forms: list[InCareForm]) -> list[str]:
    """What stands against the rows that are whole, told at their fields; what is about the whole list is returned."""
    if refusal := too_often(request, 0, with_phones=with_phones(forms)):
        return [refusal]
    whole = [form for form in forms if form.is_valid()]
    problems = care.problems(request.user, [form.entry() for form in whole])
    return take_problems(request, whole, problems)


def with_phones(forms: list[InCareForm]) -> bool:
    return any(form.data.get("phone") for form in forms)


def write(request: HttpRequest, forms: list[InCareForm], about_all: list[str]) -> HttpResponse | None:
    """None when another tab was quicker, or too much was written in this hour: the preview then says so."""
    now = timezone.now()
    if refusal := too_often(request, len(forms), with_phones=with_phones(forms)):
        about_all.append(refusal)
        return None
    try:
        written = care.register(request.user, [form.entry() for form in forms], language=language(), now=now)
    except care.Refused as refused:
        about_all += take_problems(request, forms, refused.problems)
        return None
    limits.count_people(request.user.pk, len(forms), now=now)
    for words in care.summary(written):
        messages.success(request, words)
    return redirect("registration:group")


def lines_of(listed: groupfile.Listed, forms: list[InCareForm]) -> list[Line]:
    """The columns that somebody has filled in, or that miss something."""
    shown = [
        column
        for column in groupfile.COLUMNS
        if any(row.get(column.field) for row in listed.rows) or any(form.has_error(column.field) for form in forms)
    ]
    lines, mended = [], 0
    for number, row, form in zip(listed.numbers, listed.rows, forms, strict=True):
        cells = []
        for column in shown:
            errors = list(form.errors.get(column.field, []))
            mended += bool(errors)
            name = f"{number}-{column.field}" if errors and mended <= MOST_MENDED else ""
            text = row.get(column.field, "")
            cells.append(Cell(column.field, str(column.label), text, errors, name, words_for(column.field, row)))
        lines.append(Line(number, cells))
    return lines


def words_for(field: str, row: groupfile.Row) -> list[str]:
    """What a mended cell is chosen from; anything may be typed where there is nothing to choose from."""
    if field in groupfile.SEVERAL:
        return []
    if field == "regency":
        return list(
            regions.regencies(groupfile.codes("province").get(groupfile.plain(row.get("province", "")), "-")).values()
        )
    return [str(label) for _code, label in groupfile.choices(field)]


def row_form(request: HttpRequest, row: groupfile.Row, webinars: list[Webinar]) -> InCareForm:
    by_number = {str(webinar.number): webinar.slug for webinar in webinars}
    hosts = {host.short_name: host.slug for webinar in webinars for host in webinar.hosts.all()}
    data = groupfile.form_data(row, by_number, hosts, request.POST.getlist("webinars"))
    if "namesakes" in request.POST:
        data["is_namesake"] = "on"
    form = InCareForm(groupfile.as_post(data), carer=request.user, webinars=webinars)
    for field, words in groupfile.misread(row):
        form.errors.pop(field, None)
        form.add_error(field, words)
    return form
