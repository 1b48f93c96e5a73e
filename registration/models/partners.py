from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.models import Organisation, Webinar
from registration.models.people import User


class PartnerMember(models.Model):
    """A person of a partner organisation who may see its attendees; a manager also says who else may."""

    class Role(models.TextChoices):
        MANAGER = "manager", _("Manager")
        VIEWER = "viewer", _("Viewer")

    user = models.ForeignKey(User, models.CASCADE, related_name="partner_memberships", verbose_name=_("account"))
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="members", verbose_name=_("organisation")
    )
    role = models.CharField(
        _("role"),
        max_length=8,
        choices=Role,
        default=Role.VIEWER,
        help_text=_("A manager invites and removes colleagues and sees who took which list."),
    )
    created_at = models.DateTimeField(_("added at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("partner's person")
        verbose_name_plural = _("partners' people")
        constraints = [models.UniqueConstraint(fields=["user", "organisation"], name="partner_member_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.organisation}"


class Download(models.Model):
    """Who took which list, when, how many rows, which columns."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="downloads", verbose_name=_("account"))
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="downloads", verbose_name=_("organisation")
    )
    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="downloads", verbose_name=_("webinar"))
    format = models.CharField(_("format"), max_length=4, choices=Format)
    rows = models.PositiveIntegerField(_("rows"))
    columns = models.TextField(_("columns"))
    downloaded_at = models.DateTimeField(_("downloaded at"), default=timezone.now)

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")

    def __str__(self) -> str:
        return f"{self.organisation} · {self.webinar} · {self.format}"
