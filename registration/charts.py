"""Series for the charts and their tables, read from the figures of `statistics`: no person is counted here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference import timezones
from conference.models import Edition, Webinar
from registration import reports
from registration.models import Figure

Dimension = Figure.Dimension
Words = str | Promise

COLUMNS: dict[str, Words] = {
    "signed_up": gettext_lazy("signed up"),
    "registered": gettext_lazy("registered"),
    "attended": gettext_lazy("attended"),
    "waiting": gettext_lazy("waiting"),
    "cancelled": gettext_lazy("cancelled"),
    "capacity": gettext_lazy("capacity"),
}
# For whoever may see persons, and for whoever may not.
ALL_COUNTS = ["signed_up", "registered", "attended", "waiting", "cancelled"]
SHOWN_COUNTS = ["registered", "attended"]
TITLES: dict[str, Words] = {
    "days": gettext_lazy("Sign-ups a day"),
    "webinars": gettext_lazy("Webinars"),
    Dimension.PROVINCE: gettext_lazy("Provinces"),
    Dimension.GENDER: gettext_lazy("Gender"),
    Dimension.AGE_GROUP: gettext_lazy("Age groups"),
    Dimension.ORGANISATION_KIND: gettext_lazy("Kinds of organisation"),
    Dimension.LANGUAGE: gettext_lazy("Language of the mails"),
}
# So many columns of a chart can be told apart; of a longer time the table has all days.
MOST_DAYS = 366


@dataclass(frozen=True)
class Row:
    """One line of a table; a number that is None is hidden, or there is none."""

    value: str
    label: str
    numbers: Mapping[str, int | None]


@dataclass
class Chart:
    name: str
    columns: list[str]
    rows: list[Row]
    total: Row | None = None
    titles: Mapping[str, Words] = field(default_factory=lambda: TITLES)

    @property
    def title(self) -> str:
        return str(self.titles[self.name])

    @property
    def headings(self) -> list[str]:
        return [str(COLUMNS[name]) for name in self.columns]

    @property
    def has_hidden(self) -> bool:
        lines = [*self.rows, *([self.total] if self.total else [])]
        return any(row.numbers[name] is None for row in lines for name in self.columns if name != "capacity")


def charts(edition: Edition, webinar: Webinar | None, webinars: Sequence[Webinar], *, sees_people: bool) -> list[Chart]:
    """All of an edition or of one of its webinars: two queries, however many people there are."""
    counts = ALL_COUNTS if sees_people else SHOWN_COUNTS
    read = whole if sees_people else shown
    own: dict[str, dict[str, Figure]] = {}
    for figure in Figure.objects.filter(edition=edition, webinar=webinar):
        own.setdefault(figure.dimension, {})[figure.value] = figure
    total = Row("", _("Total"), read(own.get(Dimension.ALL, {}).get(""), counts))
    by_answers = [
        Chart(dimension, counts, list(lines(own.get(dimension, {}), answers_to(dimension), counts, read)), total)
        for dimension in ANSWERED
    ]
    by_day = days(own.get(Dimension.DAY, {}), is_hidden=total.numbers["registered"] is None)
    return [by_day, *by_webinar(edition, webinar, webinars, counts, read), *by_answers]


def chart(name: str, all_charts: Iterable[Chart]) -> Chart | None:
    return next((found for found in all_charts if found.name == name), None)


# ---- Numbers

Read = Callable[[Figure | None, Sequence[str]], dict[str, int | None]]


def whole(figure: Figure | None, counts: Sequence[str]) -> dict[str, int | None]:
    return {name: getattr(figure, name) if figure else 0 for name in counts}


def shown(figure: Figure | None, counts: Sequence[str]) -> dict[str, int | None]:
    return {name: getattr(figure, f"shown_{name}") if figure else 0 for name in counts}


# ---- Lines

# In the order of the page.
ANSWERED = (
    Dimension.PROVINCE,
    Dimension.GENDER,
    Dimension.AGE_GROUP,
    Dimension.ORGANISATION_KIND,
    Dimension.LANGUAGE,
)


def answers_to(dimension: str) -> dict[str, str]:
    return reports.QUESTIONS[dimension].answers([])


def lines(own: Mapping[str, Figure], known: Mapping[str, str], counts: Sequence[str], read: Read) -> Iterable[Row]:
    for value, label in known.items():
        if value or value in own:
            yield Row(value, label, read(own.get(value), counts))
    # An answer that is no longer offered is counted all the same.
    for value in sorted(own.keys() - known.keys()):
        yield Row(value, value, read(own[value], counts))


def days(own: Mapping[str, Figure], *, is_hidden: bool) -> Chart:
    """Every day from the first to the last, also those without any. Their sum would tell a total that is hidden."""
    if is_hidden:
        return Chart("days", ["signed_up"], [], Row("", _("Total"), {"signed_up": None}))
    found = {date.fromisoformat(value): figure.signed_up for value, figure in own.items()}
    rows = []
    if found:
        first, last = min(found), max(found)
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            rows.append(Row(day.isoformat(), timezones.day(day), {"signed_up": found.get(day, 0)}))
    return Chart("days", ["signed_up"], rows)


def by_webinar(
    edition: Edition, webinar: Webinar | None, webinars: Sequence[Webinar], counts: Sequence[str], read: Read
) -> list[Chart]:
    """Not beside one webinar alone."""
    if webinar:
        return []
    of_all = Figure.objects.filter(edition=edition, webinar__isnull=False, dimension=Dimension.ALL)
    own = {figure.webinar_id: figure for figure in of_all}
    rows = [
        Row(str(row.pk), f"{row.number}. {row.title}", read(own.get(row.pk), counts) | {"capacity": row.capacity})
        for row in webinars
    ]
    return [Chart("webinars", [*counts, "capacity"], rows)]
