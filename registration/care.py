"""A signed-in person registers others in her care: one phone, one mailbox, and a registration of her own for each.

A list is written whole or not at all, and writing it again changes nothing: who is written with the same answers is the
same person.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conference.models import Organisation, Webinar
from registration import addresses, consents, erasure, history, mail, needs, rights, seats, signup, waitinglist
from registration.models import Consent, Event, OutgoingMail, Participant, Registration, SensitiveAnswers, User

Status = Registration.Status

PERSONAL = ("name", "phone", "contact_email", "gender", "age_group", "province", "regency", "guardian_name")
# Two entries with the same of all these are one person. A guardian's name may be written in several ways.
IDENTITY = tuple(field for field in PERSONAL if field != "guardian_name")


class Entry(TypedDict):
    """One person as her carer writes her down."""

    name: str
    phone: str
    contact_email: str
    gender: str
    age_group: str
    province: str
    regency: str
    guardian_name: str
    webinars: list[int]
    partners: list[int]
    needs: list[str]
    access_needs: str
    # She has the name of another person in the group, and is not that person.
    is_namesake: bool


class Problem(NamedTuple):
    """`place` counts the entries from 0; None is about the whole list."""

    place: int | None
    field: str
    words: str
    # A phone that somebody outside the group has.
    is_of_stranger: bool = False


class Refused(Exception):
    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        super().__init__(problems)


class Written(NamedTuple):
    people: list[Participant]
    changed: list[Registration]


# ---- What stands against a list


def problems(carer: User, entries: Sequence[Entry], *, but: Participant | None = None) -> list[Problem]:
    """As many queries for two hundred people as for one. `but` is the person whose entry is corrected."""
    own = [person for person in Participant.objects.in_care_of(carer) if but is None or person.pk != but.pk]
    known = {identity(vars(person)) for person in own}
    new = [place for place, entry in enumerate(entries) if but or identity(entry) not in known]
    found: list[Problem] = [*too_many(len(own) + (0 if but else len(new)))]
    found += of_one_value(entries, own, new, "phone", str)
    found += of_one_value(entries, own, new, "contact_email", addresses.key)
    found += of_names(entries, own, set(new))
    found += [
        Problem(
            place, "contact_email", _("This is your own address. Leave the field empty: the mails come to you anyway.")
        )
        for place in new
        if entries[place]["contact_email"] and addresses.key(entries[place]["contact_email"]) == carer.email_key
    ]
    return found + of_strangers(entries, new, carer)


def too_many(number: int) -> Iterable[Problem]:
    if number > settings.PEOPLE_PER_CARER:
        words = _("One account can register %(most)s people. For more, write to the organisers.")
        yield Problem(None, "", words % {"most": settings.PEOPLE_PER_CARER})


def of_one_value(
    entries: Sequence[Entry], own: Sequence[Participant], new: Sequence[int], field: str, key: Callable[[str], str]
) -> Iterable[Problem]:
    """A phone or an address stands for one person: her group and the list itself have it once."""
    holders = {key(value): person.name for person in own if (value := getattr(person, field))}
    words = {
        "phone": _("%(name)s has this number already. Leave the field empty for people who share a phone."),
        "contact_email": _("%(name)s has this address already. Leave the field empty for people who share one."),
    }
    for place in new:
        value = key(str(entries[place][field])) if entries[place][field] else ""  # type: ignore[literal-required]
        if value in holders:
            yield Problem(place, field, words[field] % {"name": holders[value]})
        elif value:
            holders[value] = entries[place]["name"]


def of_names(entries: Sequence[Entry], own: Sequence[Participant], new: Container[int]) -> Iterable[Problem]:
    """Of those in `new`, whose lines are not read over: two may have a name if the carer says so, never all answers."""
    names, before = {person.name.casefold() for person in own}, set()
    twice = _("Another line says exactly the same. Take one of them out.")
    like = _("Your group has a person of this name, with other answers. If it is another person, tick the box below.")
    for place, entry in enumerate(entries):
        who, name = identity(entry), entry["name"].casefold()
        if place in new and who in before:
            yield Problem(place, "name", twice)
        elif place in new and name in names and not entry["is_namesake"]:
            yield Problem(place, "name", like)
        before.add(who)
        names.add(name)


def of_strangers(entries: Sequence[Entry], new: Sequence[int], carer: User) -> list[Problem]:
    """Who has no address is known by her phone, once. Nothing is said of whoever has it."""
    phones = {entries[place]["phone"] for place in new if entries[place]["phone"]}
    elsewhere = Participant.objects.filter(email="", phone__in=phones).exclude(account=carer) if phones else ()
    taken = {person.phone for person in elsewhere}
    words = _("This number can't be entered here. Leave the field empty, or write to the organisers.")
    return [Problem(place, "phone", words, True) for place in new if entries[place]["phone"] in taken]


def refused_phones(problems: Iterable[Problem]) -> int:
    return sum(problem.is_of_stranger for problem in problems)


def unnamed(problems: Iterable[Problem]) -> list[Problem]:
    """Of so many strangers' numbers it is not told which they are: a list must not be a question about each."""
    words = _("Many of these numbers can't be entered here. Leave their fields empty, or write to the organisers.")
    return [*(problem for problem in problems if not problem.is_of_stranger), Problem(None, "", words)]


def identity(answers: Mapping[str, object]) -> tuple[str, ...]:
    """The same of two entries: they are of one person."""
    return tuple(str(answers[field]).casefold() for field in IDENTITY)


# ---- Writing


def register(
    carer: User, entries: Sequence[Entry], *, language: str, now: datetime, actor: User | None = None
) -> Written:
    """All of them with their consents and seats, and one mail for all. Raises Refused and then writes nothing.

    With an actor it is an organiser who writes them down for the carer.
    """
    try:
        with transaction.atomic():
            return write(carer, entries, language=language, now=now, actor=actor or carer)
    except IntegrityError:  # another carer has just written one of the phones
        if found := problems(carer, entries):
            raise Refused(found) from None
        raise


def write(carer: User, entries: Sequence[Entry], *, language: str, now: datetime, actor: User) -> Written:
    carer = User.objects.select_for_update(no_key=True).get(pk=carer.pk)  # two clicks, one after the other
    if found := problems(carer, entries):
        raise Refused(found)
    known = {identity(vars(person)): person for person in Participant.objects.in_care_of(carer)}
    people = [known.get(identity(entry)) or added(carer, entry, language=language, now=now) for entry in entries]
    take_consents(list(zip(people, entries, strict=True)), actor=actor, language=language, now=now)
    changed = seat(people, entries, actor=actor, now=now)
    if changed:
        tell(carer, {registration.participant_id for registration in changed}, moment=now)
    return Written(people, changed)


def added(carer: User, entry: Entry, *, language: str, now: datetime) -> Participant:
    fields = {field: entry[field] for field in PERSONAL}  # type: ignore[literal-required]
    return Participant.objects.create(
        account=carer, email="", language=language, proven_at=now, created_at=now, **fields
    )


def take_consents(written: Sequence[tuple[Participant, Entry]], *, actor: User, language: str, now: datetime) -> None:
    """Their carer states that she has each of them. What was given before stays."""
    hosts = Organisation.objects.in_bulk({pk for _person, entry in written for pk in entry["partners"]})
    asked = [
        (
            person,
            consents.asked_of(map(hosts.__getitem__, entry["partners"]), with_guardian=bool(entry["guardian_name"])),
        )
        for person, entry in written
    ]
    consents.grant_to_all(asked, language=language, now=now, actor=actor)
    for person, entry in written:
        if entry["needs"] or entry["access_needs"]:
            take_needs(person, entry, actor=actor, language=language, now=now)


def take_needs(person: Participant, entry: Entry, *, actor: User, language: str, now: datetime) -> None:
    """The six questions are not asked of a carer: what is answered there stays."""
    known = needs.answers_of(person)
    answers: needs.Needs = {
        **{domain: getattr(known, domain, "") for domain in SensitiveAnswers.DOMAINS},  # type: ignore[typeddict-item]
        "needs": entry["needs"],
        "access_needs": entry["access_needs"],
    }
    stands = (known.needs, known.access_needs) if known else ([], "")
    if stands != (entry["needs"], entry["access_needs"]):
        needs.save(person, answers, actor=actor, language=language, now=now)


def seat(people: Sequence[Participant], entries: Sequence[Entry], *, actor: User, now: datetime) -> list[Registration]:
    """In the order of the list: where seats run out, the first have them and the others stand in line."""
    wanted: dict[int, list[Participant]] = defaultdict(list)
    for person, entry in zip(people, entries, strict=True):
        for pk in entry["webinars"]:
            wanted[pk].append(person)
    changed = []
    for webinar in seats.lock(wanted):
        changed += admit_all(wanted[webinar.pk], webinar, actor=actor, now=now)
    return changed


def admit_all(people: Sequence[Participant], webinar: Webinar, *, actor: User, now: datetime) -> list[Registration]:
    """As `signup.admit`, in as many statements for two hundred people as for one. The caller holds the lock."""
    if not webinar.is_open_for_registration(now):
        return []
    waitinglist.move_up(webinar, now=now)  # nobody overtakes those who wait for a seat that has just come free
    known = {row.participant_id: row for row in Registration.objects.filter(webinar=webinar, participant__in=people)}
    rows = [
        known.get(person.pk) or Registration(participant=person, webinar=webinar, created_at=now) for person in people
    ]
    rows = [row for row in rows if not (row.pk and row.is_live)]
    left = seats.left(webinar)
    split = len(rows) if left is None else left
    for status, kind, some in (
        (Status.CONFIRMED, Event.Kind.CONFIRMED, rows[:split]),
        (Status.WAITLISTED, Event.Kind.WAITLISTED, rows[split:]),
    ):
        Registration.objects.put(some, status, now=now)
        history.note_all(kind, some, now=now, actor=actor)
    return rows


def tell(carer: User, people: Iterable[int], *, moment: datetime) -> None:
    """One mail for one step of hers, whoever it is about."""
    own = Participant.objects.filter(account=carer, email_key=carer.email_key).first()
    mail.queue(
        OutgoingMail.Kind.GROUP,
        key=f"group:{carer.pk}:{moment.isoformat()}",
        to=carer.email,
        language=own.language if own else carer.language,
        participant=own,
        context={"carer": carer.pk, "people": sorted(people)},
    )


# ---- Correcting and removing


def correct(person: Participant, entry: Entry, *, actor: User, language: str, now: datetime) -> Written:
    """Her answers, consents and webinars as the entry says them: what it leaves out is taken back. Raises Refused."""
    try:
        with transaction.atomic():
            return rewrite(person, entry, actor=actor, language=language, now=now)
    except IntegrityError:
        if found := problems(actor, [entry], but=person):
            raise Refused(found) from None
        raise


def rewrite(person: Participant, entry: Entry, *, actor: User, language: str, now: datetime) -> Written:
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    person = Participant.objects.in_care_of(actor).select_for_update(no_key=True).get(pk=person.pk)
    if found := problems(actor, [entry], but=person):
        raise Refused(found)
    answers = {field: str(entry[field]) for field in PERSONAL}  # type: ignore[literal-required]
    rights.correct(person, answers, actor=actor, language=language, now=now)
    Participant.objects.filter(pk=person.pk).update(contact_email=entry["contact_email"])
    person.refresh_from_db()
    share_with(person, entry["partners"], actor=actor, language=language, now=now)
    take_needs(person, entry, actor=actor, language=language, now=now)
    changed = choose(person, entry["webinars"], actor=actor, now=now)
    if changed:
        tell(actor, [person.pk], moment=now)
    return Written([person], changed)


def share_with(person: Participant, partners: Sequence[int], *, actor: User, language: str, now: datetime) -> None:
    in_force = person.consents.in_force().filter(purpose=Consent.Purpose.PARTNER).select_related("organisation")
    for consent in in_force.exclude(organisation__in=partners).order_by("organisation"):
        consents.withdraw(consent, now=now, actor=actor)
    asked = [(Consent.Purpose.PARTNER, host) for host in Organisation.objects.filter(pk__in=partners)]
    consents.grant_all(person, asked, language=language, now=now, actor=actor)


def choose(person: Participant, webinars: Sequence[int], *, actor: User, now: datetime) -> list[Registration]:
    live = person.registrations.live().select_related("participant__account", "webinar")
    seats.lock({*webinars, *live.values_list("webinar_id", flat=True)})  # all at once, in their one order
    given_up = [r for r in live.exclude(webinar__in=webinars).order_by("webinar_id") if leave(r, actor=actor, now=now)]
    return given_up + [
        registration
        for webinar in seats.lock(webinars)
        for registration in admit_all([person], webinar, actor=actor, now=now)
    ]


def leave(registration: Registration, *, actor: User, now: datetime) -> bool:
    return signup.cancel(registration, now=now, actor=actor, tell=False)


def remove(person: Participant, *, actor: User, now: datetime) -> bool:
    """All that is kept of her goes, see `erasure`. False when she is gone already, or in another's care."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        is_hers = Participant.objects.in_care_of(actor).filter(pk=person.pk).exists()
        return is_hers and erasure.erase(person, now=now, actor=actor)


def summary(written: Written) -> list[str]:
    """What came of it, in sentences."""
    confirmed = {r.participant_id for r in written.changed if r.is_confirmed}
    waiting = [r for r in written.changed if r.is_waitlisted]
    words = []
    if confirmed:
        number = len(confirmed)
        sentence = ngettext(
            "%(number)s person has a seat. The links are on their way to you.",
            "%(number)s people have a seat. The links are on their way to you.",
            number,
        )
        words.append(sentence % {"number": number})
    if waiting:
        words.append(_("Where no seat was left, they are on the waiting list. If a seat comes free, we write to you."))
    return words or [_("Everything is kept.")]
