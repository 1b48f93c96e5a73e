"""Answers about difficulties and access needs: in a table of their own, under a consent of their own, deleted earlier."""

from datetime import datetime
from typing import TypedDict

from django.db import transaction

from registration import consents, history, periods
from registration.models import Consent, Event, Participant, RetentionPeriod, SensitiveAnswers, User

# What the history calls them: that they changed, never what they say.
WORDS = "sensitive"


class Needs(TypedDict):
    seeing: str
    hearing: str
    walking: str
    remembering: str
    self_care: str
    communicating: str
    needs: list[str]
    access_needs: str


def answers_of(participant: Participant) -> SensitiveAnswers | None:
    """None without the consent, whatever the table holds."""
    in_force = Consent.objects.in_force().filter(purpose=Consent.Purpose.SENSITIVE)
    rows = SensitiveAnswers.objects.filter(participant=participant, participant__consents__in=in_force)
    return rows.first()


def save(participant: Participant, answers: Needs, *, actor: User, language: str, now: datetime) -> bool:
    """Her consent and the answers under it in one step; without an answer there is nothing to keep."""
    if not any(answers.values()):
        return remove(participant, actor=actor, now=now)
    with transaction.atomic():
        Participant.objects.select_for_update(no_key=True).get(pk=participant.pk)
        consents.grant(participant, Consent.Purpose.SENSITIVE, language=language, now=now, actor=actor)
        delete_on = periods.ends_on(RetentionPeriod.Kind.SENSITIVE, participant, now=now)
        SensitiveAnswers.objects.update_or_create(participant=participant, defaults={**answers, "delete_on": delete_on})
        history.note(Event.Kind.CORRECTED, participant, now=now, actor=actor, words=WORDS)
    return True


def remove(participant: Participant, *, actor: User | None = None, now: datetime) -> bool:
    """At once, with the consent; False when there was nothing."""
    in_force = participant.consents.in_force().filter(purpose=Consent.Purpose.SENSITIVE)
    with transaction.atomic():
        withdrawn = [consents.withdraw(consent, now=now, actor=actor) for consent in in_force]
        deleted, _by_model = SensitiveAnswers.objects.filter(participant=participant).delete()
    return any(withdrawn) or deleted > 0
