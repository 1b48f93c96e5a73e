"""Whom an announcement goes to: a filter in JSON, one query, and the one rule of who may be written to at all."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import MD5, Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference.models import Edition, Webinar
from registration import regions
from registration.models import Attendance, BouncedAddress, Consent, Participant, Registration
from registration.models.people import ParticipantQuerySet
from registration.models.registrations import RegistrationQuerySet

OWN_WEBINARS, NEWS = "own_webinars", "news"
ABOUT = {
    OWN_WEBINARS: gettext_lazy("Their own webinars: hours, links, preparation, recordings"),
    NEWS: gettext_lazy("Anything else"),
}
# A seat that is offered belongs to the line it came from.
STATUSES = {
    "CONFIRMED": gettext_lazy("Confirmed"),
    "WAITLISTED": gettext_lazy("On the waiting list, or a seat is offered to her"),
    "CANCELLED": gettext_lazy("Cancelled"),
}
LIVE = ("CONFIRMED", "WAITLISTED")
ATTENDED = {"yes": gettext_lazy("Was there, in at least one"), "no": gettext_lazy("Was in none of them")}
CONSENTS = {
    Consent.Purpose.NEWS: Consent.Purpose.NEWS.label,
    Consent.Purpose.PARTNER: gettext_lazy("Share with at least one partner organisation"),
}


@dataclass(frozen=True)
class Audience:
    """Each filter narrows; within one filter each tick widens. An empty one leaves everybody in."""

    about: str = NEWS
    editions: tuple[int, ...] = ()
    webinars: tuple[int, ...] = ()
    statuses: tuple[str, ...] = ()
    attended: str = ""
    provinces: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    organisation_kinds: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()

    @property
    def of_registrations(self) -> bool:
        """Whether it asks for registrations at all; without them everybody in the book is meant."""
        return bool(self.editions or self.webinars or self.statuses or self.attended)

    @property
    def needs_news_consent(self) -> bool:
        """THE RULE. Who has a seat, or a place in the line, is told what concerns the very webinars that the audience
        names: that is part of taking part, and needs no consent beyond it. All else goes to those who asked for news.
        """
        is_service = self.about == OWN_WEBINARS and bool(self.webinars) and set(self.statuses) <= set(LIVE)
        return not is_service

    def as_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items() if value
        }


def choices() -> dict[str, Collection[str]]:
    """What each word of an audience may be."""
    return {
        "about": ABOUT,
        "statuses": STATUSES,
        "attended": ("", *ATTENDED),
        "provinces": dict(regions.province_choices()),
        "languages": dict(settings.LANGUAGES),
        "organisation_kinds": Participant.OrganisationKind.values,
        "consents": CONSENTS,
    }


def read(data: Any) -> Audience:
    """Raises ValidationError. What it doesn't know is refused, never passed over: a filter that is lost would widen it."""
    if not isinstance(data, Mapping):
        raise ValidationError(_("The audience must be a set of filters."))
    kinds = {field.name: field.type for field in fields(Audience)}
    if unknown := set(data) - set(kinds):
        raise ValidationError(_("There is no such filter: %(names)s"), params={"names": ", ".join(sorted(unknown))})
    known = choices()
    return Audience(**{name: read_one(name, value, kinds[name], known.get(name)) for name, value in data.items()})


def read_one(name: str, value: Any, kind: Any, known: Collection[str] | None) -> Any:
    refused = ValidationError(_("The filter “%(name)s” can't be read."), params={"name": name})
    if kind is str:
        if not isinstance(value, str) or (known is not None and value not in known):
            raise refused
        return value
    of = get_args(kind)[0]
    if not isinstance(value, list) or any(type(item) is not of for item in value):
        raise refused
    if known is not None and not set(value) <= set(known):
        raise refused
    return tuple(value)


def objections(audience: Audience) -> dict[str, str]:
    """What speaks against it, by filter, in words for the organiser."""
    found = {}
    if audience.about == OWN_WEBINARS and not audience.webinars:
        found["webinars"] = _("Say which webinars it is about. To people of other webinars it is news.")
    if audience.about == OWN_WEBINARS and not set(audience.statuses) <= set(LIVE):
        found["statuses"] = _("Who has cancelled has no webinar of her own any more: to her it is news.")
    webinars = Webinar.objects.filter(pk__in=audience.webinars)
    if audience.webinars and webinars.count() < len(set(audience.webinars)):
        found["webinars"] = _("One of the webinars is gone. Choose again.")
    elif audience.editions and webinars.exclude(edition__in=audience.editions).exists():
        found["webinars"] = _("A webinar is not of the chosen editions, so nobody would be left.")
    if audience.editions and Edition.objects.filter(pk__in=audience.editions).count() < len(set(audience.editions)):
        found["editions"] = _("One of the editions is gone. Choose again.")
    return found


# ---- Who is meant


def people(audience: Audience) -> ParticipantQuerySet:
    """Everybody whom it names and who may be written to."""
    found = may_be_written_to(Participant.objects.all())
    if audience.of_registrations:
        found = found.filter(Exists(registrations(audience).filter(participant=OuterRef("pk"))))
    if audience.attended:
        was_there = Attendance.objects.filter(registration__in=registrations(audience).values("pk"))
        was_there = was_there.filter(registration__participant=OuterRef("pk"))
        found = found.filter(Exists(was_there) if audience.attended == "yes" else ~Exists(was_there))
    for field in ("province", "language", "organisation_kind"):
        if values := getattr(audience, f"{field}s"):
            found = found.filter(**{f"{field}__in": values})
    if audience.consents:
        found = found.filter(Exists(in_force(audience.consents)))
    if audience.needs_news_consent:
        found = found.filter(Exists(in_force([Consent.Purpose.NEWS])))
    return found


def registrations(audience: Audience) -> RegistrationQuerySet:
    """Without a status those that are live: who has cancelled is written to only when that is ticked."""
    rows = Registration.objects.all()
    if audience.editions:
        rows = rows.filter(webinar__edition__in=audience.editions)
    if audience.webinars:
        rows = rows.filter(webinar__in=audience.webinars)
    statuses = audience.statuses or LIVE
    wanted = Q(status__in=statuses)
    if "WAITLISTED" in statuses:
        wanted |= Q(status="PENDING", offered_at__isnull=False)
    return rows.filter(wanted)


def in_force(purposes: Collection[str]) -> Any:
    return Consent.objects.in_force().filter(participant=OuterRef("pk"), purpose__in=purposes)


def may_be_written_to(found: ParticipantQuerySet) -> ParticipantQuerySet:
    """Not: who has not proven an address, has its use restricted, wants no announcements, or whose mail comes back.

    Announcements are refused for a mailbox, so for everybody whose mail goes there.
    """
    refused = Participant.objects.filter(account=OuterRef("account"), unsubscribed_at__isnull=False)
    bounced = BouncedAddress.objects.in_force().filter(email=OuterRef("address_now"))
    found = found.annotate(address_now=address()).filter(
        proven_at__isnull=False, restricted_at=None, account__is_active=True
    )
    if not settings.DEMO:
        found = found.filter(is_made_up=False)
    return found.exclude(Exists(refused)).exclude(Exists(bounced))


def address() -> Combinable:
    """As `Participant.address`."""
    return Case(When(email="", then=F("account__email")), default=F("email"), output_field=CharField())


# ---- Whom a mail goes to


def recipients(audience: Audience) -> ParticipantQuerySet:
    """One for each mailbox: a carer gets one mail for all in her care, addressed to herself where she is meant too."""
    is_in_care = Case(When(email="", then=Value(1)), default=Value(0))
    return people(audience).annotate(mailbox=mailbox()).order_by("mailbox", is_in_care, "pk").distinct("mailbox")


def mailbox() -> Combinable:
    """Hers and her carer's are one where they are one address but for a plus-tag."""
    own = Concat(Value("person-"), Cast("pk", CharField()), output_field=CharField())
    shared = Concat(Value("account-"), Cast("account", CharField()), output_field=CharField())
    return Case(When(Q(email="") | Q(email_key=F("account__email_key")), then=shared), default=own)


def mailbox_of(person: Participant) -> str:
    """As the query says it."""
    is_shared = person.is_in_care or person.email_key == person.account.email_key
    return f"account-{person.account_id}" if is_shared else f"person-{person.pk}"


def meant(audience: Audience, accounts: Collection[int]) -> dict[str, list[Participant]]:
    """The people at the mailboxes of these accounts whom it still means, in the order in which a mail names them."""
    found: dict[str, list[Participant]] = {}
    for person in people(audience).filter(account__in=accounts).select_related("account").order_by("pk"):
        found.setdefault(mailbox_of(person), []).append(person)
    return found


def count(audience: Audience) -> dict[str, int]:
    """Mailboxes, people, and how many of these are in another's care."""
    found = people(audience)
    return {
        "mailboxes": found.annotate(mailbox=mailbox()).values("mailbox").distinct().count(),
        "people": found.count(),
        "in_care": found.filter(email="").count(),
    }


def sample(audience: Audience, *, size: int = 10) -> list[Participant]:
    """From all over the list, and the same ones however often the page is loaded."""
    spread = MD5(Cast(F("pk"), CharField()))
    return list(people(audience).select_related("account").order_by(spread)[:size])
