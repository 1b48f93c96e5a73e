from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.models import Organisation
from registration.models.people import User


class Role(models.TextChoices):
    """What a person may do: a group of staff's permissions, or her place in a partner organisation."""

    OWNER = "owner", _("Owner")
    ORGANISER = "organiser", _("Organiser")
    EDITOR = "editor", _("Editor")
    MAIL_DESK = "mail_desk", _("Mail desk")
    OBSERVER = "observer", _("Observer")
    PARTNER_MANAGER = "partner_manager", _("Partner's manager")
    PARTNER_VIEWER = "partner_viewer", _("Partner's viewer")

    @property
    def is_partners(self) -> bool:
        return self in (Role.PARTNER_MANAGER, Role.PARTNER_VIEWER)


class RoleInvitationQuerySet(models.QuerySet["RoleInvitation"]):
    def open(self, now: datetime) -> "RoleInvitationQuerySet":
        return self.filter(taken_at=None, revoked_at=None, ends_at__gt=now)


class RoleInvitation(models.Model):
    """By mail, to an address that may have no account yet: who proves it gets the role. See `roles.py`."""

    email = models.EmailField(_("email"))
    role = models.CharField(_("role"), max_length=16, choices=Role)
    organisation = models.ForeignKey(
        Organisation,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="role_invitations",
        verbose_name=_("organisation"),
        help_text=_("For a partner's role."),
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="id")
    invited_by = models.ForeignKey(
        User, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("invited by")
    )
    created_at = models.DateTimeField(_("invited at"), default=timezone.now, editable=False)
    ends_at = models.DateTimeField(_("good until"), editable=False)
    taken_at = models.DateTimeField(_("taken up at"), null=True, blank=True, editable=False)
    taken_by = models.ForeignKey(
        User, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("taken up by")
    )
    revoked_at = models.DateTimeField(_("taken back at"), null=True, blank=True, editable=False)

    objects = RoleInvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation to a role")
        verbose_name_plural = _("invitations to a role")
        constraints = [
            models.UniqueConstraint(
                fields=["email", "role", "organisation"],
                condition=Q(taken_at=None, revoked_at=None),
                nulls_distinct=False,
                name="role_invitation_open_once",
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="role_invitation_email_lower_case"),
            models.CheckConstraint(
                condition=Q(role__startswith="partner_", organisation__isnull=False)
                | (~Q(role__startswith="partner_") & Q(organisation=None)),
                name="role_invitation_names_organisation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} · {self.get_role_display()}"
