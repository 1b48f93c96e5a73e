from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registration.models.people import Participant, User
from registration.models.registrations import Registration


class Event(models.Model):
    """One step in a person's history. Written by `history.note` with the fact itself, never changed."""

    class Kind(models.TextChoices):
        SIGNED_UP = "signed_up", _("Signed up")
        HELD = "held", _("Seat held until the code is entered")
        HOLD_EXPIRED = "hold_expired", _("Held seat passed on: no code came")
        CONFIRMED = "confirmed", _("Confirmed")
        WAITLISTED = "waitlisted", _("Put on the waiting list")
        PROMOTED = "promoted", _("Moved up from the waiting list")
        OFFERED = "offered", _("Seat offered")
        OFFER_EXPIRED = "offer_expired", _("Offered seat passed on")
        CANCELLED = "cancelled", _("Cancelled")
        MOVED = "moved", _("Moved from another webinar")
        INVITED = "invited", _("Took up an invitation")
        MERGED = "merged", _("Merged with another entry")
        HANDED_OVER = "handed_over", _("Handed over to an account of her own")
        CORRECTED = "corrected", _("Data corrected")
        LOOKED_AT = "looked_at", _("Data looked at")
        TAKEN_ALONG = "taken_along", _("Data downloaded")
        RESTRICTED = "restricted", _("Use restricted")
        UNRESTRICTED = "unrestricted", _("Restriction lifted")
        CONSENTED = "consented", _("Consent given")
        WITHDRAWN = "withdrawn", _("Consent withdrawn")
        UNSUBSCRIBED = "unsubscribed", _("Wants no announcements any more")
        SUBSCRIBED = "subscribed", _("Wants announcements again")
        LINKS_RENEWED = "links_renewed", _("Personal links renewed")

    participant = models.ForeignKey(Participant, models.CASCADE, related_name="events", verbose_name=_("participant"))
    registration = models.ForeignKey(
        Registration, models.SET_NULL, null=True, blank=True, related_name="events", verbose_name=_("registration")
    )
    kind = models.CharField(_("step"), max_length=16, choices=Kind)
    actor = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
        help_text=_("Empty: the site itself, by its rules."),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    note = models.CharField(_("note"), max_length=300, blank=True, help_text=_("Such as the reason, or the fields."))

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("history")
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["participant", "at"], name="event_by_participant"),
            models.Index(fields=["-at", "-id"], name="event_list"),
            models.Index(fields=["kind", "-at", "-id"], name="event_list_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.participant} · {self.get_kind_display()}"
