"""What a participant agrees to: the wording, which forms and pages show, and the proof of it.

The wording is here and nowhere else. Each consent refers to the very text that was shown, so a changed wording is a
new version by itself; withdrawn rows stay as the proof.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference.models import Organisation
from registration import exports, history, subscriptions, withdrawals
from registration.models import Consent, ConsentText, Event, Participant, SensitiveAnswers, User

Purpose = Consent.Purpose
Asked = tuple[Consent.Purpose, Organisation | None]

# What stands beside the box; for a partner it is followed by the organisation's name.
STATEMENTS = {
    Purpose.PROCESSING: gettext_lazy("I agree that my data is used so that I can take part in the conference."),
    Purpose.PARTNER: gettext_lazy("I agree that these organisations receive my data"),
    Purpose.GUARDIAN: gettext_lazy("My parent or guardian agrees that I attend and that my data is used for it."),
    Purpose.SENSITIVE: gettext_lazy("I agree that the organisers keep these answers."),
    Purpose.NEWS: gettext_lazy("I would like a few mails a year about later conferences."),
}
# In words of whoever has registered her and states that she has each of these consents.
STATEMENTS_IN_CARE = {
    Purpose.PROCESSING: gettext_lazy(
        "This person, or a parent or guardian, has told me: the data may be used so that this person can take part in the conference."
    ),
    Purpose.PARTNER: gettext_lazy("This person agrees that these organisations receive the data"),
    Purpose.GUARDIAN: gettext_lazy(
        "A parent or guardian agrees that this person attends and that the data is used for it."
    ),
    Purpose.SENSITIVE: gettext_lazy("This person agrees that the organisers keep what is needed to take part."),
    Purpose.NEWS: STATEMENTS[Purpose.NEWS],
}
# Whoever takes these back can't take part any more.
NEEDED = (Purpose.PROCESSING, Purpose.GUARDIAN)


# ---- The wording


def statement_of(purpose: Consent.Purpose, organisation: Organisation | None = None, *, in_care: bool = False) -> str:
    statement = str((STATEMENTS_IN_CARE if in_care else STATEMENTS)[purpose])
    return f"{statement}: {organisation.name}" if organisation else statement


def explanation_of(purpose: Consent.Purpose, *, in_care: bool = False) -> str:
    """What the consent means: what for, which data, who gets it, how to take it back."""
    return explanation_in_care(purpose) if in_care else explanation_to_herself(purpose)


def explanation_to_herself(purpose: Consent.Purpose) -> str:
    match purpose:
        case Purpose.PROCESSING:
            return _(
                "The organisers keep your details for your seat, your links, changes of the programme and counts of who took part. Zoom, abroad, handles what you say, type and show in the webinars. Under “My data” you see how long each kind is kept, and correct or delete it at any time."
            )
        case Purpose.PARTNER:
            return _(
                "For each of its webinars that you attend, an organisation you tick receives your %(fields)s, and may invite you to its work. It learns nothing about health or access needs. Without a tick it receives nothing, and your seat is the same. You may take it back at any time; it is then told to remove you."
            ) % {"fields": ", ".join(str(word) for word in exports.WORDS.values())}
        case Purpose.SENSITIVE:
            return _(
                "Your answers to the six questions are only counted: reports show numbers, never names. What you need to take part reaches the organisers who prepare it. No partner organisation receives any of it. The answers are deleted earlier than your other data, and at once when you take your consent back."
            )
        case _:
            return ""


def explanation_in_care(purpose: Consent.Purpose) -> str:
    """To her carer, about her."""
    match purpose:
        case Purpose.PROCESSING:
            return _(
                "The organisers keep this person's details for the seat, the links, changes of the programme and counts of who took part. Zoom, abroad, handles what is said, typed and shown in the webinars. Under “My data” you see how long each kind is kept, and correct or delete it at any time."
            )
        case Purpose.PARTNER:
            return _(
                "For each of its webinars that this person attends, an organisation you tick receives the person's %(fields)s, and may invite the person to its work. It learns nothing about health or access needs. Without a tick it receives nothing, and the seat is the same. You may take it back at any time; it is then told to remove the person."
            ) % {"fields": ", ".join(str(word) for word in exports.WORDS.values())}
        case Purpose.SENSITIVE:
            return _(
                "Answers about difficulties are only counted: reports show numbers, never names. What this person needs to take part reaches the organisers who prepare it. No partner organisation receives any of it. The answers are deleted earlier than the other data, and at once when the consent is taken back."
            )
        case _:
            return ""


def text_of(
    purpose: Consent.Purpose, language: str, organisation: Organisation | None = None, *, in_care: bool = False
) -> str:
    """All that the person reads before she agrees, in one of the site's languages."""
    with translation.override(language):
        return "\n\n".join(
            filter(
                None,
                [
                    statement_of(purpose, organisation, in_care=in_care),
                    explanation_of(purpose, in_care=in_care),
                ],
            )
        )


def version_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# ---- Giving


def to_take_part() -> QuerySet[Consent]:
    """Those without which nobody has a seat."""
    return Consent.objects.in_force().filter(purpose=Purpose.PROCESSING)


def grant(
    participant: Participant,
    purpose: Consent.Purpose,
    *,
    language: str,
    now: datetime,
    organisation: Organisation | None = None,
    actor: User | None = None,
) -> bool:
    """Granting twice is harmless: the first consent in force stands. False when nothing is new."""
    return bool(grant_all(participant, [(purpose, organisation)], language=language, now=now, actor=actor))


def grant_for_sign_up(
    participant: Participant,
    partners: Iterable[Organisation],
    *,
    with_guardian: bool,
    language: str,
    now: datetime,
    with_news: bool = False,
) -> None:
    asked = asked_of(partners, with_guardian=with_guardian, with_news=with_news)
    grant_all(participant, asked, language=language, now=now)


def asked_of(partners: Iterable[Organisation], *, with_guardian: bool, with_news: bool = False) -> list[Asked]:
    """What whoever attends agrees to: her data's use always."""
    asked: list[Asked] = [(Purpose.PROCESSING, None)]
    if with_guardian:
        asked.append((Purpose.GUARDIAN, None))
    if with_news:
        asked.append((Purpose.NEWS, None))
    return [*asked, *((Purpose.PARTNER, host) for host in partners)]


def grant_all(
    participant: Participant, asked: Sequence[Asked], *, language: str, now: datetime, actor: User | None = None
) -> list[Consent]:
    return grant_to_all([(participant, asked)], language=language, now=now, actor=actor)


def grant_to_all(
    people: Sequence[tuple[Participant, Sequence[Asked]]], *, language: str, now: datetime, actor: User | None = None
) -> list[Consent]:
    """As few queries for a thousand people and twenty organisations as for one. With an actor their history tells it."""
    rows = new_consents(people, language=language, now=now)
    if not rows:
        return []
    with transaction.atomic(savepoint=False):
        Consent.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        withdrawals.lapse(rows, now=now)
        for row in rows:
            if row.purpose == Purpose.NEWS:  # her latest word on it
                subscriptions.subscribe(row.participant.account_id, now=now, actor=actor)
        history.write([consented(row, actor, now) for row in rows if actor])
    return rows


def new_consents(
    people: Sequence[tuple[Participant, Sequence[Asked]]], *, language: str, now: datetime
) -> list[Consent]:
    """What is not in force yet, with its wording, not written."""
    in_force = Consent.objects.in_force().filter(participant__in=[person for person, _asked in people])
    given = set(in_force.values_list("participant", "purpose", "organisation"))
    wished = dict.fromkeys((person, purpose, host) for person, asked in people for purpose, host in asked)
    new = [
        (person, purpose, host)
        for person, purpose, host in wished
        if (person.pk, purpose, host.pk if host else None) not in given
    ]
    texts: dict[tuple[bool, Asked], ConsentText] = {}
    for in_care in {person.is_in_care for person, _purpose, _host in new}:
        wanted = list(dict.fromkeys((purpose, host) for person, purpose, host in new if person.is_in_care == in_care))
        kept = kept_texts(wanted, language=language, now=now, in_care=in_care)
        texts |= {(in_care, one): text for one, text in zip(wanted, kept, strict=True)}
    return [
        consent_to(texts[person.is_in_care, (purpose, host)], person, host, now=now) for person, purpose, host in new
    ]


def consent_to(text: ConsentText, person: Participant, host: Organisation | None, *, now: datetime) -> Consent:
    return Consent(
        participant=person,
        purpose=text.purpose,
        organisation=host,
        text=text,
        version=text.version,
        language=text.language,
        granted_at=now,
    )


def consented(row: Consent, actor: User | None, now: datetime) -> Event:
    kind, words = Event.Kind.CONSENTED, words_of(row)
    return Event(kind=kind, participant=row.participant, actor=actor, at=now, note=words[:300])


def kept_texts(asked: Sequence[Asked], *, language: str, now: datetime, in_care: bool = False) -> list[ConsentText]:
    """The rows of these wordings, in the same order; written when one is shown for the first time."""
    texts = [(purpose, text_of(purpose, language, host, in_care=in_care)) for purpose, host in asked]
    rows = [
        ConsentText(
            purpose=purpose,
            language=language,
            version=version_of(text),
            text=text,
            columns=list(exports.WORDS) if purpose == Purpose.PARTNER else [],
            first_shown_at=now,
        )
        for purpose, text in texts
    ]
    known = known_texts(rows)
    if missing := [row for row in rows if (row.purpose, row.version) not in known]:
        ConsentText.objects.bulk_create(missing, ignore_conflicts=True)
        known = known_texts(rows)
    return [known[row.purpose, row.version] for row in rows]


def known_texts(rows: Sequence[ConsentText]) -> dict[tuple[str, str], ConsentText]:
    versions = [row.version for row in rows]
    found = ConsentText.objects.filter(language=rows[0].language, version__in=versions).defer("text")
    return {(text.purpose, text.version): text for text in found}


def words_of(consent: Consent) -> str:
    """For her history: the purpose, and the organisation."""
    return f"{consent.purpose}: {consent.organisation.slug}" if consent.organisation else consent.purpose


# ---- Taking back


def withdraw(consent: Consent, *, now: datetime, actor: User | None = None) -> bool:
    """In force at once: lists and downloads ask for consents in force. False when it was withdrawn before.

    An organisation that has downloaded her is told; answers that were given under the consent go.
    """
    with transaction.atomic():
        if consent.organisation_id:
            withdrawals.lock([consent.organisation_id])
        if not Consent.objects.in_force().filter(pk=consent.pk).update(withdrawn_at=now):
            return False
        history.note(Event.Kind.WITHDRAWN, consent.participant, now=now, actor=actor, words=words_of(consent))
        if consent.organisation_id:
            withdrawals.tell(consent, now=now)
        if consent.purpose == Purpose.SENSITIVE:
            SensitiveAnswers.objects.filter(participant=consent.participant_id).delete()
    return True


def withdraw_all(participant: Participant, *, now: datetime, actor: User | None = None) -> None:
    """Organisations in one order, as `withdrawals.lock` holds each until the end."""
    in_force = participant.consents.in_force().select_related("participant", "organisation")
    with transaction.atomic():
        for consent in in_force.order_by("organisation_id", "pk"):
            withdraw(consent, now=now, actor=actor)
