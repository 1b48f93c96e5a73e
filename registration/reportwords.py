"""What stands under each table: who is counted, when, what the words mean, what is hidden and why."""

from collections.abc import Iterable

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conference import timezones
from conference.models import Edition
from registration.reports import QUESTIONS, Measure, Report, Unit
from registration.suppression import SMALLEST

HIDDEN = "*"

Definition = tuple[str, str]


def title(report: Report) -> str:
    ask = report.ask
    rows, columns = QUESTIONS[ask.rows].label, QUESTIONS[ask.columns].label if ask.columns else ""
    return f"{rows} × {columns}" if columns else str(rows)


def subtitle(report: Report) -> str:
    """Which conference, which people, what is counted."""
    ask = report.ask
    names = ", ".join(str(edition) for edition in ask.editions)
    words = [names, str(Unit(ask.unit).label), str(Measure(ask.measure).label)]
    if ask.only:
        words.insert(1, _("only: %(answer)s") % {"answer": f"{QUESTIONS[ask.only[0]].label} {report.only}"})
    return " · ".join(words)


def moment(report: Report) -> str:
    at = timezone.localtime(report.counted_at)
    return _("Numbers as of %(day)s, %(hour)s WITA") % {"day": date_format(at, "j F Y"), "hour": timezones.clock(at)}


def rehearsals(editions: Iterable[Edition]) -> str:
    """A warning, or nothing."""
    names = [str(edition) for edition in editions if edition.is_rehearsal]
    if not names:
        return ""
    words = ngettext(
        "%(names)s is a rehearsal: made-up people count too, so these numbers are for practice and for no donor.",
        "%(names)s are rehearsals: made-up people count too, so these numbers are for practice and for no donor.",
        len(names),
    )
    return words % {"names": ", ".join(names)}


def definitions(report: Report) -> list[Definition]:
    ask = report.ask
    return [
        (_("Counted on"), moment(report) + "."),
        unit(ask.unit),
        registered(),
        *([] if ask.measure == Measure.REGISTERED else [attended()]),
        *([rate()] if ask.measure == Measure.BOTH else []),
        *answers(report),
        *([compared()] if ask.compares else []),
        left_out(),
        deleted(),
        hidden(),
    ]


def unit(unit: str) -> Definition:
    if unit == Unit.PEOPLE:
        return _("People"), _(
            "Each person counts once in a conference, in however many of its webinars she was. She has attended when she "
            "was in at least one."
        )
    return _("Participations"), _(
        "Each person counts once for each webinar that she is in: who was in three webinars counts three times."
    )


def registered() -> Definition:
    return _("Registered"), _(
        "Has a seat, or was there without one. Those on the waiting list, whose address is not proven yet or who have "
        "cancelled are not counted. Cancelled webinars keep their registrations."
    )


def attended() -> Definition:
    return _("Attended"), _(
        "Entered the webinar: by the personal link, by what Zoom reported, or as entered by the organisers. How long "
        "somebody stayed makes no difference."
    )


def rate() -> Definition:
    return _("Rate"), _("Attended, of those registered, in whole per cent.")


def answers(report: Report) -> list[Definition]:
    asked = set(report.ask.questions)
    found = []
    if asked & {"gender", "age_group", "difficulty", "organisation_kind"}:
        words = _(
            "“Not answered”: the question was left empty, or was not asked. “Rather not say”: the person chose this answer. "
            "Both are in the totals. The kind of organisation has no such answer."
        )
        found.append((_("Missing answers"), words))
    if "difficulty" in asked:
        found.append((_("Functional difficulty"), difficulty()))
    if "province" in asked:
        found.append((_("Province"), _("Where the person lives. Provinces that nobody is from are left out.")))
    return found


def difficulty() -> str:
    return _(
        "By the short set of the Washington Group (seeing, hearing, walking, remembering, self-care, communicating): a lot "
        "of difficulty, or cannot do at all, in at least one of the six. “Less” has answered and has not. Counted only with "
        "the person's consent, in the newest conference that she is in the books for; those whom somebody else has "
        "registered are not asked."
    )


def compared() -> Definition:
    return _("Comparison"), _(
        "In each conference each person counts once. There is no total: who was in two conferences is one person, and "
        "once her data is deleted nobody can tell."
    )


def left_out() -> Definition:
    return _("Not counted"), _(
        "People who restricted the use of their data, and made-up people, such as those of a load test. In a rehearsal "
        "made-up people count, and are gone from the numbers when their data is deleted."
    )


def deleted() -> Definition:
    return _("After deletion"), _(
        "When a person's data is deleted, a number without a person stays, with her answers of that day: the table stays as "
        "it is. If she deletes it before a webinar, her seat is given back and counts no more. Who registers again "
        "afterwards is a new person."
    )


def hidden() -> Definition:
    return _("Hidden numbers (%(sign)s)") % {"sign": HIDDEN}, _(
        "Numbers from 1 to %(most)d are hidden, of those registered, attended or absent, so that nobody is recognised. More "
        "numbers are hidden, noughts too, wherever the small ones could be computed from totals, differences or rates: a "
        "hidden number need not be small. A number of those who answered “yes” about difficulties is hidden when it is a "
        "whole group. A nought that is shown is a nought."
    ) % {"most": SMALLEST - 1}
