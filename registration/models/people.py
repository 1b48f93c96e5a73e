import re
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registration import regions

E164 = re.compile(r"^\+[1-9][0-9]{6,14}$")
FORMS_OF_ADDRESS = frozenset(
    {"ibu", "bapak", "bapa", "pak", "mama", "mami", "oma", "opa", "nona", "kak", "kakak", "mas", "mbak", "tante"}
    | {"haji", "hajah", "suster", "bruder", "romo", "pastor", "pendeta", "daeng"}
)
LINKS = ("://", "www.", "@")


def leads_elsewhere(name: str) -> bool:
    """Whether mail programs would make a link of it."""
    return any(mark in name.lower() for mark in LINKS)


def can_stand_alone(word: str) -> bool:
    """Whether one may call a person by it."""
    return len(word) > 2 and "." not in word and word.lower() not in FORMS_OF_ADDRESS


def email_key() -> models.GeneratedField:
    """The address without its plus-tag: who writes from name+kpt@ is the person of name@. See `addresses.key`."""
    without_tag = Func(F("email"), Value(r"\+[^@]*@"), Value("@"), function="regexp_replace")
    return models.GeneratedField(expression=without_tag, output_field=models.CharField(max_length=254), db_persist=True)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_unusable_password()
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Without a usable password: an owner too signs in by emailed code and second factor."""
        return self.create_user(email, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """An account: who signs in, by emailed code. The people who attend are its participants."""

    email = models.EmailField(_("email"), unique=True)
    email_key = email_key()
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="id")
    is_staff = models.BooleanField(_("organiser or editor"), default=False, help_text=_("May enter the admin."))
    is_active = models.BooleanField(_("active"), default=True)
    wants_digest = models.BooleanField(
        _("daily digest by mail"),
        default=False,
        help_text=_("For organisers: the numbers of each day on which something happened."),
    )
    date_joined = models.DateTimeField(_("joined at"), default=timezone.now, editable=False)

    # Set by the admin for an editor without a second factor: she may do nothing else, and with drafts alone.
    only_rights: frozenset[str] | None = None

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        indexes = [
            models.Index(fields=["-date_joined", "-id"], name="user_list"),
            models.Index(fields=["email"], condition=Q(is_staff=True), name="user_staff"),
        ]
        constraints = [
            # Stored in lower case only, so that `unique` holds without regard to case.
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),
            models.UniqueConstraint(
                fields=["email_key"],
                name="user_email_key_once",
                violation_error_message=_(
                    "There is an account of this address already, perhaps with another plus-tag."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        self.email = self.email.strip().lower()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return super().has_perm(perm, obj) and (self.only_rights is None or perm in self.only_rights)

    @property
    def writes_drafts_alone(self) -> bool:
        return self.only_rights is not None


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def managed_by(self, user: User) -> "ParticipantQuerySet":
        return self.filter(account=user).order_by("pk")

    def in_care_of(self, user: User) -> "ParticipantQuerySet":
        """Whom she has registered beside herself: people without a proven address of their own."""
        return self.managed_by(user).filter(email="")


class Participant(models.Model):
    """The person who attends. One account may manage several who share a phone."""

    class Gender(models.TextChoices):
        FEMALE = "female", _("Woman")
        MALE = "male", _("Man")
        OTHER = "other", _("Other")
        UNDISCLOSED = "undisclosed", _("Rather not say")

    class AgeGroup(models.TextChoices):
        UNDER_18 = "under_18", _("Under 18")
        FROM_18 = "18_24", _("18 to 24")
        FROM_25 = "25_34", _("25 to 34")
        FROM_35 = "35_44", _("35 to 44")
        FROM_45 = "45_54", _("45 to 54")
        FROM_55 = "55_plus", _("55 or over")
        UNDISCLOSED = "undisclosed", _("Rather not say")

    class OrganisationKind(models.TextChoices):
        COMMUNITY = "community", _("Community or women's group")
        CSO = "cso", _("Civil society organisation")
        GOVERNMENT = "government", _("Government")
        LEGISLATURE = "legislature", _("Legislature (DPR, DPRD, DPD)")
        EDUCATION = "education", _("School, university or research")
        MEDIA = "media", _("Media")
        PRIVATE = "private", _("Private sector")
        INDIVIDUAL = "individual", _("Individual")
        OTHER = "other", _("Other")

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="participants", verbose_name=_("account")
    )
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(
        _("email"), blank=True, help_text=_("Empty for a person in another's care: mail goes to the account.")
    )
    email_key = email_key()
    contact_email = models.EmailField(
        _("address given by her carer"),
        blank=True,
        help_text=_("Not proven: used only to hand her over to an account of her own."),
    )
    phone = models.CharField(_("phone"), max_length=16, blank=True, help_text=_("E.164, such as +6281234567890."))
    # Empty: not answered. Who would rather not say has answered: reports keep the two apart.
    gender = models.CharField(_("gender"), max_length=12, choices=Gender, blank=True)
    age_group = models.CharField(_("age group"), max_length=12, choices=AgeGroup, blank=True)
    province = models.CharField(_("province"), max_length=2, choices=regions.province_choices)
    regency = models.CharField(_("regency or city"), max_length=4, choices=regions.regency_choices, blank=True)
    organisation = models.CharField(_("organisation"), max_length=200, blank=True)
    organisation_kind = models.CharField(_("kind of organisation"), max_length=12, choices=OrganisationKind, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="id")
    guardian_name = models.CharField(_("guardian's name"), max_length=120, blank=True)
    proven_at = models.DateTimeField(
        _("address proven at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Empty: the code is not entered yet."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    calendar_version = models.PositiveIntegerField(
        _("version of the personal calendar"), db_default=1, editable=False, help_text=_("Raised, its address ends.")
    )
    link_version = models.PositiveIntegerField(
        _("version of the personal page"), db_default=1, editable=False, help_text=_("Raised, its address ends.")
    )
    restricted_at = models.DateTimeField(
        _("use restricted since"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("At her wish: kept for her seat and her links alone, in no list, report or announcement."),
    )
    unsubscribed_at = models.DateTimeField(
        _("no announcements since"), null=True, blank=True, editable=False, help_text=_("She wants no announcements.")
    )
    is_made_up = models.BooleanField(
        _("made up"), default=False, editable=False, help_text=_("An example person of the demo or of a load test.")
    )

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = [
            models.UniqueConstraint(fields=["email_key"], condition=~Q(email=""), name="participant_email_once"),
            # Who has no address is known by her phone.
            models.UniqueConstraint(
                fields=["phone"], condition=Q(email="") & ~Q(phone=""), name="participant_phone_once_without_email"
            ),
            models.CheckConstraint(
                condition=Q(contact_email="") | Q(email=""), name="participant_contact_email_in_care_only"
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="participant_email_lower_case"),
            models.CheckConstraint(condition=Q(phone="") | Q(phone__regex=E164.pattern), name="participant_phone_e164"),
            models.CheckConstraint(condition=Q(province__regex=r"^[0-9]{2}$"), name="participant_province_code"),
            models.CheckConstraint(
                condition=Q(regency="") | Q(regency__regex=r"^[0-9]{4}$"), name="participant_regency_code"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="participant_has_name"),
        ]
        # The constraint above has an index for people with an address alone: no search that doesn't say so can use it.
        indexes = [
            models.Index(fields=["email_key"], name="participant_by_email_key"),
            models.Index(fields=["email"], name="participant_by_email"),
            models.Index(fields=["-created_at", "-id"], name="participant_list"),
            models.Index(fields=["province", "-created_at", "-id"], name="participant_list_province"),
            # Any part of a name, an address, a number or an organisation, as organisers search.
            GinIndex(
                *(OpClass(Upper(name), name="gin_trgm_ops") for name in ("name", "email", "phone", "organisation")),
                name="participant_words",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """Where her mail goes."""
        return self.email or self.account.email

    @property
    def is_in_care(self) -> bool:
        """Registered by another person, who gets her mail."""
        return not self.email

    @property
    def first_name(self) -> str:
        """The first word that can stand alone, with what comes before it: Wa Ode, Mama Teti, Siti, R. A. Kartini."""
        words = self.name.split()
        alone = (place for place, word in enumerate(words, 1) if can_stand_alone(word))
        return " ".join(words[: next(alone, len(words))])

    @property
    def time_zone(self) -> str:
        return regions.time_zone(self.province)

    def renew_calendar(self) -> None:
        """Her calendar has a new address from now on; the earlier one is dead."""
        Participant.objects.filter(pk=self.pk).update(calendar_version=F("calendar_version") + 1)
        self.refresh_from_db(fields=["calendar_version"])

    @property
    def province_name(self) -> str:
        return regions.province_name(self.province)

    @property
    def regency_name(self) -> str:
        return regions.names().get(self.regency, "")
