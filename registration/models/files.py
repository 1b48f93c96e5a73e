import uuid
from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.models import Organisation, Webinar
from registration.models.partners import Download
from registration.models.people import User


class PreparedFileQuerySet(models.QuerySet["PreparedFile"]):
    def lean(self) -> "PreparedFileQuerySet":
        """Without the keys of all who are in it."""
        return self.defer("people")

    def open(self, now: datetime) -> "PreparedFileQuerySet":
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=now))

    def spoil(self, registrations: Collection[int]) -> None:
        """Whoever of these is in one: it is made anew without her before anybody gets it."""
        holding = list(self.filter(people__overlap=list(registrations)).values_list("pk", flat=True))
        if holding:
            self.make_anew(holding)

    def make_anew(self, files: Collection[int]) -> None:
        """What is written of them goes at once; a worker finds them as if they were just asked for."""
        fresh = {"status": PreparedFile.Status.QUEUED, "rows_done": 0, "attempts": 0, "ready_at": None, "ends_at": None}
        self.filter(pk__in=files).update(**fresh)
        PreparedBlock.objects.filter(file__in=files).delete()


class PreparedFile(models.Model):
    """A list that a worker writes for one person, who fetches it before it ends. See `files.py`."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        WORKING = "working", _("Being written")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    token = models.UUIDField(_("key in its address"), default=uuid.uuid4, unique=True, editable=False)
    requested_by = models.ForeignKey(
        User, models.CASCADE, related_name="prepared_files", verbose_name=_("asked for by")
    )
    organisation = models.ForeignKey(
        Organisation,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="prepared_files",
        verbose_name=_("organisation"),
        help_text=_("Empty: a file of the organisers themselves."),
    )
    webinar = models.ForeignKey(
        Webinar, models.CASCADE, null=True, blank=True, related_name="prepared_files", verbose_name=_("webinar")
    )
    choice = models.JSONField(_("filters"), default=dict, blank=True)
    columns = models.TextField(_("columns"))
    format = models.CharField(_("format"), max_length=4, choices=Download.Format)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="id")
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.QUEUED)
    rows_done = models.PositiveIntegerField(_("people written"), default=0)
    rows_total = models.PositiveIntegerField(_("people"), default=0)
    people = ArrayField(models.BigIntegerField(), verbose_name=_("keys of the registrations"), default=list, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    claim = models.UUIDField(_("claim of its worker"), null=True, blank=True, editable=False)
    touched_at = models.DateTimeField(_("last sign of its worker"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("asked for at"), default=timezone.now, editable=False)
    ready_at = models.DateTimeField(_("ready at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("good until"), null=True, blank=True)
    fetched_at = models.DateTimeField(_("fetched at"), null=True, blank=True)

    objects = PreparedFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("prepared file")
        verbose_name_plural = _("prepared files")
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="ready") | Q(ready_at__isnull=False, ends_at__isnull=False),
                name="prepared_file_ready_ends",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], condition=Q(status="queued"), name="prepared_file_queued")]

    def __str__(self) -> str:
        return " · ".join(filter(None, [self.owner_name, self.webinar.title if self.webinar else ""]))

    @property
    def owner_name(self) -> str:
        return self.organisation.name if self.organisation else str(_("Organisers"))

    @property
    def program(self) -> str:
        """Which it is for, in the words of the buttons that ask for one."""
        return "Excel" if self.format == Download.Format.XLSX else "CSV"

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY

    @property
    def is_failed(self) -> bool:
        return self.status == self.Status.FAILED

    @property
    def is_coming(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.WORKING)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(self.columns.split(", "))


class PreparedBlock(models.Model):
    """A piece of a prepared file: in the database it is where each web server and worker finds it, and goes with its row."""

    file = models.ForeignKey(PreparedFile, models.CASCADE, related_name="blocks", verbose_name=_("file"))
    number = models.PositiveIntegerField(_("number"))
    content = models.BinaryField(_("content"))

    class Meta:
        verbose_name = _("piece of a prepared file")
        verbose_name_plural = _("pieces of prepared files")
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="prepared_block_once")]

    def __str__(self) -> str:
        return f"{self.file_id} · {self.number}"
