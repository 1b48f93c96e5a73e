"""What a participant agreed to: which text, in which language, when. Withdrawn rows stay as the proof."""

from collections.abc import Iterable
from datetime import datetime

from conference.models import Organisation
from registration.models import Consent, Participant

# Raise it whenever a consent's wording in the sign-up form changes.
TEXT_VERSION = "2020-1"


def grant(
    participant: Participant,
    purpose: Consent.Purpose,
    *,
    language: str,
    now: datetime,
    organisation: Organisation | None = None,
) -> None:
    """Granting twice is harmless: the first consent in force stands."""
    row = Consent(
        participant=participant,
        purpose=purpose,
        organisation=organisation,
        version=TEXT_VERSION,
        language=language,
        granted_at=now,
    )
    Consent.objects.bulk_create([row], ignore_conflicts=True)


def grant_for_sign_up(
    participant: Participant, partners: Iterable[Organisation], *, with_guardian: bool, language: str, now: datetime
) -> None:
    grant(participant, Consent.Purpose.PROCESSING, language=language, now=now)
    if with_guardian:
        grant(participant, Consent.Purpose.GUARDIAN, language=language, now=now)
    for organisation in partners:
        grant(participant, Consent.Purpose.PARTNER, language=language, now=now, organisation=organisation)


def withdraw(consent: Consent, *, now: datetime) -> bool:
    """In force at once: lists and downloads ask for consents in force. False when it was withdrawn before."""
    return Consent.objects.in_force().filter(pk=consent.pk).update(withdrawn_at=now) == 1
