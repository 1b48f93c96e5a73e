"""Earlier versions of the content: who wrote what, and when. Not of people's data, which has a history of its own.

What lets somebody into a room is in no version: whoever may read versions may not read that.
"""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models.fields.files import FieldFile
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from modeltranslation.translator import translator
from simple_history import register
from simple_history.models import HistoricalRecords

from conference import timezones
from conference.models import (
    AgendaItem,
    Appearance,
    Edition,
    Material,
    Organisation,
    Page,
    Partnership,
    Speaker,
    Webinar,
)

ROOM = ["zoom_url", "zoom_meeting_id", "zoom_passcode", "backup_stream_url"]
TRACKED: list[type[models.Model]] = [
    Edition,
    Organisation,
    Partnership,
    Webinar,
    AgendaItem,
    Speaker,
    Appearance,
    Material,
    Page,
]
# In `history_change_reason`, for which there are words in each reader's language.
IMPORTED = "import"
WENT_BACK = "back"
BEFORE = "before"
REASONS = {
    IMPORTED: gettext_lazy("from a file"),
    WENT_BACK: gettext_lazy("went back to an earlier version"),
    BEFORE: gettext_lazy("as it was before versions were kept"),
}
# Around what differs in a long text.
WORDS_AROUND = 8
# Beyond it the comparison of two texts word by word takes too long.
LONGEST_COMPARED = 20_000
SHORT = 60


class Records(HistoricalRecords):  # type: ignore[misc]
    """What is deleted has no versions any more: somebody who withdraws leaves no earlier biography behind."""

    def post_delete(self, instance: models.Model, using: str | None = None, **kwargs: Any) -> None:
        forget(instance)


def track() -> None:
    """Called once the translated columns are there, see translation.py.

    The writer is a number and no foreign key: an account that is deleted needn't look through all versions.
    """
    for model in TRACKED:
        writer = models.BigIntegerField(null=True, blank=True)
        register(model, records_class=Records, history_user_id_field=writer, **facts_of(model))


def facts_of(model: type[models.Model]) -> dict[str, Any]:
    """Counters that the site itself keeps are nothing that anybody wrote."""
    counters = [column.name for column in model._meta.concrete_fields if not column.editable]
    if model is Webinar:
        return {"excluded_fields": [*counters, *ROOM], "m2m_fields": [Webinar.hosts.field]}
    return {"excluded_fields": counters}


# ---- Keeping


def of(row: models.Model) -> models.QuerySet[Any]:
    """The newest first."""
    return row.history.all()  # type: ignore[attr-defined]


def keep_first(row: models.Model) -> None:
    """As it is, when no version of it is kept yet: then there is one to go back to."""
    manager = row.history  # type: ignore[attr-defined]
    if manager.exists():
        return
    stored = type(row)._default_manager.filter(pk=row.pk).first()
    if stored is None:
        return
    stored._history_user = None  # type: ignore[attr-defined]
    stored._change_reason = BEFORE  # type: ignore[attr-defined]
    records_of(type(row)).create_historical_record(stored, "+")


def records_of(model: type[models.Model]) -> Records:
    records = Records(**facts_of(model))
    records.manager_name = "history"
    return records


def forget(row: models.Model, *, but: Any = None) -> int:
    """All versions but one; how many are gone."""
    model = row.history.model  # type: ignore[attr-defined]
    pk = row._meta.pk.attname
    gone = model.objects.filter(**{pk: row.pk})
    if but is not None:
        gone = gone.exclude(pk=but.pk)
    with transaction.atomic():
        for one in model._history_m2m_fields:
            HistoricalRecords.m2m_models[one].objects.filter(history__in=gone).delete()
        number, _each = gone.delete()
    return int(number)


# ---- Reading


class Piece(NamedTuple):
    """Of a text that changed: what stays ("same"), what went ("gone") and what came ("new")."""

    kind: str
    text: str


class Difference(NamedTuple):
    name: str
    label: str
    old: str
    new: str

    @property
    def pieces(self) -> list[Piece]:
        """Of a long text only what changed, and a few words around it."""
        texts = (self.old, self.new)
        if max(map(len, texts)) <= SHORT or "-" in texts or max(map(len, texts)) > LONGEST_COMPARED:
            return []
        return list(pieces(*texts))


@dataclass
class Version:
    record: Any
    writer: str
    reason: str
    is_first: bool
    differences: list[Difference] = field(default_factory=list)


def newest(row: models.Model, number: int, start: int = 0) -> list[Version]:
    """The newest first, each with what differs from the one before it. Those that change nothing are left out."""
    records = list(of(row)[start : start + number + 1])
    if not records:
        return []
    reader = Reader(records)
    writers = writers_of(records)
    versions = []
    for record, earlier in zip(records, [*records[1:], None], strict=True):
        if earlier is None and len(records) > number:
            break
        differences = reader.differences(earlier, record) if earlier else []
        if earlier and not differences:
            continue
        reason = str(REASONS.get(record.history_change_reason, ""))
        versions.append(Version(record, writers.get(record.history_user_id, ""), reason, earlier is None, differences))
    return versions


def writers_of(records: Iterable[Any]) -> dict[int, str]:
    pks = {record.history_user_id for record in records} - {None}
    people = get_user_model()._default_manager.filter(pk__in=pks)
    return {person.pk: str(getattr(person, "name", "") or person) for person in people}


def to_row(record: Any, row: models.Model) -> list[Difference]:
    """What going back to this version would change in the row."""
    return Reader([record], row).differences(row, record)


def values(record: Any) -> dict[str, Any]:
    """By name of the field; of foreign keys their number, of several a list of numbers."""
    return Reader([record]).values(record)


class Reader:
    """What is said of all these versions, and of the row as it is, with one query for each kind of row they name."""

    def __init__(self, records: Sequence[Any], row: models.Model | None = None) -> None:
        self.model: type[models.Model] = type(row) if row else records[0].instance_type
        self.row = row
        self.fields = fields_of(self.model)
        self.several = {name: of_versions(self.model, name, records) for name in several_of(self.model)}
        self.names = self.names_of_rows([*records, *([row] if row else [])])

    def values(self, one: Any) -> dict[str, Any]:
        own = {column.name: plain(getattr(one, column.attname)) for column in self.fields}
        return own | {name: self.several_in(one, name) for name in self.several}

    def several_in(self, one: Any, name: str) -> list[int]:
        if one is self.row:
            return sorted(getattr(one, name).values_list("pk", flat=True))
        return self.several[name].get(one.pk, [])

    def names_of_rows(self, found: Sequence[Any]) -> dict[type[models.Model], dict[int, str]]:
        wanted: dict[type[models.Model], set[int]] = defaultdict(set)
        for one in found:
            for name, value in self.values(one).items():
                if other := related(self.model, name):
                    wanted[other] |= set(value if isinstance(value, list) else [value]) - {None}
        return {
            other: {row.pk: str(row) for row in other._default_manager.filter(pk__in=pks)}
            for other, pks in wanted.items()
        }

    def differences(self, old: Any, new: Any) -> list[Difference]:
        before, after = self.values(old), self.values(new)
        return [
            Difference(
                name,
                label_of(self.model, name),
                self.spoken(name, before[name]),
                self.spoken(name, after[name]),
            )
            for name in after
            if before[name] != after[name]
        ]

    def spoken(self, name: str, value: Any) -> str:
        if isinstance(value, bool):
            return pgettext("a box that is ticked", "yes") if value else pgettext("a box that is not ticked", "no")
        if value in (None, []):
            return "-"
        if other := related(self.model, name):
            names = self.names.get(other, {})
            return ", ".join(names.get(pk, _("deleted")) for pk in (value if isinstance(value, list) else [value]))
        column: Any = self.model._meta.get_field(name)
        return str(dict(column.flatchoices).get(value, value)) if column.choices else spoken_value(value)


def plain(value: Any) -> Any:
    """An empty text is as good as none, and a file is its name."""
    if isinstance(value, FieldFile):
        value = str(value)
    return None if value == "" else value


def related(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name).related_model


def spoken_value(value: Any) -> str:
    if isinstance(value, datetime):
        return timezones.moment(value)
    if isinstance(value, date):
        return timezones.day(value)
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value)


def fields_of(model: type[models.Model]) -> list[Any]:
    """Without the column that modeltranslation keeps beside those of the languages."""
    excluded = {*facts_of(model)["excluded_fields"], *translated(model)}
    return [one for one in model._meta.concrete_fields if not one.primary_key and one.name not in excluded]


def translated(model: type[models.Model]) -> set[str]:
    if model not in translator.get_registered_models():
        return set()
    return set(translator.get_options_for_model(model).all_fields)


def label_of(model: type[models.Model], name: str) -> str:
    column: Any = model._meta.get_field(name)
    if language := getattr(column, "language", None):
        facts = {"field": capfirst(column.translated_field.verbose_name), "language": LANGUAGE_NAMES[language]}
        return _("%(field)s (%(language)s)") % facts
    return str(capfirst(column.verbose_name))


LANGUAGE_NAMES = {"id": gettext_lazy("Indonesian"), "en": gettext_lazy("English")}


def several_of(model: type[models.Model]) -> list[str]:
    return [column.name for column in facts_of(model).get("m2m_fields", ())]


def of_versions(model: type[models.Model], name: str, records: Sequence[Any]) -> dict[int, list[int]]:
    column: Any = model._meta.get_field(name)
    kept = HistoricalRecords.m2m_models[column].objects.filter(history__in=[record.pk for record in records])
    lists: dict[int, list[int]] = defaultdict(list)
    other = f"{column.m2m_reverse_field_name()}_id"
    for version, pk in kept.order_by(other).values_list("history_id", other):
        lists[version].append(pk)
    return lists


def pieces(old: str, new: str) -> Iterable[Piece]:
    before, after = old.split(" "), new.split(" ")
    for kind, *places in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        start, end, new_start, new_end = places
        if kind == "equal":
            yield Piece("same", shortened(before[start:end], is_first=start == 0, is_last=end == len(before)))
            continue
        if end > start:
            yield Piece("gone", " ".join(before[start:end]))
        if new_end > new_start:
            yield Piece("new", " ".join(after[new_start:new_end]))


def shortened(words: list[str], *, is_first: bool, is_last: bool) -> str:
    if len(words) <= 2 * WORDS_AROUND:
        return " ".join(words)
    head = [] if is_first else words[:WORDS_AROUND]
    tail = [] if is_last else words[-WORDS_AROUND:]
    return " ".join([*head, "…", *tail])
