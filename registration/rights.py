"""What a person may do about her data: correct it, have its use restricted, take a needed consent back and so leave."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from registration import consents, deadlocks, history, signup
from registration.models import Consent, Event, Participant, Registration, User

# Her own words for herself. Not the address: a code proves it.
CORRECTABLE = (
    "name",
    "phone",
    "gender",
    "age_group",
    "province",
    "regency",
    "organisation",
    "organisation_kind",
    "guardian_name",
)


def correct(
    participant: Participant,
    answers: Mapping[str, str],
    *,
    actor: User,
    language: str,
    now: datetime,
    guardian_agrees: bool | None = None,
) -> list[str]:
    """Returns the names of the changed fields; her history keeps these names and no values.

    With `guardian_agrees` the guardian was asked anew; an organiser who mends a slip has asked nobody.
    """
    with transaction.atomic():
        row = Participant.objects.select_for_update(no_key=True).get(pk=participant.pk)
        earlier_name = row.name
        changed = [field for field in CORRECTABLE if field in answers and getattr(row, field) != answers[field]]
        if not changed:
            return []
        for field in changed:
            setattr(row, field, answers[field])
        row.save(update_fields=changed)
        history.note(Event.Kind.CORRECTED, row, now=now, actor=actor, words=", ".join(changed))
        if not row.is_in_care:
            User.objects.filter(pk=row.account_id, name=earlier_name).update(name=row.name)
        if guardian_agrees is not None and {"age_group", "guardian_name"} & set(changed):
            mind_guardian(row, agrees=guardian_agrees, actor=actor, language=language, now=now)
    return changed


def mind_guardian(participant: Participant, *, agrees: bool, actor: User, language: str, now: datetime) -> None:
    """Another guardian's consent is another consent; who has come of age needs none."""
    for consent in participant.consents.in_force().filter(purpose=Consent.Purpose.GUARDIAN):
        consents.withdraw(consent, now=now, actor=actor)
    if participant.guardian_name and agrees:
        consents.grant(participant, Consent.Purpose.GUARDIAN, language=language, now=now, actor=actor)


def restrict(participant: Participant, *, actor: User | None = None, now: datetime) -> bool:
    """Seat, links and what mail they need stay; no list, report or announcement has her. False when it was so before."""
    with transaction.atomic():
        free = Participant.objects.filter(pk=participant.pk, restricted_at=None)
        if not free.update(restricted_at=now):
            return False
        history.note(Event.Kind.RESTRICTED, participant, now=now, actor=actor)
    return True


def lift(participant: Participant, *, actor: User | None = None, now: datetime) -> bool:
    with transaction.atomic():
        restricted = Participant.objects.filter(pk=participant.pk, restricted_at__isnull=False)
        if not restricted.update(restricted_at=None):
            return False
        history.note(Event.Kind.UNRESTRICTED, participant, now=now, actor=actor)
    return True


@deadlocks.done_again
def take_back(consent: Consent, *, actor: User, now: datetime) -> bool:
    """Whoever takes back a consent that taking part needs leaves all webinars to come, and shares with nobody."""
    if consent.purpose not in consents.NEEDED:
        return consents.withdraw(consent, now=now, actor=actor)
    with transaction.atomic():
        Participant.objects.select_for_update(no_key=True).get(pk=consent.participant_id)
        if not Consent.objects.in_force().filter(pk=consent.pk).exists():
            return False
        consents.withdraw_all(consent.participant, now=now, actor=actor)  # organisations before webinars
        live = Registration.objects.live().filter(participant=consent.participant_id)
        for registration in live.select_related("participant__account", "webinar").order_by("webinar_id"):
            signup.cancel(registration, now=now, actor=actor)
    return True
