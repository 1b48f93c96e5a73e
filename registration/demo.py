"""Made-up people for the demo and for load: marked in the database, and so named that nobody takes them for real."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction

from conference.models import Edition, Organisation, Webinar
from registration import consents, regions, seats
from registration.models import Consent, Participant, PartnerMember, Registration, User

Status = Registration.Status

CHUNK = 2000
GIVEN = [
    "Maria",
    "Yosefina",
    "Siti",
    "Rahma",
    "Ningsih",
    "Adelheid",
    "Fatimah",
    "Yuliana",
    "Debora",
    "Martha",
    "Nurhayati",
    "Agustina",
    "Wa",
    "Ode",
    "Salma",
]
FAMILY = ["", "", "Tanono", "Lestari", "Wenda", "Latuconsina", "Mokodompit", "Daeng Kanang", "Bere", "Rumbiak"]
EASTERN = ("52", "53", "71", "72", "73", "74", "75", "76", "81", "82", "91", "92", "94")


def make_participants(count: int, *, now: datetime) -> int:
    """Adds `count` participants with registrations for the current edition's published webinars; how many were made."""
    edition = Edition.objects.current()
    webinars = list(edition.webinars.published().in_order().prefetch_related("hosts")) if edition else []
    first = Participant.objects.filter(is_made_up=True).count()
    dice = random.Random(first)  # example data, the same on every machine
    for start in range(first, first + count, CHUNK):
        numbers = range(start, min(start + CHUNK, first + count))
        with transaction.atomic():
            people = write_people(numbers, dice, now=now)
            register_all(people, webinars, dice, now=now)
            share(people, webinars, dice, now=now)
    return count


def write_people(numbers: range, dice: random.Random, *, now: datetime) -> list[Participant]:
    locked = make_password(None)
    users = [User(email=f"contoh{number:07}@example.org", password=locked, date_joined=now) for number in numbers]
    User.objects.bulk_create(users)
    people = [person(user, dice, now=now) for user in users]
    return Participant.objects.bulk_create(people)


def person(user: User, dice: random.Random, *, now: datetime) -> Participant:
    province = dice.choice(EASTERN)
    name = f"{dice.choice(GIVEN)} {dice.choice(FAMILY)}".strip()
    return Participant(
        account=user,
        name=f"{name} (contoh)",
        email=user.email,
        phone="",
        gender=dice.choices(Participant.Gender.values, [70, 20, 2, 8])[0],
        age_group=dice.choice(Participant.AgeGroup.values[1:]),
        province=province,
        regency=dice.choice(list(regions.regencies(province))),
        organisation_kind=dice.choice(Participant.OrganisationKind.values),
        language="id",
        proven_at=now,
        created_at=now - timedelta(minutes=dice.randrange(60 * 24 * 14)),
        is_made_up=True,
    )


def register_all(
    people: Sequence[Participant], webinars: Sequence[Webinar], dice: random.Random, *, now: datetime
) -> None:
    for webinar in seats.lock(webinar.pk for webinar in webinars):
        left = None if webinar.capacity is None else max(webinar.capacity - seats.taken(webinar), 0)
        chosen = [someone for someone in people if dice.random() < 0.7]
        seated = len(chosen) if left is None else left
        rows = [registration(someone, webinar, position < seated, now) for position, someone in enumerate(chosen)]
        Registration.objects.bulk_create(rows)


def registration(participant: Participant, webinar: Webinar, has_seat: bool, now: datetime) -> Registration:
    return Registration(
        participant=participant,
        webinar=webinar,
        status=Status.CONFIRMED if has_seat else Status.WAITLISTED,
        created_at=participant.created_at,
        confirmed_at=now if has_seat else None,
        waitlisted_at=None if has_seat else now,
    )


def share(people: Sequence[Participant], webinars: Sequence[Webinar], dice: random.Random, *, now: datetime) -> None:
    hosts = {host.pk: host for webinar in webinars for host in webinar.hosts.all()}
    asked = [(Consent.Purpose.PROCESSING, None), *((Consent.Purpose.PARTNER, hosts[pk]) for pk in sorted(hosts))]
    texts = consents.kept_texts(asked, language="id", now=now)
    rows = [
        consents.consent_to(text, someone, host, now=now)
        for someone in people
        for (_purpose, host), text in zip(asked, texts, strict=True)
        if host is None or dice.random() < 0.6
    ]
    Consent.objects.bulk_create(rows)


def make_organiser() -> User:
    """The demo's organiser, with the rights of the group Organisers."""
    user = make_account("penyelenggara@example.org", "Penyelenggara (contoh)", is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return user


def make_partner(organisation: Organisation) -> User:
    user = make_account(f"mitra.{organisation.slug}@example.org", f"{organisation.short_name} (contoh)")
    PartnerMember.objects.get_or_create(user=user, organisation=organisation)
    return user


def make_account(email: str, name: str, *, is_staff: bool = False) -> User:
    fields = {"name": name, "is_staff": is_staff, "password": make_password(None)}
    user, _created = User.objects.get_or_create(email=email, defaults=fields)
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"primary": True, "verified": True})
    return user
