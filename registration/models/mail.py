import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registration.models.people import Participant, User
from registration.models.registrations import Registration


class Announcement(models.Model):
    """What organisers write to many."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        STOPPED = "stopped", _("Stopped")

    edition = models.ForeignKey(
        "conference.Edition", models.CASCADE, related_name="announcements", verbose_name=_("edition")
    )
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"), help_text=_("Markdown."))
    audience = models.JSONField(_("audience"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    send_at = models.DateTimeField(_("send at"), null=True, blank=True)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, editable=False, verbose_name=_("written by")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")

    def __str__(self) -> str:
        return self.subject


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def due(self, now: datetime) -> "OutgoingMailQuerySet":
        """To be sent now, the most urgent first."""
        waiting = self.filter(status__in=[OutgoingMail.Status.QUEUED, OutgoingMail.Status.RETRY], not_before__lte=now)
        return waiting.order_by("priority", "not_before", "pk")

    def stuck_since(self, moment: datetime) -> "OutgoingMailQuerySet":
        return self.filter(status=OutgoingMail.Status.SENDING, claimed_at__lte=moment)


class OutgoingMail(models.Model):
    """One mail to one person. The row is committed with the fact that caused it; a worker renders and sends it."""

    class Kind(models.TextChoices):
        CODE = "code", _("Sign-in code")
        UNKNOWN_ACCOUNT = "unknown_account", _("No account for this address")
        CONFIRMATION = "confirmation", _("Confirmation")
        GROUP = "group", _("Confirmation for a group")
        PROMOTED = "promoted", _("A seat has come free")
        OFFER = "offer", _("A seat is offered")
        INVITATION = "invitation", _("Invitation")
        WEBINAR_CANCELLED = "webinar_cancelled", _("Webinar cancelled")
        HANDOVER = "handover", _("Handed over to her own account")
        DATA_DELETED = "data_deleted", _("Data deleted")
        WITHDRAWAL = "withdrawal", _("A person to be removed from lists")
        CANCELLATION = "cancellation", _("Sign-up cancelled")
        ANNOUNCEMENT = "announcement", _("Announcement")

    class Priority(models.IntegerChoices):
        URGENT = 0, _("At once")
        NORMAL = 5, _("Soon")
        BULK = 9, _("In bulk")

    class Status(models.TextChoices):
        QUEUED = "QUEUED", _("Queued")
        SENDING = "SENDING", _("Being sent")
        SENT = "SENT", _("Sent")
        RETRY = "RETRY", _("To be tried again")
        FAILED = "FAILED", _("Failed")
        BOUNCED = "BOUNCED", _("Bounced")
        CANCELLED = "CANCELLED", _("Cancelled")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    key = models.CharField(_("key"), max_length=200, unique=True, help_text=_("The same mail can't be queued twice."))
    to = models.EmailField(_("to"))
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    participant = models.ForeignKey(
        Participant, models.CASCADE, null=True, blank=True, related_name="mails", verbose_name=_("participant")
    )
    registration = models.ForeignKey(
        Registration, models.CASCADE, null=True, blank=True, related_name="mails", verbose_name=_("registration")
    )
    announcement = models.ForeignKey(
        Announcement, models.CASCADE, null=True, blank=True, related_name="mails", verbose_name=_("announcement")
    )
    context = models.JSONField(
        _("facts"),
        default=dict,
        blank=True,
        help_text=_("What only this mail knows, such as a code. Emptied when it is of no use any more."),
    )
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("queued at"), default=timezone.now, editable=False)
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    not_after = models.DateTimeField(
        _("not after"), null=True, blank=True, help_text=_("Of no use later, such as a code: then it is cancelled.")
    )
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True, editable=False)
    subject = models.CharField(_("subject as sent"), max_length=300, blank=True)
    text = models.TextField(_("text as sent"), blank=True)
    html = models.TextField(_("HTML as sent"), blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mail")
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="SENDING") | Q(claimed_at__isnull=False), name="mail_claimed_at_while_sending"
            ),
            models.CheckConstraint(condition=~Q(status="SENT") | Q(sent_at__isnull=False), name="mail_sent_at"),
        ]
        indexes = [
            models.Index(
                F("priority"),
                F("not_before"),
                F("id"),
                condition=Q(status__in=["QUEUED", "RETRY"]),
                name="mail_due",
            ),
            # Serves the sweep of stuck rows and the count for MAIL_PER_MINUTE.
            models.Index(fields=["claimed_at"], name="mail_claimed"),
            # Each sign-up looks for a code that has just left for its address.
            models.Index(fields=["to", "created_at"], condition=Q(kind="code"), name="mail_code"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.to}"

    def save(self, *args: object, **kwargs: object) -> None:
        if not self.message_id:
            self.message_id = new_message_id()
        super().save(*args, **kwargs)  # type: ignore[arg-type]


def new_message_id() -> str:
    """Ours, not the mailer's: however often a message is tried it bears the same one."""
    return f"<{uuid.uuid4()}@{settings.SITE_HOST}>"
