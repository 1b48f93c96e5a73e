"""Cross-tables of the people who registered and attended, for programme officers and donors.

Two units: people, each once over a conference, and participations, one for each webinar that a person is in. Who is
gone is in `KeptCount`, who is here in the tables of registrations; together they give the same numbers before and
after. Small numbers are hidden by `suppression`, and nothing leaves this module without it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.db import connection, models
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference.models import Edition, Webinar
from registration import keptcounts, regions, suppression
from registration.models import KeptCount, Participant
from registration.suppression import Profile, Protected

# Numbers are counted anew so often: whoever asks for one table after the other gets tables of one moment.
FRESH = 600
# The organisers' own answer, and the one about health that must not be known of a whole group either.
TELLING = (("difficulty", "yes"),)


class Unit(models.TextChoices):
    PEOPLE = "people", gettext_lazy("People, each once over the conference")
    PARTICIPATIONS = "participations", gettext_lazy("Participations, one for each webinar of a person")


class Measure(models.TextChoices):
    REGISTERED = "registered", gettext_lazy("Registered")
    ATTENDED = "attended", gettext_lazy("Attended")
    BOTH = "both", gettext_lazy("Registered, attended and the rate")


class Refused(Exception):
    """The words say which table can be had instead."""


# ---- Questions

Choices = Sequence[tuple[str, str | Promise]]


@dataclass(frozen=True)
class Question:
    name: str
    label: str | Promise
    choices: Callable[[Sequence[Webinar]], Choices]

    def answers(self, webinars: Sequence[Webinar]) -> dict[str, str]:
        """With those that are not answered at the end; "rather not say" is an answer."""
        return {code: str(words) for code, words in self.choices(webinars)}


def with_unanswered(choices: Choices) -> Callable[[Sequence[Webinar]], Choices]:
    return lambda webinars: [*choices, ("", gettext_lazy("Not answered"))]


QUESTIONS = {
    question.name: question
    for question in (
        Question("gender", gettext_lazy("Gender"), with_unanswered(Participant.Gender.choices)),
        Question("age_group", gettext_lazy("Age group"), with_unanswered(Participant.AgeGroup.choices)),
        Question("province", gettext_lazy("Province"), lambda webinars: regions.province_choices()),
        Question(
            "organisation_kind",
            gettext_lazy("Kind of organisation"),
            with_unanswered(Participant.OrganisationKind.choices),
        ),
        Question("difficulty", gettext_lazy("Functional difficulty"), lambda webinars: KeptCount.Difficulty.choices),
        Question("language", gettext_lazy("Language"), lambda webinars: settings.LANGUAGES),
        Question(
            "webinar",
            gettext_lazy("Webinar"),
            lambda webinars: [(str(webinar.pk), f"{webinar.number}. {webinar.title}") for webinar in webinars],
        ),
    )
}
PLACES = {name: place for place, name in enumerate(QUESTIONS)}
OF_PEOPLE = [name for name in QUESTIONS if name != "webinar"]


def questions_of(unit: str, webinars: Sequence[Webinar]) -> list[str]:
    """Of a conference of one webinar both units are the same: by one set of tables, so that they can't be compared."""
    return list(QUESTIONS) if unit == Unit.PARTICIPATIONS and len(webinars) > 1 else OF_PEOPLE


# ---- Counting

THERE = """
WITH later AS (
    SELECT r.participant_id
    FROM conference_edition this
    JOIN conference_edition e ON (e.ends_on, e.id) > (this.ends_on, this.id)
    JOIN conference_webinar w ON w.edition_id = e.id
    JOIN registration_registration r ON r.webinar_id = w.id
    WHERE this.id = %(edition)s
), answers AS (
    SELECT s.participant_id, {difficulty} AS difficulty
    FROM registration_sensitiveanswers s
    WHERE {agreed} AND NOT EXISTS (SELECT FROM later WHERE later.participant_id = s.participant_id)
), there AS (
    SELECT r.participant_id, r.webinar_id, a.registration_id IS NOT NULL AS attended
    FROM registration_registration r
    JOIN conference_webinar w ON w.id = r.webinar_id AND w.edition_id = %(edition)s
    LEFT JOIN (SELECT DISTINCT registration_id FROM registration_attendance) a ON a.registration_id = r.id
    WHERE r.status = 'CONFIRMED' OR a.registration_id IS NOT NULL
), counted AS (
    {counted}
)
SELECT p.gender, p.age_group, p.province, p.organisation_kind, coalesce(a.difficulty, 'unknown'), p.language,
    c.webinar_id, c.attended, count(*)
FROM counted c
JOIN registration_participant p ON p.id = c.participant_id AND p.restricted_at IS NULL
    AND (%(rehearsal)s OR NOT p.is_made_up)
LEFT JOIN answers a ON a.participant_id = p.id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
COUNTED = {
    Unit.PEOPLE: "SELECT participant_id, NULL::bigint AS webinar_id, bool_or(attended) AS attended FROM there GROUP BY 1",
    Unit.PARTICIPATIONS: "SELECT participant_id, webinar_id, attended FROM there",
}
GONE = """
SELECT gender, age_group, province, organisation_kind, difficulty, language, webinar_id, answers_only,
    sum(registered)::bigint, sum(attended)::bigint
FROM registration_keptcount WHERE edition_id = %(edition)s AND (webinar_id IS NULL) = %(once)s
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""


def people_of(edition: Edition, unit: str, names: Sequence[str]) -> Counter[Profile]:
    """How many gave the same answers to these questions, and attended or not: those who are here, and those who are gone."""
    counted: Counter[Profile] = Counter()
    with connection.cursor() as cursor:
        sql = THERE.format(difficulty=keptcounts.DIFFICULTY, agreed=keptcounts.AGREED, counted=COUNTED[Unit(unit)])
        # As in the charts: in a rehearsal there are no others.
        cursor.execute(sql, {"edition": edition.pk, "rehearsal": edition.is_rehearsal})
        for *answers, attended, number in cursor:
            counted[profile(answers, names, attended)] += number
        cursor.execute(GONE, {"edition": edition.pk, "once": unit == Unit.PEOPLE})
        rows = cursor.fetchall()
    for *answers, answers_only, registered, attended in rows:
        if not answers_only:
            counted[profile(answers, names, True)] += attended
            counted[profile(answers, names, False)] += registered - attended
    for *answers, answers_only, registered, attended in rows:
        if answers_only:
            give_back_answers(counted, answers, names, attended, registered - attended)
    return +counted


def profile(answers: Sequence[str | int | None], names: Sequence[str], attended: bool) -> Profile:
    return (*("" if answer is None else str(answer) for answer in answers[: len(names)]), "1" if attended else "0")


def give_back_answers(
    counted: Counter[Profile], answers: Sequence[str | int | None], names: Sequence[str], came: int, stayed: int
) -> None:
    """Answers that went before their people: who is counted without an answer has this one, as far as there are such."""
    place = PLACES["difficulty"]
    without = [*answers[:place], KeptCount.Difficulty.UNKNOWN, *answers[place + 1 :]]
    for attended, number in ((True, came), (False, stayed)):
        source = profile(without, names, attended)
        moved = min(number, counted[source])
        counted[source] -= moved
        counted[profile(answers, names, attended)] += moved


def protected(
    edition: Edition, unit: str, webinars: Sequence[Webinar], narrowed: suppression.Places | None
) -> Protected:
    names = questions_of(unit, webinars)
    people = people_of(edition, unit if len(names) > len(OF_PEOPLE) else Unit.PEOPLE, names)
    domains = [
        list(dict.fromkeys([*QUESTIONS[name].answers(webinars), *sorted({row[place] for row in people})]))
        for place, name in enumerate(names)
    ]
    telling = [(PLACES[name], answer) for name, answer in TELLING]
    return suppression.protect(people, domains, telling=telling, narrowed=narrowed)


@dataclass
class Numbers:
    """The protected tables of one conference and one unit, as of a moment."""

    edition: Edition
    webinars: list[Webinar]
    tables: Protected
    counted_at: datetime

    def number(self, chosen: Mapping[str, str]) -> "Pair":
        places = sorted((PLACES[name], answer) for name, answer in chosen.items())
        table, cell = tuple(place for place, _answer in places), tuple(answer for _place, answer in places)
        return Pair(self.tables.registered(table, cell), self.tables.attended(table, cell))


@dataclass(frozen=True)
class Pair:
    """None: hidden."""

    registered: int | None
    attended: int | None

    @property
    def rate(self) -> int | None:
        if not self.registered or self.attended is None:
            return None
        return (200 * self.attended + self.registered) // (2 * self.registered)


def numbers_of(edition: Edition, ask: "Ask", *, now: datetime, webinars: Sequence[Webinar]) -> Numbers:
    table = table_of(ask)
    narrowed = table if len(table) == suppression.MOST_QUESTIONS else None
    own = [webinar for webinar in webinars if webinar.edition_id == edition.pk]
    key = f"report:2:{edition.pk}:{edition.is_rehearsal}:{ask.unit}:{len(own)}:{narrowed or ''}".replace(" ", "")
    found = cache.get(key)
    if found is None:
        found = (protected(edition, ask.unit, own, narrowed), now)
        cache.set(key, found, FRESH)
    return Numbers(edition, own, *found)


# ---- Asking


@dataclass(frozen=True)
class Ask:
    """A table as it was asked for; `only` narrows it to one answer to one question."""

    editions: Sequence[Edition]
    unit: str = Unit.PEOPLE
    measure: str = Measure.BOTH
    rows: str = "gender"
    columns: str = ""
    only: tuple[str, str] | None = None

    @property
    def questions(self) -> list[str]:
        return [name for name in (self.rows, self.columns, self.only[0] if self.only else "") if name]

    @property
    def narrowed(self) -> dict[str, str]:
        return dict([self.only]) if self.only else {}

    @property
    def compares(self) -> bool:
        return len(self.editions) > 1


@dataclass
class Line:
    label: str
    cells: list[Pair]
    is_total: bool = False


@dataclass
class Report:
    ask: Ask
    columns: list[str]
    lines: list[Line]
    counted_at: datetime
    only: str = ""

    @property
    def has_hidden(self) -> bool:
        return any(None in (pair.registered, pair.attended) for line in self.lines for pair in line.cells)

    @property
    def is_empty(self) -> bool:
        return all(pair == Pair(0, 0) for pair in self.lines[-1].cells)


def report(ask: Ask, *, now: datetime) -> Report:
    """Raises Refused. A handful of queries, whatever is asked."""
    webinars = list(Webinar.objects.filter(edition__in=ask.editions).in_order())
    check(ask, webinars)
    numbers = [numbers_of(edition, ask, now=now, webinars=webinars) for edition in ask.editions]
    if any(not of.tables.offers(table_of(ask)) for of in numbers):
        raise Refused(
            _(
                "For so many questions at once too few people are in the books: single persons could be made out. Leave "
                "the columns empty, or don't narrow the table."
            )
        )
    columns = compared(ask, numbers) if ask.compares else crossed(ask, numbers[0])
    lines = [
        Line(label, [of.number(ask_for | answer) for of, ask_for, _label in columns], is_total=not answer)
        for label, answer in answers_of(ask.rows, webinars)
    ]
    lines = [line for line in lines if not is_left_out(ask, line)]
    counted_at = min(of.counted_at for of in numbers)
    only = QUESTIONS[ask.only[0]].answers(webinars)[ask.only[1]] if ask.only else ""
    return Report(ask, [label for _of, _ask, label in columns], lines, counted_at, only)


def table_of(ask: Ask) -> suppression.Places:
    return tuple(sorted(PLACES[name] for name in ask.questions))


def answers_of(name: str, webinars: Sequence[Webinar]) -> list[tuple[str, dict[str, str]]]:
    """Each answer and, in the end, all of them."""
    rows = [(label, {name: answer}) for answer, label in QUESTIONS[name].answers(webinars).items()]
    return [*rows, (_("Total"), {})]


Column = tuple[Numbers, dict[str, str], str]


def crossed(ask: Ask, numbers: Numbers) -> list[Column]:
    if not ask.columns:
        return [(numbers, ask.narrowed, _("Total"))]
    return [(numbers, ask.narrowed | answer, label) for label, answer in answers_of(ask.columns, numbers.webinars)]


def compared(ask: Ask, numbers: Sequence[Numbers]) -> list[Column]:
    """No total: who is in two conferences is one person, and after her data is deleted nobody knows that she was."""
    return [(of, ask.narrowed, str(of.edition.year)) for of in numbers]


def is_left_out(ask: Ask, line: Line) -> bool:
    """Of 39 provinces those that nobody is from."""
    return ask.rows == "province" and not line.is_total and all(pair == Pair(0, 0) for pair in line.cells)


def check(ask: Ask, webinars: Sequence[Webinar]) -> None:
    if len(set(ask.questions)) < len(ask.questions):
        raise Refused(_("Rows, columns and what the table is narrowed to must be three different questions."))
    if ask.compares and ask.columns:
        raise Refused(_("When conferences are compared they are the columns. Leave the columns empty."))
    if "webinar" not in ask.questions:
        return
    if ask.compares:
        raise Refused(_("Each conference has its own webinars. Choose one conference."))
    if len(webinars) < 2:
        raise Refused(_("This conference has no second webinar: its numbers are those of the whole."))
    if ask.unit == Unit.PEOPLE:
        raise Refused(
            _(
                "A person may be in several webinars, so people are counted over the whole conference. By webinar choose "
                "participations: in one webinar these are its people."
            )
        )
