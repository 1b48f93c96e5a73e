"""Which people of a list an organisation looks at, in which order and columns.

A person is found only by what she has agreed to share: a filter on a column that her text does not name would tell it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower

from conference.models import Organisation, Webinar
from registration import exports
from registration.models import Attendance, Registration
from registration.models.registrations import RegistrationQuerySet

PAGE = 50
SEARCHED = ("name", "email", "organisation")
FIELDS = {"registered_at": "created_at"} | {
    name: f"participant__{name}"
    for name in ("name", "email", "province", "organisation", "gender", "age_group", "organisation_kind")
}
FILTERS = ("province", "gender", "age_group", "organisation_kind")


@dataclass(frozen=True)
class Choice:
    """Empty is all. `order` is a column, with a minus for the other way round; without one it is that of sign-up."""

    search: str = ""
    province: str = ""
    gender: str = ""
    age_group: str = ""
    organisation_kind: str = ""
    attended: str = ""
    order: str = ""
    columns: tuple[str, ...] = exports.COLUMNS

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Choice":
        return cls(**{**facts, "columns": tuple(facts["columns"])})

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"columns": list(self.columns)}

    @property
    def used(self) -> list[str]:
        """Which filters narrow the list, for the record: not what was searched for, which may be a name."""
        return [name for name in ("search", *FILTERS, "attended", "order") if getattr(self, name)]

    @property
    def words(self) -> str:
        filters = f" · {', '.join(self.used)}" if self.used else ""
        return ", ".join(self.columns) + filters


def found(choice: Choice, organisation: Organisation, webinar: Webinar) -> RegistrationQuerySet:
    """In no order."""
    rows = Registration.objects.shared_with(organisation).filter(webinar=webinar)
    # By the same join that found her consent: what its text names.
    rows = rows.annotate(named=F("participant__consents__text__columns"))
    if choice.search:
        rows = rows.filter(matching(choice.search))
    for name in FILTERS:
        if value := getattr(choice, name):
            rows = rows.filter(says(name, "exact", value))
    if choice.attended:
        was_there = Attendance.objects.filter(registration=OuterRef("pk"), left_at__isnull=False)
        rows = rows.filter(Exists(was_there) if choice.attended == "yes" else ~Exists(was_there))
        rows = rows.filter(Q(named__contains=["attended_minutes"]))
    return rows


def says(column: str, lookup: str, value: str) -> Q:
    return Q(**{f"{FIELDS[column]}__{lookup}": value}, named__contains=[column])


def matching(search: str) -> Q:
    found = Q(code=search.upper())
    for column in SEARCHED:
        found |= says(column, "icontains", search)
    return found


def in_order(rows: RegistrationQuerySet, choice: Choice) -> RegistrationQuerySet:
    if not choice.order:
        return rows.order_by("pk")
    minus = "-" if choice.order.startswith("-") else ""
    return rows.annotate(place=place(choice.order.lstrip("-"))).order_by(f"{minus}place", f"{minus}pk")


def place(column: str) -> Combinable:
    """Where a person stands tells nothing that she has not agreed to share."""
    if column == "registered_at":
        return F("created_at")
    value = Lower(FIELDS[column])
    return Case(When(named__contains=[column], then=value), default=Value(""), output_field=CharField())


def page(choice: Choice, organisation: Organisation, webinar: Webinar, *, after: int | None) -> list[int]:
    """The keys of one page and of one row more, from behind a row on: deep in a list as fast as at its start."""
    rows = in_order(found(choice, organisation, webinar), choice)
    if after is not None:
        rows = behind(rows, choice, after)
    return list(rows.values_list("pk", flat=True)[: PAGE + 1])


def behind(rows: RegistrationQuerySet, choice: Choice, after: int) -> RegistrationQuerySet:
    """All, when that row is gone."""
    way = "lt" if choice.order.startswith("-") else "gt"
    if not choice.order:
        return rows.filter(pk__gt=after)
    last = rows.filter(pk=after).values_list(F("place"), flat=True).first()
    if last is None:
        return rows
    further, level = Q(**{f"place__{way}": last}), Q(**{"place": last, f"pk__{way}": after})
    return rows.filter(further | level)


def chosen(choice: Choice, organisation: Organisation, webinar: Webinar) -> exports.Attendees:
    """All of them, for a file."""
    rows = in_order(found(choice, organisation, webinar), choice)
    return exports.Attendees(list(rows.values_list("pk", flat=True)), organisation, choice.columns)
