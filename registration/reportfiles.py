"""A report as a file: the table first, for programs; what the numbers mean under it, for people."""

import io
from collections.abc import Iterator
from typing import IO

import xlsxwriter
from defusedcsv import csv
from django.utils.translation import gettext as _

from registration import reportwords
from registration.reports import QUESTIONS, Measure, Pair, Report

Value = str | int
FIRST_WIDTH, WIDTH = 38, 13


def measures(report: Report) -> list[str]:
    if report.ask.measure != Measure.BOTH:
        return [str(Measure(report.ask.measure).label)]
    return [str(Measure.REGISTERED.label), str(Measure.ATTENDED.label), _("Rate, per cent")]


def values(report: Report, pair: Pair) -> list[Value]:
    """Hidden ones as their sign; a rate of nobody is empty."""
    sign = reportwords.HIDDEN
    registered = sign if pair.registered is None else pair.registered
    attended = sign if pair.attended is None else pair.attended
    match report.ask.measure:
        case Measure.REGISTERED:
            return [registered]
        case Measure.ATTENDED:
            return [attended]
    rate: Value = "" if pair.rate is None else pair.rate
    return [registered, attended, sign if sign in (registered, attended) else rate]


def head(report: Report) -> list[str]:
    names = measures(report)
    cells = [f"{column}: {name}" if len(names) > 1 else column for column in report.columns for name in names]
    return [str(QUESTIONS[report.ask.rows].label), *cells]


def table(report: Report) -> Iterator[list[Value]]:
    for line in report.lines:
        yield [line.label, *(value for pair in line.cells for value in values(report, pair))]


def notes(report: Report) -> Iterator[list[str]]:
    yield [reportwords.title(report)]
    yield [reportwords.subtitle(report)]
    if warning := reportwords.rehearsals(report.ask.editions):
        yield [warning]
    yield from ([term, words] for term, words in reportwords.definitions(report))


def write_csv(file: IO[bytes], report: Report) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(head(report))
    writer.writerows(table(report))
    writer.writerow([])
    writer.writerows(notes(report))
    text.detach()


def write_xlsx(file: IO[bytes], reports: list[Report]) -> None:
    """A sheet for each."""
    with xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        for number, report in enumerate(reports, 1):
            write_sheet(workbook, report, number)


def write_sheet(workbook: xlsxwriter.Workbook, report: Report, number: int) -> None:
    bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    right = workbook.add_format({"align": "right"})
    titles, rows = head(report), list(table(report))
    last = max(len(titles) - 1, 6)
    sheet = workbook.add_worksheet(_("Table %(number)d") % {"number": number})
    sheet.set_column(0, 0, FIRST_WIDTH)
    sheet.set_column(1, last, WIDTH)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.freeze_panes(1, 1)
    sheet.write_row(0, 0, titles, bold)
    for place, (line, row) in enumerate(zip(report.lines, rows, strict=True), 1):
        sheet.write_row(place, 1, row[1:], right)
        sheet.write(place, 0, row[0], bold if line.is_total else None)
    for place, [first, *rest] in enumerate(notes(report), len(rows) + 2):
        if rest:
            sheet.write(place, 0, first, bold)
            sheet.merge_range(place, 1, place, last, rest[0], wrapped)
            sheet.set_row(place, 15 * (1 + len(rest[0]) // (WIDTH * last)))
        else:
            sheet.write(place, 0, first)
