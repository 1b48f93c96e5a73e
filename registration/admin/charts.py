"""The charts and their tables, drawn on the server: for whoever may see numbers of people, and no person."""

import io
import math

import xlsxwriter
from defusedcsv import csv
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from conference import timezones
from conference.models import Edition, Webinar
from registration import audit, charts, exports, roles, statistics
from registration.admin.readonly import ReadOnlyAdmin
from registration.models import Counting, Figure

PAGE = "admin:registration_figure_charts"
# A counting that takes longer than a page may is a worker's work.
LONGEST_WAIT = 2.0


@admin.register(Figure)
class FigureAdmin(ReadOnlyAdmin):
    """The rows are an owner's to look at, with the small numbers; the charts are for whoever may see numbers."""

    list_display = ["edition", "webinar", "dimension", "value", *statistics.COUNTS]
    list_filter = ["edition", "dimension", "webinar"]
    list_select_related = ["edition", "webinar"]
    ordering = ["-edition__year", "webinar__number", "dimension", "value"]

    def get_urls(self):
        view = self.admin_site.admin_view
        own = [
            path("charts/", view(self.page), name="registration_figure_charts"),
            path("charts/recount/", view(self.recount), name="registration_figure_recount"),
            path("charts/<slug:name>.<str:format>", view(self.download), name="registration_figure_download"),
        ]
        return [*own, *super().get_urls()]

    @method_decorator(require_safe)
    def page(self, request):
        chosen = self.chosen(request)
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Charts")}
        return TemplateResponse(request, "admin/registration/figure/charts.html", {**frame, **facts(chosen)})

    def chosen(self, request):
        if not request.user.has_perm(roles.SEE_NUMBERS):
            raise PermissionDenied
        return Chosen(request.GET, sees_people=request.user.has_perm("registration.view_registration"))

    @method_decorator(require_POST)
    def recount(self, request):
        if not request.user.has_perm(roles.SEE_NUMBERS):
            raise PermissionDenied
        self.message_user(request, *count_now(timezone.now()))
        return redirect("admin:index" if request.POST.get("back") == "desk" else PAGE)

    @method_decorator(require_safe)
    def download(self, request, name, format):
        chosen = self.chosen(request)
        chart = charts.chart(name, chosen.charts)
        if chart is None or format not in WRITERS:
            raise Http404
        webinar = chosen.webinar
        audit.note(
            audit.Action.DOWNLOADED,
            Figure,
            actor=request.user,
            now=timezone.now(),
            webinar_id=webinar.pk if webinar else None,
            details=f"{chart.title} · {webinar or chosen.edition} · {format}",
        )
        headers = {"Content-Disposition": f'attachment; filename="{chosen.file_name(name)}.{format}"'}
        content = WRITERS[format](table(chart, chosen))
        return HttpResponse(content, content_type=exports.CONTENT_TYPES[format], headers=headers)


def count_now(now):
    """Here, while a page can wait for it; what to say of it."""
    latest = Counting.objects.first()
    if latest and latest.seconds > LONGEST_WAIT:
        statistics.ask()
        return _("A worker counts within the next minute. Load the page again after it."), messages.SUCCESS
    if statistics.count(now=now):
        return _("The numbers are counted anew."), messages.SUCCESS
    return _("The numbers are being counted at this moment. Load the page again in a few seconds."), messages.WARNING


# ---- What is asked for


class Chosen:
    """Edition and webinar from the address; what there is not is left out and said."""

    def __init__(self, query, *, sees_people):
        self.sees_people = sees_people
        self.editions = list(Edition.objects.newest_first())
        edition = picked(self.editions, query.get("edition"))
        self.edition = edition or usual(self.editions)
        self.webinars = list(Webinar.objects.filter(edition=self.edition).in_order()) if self.edition else []
        self.webinar = picked(self.webinars, query.get("webinar"))
        self.is_lost = bool((query.get("edition") and not edition) or (query.get("webinar") and not self.webinar))

    @property
    def charts(self):
        if self.edition is None:
            return []
        return charts.charts(self.edition, self.webinar, self.webinars, sees_people=self.sees_people)

    @property
    def query(self):
        asked = {"edition": self.edition, "webinar": self.webinar}
        return {name: row.pk for name, row in asked.items() if row}

    def file_name(self, name):
        about = self.webinar.slug if self.webinar else self.edition.slug
        return f"{about}-{name}"


def picked(rows, wanted):
    return next((row for row in rows if str(row.pk) == wanted), None)


def usual(editions):
    """The current one, or else the newest."""
    return next((row for row in editions if row.is_current), editions[0] if editions else None)


# ---- The page


def facts(chosen):
    return {
        "chosen": chosen,
        "charts": [drawn(chart, chosen) for chart in chosen.charts],
        "counted": counted(),
    }


def counted(*, in_full=False):
    """As of when, in words; empty before the first counting. A page of today needs no day, a file does."""
    latest = Counting.objects.first()
    if latest is None:
        return ""
    local = timezone.localtime(latest.counted_at)
    if in_full or local.date() != timezone.localdate():
        return timezones.moment(local)
    return f"{timezones.clock(local)} WITA"


def drawn(chart, chosen):
    downloads = {
        format: reverse("admin:registration_figure_download", args=[chart.name, format], query=chosen.query)
        for format in WRITERS
    }
    draw = {"days": columns, "province": tiles}.get(chart.name, bars)
    lines = [line(row, chart) for row in chart.rows]
    total = line(chart.total, chart) if chart.total else None
    return {
        "chart": chart,
        "lines": [row for row in lines if chart.name != "province" or any(row["raw"])],
        "total": total,
        "downloads": downloads,
        "picture": draw(chart),
        "template": f"admin/registration/figure/{draw.__name__}.html",
    }


def line(row, chart):
    numbers = [row.numbers[name] for name in chart.columns]
    cells = list(zip(chart.headings, map(spoken, chart.columns, numbers), strict=True))
    return {"label": row.label, "cells": cells, "raw": [number != 0 for number in numbers]}


def spoken(name, number):
    if number is None:
        return _("no limit") if name == "capacity" else _("hidden")
    return number_format(number, force_grouping=True)


WIDTH = 320


def bars(chart):
    """Two bars a row, the upper for who registered, the lower for who was there; the number stands at the end."""
    pairs = [(row, row.numbers["registered"] or 0, row.numbers["attended"] or 0) for row in chart.rows]
    most = (
        max([max(registered, row.numbers.get("capacity") or 0) for row, registered, _attended in pairs], default=0) or 1
    )
    rows = []
    for place, (row, registered, attended) in enumerate(pairs):
        y = place * 40
        rows.append(
            {
                "label": shortened(row.label),
                "y": y + 12,
                "upper": {"y": y + 18, "width": round(registered * WIDTH / most, 1)},
                "lower": {"y": y + 27, "width": round(attended * WIDTH / most, 1)},
                "capacity": round(row.numbers["capacity"] * WIDTH / most, 1) if row.numbers.get("capacity") else None,
                "numbers": " · ".join(spoken(name, row.numbers[name]) for name in ("registered", "attended")),
            }
        )
    return {"rows": rows, "height": max(len(rows) * 40, 1), "width": WIDTH}


def shortened(words, most=34):
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def columns(chart):
    """One column a day; the newest when there are more than can be told apart."""
    rows = chart.rows[-charts.MOST_DAYS :]
    most = max((row.numbers["signed_up"] for row in rows), default=0)
    step = WIDTH * 2 / max(len(rows), 30)
    found = []
    for place, row in enumerate(rows):
        height = round(row.numbers["signed_up"] * 120 / (most or 1), 1)
        found.append({"x": round(place * step, 2), "y": 120 - height, "width": round(step * 0.8, 2), "height": height})
    ends = (rows[0].label, rows[-1].label) if rows else ("", "")
    return {"bars": found, "width": WIDTH * 2, "height": 120, "most": spoken("", most), "from": ends[0], "to": ends[1]}


# ---- The provinces, each a tile near its place on the map, so that the small ones and the East are as large as Java

TILE = 44
PLACES = {
    "11": (0, 0, "Aceh"),
    "12": (1, 1, "Sumut"),
    "13": (1, 2, "Sumbar"),
    "14": (2, 2, "Riau"),
    "15": (2, 3, "Jambi"),
    "16": (2, 4, "Sumsel"),
    "17": (1, 3, "Bengk."),
    "18": (3, 5, "Lamp."),
    "19": (3, 3, "Babel"),
    "21": (3, 1, "Kepri"),
    "31": (5, 4, "DKI"),
    "32": (5, 5, "Jabar"),
    "33": (6, 5, "Jateng"),
    "34": (6, 6, "DIY"),
    "35": (7, 5, "Jatim"),
    "36": (4, 5, "Banten"),
    "51": (8, 5, "Bali"),
    "52": (9, 5, "NTB"),
    "53": (10, 5, "NTT"),
    "61": (6, 2, "Kalbar"),
    "62": (6, 3, "Kalteng"),
    "63": (7, 3, "Kalsel"),
    "64": (7, 2, "Kaltim"),
    "65": (7, 1, "Kaltara"),
    "71": (10, 1, "Sulut"),
    "72": (9, 2, "Sulteng"),
    "73": (9, 3, "Sulsel"),
    "74": (10, 3, "Sultra"),
    "75": (9, 1, "Gtlo"),
    "76": (8, 3, "Sulbar"),
    "81": (11, 3, "Maluku"),
    "82": (11, 1, "Malut"),
    "91": (14, 2, "Papua"),
    "92": (13, 2, "P.Bar"),
    "93": (14, 4, "P.Sel"),
    "94": (13, 3, "P.Teng"),
    "95": (14, 3, "P.Peg"),
    "96": (12, 2, "PBD"),
}
STEPS = 4


def tiles(chart):
    """By who registered, in steps of the largest number; the table names all, also who is outside Indonesia."""
    rows = {row.value: row for row in chart.rows}
    most = max((rows[code].numbers["registered"] or 0 for code in PLACES if code in rows), default=0)
    found = [tile(code, rows[code], most) for code in PLACES if code in rows]
    wide, high = (max(place[side] for place in PLACES.values()) + 1 for side in (0, 1))
    return {"tiles": found, "width": wide * TILE, "height": high * TILE, "tile": TILE - 3, "legend": legend(most)}


def tile(code, row, most):
    column, line, short = PLACES[code]
    number = row.numbers["registered"]
    step = math.ceil(number * STEPS / most) if number and most else 0
    return {
        "x": column * TILE,
        "y": line * TILE,
        "middle": column * TILE + (TILE - 3) / 2,
        "name": row.label,
        "short": short,
        "number": "?" if number is None else number_format(number, force_grouping=True),
        "words": spoken("registered", number),
        "step": "hidden" if number is None else step,
    }


def legend(most):
    """From which to which number each shade stands."""
    ends = [math.floor(most * step / STEPS) for step in range(STEPS + 1)]
    ranges = [(step, ends[step - 1] + 1, ends[step]) for step in range(1, STEPS + 1) if ends[step] > ends[step - 1]]
    return [(0, "0")] + [
        (step, spoken("", low) if low == high else f"{spoken('', low)}–{spoken('', high)}")
        for step, low, high in ranges
    ]


# ---- Files


def table(chart, chosen):
    """With what it is about and as of when, above the headings."""
    about = [
        [chart.title],
        [str(chosen.webinar or chosen.edition)],
        [_("As of %(moment)s") % {"moment": counted(in_full=True) or "-"}],
    ]
    if chosen.edition.is_rehearsal:
        about.append([_("A rehearsal: made-up people are counted too.")])
    rows = [*chart.rows, *([chart.total] if chart.total else [])]
    cells = [[row.label, *(in_file(name, row.numbers[name]) for name in chart.columns)] for row in rows]
    return [*about, [], ["", *chart.headings], *cells]


def in_file(name, number):
    return spoken(name, number) if number is None else number


def as_csv(rows):
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode("utf-8-sig")


def as_xlsx(rows):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 8, 14)
        for place, cells in enumerate(rows):
            sheet.write_row(place, 0, cells)
    return file.getvalue()


WRITERS = {"csv": as_csv, "xlsx": as_xlsx}
