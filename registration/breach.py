"""Data got into wrong hands: whom to tell, of which data, until when (UU PDP art. 46: within 3 x 24 hours)."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any

from defusedcsv import csv
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, OuterRef, Q
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from conference import timezones
from registration import exports
from registration.models import (
    Attendance,
    Breach,
    Consent,
    Download,
    Feedback,
    OutgoingMail,
    Participant,
    Registration,
    SensitiveAnswers,
    User,
)
from registration.models.people import ParticipantQuerySet

Scope = Breach.Scope

DEADLINE = timedelta(hours=72)
CHUNK = 2000
COLUMNS = ("name", "email", "phone", "language", "written_to", "under_18", "data")


@dataclass(frozen=True)
class Kind:
    """One kind of data: whose it is at all, and whether the law calls it specific."""

    word: Any
    whose: Q | Exists
    is_specific: bool = False


def has(model: Any, **path: Any) -> Exists:
    return Exists(model.objects.filter(**path))


OF_REGISTRATION = {"registration__participant": OuterRef("pk")}
KINDS = {
    "name": Kind(_("name"), ~Q(name="")),
    "email": Kind(_("email"), ~Q(email="")),
    "phone": Kind(_("phone"), ~Q(phone="")),
    "statistics": Kind(_("gender, age group, place"), ~Q(province="")),
    "organisation": Kind(_("organisation"), ~Q(organisation="")),
    "guardian": Kind(_("guardian's name"), ~Q(guardian_name=""), is_specific=True),
    "registrations": Kind(_("webinars and personal links"), has(Registration, participant=OuterRef("pk"))),
    "attendance": Kind(_("when she was there"), has(Attendance, **OF_REGISTRATION)),
    "feedback": Kind(_("feedback"), has(Feedback, **OF_REGISTRATION)),
    "mails": Kind(_("texts of mails"), has(OutgoingMail, participant=OuterRef("pk"))),
    "answers": Kind(
        _("answers about difficulties and access needs"),
        has(SensitiveAnswers, participant=OuterRef("pk")),
        is_specific=True,
    ),
}
# What is in each kind of leak; a partner's list has no more than `exports.COLUMNS`.
IN_SCOPE: dict[str, tuple[str, ...]] = {
    Scope.EVERYTHING: tuple(KINDS),
    Scope.WEBINAR: ("name", "email", "phone", "statistics", "organisation", "registrations", "attendance"),
    Scope.DOWNLOADS: ("name", "email", "phone", "statistics", "organisation", "registrations", "attendance"),
    Scope.MAILS: ("name", "email", "registrations", "mails"),
}


# ---- Whom


def people(breach: Breach) -> ParticipantQuerySet:
    match breach.scope:
        case Scope.WEBINAR:
            found = Participant.objects.filter(has(Registration, participant=OuterRef("pk"), webinar=breach.webinar))
        case Scope.DOWNLOADS:
            found = Participant.objects.filter(Exists(downloaded(breach)))
        case Scope.MAILS:
            sent = OutgoingMail.objects.filter(kind=breach.mail_kind, attempts__gte=1)
            about = Q(participant=OuterRef("pk")) | Q(participant=None, to=OuterRef("email"))
            found = Participant.objects.filter(Exists(sent.filter(about)))
        case _:
            found = Participant.objects.all()
    return found.filter(is_made_up=False)


def downloaded(breach: Breach) -> Any:
    """Seats of hers in lists that the organisation took while her consent was in force."""
    shared = Consent.objects.filter(
        Q(withdrawn_at=None) | Q(withdrawn_at__gte=OuterRef("downloaded_at")),
        participant=OuterRef(OuterRef("participant")),
        organisation=breach.organisation,
        granted_at__lte=OuterRef("downloaded_at"),
    )
    lists = Download.objects.filter(Exists(shared), organisation=breach.organisation, webinar=OuterRef("webinar"))
    taken = Exists(lists.filter(downloaded_at__gte=OuterRef("created_at")))
    return Registration.objects.filter(taken, participant=OuterRef("pk"), confirmed_at__isnull=False)


def accounts(breach: Breach) -> Any:
    """Who is no participant and is in it all the same: organisers, partners' people, carers."""
    alone = User.objects.exclude(Exists(Participant.objects.filter(email=OuterRef("email"))))
    if breach.scope == Scope.EVERYTHING:
        return alone
    if breach.scope == Scope.MAILS:
        return alone.filter(
            has(OutgoingMail, kind=breach.mail_kind, attempts__gte=1, participant=None, to=OuterRef("email"))
        )
    return alone.none()


@dataclass(frozen=True)
class Figures:
    people: int
    by_mail: int
    through_carer: int
    with_phone: int
    under_18: int
    accounts: int
    by_kind: list[tuple[Any, int, bool]]
    by_language: list[tuple[str, int]]


def figures(breach: Breach) -> Figures:
    """A few queries, however many people."""
    named = [(name, KINDS[name]) for name in IN_SCOPE[breach.scope]]
    kinds = people(breach).annotate(**{f"has_{name}": as_flag(kind.whose) for name, kind in named})
    found = kinds.aggregate(
        people=Count("pk"),
        by_mail=Count("pk", filter=~Q(email="")),
        through_carer=Count("pk", filter=Q(email="")),
        with_phone=Count("pk", filter=~Q(phone="")),
        under_18=Count("pk", filter=Q(age_group=Participant.AgeGroup.UNDER_18)),
        **{f"number_{name}": Count("pk", filter=Q(**{f"has_{name}": True})) for name, _kind in named},
    )
    by_kind = [(kind.word, found.pop(f"number_{name}"), kind.is_specific) for name, kind in named]
    languages = people(breach).order_by("language").values_list("language").annotate(Count("pk"))
    return Figures(**found, accounts=accounts(breach).count(), by_kind=by_kind, by_language=list(languages))


def as_flag(whose: Q | Exists) -> Any:
    return ExpressionWrapper(whose, output_field=BooleanField())


# ---- Until when, in which words


def deadline(breach: Breach) -> datetime:
    return breach.known_at + DEADLINE


def notice(breach: Breach, language: str) -> str:
    """The law wants: which data, when and how it leaked, what is done about it. The brackets are the organisers' part."""
    with translation.override(language):
        known = breach.known_at.astimezone(timezones.WITA.info)
        facts = {
            "kinds": [KINDS[name].word for name in IN_SCOPE[breach.scope]],
            "day": timezones.day(known.date()),
            "hour": f"{timezones.clock(known)} WITA",
            "note": breach.note,
        }
        return render_to_string("registration/breach_notice.txt", facts).strip() + "\n"


# ---- The list


def rows(breach: Breach) -> Iterator[list[str]]:
    """Through server-side cursors. A person in another's care is reached through her carer's address."""
    names = IN_SCOPE[breach.scope]
    flags = {f"has_{name}": as_flag(KINDS[name].whose) for name in names}
    found = people(breach).annotate(**flags, carer=F("account__email")).order_by("pk")
    fields = ("name", "email", "carer", "phone", "language", "age_group", *flags)
    for name, email, carer, phone, language, age, *has_it in found.values_list(*fields).iterator(chunk_size=CHUNK):
        data = [str(KINDS[kind].word) for kind, is_in in zip(names, has_it, strict=True) if is_in]
        is_child = "yes" if age == Participant.AgeGroup.UNDER_18 else ""
        yield [exports.one_line(name), email, phone, language, email or carer, is_child, ", ".join(data)]
    for name, email, language in accounts(breach).order_by("pk").values_list("name", "email", "language").iterator():
        yield [
            exports.one_line(name),
            email,
            "",
            language,
            email,
            "",
            ", ".join(str(KINDS[k].word) for k in ("name", "email")),
        ]


def write_csv(file: IO[bytes], breach: Breach) -> int:
    """Formula-safe, as the partners' lists are."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    count = 0
    for row in rows(breach):
        writer.writerow(row)
        count += 1
    text.detach()
    return count
