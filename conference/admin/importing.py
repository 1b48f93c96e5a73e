"""What a file would write into the content: all rows are looked at before one is written, and one wrong row stops all."""

import hashlib
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from conference import models, tables, versions
from conference.admin import filling
from conference.loading import OUT_OF_THE_WAY
from conference.spreadsheets import Unreadable

# The column that says what a new row is about.
NAMING = {"title_id", "name", "name_id"}


@dataclass
class Line:
    number: int
    key: str
    cells: dict
    formulas: set = field(default_factory=set)
    row: object = None
    changed: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    differences: list = field(default_factory=list)

    @property
    def is_new(self):
        return self.row is None and not self.errors

    @property
    def name(self):
        if self.row:
            return str(self.row)
        return next((cell for column, cell in self.cells.items() if column in NAMING), "")


@dataclass
class Plan:
    lines: list
    absent: list

    @property
    def wrong(self):
        return [line for line in self.lines if line.errors]

    @property
    def new(self):
        return [line for line in self.lines if line.is_new]

    @property
    def changed(self):
        return [line for line in self.lines if line.row and line.changed and not line.errors]

    @property
    def same(self):
        return len(self.lines) - len(self.wrong) - len(self.new) - len(self.changed)

    @property
    def digest(self):
        """Of what would be written: it must be what was shown."""
        facts = [(line.number, line.is_new, [tuple(one) for one in line.differences]) for line in self.lines]
        return hashlib.sha256(repr(facts).encode()).hexdigest()


class Undone(Exception):
    pass


def columns_for(model_admin, request):
    """Those whose fields are on her page: no room's address for whoever may not see it."""
    fields = {"id", *filling.form_of(model_admin, request).base_fields}
    model = model_admin.model
    return [column for column in tables.COLUMNS[model] if tables.field_of(model, column) in fields]


def rows_for(model_admin, request):
    model = model_admin.model
    columns = columns_for(model_admin, request)
    named = [model._meta.get_field(tables.field_of(model, column)) for column in columns]
    rows = model_admin.get_queryset(request).select_related(*[one.name for one in named if one.many_to_one])
    return rows.prefetch_related(*[one.name for one in named if one.many_to_many])


def planned(model_admin, request, grid):
    """As it would be, tried out in the database and taken back. Raises Unreadable."""
    plan = read(model_admin, request, grid)
    try:
        with transaction.atomic():
            fill_in(model_admin, request, plan, save=try_out)
            raise Undone
    except Undone:
        return plan


def write(model_admin, request, plan):
    """Nothing when a row is wrong by now."""
    try:
        with transaction.atomic():
            fill_in(
                model_admin,
                request,
                plan,
                save=lambda form: filling.save(model_admin, request, form, versions.IMPORTED),
            )
            if plan.wrong:
                raise Undone
    except Undone:
        return False
    return True


def try_out(form):
    form.save()


# ---- Reading


def read(model_admin, request, grid):
    allowed = columns_for(model_admin, request)
    names = tables.header(model_admin.model, grid, allowed)
    lines = list(lines_of(model_admin.model, names, grid))
    if not lines:
        raise Unreadable(_("The file has the names of the columns, but nothing below them."))
    find_rows(model_admin, request, lines, names)
    for line in lines:
        compare(model_admin.model, line, names)
    return Plan(lines, [name for name in allowed if name not in names])


def lines_of(model, names, grid):
    key = tables.key_of(model)
    for number, row in enumerate(grid[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {name: tables.unguarded(cell) for name, cell in zip(names, [*row, *[""] * len(names)], strict=False)}
        line = Line(number, cells[key].strip(), cells)
        line.formulas = {name for name, cell in zip(names, row, strict=False) if cell.startswith("=")}
        if any(cell.strip() for cell in row[len(names) :]):
            line.errors.append(("", _("This row has more cells than there are columns.")))
        yield line


def find_rows(model_admin, request, lines, names):
    key = tables.key_of(model_admin.model)
    keys = [line.key for line in lines if line.key and (key != "id" or line.key.isdecimal())]
    rows = {str(getattr(row, key)): row for row in rows_for(model_admin, request).filter(**{f"{key}__in": keys})}
    seen = {}
    for line in lines:
        line.row = rows.get(line.key)
        if line.key and line.key in seen:
            line.errors.append(
                (key, _("“%(key)s” stands in row %(row)d already.") % {"key": line.key, "row": seen[line.key]})
            )
        elif not line.key and key != "id":
            line.errors.append((key, _("This cell must not be empty.")))
        elif line.key and key == "id" and line.row is None:
            line.errors.append((key, _("There is no row with this number. Leave the cell empty for a new one.")))
        elif line.row is None and not model_admin.has_add_permission(request):
            line.errors.append((key, _("There is no such row, and you may not add one.")))
        seen.setdefault(line.key, line.number)


def compare(model, line, names):
    """Cells that say what is there already are left alone, however it came there and however they say it."""
    said = {name: tables.as_exported(model, name, line.cells[name]) for name in names if name != "id"}
    stored = tables.cells_of(line.row, said) if line.row else dict.fromkeys(said, "")
    line.changed = [name for name in said if said[name] != stored[name] and line.cells[name] != stored[name]]
    if line.row:
        line.changed = [name for name in line.changed if said[name] or not tables.may_be_left(model, name)]
    line.differences = [
        versions.Difference(name, name, stored[name] or "-", said[name] or "-") for name in line.changed
    ]


# ---- Writing


def fill_in(model_admin, request, plan, *, save):
    slugs = tables.slugs_for(model_admin.model)
    make_way(model_admin.model, plan)
    for line in plan.lines:
        if line.changed and not line.errors:
            fill_in_line(model_admin, request, line, slugs, save)


def make_way(model, plan):
    """Two webinars may swap their numbers: the database allows no number twice, not even for a moment."""
    if model is models.Webinar:
        moved = [line.row.pk for line in plan.lines if line.row and "number" in line.changed and not line.errors]
        model.objects.filter(pk__in=moved).update(number=F("number") + OUT_OF_THE_WAY)


def fill_in_line(model_admin, request, line, slugs, save):
    model, values = model_admin.model, {}
    for column in line.changed:
        try:
            if column in line.formulas:
                raise tables.Wrong(_("This is a formula. Write what it gives."))
            values[tables.field_of(model, column)] = tables.read_cell(model, column, line.cells[column], slugs)
        except tables.Wrong as wrong:
            line.errors.append((column, str(wrong)))
    unread = {column for column, _words in line.errors}
    row = model_admin.get_queryset(request).get(pk=line.row.pk) if line.row else None
    form = filling.filled(model_admin, request, row, values)
    if filling.is_sound(model_admin, form) and not unread:
        try:
            with transaction.atomic():
                save(form)
        except IntegrityError:
            line.errors.append(("", _("This row and another one say what can't be true together.")))
    else:
        found = [(column_of(model, name), words) for name, words in filling.problems(form)]
        line.errors += [(column, words) for column, words in found if column not in unread]


def column_of(model, name):
    return next((column for column in tables.COLUMNS[model] if tables.field_of(model, column) == name), name)
