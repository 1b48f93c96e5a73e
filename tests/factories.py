"""Rows for tests. Everybody here is made up and plainly named so; every address is at example.org."""

from datetime import datetime, time, timedelta
from typing import Any

import factory
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import make_password
from django.utils import timezone, translation

from conference import models as conference
from registration import exports
from registration import models as registration

# Of every person made with `second_factor=True`.
TOTP_SECRET = "JBSWY3DPEHPK3PXP"


class Factory(factory.django.DjangoModelFactory):
    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        # `title` means the Indonesian title, whatever language the test is in.
        with translation.override("id"):
            return super()._create(model_class, *args, **kwargs)


def at_nine(days: int) -> datetime:
    """Nine in the morning in Makassar, so many days from now."""
    day = timezone.localdate() + timedelta(days=days)
    return datetime.combine(day, time(9), timezone.get_default_timezone())


def half_an_hour_ago() -> datetime:
    return timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=30)


class EditionFactory(Factory):
    """The current edition, open for registration; `earlier=True` for one of the past."""

    class Meta:
        model = conference.Edition
        django_get_or_create = ["year"]

    class Params:
        earlier = factory.Trait(
            year=factory.Sequence(lambda n: 1901 + n),
            starts_on=factory.LazyAttribute(lambda o: datetime(o.year, 8, 3).date()),  # noqa: DTZ001
            registration_opens_at=None,
            is_current=False,
        )

    year = factory.LazyFunction(lambda: timezone.localdate().year)
    number = factory.LazyAttribute(lambda o: o.year - 1900)
    slug = factory.LazyAttribute(lambda o: f"kpt{o.year}")
    name = factory.LazyAttribute(lambda o: f"Konferensi Contoh {o.year}")
    name_en = factory.LazyAttribute(lambda o: f"Example Conference {o.year}")
    theme = "Tema contoh"
    theme_en = "Example theme"
    starts_on = factory.LazyFunction(lambda: timezone.localdate() + timedelta(days=7))
    ends_on = factory.LazyAttribute(lambda o: o.starts_on + timedelta(days=2))
    place = "Daring"
    place_en = "Online"
    registration_opens_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=1))
    is_current = True


class OrganisationFactory(Factory):
    class Meta:
        model = conference.Organisation

    name = factory.Sequence(lambda n: f"Lembaga Contoh {n}")
    name_en = factory.Sequence(lambda n: f"Example Organisation {n}")
    acronym = factory.Sequence(lambda n: f"LC{n}")
    slug = factory.Sequence(lambda n: f"lembaga-{n}")
    kind = conference.Organisation.Kind.FOUNDATION
    website = factory.LazyAttribute(lambda o: f"https://{o.slug}.example.org/")


class PartnershipFactory(Factory):
    class Meta:
        model = conference.Partnership

    edition = factory.SubFactory(EditionFactory)
    organisation = factory.SubFactory(OrganisationFactory)


class WebinarFactory(Factory):
    """Published, a week from now at nine in Makassar; `hosts=[organisation]` gives it hosts."""

    class Meta:
        model = conference.Webinar
        skip_postgeneration_save = True

    class Params:
        draft = factory.Trait(status=conference.Webinar.Status.DRAFT)
        cancelled = factory.Trait(status=conference.Webinar.Status.CANCELLED)
        unknown_hour = factory.Trait(starts_at=None, date=factory.LazyFunction(lambda: at_nine(7).date()))
        running = factory.Trait(starts_at=factory.LazyFunction(half_an_hour_ago))
        over = factory.Trait(starts_at=factory.LazyFunction(lambda: at_nine(-7)))

    edition = factory.SubFactory(EditionFactory)
    number = factory.Sequence(lambda n: n + 1)
    slug = factory.Sequence(lambda n: f"webinar-{n + 1}")
    title = factory.LazyAttribute(lambda o: f"Webinar Contoh {o.number}")
    title_en = factory.LazyAttribute(lambda o: f"Example Webinar {o.number}")
    summary = "Ringkasan contoh."
    summary_en = "Example summary."
    description = "Uraian *contoh*."
    description_en = "Example *description*."
    starts_at = factory.LazyFunction(lambda: at_nine(7))
    ends_at = factory.LazyAttribute(lambda o: o.starts_at and o.starts_at + timedelta(hours=3))
    date = factory.LazyAttribute(lambda o: timezone.localdate(o.starts_at))
    status = conference.Webinar.Status.PUBLISHED
    zoom_url = factory.Sequence(lambda n: f"https://zoom.example.org/w/{n}?pwd=secret")
    languages = factory.LazyFunction(lambda: ["id"])

    @factory.post_generation
    def hosts(self, create: bool, organisations: Any, **kwargs: Any) -> None:
        if organisations:
            self.hosts.set(organisations)


class AgendaItemFactory(Factory):
    class Meta:
        model = conference.AgendaItem

    edition = factory.LazyAttribute(lambda o: o.webinar.edition if o.webinar else EditionFactory())
    webinar = factory.SubFactory(WebinarFactory)
    order = factory.Sequence(lambda n: n)
    date = factory.LazyAttribute(lambda o: o.webinar.date if o.webinar else o.edition.starts_on)
    starts_at = factory.LazyAttribute(lambda o: o.webinar.starts_at if o.webinar else None)
    ends_at = factory.LazyAttribute(lambda o: o.starts_at and o.starts_at + timedelta(hours=1))
    title = factory.Sequence(lambda n: f"Sesi Contoh {n}")
    title_en = factory.Sequence(lambda n: f"Example Session {n}")


class SpeakerFactory(Factory):
    class Meta:
        model = conference.Speaker

    name = factory.Sequence(lambda n: f"Narasumber Contoh {n}")
    slug = factory.Sequence(lambda n: f"narasumber-{n}")
    position = "Jabatan contoh"
    position_en = "Example position"
    organisation = factory.SubFactory(OrganisationFactory)
    bio = "Riwayat *contoh*."
    bio_en = "Example *biography*."


class AppearanceFactory(Factory):
    """In a webinar; `webinar=None, agenda_item=item` for one in an agenda item."""

    class Meta:
        model = conference.Appearance

    edition = factory.LazyAttribute(lambda o: (o.webinar or o.agenda_item or WebinarFactory()).edition)
    speaker = factory.SubFactory(SpeakerFactory)
    webinar = factory.SubFactory(WebinarFactory)
    agenda_item = None


class MaterialFactory(Factory):
    class Meta:
        model = conference.Material

    webinar = factory.SubFactory(WebinarFactory)
    kind = conference.Material.Kind.SLIDES
    title = factory.Sequence(lambda n: f"Bahan Contoh {n}")
    title_en = factory.Sequence(lambda n: f"Example Material {n}")
    url = factory.Sequence(lambda n: f"https://files.example.org/{n}.pdf")
    size_bytes = 1_200_000


class PageFactory(Factory):
    class Meta:
        model = conference.Page

    slug = factory.Sequence(lambda n: f"halaman-{n}")
    title = factory.Sequence(lambda n: f"Halaman Contoh {n}")
    title_en = factory.Sequence(lambda n: f"Example Page {n}")
    body = "Isi *contoh*."
    body_en = "Example *text*."


class UserFactory(Factory):
    """An account; `organiser=True` for an owner. Staff have a second factor unless `second_factor=False`."""

    class Meta:
        model = registration.User
        skip_postgeneration_save = True

    class Params:
        organiser = factory.Trait(is_staff=True, is_superuser=True)

    email = factory.Sequence(lambda n: f"akun{n}@example.org")
    password = factory.LazyFunction(lambda: make_password(None))
    name = factory.Sequence(lambda n: f"Akun Contoh {n}")

    @factory.post_generation
    def second_factor(self, create: bool, wanted: Any, **kwargs: Any) -> None:
        if create and (self.is_staff if wanted is None else wanted):
            TOTP.activate(self, TOTP_SECRET)


class ParticipantFactory(Factory):
    """Somebody whose address is proven, with an account of the same address."""

    class Meta:
        model = registration.Participant

    class Params:
        unproven = factory.Trait(proven_at=None)

    email = factory.Sequence(lambda n: f"peserta{n}@example.org")
    account = factory.LazyAttribute(
        lambda o: (
            registration.User.objects.filter(email=o.email).first() or UserFactory(email=o.email, name=o.name)
            if o.email
            else UserFactory()
        )
    )
    name = factory.Sequence(lambda n: f"Peserta Contoh {n}")
    phone = factory.Sequence(lambda n: f"+62812{n:08d}")
    gender = registration.Participant.Gender.FEMALE
    age_group = registration.Participant.AgeGroup.FROM_25
    province = "73"
    organisation = "Kelompok Contoh"
    organisation_kind = registration.Participant.OrganisationKind.COMMUNITY
    proven_at = factory.LazyFunction(timezone.now)


def whole_text() -> registration.ConsentText:
    facts = {"text": "Teks contoh.", "columns": list(exports.COLUMNS)}
    return registration.ConsentText.objects.get_or_create(
        purpose="partner", language="id", version="1", defaults=facts
    )[0]


class ConsentFactory(Factory):
    """To take part; `partner=organisation` for one that shares with it."""

    class Meta:
        model = registration.Consent

    class Params:
        partner = None
        withdrawn = factory.Trait(withdrawn_at=factory.LazyFunction(timezone.now))

    participant = factory.SubFactory(ParticipantFactory)
    organisation = factory.LazyAttribute(lambda o: o.partner)
    purpose = factory.LazyAttribute(lambda o: "partner" if o.organisation else "processing")
    version = "1"
    language = "id"
    granted_at = factory.LazyFunction(timezone.now)
    # Of a partner's: one that names all columns of its list.
    text = factory.LazyAttribute(lambda o: whole_text() if o.organisation else None)


class RegistrationFactory(Factory):
    """Confirmed; `pending=True`, `waitlisted=True`, `cancelled=True` or `status=` for the others."""

    class Meta:
        model = registration.Registration

    class Params:
        pending = factory.Trait(status=registration.Registration.Status.PENDING)
        waitlisted = factory.Trait(status=registration.Registration.Status.WAITLISTED)
        cancelled = factory.Trait(status=registration.Registration.Status.CANCELLED)
        offered = factory.Trait(
            status=registration.Registration.Status.PENDING, offered_at=factory.LazyFunction(timezone.now)
        )

    participant = factory.SubFactory(ParticipantFactory)
    webinar = factory.SubFactory(WebinarFactory)
    status = registration.Registration.Status.CONFIRMED
    held_until = factory.LazyAttribute(
        lambda o: timezone.now() + timedelta(minutes=15) if o.status == "PENDING" else None
    )
    confirmed_at = factory.LazyAttribute(lambda o: timezone.now() if o.status == "CONFIRMED" else None)
    waitlisted_at = factory.LazyAttribute(lambda o: timezone.now() if o.status == "WAITLISTED" else None)
    cancelled_at = factory.LazyAttribute(lambda o: timezone.now() if o.status == "CANCELLED" else None)


class InvitationFactory(Factory):
    """Open for a week; `status=` for the others."""

    class Meta:
        model = registration.Invitation

    webinar = factory.SubFactory(WebinarFactory)
    name = factory.Sequence(lambda n: f"Tamu Contoh {n}")
    email = factory.Sequence(lambda n: f"tamu{n}@example.org")
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=5))
    created_at = factory.LazyFunction(timezone.now)


class PartnerMemberFactory(Factory):
    """A person of a partner organisation, with a second factor."""

    class Meta:
        model = registration.PartnerMember

    user = factory.SubFactory(UserFactory, second_factor=True)
    organisation = factory.SubFactory(OrganisationFactory)


class AnnouncementFactory(Factory):
    """A draft, to everybody who has asked for news."""

    class Meta:
        model = registration.Announcement

    edition = factory.SubFactory(EditionFactory)
    subject = "Pengumuman contoh"
    body = "Isi *contoh*."


class OutgoingMailFactory(Factory):
    """Queued and due now; `sent=True`, `sending=True`, `failed=True` for what comes later."""

    class Meta:
        model = registration.OutgoingMail

    class Params:
        sending = factory.Trait(
            status=registration.OutgoingMail.Status.SENDING, attempts=1, claimed_at=factory.LazyFunction(timezone.now)
        )
        sent = factory.Trait(
            status=registration.OutgoingMail.Status.SENT,
            attempts=1,
            claimed_at=factory.LazyFunction(timezone.now),
            sent_at=factory.LazyFunction(timezone.now),
        )
        failed = factory.Trait(
            status=registration.OutgoingMail.Status.FAILED, attempts=1, error="550 5.1.1 No such person here"
        )

    kind = registration.OutgoingMail.Kind.CONFIRMATION
    key = factory.Sequence(lambda n: f"test:{n}")
    participant = factory.SubFactory(ParticipantFactory)
    to = factory.LazyAttribute(lambda o: o.participant.address if o.participant else "seseorang@example.org")
    language = factory.LazyAttribute(lambda o: o.participant.language if o.participant else "id")
