"""Who took a consent back after an organisation had downloaded her: its people are told, and say when she is removed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from conference.models import Organisation
from registration import audit, mail
from registration.models import (
    Consent,
    Download,
    OutgoingMail,
    Participant,
    PreparedFile,
    Registration,
    User,
    Withdrawal,
)
from registration.models.registrations import RegistrationQuerySet


def lock(organisations: Iterable[int]) -> None:
    """A list that is being written is waited for: its record tells whether she is in it. See `partners.begin_list`.

    After accounts and participants, before webinars, each by its id: so nobody deadlocks.
    """
    rows = Organisation.objects.filter(pk__in=organisations).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def downloaded(participant: Participant, consent: Consent, *, now: datetime) -> RegistrationQuerySet:
    """Her registrations in lists that the organisation took while the consent was in force.

    One too many rather than one too few: a seat that was given up and taken again counts from its sign-up on.
    """
    taken = Download.objects.filter(
        organisation=consent.organisation_id,
        webinar=OuterRef("webinar"),
        downloaded_at__gte=consent.granted_at,
        downloaded_at__lte=consent.withdrawn_at or now,
    ).filter(downloaded_at__gte=OuterRef("created_at"))
    return participant.registrations.filter(Exists(taken), confirmed_at__isnull=False).order_by("pk")


def tell(consent: Consent, *, now: datetime) -> list[str]:
    """Of a consent to share that ends now; the caller holds `lock`. Returns the codes that must leave its files."""
    spoil_files(consent.participant, consent.organisation_id)
    organisation, gone = consent.organisation_id, list(downloaded(consent.participant, consent, now=now))
    if organisation is None or not gone:
        return []
    codes = [registration.code for registration in gone]
    # Not said to be removed since the last time: one line, for both.
    Withdrawal.objects.filter(organisation=organisation, registration_code__in=codes, done_at=None).update(
        withdrawn_at=now
    )
    rows = [
        Withdrawal(
            organisation_id=organisation,
            webinar_id=registration.webinar_id,
            registration_code=registration.code,
            withdrawn_at=now,
        )
        for registration in gone
    ]
    Withdrawal.objects.bulk_create(rows, ignore_conflicts=True)
    queue_mails(consent, codes, now=now)
    return codes


def spoil_files(participant: Participant, organisation: int | None = None) -> None:
    """Files that wait to be fetched are made anew without her: of one organisation, or all of them."""
    files = PreparedFile.objects.filter(organisation=organisation) if organisation else PreparedFile.objects.all()
    files.spoil(list(participant.registrations.values_list("pk", flat=True)))


def queue_mails(consent: Consent, codes: Sequence[str], *, now: datetime) -> None:
    """To each person of the organisation. Not tied to the participant: it must reach them when her data is gone."""
    for user in User.objects.filter(partner_memberships__organisation=consent.organisation_id, is_active=True):
        mail.queue(
            OutgoingMail.Kind.WITHDRAWAL,
            key=f"withdrawal:{consent.pk}:{user.pk}:{now.isoformat()}",
            to=user.email,
            language=user.language,
            context={"organisation": consent.organisation_id, "codes": list(codes)},
        )


def open_for(organisations: Sequence[Organisation]) -> dict[int, list[Withdrawal]]:
    """What is still to be removed, by organisation."""
    found: dict[int, list[Withdrawal]] = {}
    rows = Withdrawal.objects.filter(organisation__in=organisations, done_at=None).select_related("webinar")
    for row in rows.order_by("withdrawn_at", "pk"):
        found.setdefault(row.organisation_id, []).append(row)
    return found


def settle(withdrawal: int, user: User, *, now: datetime) -> bool:
    """A person of the organisation has removed her; False when it was said before, or is not hers to say."""
    own = Withdrawal.objects.filter(organisation__members__user=user, done_at=None).select_related("organisation")
    with transaction.atomic():
        row = own.filter(pk=withdrawal).first()
        if row is None or not Withdrawal.objects.filter(pk=row.pk, done_at=None).update(done_at=now, done_by=user):
            return False
        audit.note(audit.Action.ACTED, row, actor=user, now=now, organisation=row.organisation)
    return True


def lapse(granted: Iterable[Consent], *, now: datetime) -> None:
    """They share with these organisations again: what those have of them need not go any more."""
    people: dict[int, set[int]] = defaultdict(set)
    for consent in granted:
        if consent.organisation_id:
            people[consent.participant_id].add(consent.organisation_id)
    alike: dict[frozenset[int], list[int]] = defaultdict(list)
    for person, hosts in people.items():
        alike[frozenset(hosts)].append(person)
    for together, group in alike.items():
        codes = Registration.objects.filter(participant__in=group).values("code")
        open_before = Withdrawal.objects.filter(organisation__in=together, registration_code__in=codes, done_at=None)
        open_before.update(done_at=now)
