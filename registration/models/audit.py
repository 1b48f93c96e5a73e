from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.models import Organisation
from registration.models.people import User


class AuditEntry(models.Model):
    """What somebody of the staff or of a partner did with people's data. The database lets nobody change or delete it.

    Keys of rows are plain numbers: the entry outlives what it tells of. Names and networks are blanked in the end.
    """

    class Action(models.TextChoices):
        LOOKED_AT = "looked_at", _("Looked at")
        LISTED = "listed", _("Looked through a list")
        LOOKED_AT_SENSITIVE = "sensitive", _("Looked at sensitive answers")
        ADDED = "added", _("Added")
        CHANGED = "changed", _("Changed")
        DELETED = "deleted", _("Deleted")
        ACTED = "acted", _("Carried out")
        DOWNLOADED = "downloaded", _("Downloaded")
        READ_BY_TOKEN = "read_by_token", _("Read by a program")
        INVITED = "invited", _("Gave a role by invitation")
        TOOK_ROLE = "took_role", _("Took up a role")
        ENDED_ROLE = "ended_role", _("Ended a role")
        ENDED_SESSIONS = "ended_sessions", _("Signed somebody out")
        REFUSED = "refused", _("Was refused")

    at = models.DateTimeField(_("at"), default=timezone.now)
    actor = models.ForeignKey(
        User,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,  # the one below does
        related_name="+",
        verbose_name=_("by"),
        help_text=_("Empty: a program, by its token."),
    )
    actor_name = models.CharField(_("name of who did it"), max_length=254, blank=True)
    action = models.CharField(_("action"), max_length=16, choices=Action)
    object_type = models.CharField(_("kind of row"), max_length=80, help_text=_("Such as registration.participant."))
    object_id = models.CharField(_("key of the row"), max_length=40, blank=True)
    object_name = models.CharField(_("name of the row"), max_length=200, blank=True)
    participant_id = models.BigIntegerField(_("key of the participant"), null=True, blank=True)
    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("organisation"),
        help_text=_("Whose person did it, when it was a partner's."),
    )
    webinar_id = models.BigIntegerField(_("key of the webinar"), null=True, blank=True)
    rows = models.PositiveIntegerField(_("people"), null=True, blank=True)
    details = models.CharField(_("details"), max_length=500, blank=True, help_text=_("Such as fields or columns."))
    network = models.CharField(_("from where"), max_length=45, blank=True, help_text=_("The network, or the program."))
    blanked_at = models.DateTimeField(_("names blanked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_by_time"),
            models.Index(fields=["participant_id", "-at"], name="audit_by_participant"),
            models.Index(fields=["organisation", "-at"], name="audit_by_organisation"),
            models.Index(fields=["actor", "-at"], name="audit_by_actor"),
            models.Index(fields=["action", "-at"], name="audit_by_action"),
            models.Index(fields=["object_type", "-at"], name="audit_by_kind"),
            models.Index(fields=["object_id", "object_type"], name="audit_by_row"),
            models.Index(fields=["at"], condition=models.Q(blanked_at=None), name="audit_with_names"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} · {self.get_action_display()} · {self.object_name or self.object_type}"
