import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import models, transaction
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Left, Trim
from django.utils import timezone
from django.utils.translation import gettext
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
    started_at = models.DateTimeField(_("started at"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, editable=False, verbose_name=_("written by")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        permissions = [("send_announcement", _("Can send announcements"))]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def is_on_its_way(self) -> bool:
        """What a worker may send: its mails can be tried again after the end too."""
        return self.status in (self.Status.SENDING, self.Status.SENT)

    @property
    def has_english(self) -> bool:
        return bool(self.subject_en and self.body_en)  # type: ignore[attr-defined]  # columns of modeltranslation


# What a server says about one mail alone, in the order in which it is taken out of its words. Its own codes, such as 550
# and 5.1.1, stay.
OF_ONE_MAIL = [
    (r"\s+", " "),
    (r"https?://\S+", "…"),
    (r"<?[^\s<>@]+@[^\s<>@]+>?", "…"),
    (r"\m[0-9]{1,3}(\.[0-9]{1,3}){3}\M", "…"),
    # A number of the queue or the session.
    (r"\m(?=[[:alpha:]]*[0-9])[[:alnum:]]{6,}([._-][[:alnum:]]+)*\M", "…"),
]


def shared_words() -> models.GeneratedField:
    """What went wrong, in words that many mails have in common, so that they can be counted together."""
    words: models.expressions.Combinable = F("error")
    for pattern, instead in OF_ONE_MAIL:
        words = Func(words, Value(pattern), Value(instead), Value("g"), function="regexp_replace")
    short = Trim(Left(words, 150))
    text = models.CharField(max_length=150)
    return models.GeneratedField(expression=short, output_field=text, db_persist=True, verbose_name=_("reason"))


def in_words(error: str) -> str:
    """Our own reasons in the reader's language, a server's words as they came. The rows hold all in English."""
    return gettext(error) if error else ""


# As `addresses.key`: mail to name+tag@ is found with that to name@.
TO_KEY = Func(F("to"), Value(r"\+[^@]*@"), Value("@"), function="regexp_replace", output_field=models.CharField())


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def due(self, now: datetime) -> "OutgoingMailQuerySet":
        """To be sent now, the most urgent first."""
        waiting = self.filter(status__in=[OutgoingMail.Status.QUEUED, OutgoingMail.Status.RETRY], not_before__lte=now)
        return waiting.order_by("priority", "not_before", "pk")

    def stuck_since(self, moment: datetime) -> "OutgoingMailQuerySet":
        return self.filter(status=OutgoingMail.Status.SENDING, claimed_at__lte=moment)

    def update_in_order(self, **fields: Any) -> int:
        """A change of many: all that make one take the rows in the same order, so that no two wait for each other."""
        rows = self.order_by("pk").select_for_update(of=("self",), no_key=True)
        with transaction.atomic(savepoint=False):
            return OutgoingMail.objects.filter(pk__in=rows.values("pk")).update(**fields)


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
        REMINDER = "reminder", _("Reminder")
        WEBINAR_CHANGED = "webinar_changed", _("Hour or link changed")
        ANNOUNCEMENT = "announcement", _("Announcement")
        PARTNER_LIST = "partner_list", _("New list for a partner")
        ROLE_INVITATION = "role_invitation", _("Invitation to a role")
        FILE_READY = "file_ready", _("File is ready")
        DIGEST = "digest", _("Digest for organisers")
        ALERT = "alert", _("Failure alert")

    class Priority(models.IntegerChoices):
        URGENT = 0, _("At once")
        NORMAL = 5, _("Soon")
        TIMELY = 7, _("Before its hour")
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
    key = models.CharField(_("key"), max_length=200, help_text=_("The same mail can't be queued twice."))
    to = models.EmailField(_("to"))
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    participant = models.ForeignKey(
        Participant, models.CASCADE, null=True, blank=True, related_name="mails", verbose_name=_("participant")
    )
    # Most mails are about neither: their indexes, below, hold those that are.
    registration = models.ForeignKey(
        Registration,
        models.CASCADE,
        null=True,
        blank=True,
        db_index=False,
        related_name="mails",
        verbose_name=_("registration"),
    )
    announcement = models.ForeignKey(
        Announcement,
        models.CASCADE,
        null=True,
        blank=True,
        db_index=False,
        related_name="mails",
        verbose_name=_("announcement"),
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
    # Of workers that had it in hand, since it was last written without harm.
    deaths = models.PositiveSmallIntegerField(_("workers lost"), default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(_("queued at"), default=timezone.now, editable=False)
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    not_after = models.DateTimeField(
        _("not after"), null=True, blank=True, help_text=_("Of no use later, such as a code: then it is cancelled.")
    )
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    reason = shared_words()
    message_id = models.CharField(_("Message-ID"), max_length=200, editable=False)
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
            # Not by unique=True, which brings a second index each for a search that nobody does: every mail pays for it.
            models.UniqueConstraint(fields=["key"], name="mail_key_once"),
            models.UniqueConstraint(fields=["message_id"], name="mail_message_id_once"),
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
            models.Index(fields=["claimed_at"], condition=Q(claimed_at__isnull=False), name="mail_claimed"),
            models.Index(fields=["registration"], condition=Q(registration__isnull=False), name="mail_by_registration"),
            # An announcement's progress, while thousands of its mails are on their way.
            models.Index(
                fields=["announcement", "status"],
                condition=Q(announcement__isnull=False),
                name="mail_by_announcement",
            ),
            # Mails in the minutes of the last hour.
            models.Index(fields=["sent_at"], condition=Q(sent_at__isnull=False), name="mail_by_sent_at"),
            # The log: whole, of one kind, of one state (all but a few are sent), and to one address.
            models.Index(fields=["-created_at", "-id"], name="mail_log"),
            models.Index(fields=["kind", "-created_at", "-id"], name="mail_log_kind"),
            models.Index(fields=["status", "-created_at", "-id"], condition=~Q(status="SENT"), name="mail_log_status"),
            models.Index(OpClass(TO_KEY, name="text_pattern_ops"), name="mail_to"),
            # What went wrong, counted by reason.
            models.Index(
                fields=["reason", "status", "claimed_at"],
                condition=Q(status__in=["FAILED", "BOUNCED", "RETRY"]),
                name="mail_reason",
            ),
            # Each sign-up looks for a code that has just left for its address.
            models.Index(fields=["to", "created_at"], condition=Q(kind="code"), name="mail_code"),
            # What must be forgotten when it is of no use any more, each minute.
            models.Index(fields=["not_after"], condition=Q(kind="unknown_account"), name="mail_stranger"),
            models.Index(fields=["not_after"], condition=Q(kind="code") & ~Q(context={}), name="mail_live_code"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.to}"

    def save(self, *args: object, **kwargs: object) -> None:
        if not self.message_id:
            self.message_id = new_message_id()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def why(self) -> str:
        return in_words(self.error)


def new_message_id() -> str:
    """Ours, not the mailer's: however often a message is tried it bears the same one."""
    return f"<{uuid.uuid4()}@{settings.SITE_HOST}>"


class Heartbeat(models.Model):
    """When a process of the house last did its work: asking the workers themselves takes seconds, or for ever."""

    class Role(models.TextChoices):
        FAST = "fast", _("Codes")
        MAIL = "mail", _("All other mail")
        BEAT = "beat", _("The clock that wakes them")

    role = models.CharField(_("work"), max_length=4, choices=Role)
    worker = models.CharField(_("process"), max_length=100)
    seen_at = models.DateTimeField(_("last seen at"))

    class Meta:
        verbose_name = _("sign of life")
        verbose_name_plural = _("signs of life")
        constraints = [models.UniqueConstraint(fields=["role", "worker"], name="heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.role} · {self.worker}"
