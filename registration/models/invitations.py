from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.models import Webinar
from registration.models.people import Participant, User, leads_elsewhere
from registration.models.registrations import Registration


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> "InvitationQuerySet":
        return self.filter(status=Invitation.Status.OPEN)


class Invitation(models.Model):
    """A seat kept for a person whom the organisers want there, until she answers or its time is over."""

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting for an answer")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        EXPIRED = "expired", _("Expired")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="invitations", verbose_name=_("webinar"))
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("email"))
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="id")
    message = models.TextField(_("personal words"), blank=True, max_length=1000)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN, editable=False)
    expires_at = models.DateTimeField(_("seat kept until"))
    link_version = models.PositiveSmallIntegerField(_("version of the link"), default=1, editable=False)
    registration = models.ForeignKey(
        Registration,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="invitations",
        verbose_name=_("registration"),
    )
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, editable=False, related_name="+", verbose_name=_("invited by")
    )
    created_at = models.DateTimeField(_("invited at"), default=timezone.now, editable=False)
    reminded_at = models.DateTimeField(_("reminded at"), null=True, blank=True, editable=False)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                fields=["webinar", "email"],
                condition=Q(status="open"),
                name="invitation_open_once",
                violation_error_message=_("This address has an open invitation to the webinar already."),
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_lower_case"),
        ]
        indexes = [models.Index(fields=["expires_at"], condition=Q(status="open"), name="invitation_open")]

    def __str__(self) -> str:
        return f"{self.name} · {self.webinar}"

    def is_open(self, now: datetime) -> bool:
        return self.status == self.Status.OPEN and now < self.expires_at


class Handover(models.Model):
    """A participant in another's care on her way to an account of her own; the link in its mail carries it out."""

    participant = models.ForeignKey(
        Participant, models.CASCADE, related_name="handovers", verbose_name=_("participant")
    )
    email = models.EmailField(_("email"))
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("handed over by")
    )
    created_at = models.DateTimeField(_("sent at"), default=timezone.now, editable=False)
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("taken back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")
        constraints = [
            models.UniqueConstraint(
                fields=["participant"], condition=Q(accepted_at=None, withdrawn_at=None), name="handover_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant} · {self.email}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.withdrawn_at is None

    @property
    def carer_name(self) -> str:
        """For a mail to somebody who may not know her; nothing that would be a link there."""
        name = self.created_by.name if self.created_by else ""
        return "" if leads_elsewhere(name) else name

    @property
    def carer_first_name(self) -> str:
        """For the page, whose link may be forwarded."""
        return Participant(name=self.carer_name).first_name
