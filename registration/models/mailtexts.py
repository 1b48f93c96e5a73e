"""What organisers write in place of a shipped mail, and who of the addressed can't be reached."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registration.models.mail import OutgoingMail
from registration.models.people import User


class MailTextQuerySet(models.QuerySet["MailText"]):
    def newest(self) -> "MailTextQuerySet":
        """The last version of each kind and language, an emptied one too."""
        return self.order_by("kind", "language", "-version").distinct("kind", "language")


class MailText(models.Model):
    """One version of a kind's words in one language; a change is a new version."""

    kind = models.CharField(_("kind"), max_length=20, choices=OutgoingMail.Kind)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    version = models.PositiveIntegerField(_("version"), editable=False)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    body = models.TextField(_("text"), blank=True, help_text=_("Markdown. Empty: the text that comes with the site."))
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, editable=False, related_name="+", verbose_name=_("written by")
    )
    created_at = models.DateTimeField(_("written at"), default=timezone.now, editable=False)
    broken_at = models.DateTimeField(_("not usable since"), null=True, blank=True, editable=False)
    fault = models.TextField(_("what is wrong with it"), blank=True, editable=False)

    objects = MailTextQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail text")
        verbose_name_plural = _("mail texts")
        constraints = [
            models.UniqueConstraint(fields=["kind", "language", "version"], name="mail_text_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.language} · {self.version}"


class BouncedAddressQuerySet(models.QuerySet["BouncedAddress"]):
    def in_force(self) -> "BouncedAddressQuerySet":
        return self.filter(cleared_at=None)


class BouncedAddress(models.Model):
    """An address that mail servers say does not exist: no mail is wasted on it until it is corrected."""

    email = models.EmailField(_("email"), unique=True)
    bounced_at = models.DateTimeField(_("bounced at"), default=timezone.now)
    words = models.TextField(_("the server's words"), blank=True)
    cleared_at = models.DateTimeField(_("in use again since"), null=True, blank=True)

    objects = BouncedAddressQuerySet.as_manager()

    class Meta:
        verbose_name = _("address that bounces")
        verbose_name_plural = _("addresses that bounce")

    def __str__(self) -> str:
        return self.email


class BounceReport(models.Model):
    """What a provider or a mail server told us, kept once however often it is told."""

    class Source(models.TextChoices):
        WEBHOOK = "webhook", _("Provider's notice")
        MAIL = "mail", _("Returned mail")
        REFUSAL = "refusal", _("Refused at once")

    key = models.CharField(_("key"), max_length=200, unique=True)
    source = models.CharField(_("source"), max_length=8, choices=Source)
    email = models.EmailField(_("email"))
    mail = models.ForeignKey(
        OutgoingMail, models.SET_NULL, null=True, blank=True, related_name="bounces", verbose_name=_("mail")
    )
    is_final = models.BooleanField(_("final"), help_text=_("Off: the server may take mail later."))
    words = models.TextField(_("the server's words"), blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("bounce")
        verbose_name_plural = _("bounces")
        indexes = [models.Index(fields=["email", "at"], name="bounce_by_email")]

    def __str__(self) -> str:
        return f"{self.email} · {self.at:%Y-%m-%d}"
