import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.models import Edition, Webinar
from registration.models.people import User


class Scoped(models.Model):
    """Of which webinars another system reads or hears. Said outright: a list that has become empty means none, not all."""

    class Scope(models.TextChoices):
        ALL = "all", _("All editions")
        EDITION = "edition", _("One edition")
        WEBINARS = "webinars", _("Chosen webinars")

    scope = models.CharField(_("of which webinars"), max_length=8, choices=Scope, default=Scope.EDITION)
    edition = models.ForeignKey(
        Edition, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("edition")
    )
    webinars = models.ManyToManyField(Webinar, blank=True, related_name="+", verbose_name=_("webinars"))

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if self.scope == self.Scope.EDITION and self.edition_id is None:
            raise ValidationError({"edition": _("Choose the edition.")})

    def covers(self, webinar: Webinar) -> bool:
        """The triggers of migration 0160 say the same of events."""
        if self.scope == self.Scope.ALL:
            return True
        if self.scope == self.Scope.EDITION:
            return self.edition_id == webinar.edition_id
        return self.webinars.filter(pk=webinar.pk).exists()


class ApiToken(Scoped):
    """A key of another system that reads attendees. Its secret is shown once; the database knows no more than its hash."""

    name = models.CharField(
        _("name"), max_length=100, help_text=_("Which system reads with it, and who looks after that.")
    )
    key = models.CharField(_("key"), max_length=12, unique=True, editable=False)
    digest = models.CharField(_("hash of the secret"), max_length=64, editable=False)
    created_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("made by"),
        help_text=_("It ends when this person is an owner no more."),
    )
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    ends_at = models.DateTimeField(_("good until"))
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    class Meta:
        verbose_name = _("token of a program")
        verbose_name_plural = _("tokens of programs")

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    def clean(self) -> None:
        super().clean()
        if self.ends_at and self.ends_at <= timezone.now():
            raise ValidationError({"ends_at": _("Choose a moment that is still to come.")})


class WebhookEndpoint(Scoped):
    """Where another system wants to hear of registrations. Its secret is derived (`webhooks.secret`), so none lies here."""

    class Event(models.TextChoices):
        CONFIRMED = "registration.confirmed", _("A registration is confirmed")
        CANCELLED = "registration.cancelled", _("A registration is cancelled")
        ATTENDED = "registration.attended", _("A person came to the webinar")
        DELETED = "registration.deleted", _("A registration is deleted, with the person's data")

    name = models.CharField(_("name"), max_length=100, help_text=_("Which system listens, and who looks after it."))
    url = models.CharField(
        _("address"), max_length=500, help_text=_("It begins with https:// and leads to a machine on the internet.")
    )
    events = ArrayField(models.CharField(max_length=30, choices=Event), verbose_name=_("events"))
    is_active = models.BooleanField(
        _("in use"), default=True, help_text=_("Off: nothing is sent, and what happens meanwhile is not sent later.")
    )
    secret_version = models.PositiveSmallIntegerField(_("version of the secret"), default=1, editable=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    failures = models.PositiveIntegerField(
        _("failures in a row"), default=0, editable=False, help_text=_("Since something got through last.")
    )
    paused_until = models.DateTimeField(_("pauses until"), null=True, editable=False)
    claimed_until = models.DateTimeField(_("in a worker's hands until"), null=True, editable=False)
    claim = models.UUIDField(_("claim of its worker"), null=True, editable=False)
    switched_off_at = models.DateTimeField(
        _("switched off by itself at"), null=True, editable=False, help_text=_("After too many failures.")
    )

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One event for one endpoint. The database writes it with the fact itself (migration 0160); it names no person."""

    TEST = "test"

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        GIVEN_UP = "given_up", _("Given up")

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, db_index=False, related_name="deliveries", verbose_name=_("webhook")
    )
    event_id = models.UUIDField(
        _("ID of the event"), default=uuid.uuid4, help_text=_("The same in every try: who has it already ignores it.")
    )
    event = models.CharField(_("event"), max_length=30, choices=[*WebhookEndpoint.Event.choices, (TEST, _("Test"))])
    # Plain words, not keys: what is told outlives the row that it tells of.
    registration_code = models.CharField(_("registration code"), max_length=12, blank=True)
    webinar = models.CharField(_("webinar"), max_length=100, blank=True)
    edition = models.PositiveSmallIntegerField(_("year of the edition"), null=True, blank=True)
    at = models.DateTimeField(_("when it happened"), default=timezone.now)
    status = models.CharField(_("state"), max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    not_before = models.DateTimeField(_("next try at"), default=timezone.now)
    created_at = models.DateTimeField(_("written at"), default=timezone.now)
    tried_at = models.DateTimeField(_("last try at"), null=True, blank=True)
    body = models.TextField(_("as sent"), blank=True)
    response_status = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    response = models.CharField(_("words of the answer"), max_length=500, blank=True)
    error = models.CharField(_("what went wrong"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_event_once")]
        indexes = [
            models.Index(fields=["endpoint", "id"], condition=Q(status="waiting"), name="webhook_waiting"),
            models.Index(
                fields=["endpoint", "registration_code", "id"],
                condition=Q(status="waiting"),
                name="webhook_waiting_code",
            ),
            models.Index(fields=["-created_at", "-id"], name="webhook_list"),
        ]

    def __str__(self) -> str:
        return f"{self.event} · {self.event_id}"

    @property
    def facts(self) -> dict[str, Any]:
        """What is sent: codes, no name and no address."""
        return {
            "type": self.event,
            "timestamp": timezone.localtime(self.at).isoformat(),
            "data": {
                "registration_code": self.registration_code,
                "webinar": self.webinar,
                "edition": self.edition,
            },
        }
