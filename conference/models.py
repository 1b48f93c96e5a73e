from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator, RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.photos import variants
from conference.timezones import WIB

# How long a webinar without a known end is taken to last, for the join window and for calendars.
USUAL_LENGTH = timedelta(hours=3)

# A crop in thousandths of the image's width and height: left, top, width, height.
WHOLE, SMALLEST_CROP = 1000, 100

language_code = RegexValidator(r"^[a-z]{2,3}$", _("Use a language code such as id or en."))


def preview_versions() -> "models.PositiveIntegerField[int, int]":
    """Part of each preview link (previewing.py): another number ends those that were given away."""
    return models.PositiveIntegerField(_("version of the preview links"), default=0, editable=False)


def hour_of_publication() -> "models.DateTimeField[datetime | None, datetime | None]":
    return models.DateTimeField(
        _("goes public at"), null=True, blank=True, editable=False, help_text=_("By itself, within a minute.")
    )


def validate_crop(crop: list[int]) -> None:
    if not crop:
        return
    left, top, width, height = crop if len(crop) == 4 else (0, 0, 0, 0)
    if min(width, height) < SMALLEST_CROP or left + width > WHOLE or top + height > WHOLE:
        raise ValidationError(_("This part of the image lies outside it, or is too small. Choose it again."))


def crop(name: Any) -> "ArrayField[list[int], list[int]]":
    return ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name=name,
        default=list,
        blank=True,
        validators=[validate_crop],
        help_text=_("Without a choice the middle is shown."),
    )


def alternative_text() -> "models.CharField[str, str]":
    return models.CharField(
        _("what the image shows, in words"),
        max_length=200,
        blank=True,
        help_text=_("Read aloud to those who don't see it. One sentence: who or what, and what stands out."),
    )


class EditionQuerySet(models.QuerySet["Edition"]):
    def current(self) -> "Edition | None":
        return self.filter(is_current=True).first()

    def newest_first(self) -> "EditionQuerySet":
        return self.order_by("-year")

    def published(self) -> "EditionQuerySet":
        """What visitors may see. A webinar that they may see takes its edition along."""
        shown = Webinar.objects.published().filter(edition=OuterRef("pk"))
        return self.filter(Q(is_published=True) | Q(is_current=True) | Exists(shown))


class Edition(models.Model):
    number = models.PositiveSmallIntegerField(_("number"), unique=True)
    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    theme = models.CharField(_("theme"), max_length=300, blank=True)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    place = models.CharField(_("place"), max_length=200, blank=True)
    summary = models.TextField(_("summary"), blank=True, help_text=_("Markdown."))
    registration_opens_at = models.DateTimeField(_("registration opens at"), null=True, blank=True)
    registration_closes_at = models.DateTimeField(
        _("registration closes at"), null=True, blank=True, help_text=_("Empty: open until each webinar ends.")
    )
    is_current = models.BooleanField(
        _("current edition"), default=False, help_text=_("Shown on the home page. Only one edition can be current.")
    )
    is_rehearsal = models.BooleanField(
        _("rehearsal"), default=False, help_text=_("Every page says that this is a rehearsal with moved dates.")
    )
    is_published = models.BooleanField(
        _("shown to visitors"),
        default=True,
        help_text=_("Off: nobody sees this edition until one of its webinars is published."),
    )
    preview_version = preview_versions()

    objects = EditionQuerySet.as_manager()

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        constraints = [
            models.UniqueConstraint(fields=["is_current"], condition=Q(is_current=True), name="edition_one_current"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="edition_ends_after_start"),
            models.CheckConstraint(
                condition=Q(registration_opens_at=None)
                | Q(registration_closes_at=None)
                | Q(registration_closes_at__gt=F("registration_opens_at")),
                name="edition_registration_closes_after_opening",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("conference:edition", args=[self.year])

    def is_registration_open(self, now: datetime) -> bool:
        if self.registration_opens_at is None or now < self.registration_opens_at:
            return False
        return self.registration_closes_at is None or now < self.registration_closes_at

    def ordered_partnerships(self) -> "list[Partnership]":
        """With their organisations; organisers first."""
        found = self.partnerships.select_related("organisation").order_by("order", "pk")
        return sorted(found, key=lambda partnership: Partnership.Role.values.index(partnership.role))

    def open_webinars(self, now: datetime) -> "list[Webinar]":
        """What one can sign up for now."""
        webinars = (
            Webinar.objects.filter(edition=self)
            .published()
            .in_order()
            .select_related("edition")
            .prefetch_related("hosts")
        )
        return [webinar for webinar in webinars if webinar.is_open_for_registration(now)]


class Organisation(models.Model):
    class Kind(models.TextChoices):
        FOUNDATION = "foundation", _("Foundation")
        NETWORK = "network", _("Network")
        CSO = "cso", _("Civil society organisation")
        STATE_BODY = "state_body", _("Independent state body")
        GOVERNMENT = "government", _("Government")
        PROGRAMME = "programme", _("Programme")
        MEDIA = "media", _("Media")
        OTHER = "other", _("Other")

    name = models.CharField(_("name"), max_length=200)
    acronym = models.CharField(_("acronym"), max_length=40, blank=True)
    slug = models.SlugField(_("slug"), unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.OTHER)
    website = models.URLField(_("website"), blank=True)
    logo = models.ImageField(
        _("logo"), upload_to="logos/", blank=True, validators=[FileExtensionValidator(["png", "jpg", "jpeg", "webp"])]
    )
    logo_crop = crop(_("part of the logo that is shown"))
    logo_alt = alternative_text()
    about = models.TextField(_("about"), blank=True, help_text=_("Markdown."))
    editions = models.ManyToManyField(Edition, through="Partnership", related_name="organisations")

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.short_name

    def save(self, *args: object, **kwargs: object) -> None:
        super().save(*args, **kwargs)  # type: ignore[arg-type]
        variants(self.logo)  # now, not when the first visitor waits for them

    def get_absolute_url(self) -> str:
        return reverse("conference:organisation", args=[self.slug])

    @property
    def short_name(self) -> str:
        return self.acronym or self.name


class Partnership(models.Model):
    class Role(models.TextChoices):
        ORGANISER = "organiser", _("Organiser")
        CO_ORGANISER = "co_organiser", _("Co-organiser")
        SUPPORTER = "supporter", _("Supporter")
        MEDIA = "media", _("Media partner")

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="partnerships", verbose_name=_("edition"))
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="partnerships", verbose_name=_("organisation")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.ORGANISER)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("partnership")
        verbose_name_plural = _("partnerships")
        constraints = [models.UniqueConstraint(fields=["edition", "organisation"], name="partnership_once_an_edition")]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_role_display()}"


class WebinarQuerySet(models.QuerySet["Webinar"]):
    def published(self) -> "WebinarQuerySet":
        """What visitors may see: published webinars, and cancelled ones, which say so."""
        return self.exclude(status=Webinar.Status.DRAFT)

    def in_order(self) -> "WebinarQuerySet":
        return self.order_by("date", F("starts_at").asc(nulls_last=True), "number")

    def hosted_by(self, organisation: Organisation) -> "WebinarQuerySet":
        return self.filter(hosts=organisation)


def usual_reminders() -> list[int]:
    return [1440, 60, 10]


class Webinar(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        CANCELLED = "cancelled", _("Cancelled")

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="webinars", verbose_name=_("edition"))
    number = models.PositiveSmallIntegerField(_("number"))
    slug = models.SlugField(_("slug"), max_length=100, unique=True)
    title = models.CharField(_("title"), max_length=200)
    summary = models.CharField(_("summary"), max_length=300, blank=True)
    description = models.TextField(_("description"), blank=True, help_text=_("Markdown."))
    date = models.DateField(_("date"))
    starts_at = models.DateTimeField(
        _("starts at"), null=True, blank=True, help_text=_("Empty: the site says that the hour is to be confirmed.")
    )
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    join_opens_minutes = models.PositiveSmallIntegerField(_("door opens, minutes before the start"), default=30)
    reminder_minutes = ArrayField(
        models.PositiveIntegerField(),
        verbose_name=_("reminders, minutes before the start"),
        default=usual_reminders,
        blank=True,
        help_text=_("Such as 1440, 60, 10: a day, an hour and ten minutes before. Empty: no reminder."),
    )
    capacity = models.PositiveIntegerField(_("capacity"), null=True, blank=True, help_text=_("Empty: no limit."))
    registration_opens_at = models.DateTimeField(
        _("registration opens at"), null=True, blank=True, help_text=_("Empty: as in the edition.")
    )
    registration_closes_at = models.DateTimeField(
        _("registration closes at"), null=True, blank=True, help_text=_("Empty: as in the edition.")
    )
    allows_late_sign_up = models.BooleanField(
        _("sign-up while it runs"), default=True, help_text=_("Off: sign-up ends when the webinar begins.")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    publish_at = hour_of_publication()
    preview_version = preview_versions()
    hosts = models.ManyToManyField(
        Organisation,
        related_name="hosted_webinars",
        blank=True,
        verbose_name=_("hosts"),
        help_text=_("Their people may see the attendees who agreed to it."),
    )
    zoom_url = models.URLField(_("Zoom address"), blank=True, max_length=500)
    zoom_meeting_id = models.CharField(_("Zoom webinar ID"), max_length=20, blank=True)
    zoom_passcode = models.CharField(_("Zoom passcode"), max_length=20, blank=True)
    backup_stream_url = models.URLField(_("backup stream address"), blank=True, max_length=500)
    languages = ArrayField(
        models.CharField(max_length=3, validators=[language_code]),
        verbose_name=_("languages spoken"),
        default=list,
        blank=True,
    )
    has_sign_language = models.BooleanField(_("sign language interpretation"), default=False)
    has_captions = models.BooleanField(_("live captions"), default=False)
    revision = models.PositiveIntegerField(
        _("revision"), default=0, editable=False, help_text=_("Grows with each change that calendars must know of.")
    )
    revised_at = models.DateTimeField(_("revised at"), default=timezone.now, editable=False)

    objects = WebinarQuerySet.as_manager()

    class Meta:
        verbose_name = _("webinar")
        verbose_name_plural = _("webinars")
        permissions = [("change_room", "Can see and change the room's addresses")]
        constraints = [
            models.UniqueConstraint(fields=["edition", "number"], name="webinar_number_once_an_edition"),
            models.CheckConstraint(condition=Q(capacity=None) | Q(capacity__gte=1), name="webinar_capacity_positive"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at__isnull=False, ends_at__gt=F("starts_at")),
                name="webinar_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(registration_opens_at=None)
                | Q(registration_closes_at=None)
                | Q(registration_closes_at__gt=F("registration_opens_at")),
                name="webinar_registration_closes_after_opening",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("conference:webinar", args=[self.slug])

    @property
    def is_cancelled(self) -> bool:
        return self.status == self.Status.CANCELLED

    @property
    def expected_end(self) -> datetime | None:
        if self.ends_at or not self.starts_at:
            return self.ends_at
        return self.starts_at + USUAL_LENGTH

    @property
    def join_opens_at(self) -> datetime | None:
        return self.starts_at - timedelta(minutes=self.join_opens_minutes) if self.starts_at else None

    @property
    def join_url(self) -> str:
        """Where the room is: Zoom, or the backup stream while there is no Zoom address. Never shown on a page."""
        return self.zoom_url or self.backup_stream_url

    def ordered_materials(self) -> "list[Material]":
        """Asks nothing again where they are loaded already."""
        return sorted(self.materials.all(), key=lambda material: (material.order, material.pk))

    def is_over(self, now: datetime) -> bool:
        """While its hour is unknown: when its day has ended in the westernmost zone too."""
        if self.expected_end is None:
            return now.astimezone(WIB.info).date() > self.date
        return now >= self.expected_end

    def is_running(self, now: datetime) -> bool:
        return self.starts_at is not None and self.starts_at <= now and not self.is_over(now)

    def is_open_for_joining(self, now: datetime) -> bool:
        return self.join_opens_at is not None and self.join_opens_at <= now and not self.is_over(now)

    def is_on(self, now: datetime) -> bool:
        """To come or running."""
        return self.status == self.Status.PUBLISHED and not self.is_over(now)

    @property
    def sign_up_opens_at(self) -> datetime | None:
        """None while the edition's own opening is not decided: then nothing is open."""
        return self.registration_opens_at or self.edition.registration_opens_at

    @property
    def sign_up_closes_at(self) -> datetime | None:
        """The earliest of what closes it; None when nothing but the webinar's end does."""
        start = None if self.allows_late_sign_up else self.starts_at
        ends = [self.registration_closes_at or self.edition.registration_closes_at, start]
        return min((moment for moment in ends if moment), default=None)

    def is_open_for_registration(self, now: datetime) -> bool:
        opens_at, closes_at = self.sign_up_opens_at, self.sign_up_closes_at
        if not self.is_on(now) or opens_at is None or now < opens_at:
            return False
        return closes_at is None or now < closes_at


def next_opening(edition: Edition | None, webinars: Iterable[Webinar], now: datetime) -> datetime | None:
    """When the sign-up opens that is not open yet: the first of the webinars', or the edition's while it has none."""
    moments = [webinar.sign_up_opens_at for webinar in webinars if webinar.is_on(now)]
    if edition and not moments:
        moments = [edition.registration_opens_at]
    return min((moment for moment in moments if moment and moment > now), default=None)


class AgendaItem(models.Model):
    """A part of a webinar, or, without a webinar, of its edition's day (opening, closing)."""

    class Kind(models.TextChoices):
        PRESS = "press", _("Press conference")
        OPENING = "opening", _("Opening")
        TALK = "talk", _("Talk")
        DISCUSSION = "discussion", _("Discussion")
        BREAK = "break", _("Break")
        CLOSING = "closing", _("Closing")

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="agenda_items", verbose_name=_("edition"))
    webinar = models.ForeignKey(
        Webinar, models.CASCADE, related_name="agenda_items", null=True, blank=True, verbose_name=_("webinar")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.TALK)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    date = models.DateField(_("date"))
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    title = models.CharField(_("title"), max_length=300)
    note = models.TextField(_("note"), blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=0, editable=False)
    revised_at = models.DateTimeField(_("revised at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("agenda item")
        verbose_name_plural = _("agenda items")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at__isnull=False, ends_at__gt=F("starts_at")),
                name="agenda_item_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Speaker(models.Model):
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), unique=True)
    position = models.CharField(_("position"), max_length=300, blank=True)
    organisation = models.ForeignKey(
        Organisation, models.SET_NULL, null=True, blank=True, related_name="speakers", verbose_name=_("organisation")
    )
    bio = models.TextField(_("biography"), blank=True, help_text=_("Markdown."))
    photo = models.ImageField(
        _("photo"),
        upload_to="speakers/",
        blank=True,
        validators=[FileExtensionValidator(["png", "jpg", "jpeg", "webp"])],
    )
    photo_crop = crop(_("part of the photo that is shown"))
    photo_alt = alternative_text()

    class Meta:
        verbose_name = _("speaker")
        verbose_name_plural = _("speakers")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        super().save(*args, **kwargs)  # type: ignore[arg-type]
        variants(self.photo)  # now, not when the first visitor waits for them

    def get_absolute_url(self) -> str:
        return reverse("conference:speaker", args=[self.slug])


class Appearance(models.Model):
    """A speaker in a webinar or an agenda item; with neither, her session is still to be confirmed."""

    class Role(models.TextChoices):
        OPENING = "opening", _("Opens the conference")
        KEYNOTE = "keynote", _("Keynote speaker")
        SPEAKER = "speaker", _("Speaker")
        MODERATOR = "moderator", _("Moderator")
        RESPONDER = "responder", _("Responder")
        PERFORMER = "performer", _("Performer")
        GUEST = "guest", _("Guest of the conference")

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="appearances", verbose_name=_("edition"))
    speaker = models.ForeignKey(Speaker, models.CASCADE, related_name="appearances", verbose_name=_("speaker"))
    webinar = models.ForeignKey(
        Webinar, models.CASCADE, related_name="appearances", null=True, blank=True, verbose_name=_("webinar")
    )
    agenda_item = models.ForeignKey(
        AgendaItem, models.CASCADE, related_name="appearances", null=True, blank=True, verbose_name=_("agenda item")
    )
    role = models.CharField(_("role"), max_length=12, choices=Role, default=Role.SPEAKER)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("appearance")
        verbose_name_plural = _("appearances")
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "speaker", "webinar", "agenda_item", "role"],
                nulls_distinct=False,
                name="appearance_once",
            ),
            models.CheckConstraint(
                condition=Q(webinar=None) | Q(agenda_item=None), name="appearance_webinar_or_agenda_item"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.speaker} · {self.get_role_display()}"

    @property
    def session(self) -> tuple[int, int | None, int | None]:
        """What two roles of one speaker have in common when they are in the same session."""
        return self.edition_id, self.webinar_id, self.agenda_item_id


class Material(models.Model):
    class Kind(models.TextChoices):
        RECORDING = "recording", _("Video recording")
        AUDIO = "audio", _("Audio recording")
        SLIDES = "slides", _("Slides")
        SUMMARY = "summary", _("Summary")

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="materials", verbose_name=_("webinar"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    title = models.CharField(_("title"), max_length=200, blank=True)
    file = models.FileField(
        _("file"),
        upload_to="materials/",
        blank=True,
        validators=[FileExtensionValidator(["pdf", "pptx", "odp", "mp3", "m4a", "ogg", "mp4", "webm", "docx", "odt"])],
    )
    url = models.URLField(_("address"), blank=True, max_length=500)
    size_bytes = models.PositiveBigIntegerField(
        _("size in bytes"),
        null=True,
        blank=True,
        help_text=_("Shown to the reader. Taken from the file when there is one."),
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("material")
        verbose_name_plural = _("materials")
        constraints = [
            models.CheckConstraint(
                condition=Q(file="", url__gt="") | Q(file__gt="", url=""), name="material_file_or_address"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.get_kind_display()

    def save(self, *args: object, **kwargs: object) -> None:
        if self.file:
            self.size_bytes = self.file.size
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def address(self) -> str:
        return self.file.url if self.file else self.url


class PageQuerySet(models.QuerySet["Page"]):
    def published(self) -> "PageQuerySet":
        return self.filter(is_published=True)

    def in_menu(self) -> "PageQuerySet":
        return self.published().filter(menu_order__isnull=False).order_by("menu_order", "slug")


class Page(models.Model):
    slug = models.SlugField(_("slug"), unique=True)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"), blank=True, help_text=_("Markdown."))
    is_published = models.BooleanField(_("published"), default=True)
    publish_at = hour_of_publication()
    preview_version = preview_versions()
    menu_order = models.PositiveSmallIntegerField(
        _("place in the menu"), null=True, blank=True, help_text=_("Empty: not in the menu.")
    )

    objects = PageQuerySet.as_manager()

    class Meta:
        verbose_name = _("page")
        verbose_name_plural = _("pages")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("conference:page", args=[self.slug])


class ProgrammeState(models.Model):
    """What visitors saw of an edition's programme when it was last looked at (changes.py)."""

    edition = models.OneToOneField(
        Edition, models.CASCADE, primary_key=True, related_name="programme_state", verbose_name=_("edition")
    )
    snapshot = models.JSONField(_("snapshot"))
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("state of the programme")
        verbose_name_plural = _("states of the programme")

    def __str__(self) -> str:
        return str(self.edition)


class ProgrammeChange(models.Model):
    """Something that became different for visitors, with the facts to tell it in either language (changes.py)."""

    class Kind(models.TextChoices):
        PUBLISHED = "published", _("New in the programme")
        WITHDRAWN = "withdrawn", _("Taken out of the programme")
        CANCELLED = "cancelled", _("Cancelled")
        REINSTATED = "reinstated", _("Takes place after all")
        RENAMED = "renamed", _("Title changed")
        DAY_MOVED = "day_moved", _("Day moved")
        HOUR_SET = "hour_set", _("Hour set")
        HOUR_MOVED = "hour_moved", _("Hour moved")
        HOUR_OPEN = "hour_open", _("Hour to be confirmed again")
        PARTS = "parts", _("Parts changed")
        SPEAKER_ADDED = "speaker_added", _("Speaker added")
        SPEAKER_REMOVED = "speaker_removed", _("Speaker removed")
        SPEAKER_RENAMED = "speaker_renamed", _("Speaker's name corrected")
        GUEST_ADDED = "guest_added", _("Speaker announced")
        GUEST_REMOVED = "guest_removed", _("Speaker no longer announced")

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="changes", verbose_name=_("edition"))
    webinar = models.ForeignKey(
        Webinar, models.SET_NULL, null=True, blank=True, related_name="changes", verbose_name=_("webinar")
    )
    agenda_item = models.ForeignKey(
        AgendaItem, models.SET_NULL, null=True, blank=True, related_name="changes", verbose_name=_("agenda item")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    at = models.DateTimeField(_("when"))
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("change in the programme")
        verbose_name_plural = _("changes in the programme")
        indexes = [models.Index(fields=["edition", "-at", "-id"], name="programme_change_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.at:%Y-%m-%d %H:%M}"
