"""What organisers do by hand for a person who can't: sign her up, move her. By the rules of the site, with their name on it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from conference.models import Organisation, Webinar
from registration import care, consents, deadlocks, history, mail, newcomers, seats, signup, waitinglist
from registration.models import Event, Participant, Registration, User

Status = Registration.Status


class Refused(Exception):
    """With the words that the organiser reads."""


class SignedUp(NamedTuple):
    participant: Participant
    changed: list[Registration]


# ---- Signing up


def sign_up(answers: signup.Answers, *, note: str, actor: User, now: datetime) -> SignedUp:
    """Somebody with an address of her own. Who is known keeps her data as it is: what is on paper may be older.

    The organiser stands for the address in the code's place.
    """
    with transaction.atomic():
        participant = known_or_added(answers, now=now)
        grant_as_on_paper([(participant, answers)], language=answers["language"], actor=actor, now=now)
        history.note(Event.Kind.SIGNED_UP, participant, now=now, actor=actor, words=note)
        changed = signup.admit_all(participant, seats.lock(answers["webinars"]), now=now, actor=actor)
        if changed:
            mail.queue_confirmation(participant, moment=now)
    return SignedUp(participant, changed)


class Batch(NamedTuple):
    """Those with an address of their own, and those whose mail goes to one carer."""

    answers: Sequence[signup.Answers]
    entries: Sequence[care.Entry]


@deadlocks.done_again
def sign_up_all(
    batch: Batch, *, carer: User, language: str, note: str, actor: User, now: datetime
) -> list[Registration]:
    """A list from paper, whole or not at all; what changed. Where seats run out, the first of it have them.

    All people come first and the webinars last: the site goes on signing up meanwhile. Raises care.Refused.
    """
    with transaction.atomic():
        people = [known_or_added(answers, now=now) for answers in batch.answers]
        signing = list(zip(people, batch.answers, strict=True))
        grant_as_on_paper(signing, language=language, actor=actor, now=now)
        history.write([signed_up(person, note, actor=actor, now=now) for person in people])
        User.objects.select_for_update(no_key=True).get(pk=carer.pk)
        wanted: dict[int, list[Participant]] = defaultdict(list)
        for person, answers in signing:
            for pk in answers["webinars"]:
                wanted[pk].append(person)
        locked = seats.lock({*wanted, *(pk for entry in batch.entries for pk in entry["webinars"])})
        changed = [row for webinar in locked for row in admitted(wanted[webinar.pk], webinar, actor=actor, now=now)]
        mail.queue_confirmations({row.participant_id: row.participant for row in changed}.values(), moment=now)
        if batch.entries:
            written = care.register(carer, batch.entries, language=language, now=now, actor=actor)
            history.write([signed_up(person, note, actor=actor, now=now) for person in written.people])
            changed += written.changed
    return changed


def known_or_added(answers: signup.Answers, *, now: datetime) -> Participant:
    user = newcomers.account_of(answers["person"]["email"], language=answers["language"], now=now)
    participant = signup.participant_of(user, answers, now=now)
    if not participant.proven_at:
        signup.take_person(participant, answers["person"], replaces=True)
        participant.language, participant.proven_at = answers["language"], now
        participant.save()
    if not user.name:
        user.name = participant.name
        user.save(update_fields=["name"])
    return participant


def signed_up(participant: Participant, note: str, *, actor: User, now: datetime) -> Event:
    return Event(kind=Event.Kind.SIGNED_UP, participant=participant, actor=actor, at=now, note=note[:300])


def admitted(people: Sequence[Participant], webinar: Webinar, *, actor: User, now: datetime) -> list[Registration]:
    return care.admit_all(people, webinar, actor=actor, now=now) if people else []


def grant_as_on_paper(
    signing: Sequence[tuple[Participant, signup.Answers]], *, language: str, actor: User, now: datetime
) -> None:
    hosts = Organisation.objects.in_bulk({pk for _person, answers in signing for pk in answers["partners"]})
    asked = [(person, asked_on_paper(answers, hosts)) for person, answers in signing]
    consents.grant_to_all(asked, language=language, now=now, actor=actor)


def asked_on_paper(answers: signup.Answers, hosts: Mapping[int, Organisation]) -> list[consents.Asked]:
    partners = [hosts[pk] for pk in sorted(answers["partners"]) if pk in hosts]
    return consents.asked_of(partners, with_guardian=bool(answers["person"]["guardian_name"]))


def sign_up_in_care(
    carer: User, entry: care.Entry, *, language: str, note: str, actor: User, now: datetime
) -> SignedUp:
    """Somebody without an address, whose mail goes to the carer's. Raises care.Refused."""
    with transaction.atomic():
        written = care.register(carer, [entry], language=language, now=now, actor=actor)
        [participant] = written.people
        history.note(Event.Kind.SIGNED_UP, participant, now=now, actor=actor, words=note)
    return SignedUp(participant, written.changed)


# ---- Moving


def move(registration: Registration, webinar_id: int, *, actor: User, now: datetime) -> Registration:
    """To a seat in another webinar of somebody who has signed up in time; the one she leaves passes on, one mail tells.

    Two rows rather than one that wanders: what a partner has downloaded and who was there is told of the first.
    """
    participant = registration.participant
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=participant.account_id)
        webinars = {webinar.pk: webinar for webinar in seats.lock([registration.webinar_id, webinar_id])}
        registration.refresh_from_db(fields=["status", "held_until", "offered_at"])
        left, target = webinars[registration.webinar_id], webinars[webinar_id]
        check_move(registration, left, target, now=now)
        free = waitinglist.settle([target], now=now)[target.pk]  # nobody overtakes those who wait for a seat there
        [new] = signup.registrations_of(participant, [target], now=now)
        check_target(new, free)
        Registration.objects.put([registration], Status.CANCELLED, now=now, cancel_reason=f"→ {target.title}"[:300])
        Registration.objects.put([new], Status.CONFIRMED, now=now)
        history.note(Event.Kind.MOVED, participant, registration=new, now=now, actor=actor, words=left.title)
        mail.queue_confirmation(participant, moment=now, moved_from=left.pk)
        waitinglist.move_up(left, now=now)
    return new


def check_move(registration: Registration, left: Webinar, target: Webinar, *, now: datetime) -> None:
    if left.pk == target.pk:
        raise Refused(_("She is in this webinar. Choose another one."))
    if not registration.is_live:
        raise Refused(_("This registration is cancelled. Sign the person up instead."))
    if left.is_over(now):
        raise Refused(_("This webinar is over: what happened in it stays with it."))
    if not target.is_on(now):
        raise Refused(_("“%(webinar)s” is over, cancelled or not published.") % {"webinar": target.title})


def check_target(new: Registration, free: int | None) -> None:
    if new.is_live:
        words = _("She is registered for “%(webinar)s” already.")
        if new.is_waitlisted:
            words = _("She is on the waiting list of “%(webinar)s” already. Give her a seat there, or cancel it first.")
        raise Refused(words % {"webinar": new.webinar.title})
    if free == 0:
        words = _("“%(webinar)s” has no seat left. Nothing has been changed.")
        raise Refused(words % {"webinar": new.webinar.title})


def move_targets(registration: Registration, webinars: Iterable[Webinar], *, now: datetime) -> list[Webinar]:
    return [webinar for webinar in webinars if webinar.pk != registration.webinar_id and webinar.is_on(now)]
