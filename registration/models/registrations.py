import secrets
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.models import Organisation, Webinar
from registration.models.people import Participant, User

# No O/0 and I/1: people read codes aloud.
CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_code() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _place in range(10))


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def confirmed(self) -> "RegistrationQuerySet":
        return self.filter(status=Registration.Status.CONFIRMED)

    def pending(self) -> "RegistrationQuerySet":
        return self.filter(status=Registration.Status.PENDING)

    def waiting(self) -> "RegistrationQuerySet":
        """The waiting list, first come first."""
        return self.filter(status=Registration.Status.WAITLISTED).order_by("waitlisted_at", "pk")

    def live(self) -> "RegistrationQuerySet":
        return self.filter(status__in=[Registration.Status.CONFIRMED, Registration.Status.WAITLISTED])

    def held_longer_than(self, now: datetime) -> "RegistrationQuerySet":
        return self.pending().filter(held_until__lte=now)

    def in_order(self) -> "RegistrationQuerySet":
        return self.order_by("webinar__date", F("webinar__starts_at").asc(nulls_last=True), "webinar__number", "pk")

    def managed_by(self, user: User) -> "RegistrationQuerySet":
        return self.filter(participant__account=user)

    def shared_with(self, organisation: Organisation) -> "RegistrationQuerySet":
        """Confirmed, in its own webinars, of people whose consent covers it: all that a partner may see."""
        return self.confirmed().filter(
            webinar__hosts=organisation,
            participant__consents__purpose="partner",
            participant__consents__organisation=organisation,
            participant__consents__withdrawn_at=None,
            participant__restricted_at=None,
        )


class Registration(models.Model):
    class Status(models.TextChoices):
        PENDING = "PENDING", _("Waiting for the code")
        CONFIRMED = "CONFIRMED", _("Confirmed")
        WAITLISTED = "WAITLISTED", _("On the waiting list")
        CANCELLED = "CANCELLED", _("Cancelled")

    class ZoomState(models.TextChoices):
        NONE = "none", _("Not sent to Zoom")
        SYNCED = "synced", _("Known to Zoom")
        RETRY = "retry", _("To be tried again")
        FAILED = "failed", _("Refused by Zoom")

    # Statuses that take a seat; the triggers of migration 0002 name them too.
    SEATED = (Status.PENDING, Status.CONFIRMED)

    participant = models.ForeignKey(
        Participant, models.CASCADE, related_name="registrations", verbose_name=_("participant")
    )
    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="registrations", verbose_name=_("webinar"))
    status = models.CharField(_("status"), max_length=10, choices=Status)
    code = models.CharField(_("registration code"), max_length=12, unique=True, default=new_code, editable=False)
    created_at = models.DateTimeField(_("signed up at"), default=timezone.now, editable=False)
    held_until = models.DateTimeField(_("seat held until"), null=True, blank=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True, editable=False)
    waitlisted_at = models.DateTimeField(_("on the waiting list since"), null=True, blank=True, editable=False)
    offered_at = models.DateTimeField(
        _("seat offered at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Close to the start a seat that has come free is offered, and held until `held until`."),
    )
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True, editable=False)
    cancel_reason = models.CharField(_("reason"), max_length=300, blank=True, db_default="", editable=False)
    link_version = models.PositiveSmallIntegerField(
        _("version of the personal link"), db_default=1, editable=False, help_text=_("Raised, all earlier links end.")
    )
    zoom_registrant_id = models.CharField(_("Zoom registrant ID"), max_length=64, blank=True, editable=False)
    zoom_join_url = models.URLField(_("personal Zoom address"), max_length=1000, blank=True, editable=False)
    zoom_state = models.CharField(
        _("Zoom state"), max_length=8, choices=ZoomState, default=ZoomState.NONE, editable=False
    )
    zoom_error = models.TextField(_("Zoom error"), blank=True, editable=False)
    zoom_synced_at = models.DateTimeField(_("sent to Zoom at"), null=True, blank=True, editable=False)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        constraints = [
            models.UniqueConstraint(fields=["participant", "webinar"], name="registration_once_a_webinar"),
            models.CheckConstraint(
                condition=Q(status="PENDING", held_until__isnull=False) | (~Q(status="PENDING") & Q(held_until=None)),
                name="registration_held_while_pending",
            ),
            models.CheckConstraint(
                condition=~Q(status="CONFIRMED") | Q(confirmed_at__isnull=False), name="registration_confirmed_at"
            ),
            models.CheckConstraint(
                condition=~Q(status="WAITLISTED") | Q(waitlisted_at__isnull=False), name="registration_waitlisted_at"
            ),
            models.CheckConstraint(
                condition=~Q(status="CANCELLED") | Q(cancelled_at__isnull=False), name="registration_cancelled_at"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "CONFIRMED", "WAITLISTED", "CANCELLED"]),
                name="registration_status_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["webinar", "waitlisted_at", "id"], condition=Q(status="WAITLISTED"), name="registration_waiting"
            ),
            models.Index(fields=["held_until"], condition=Q(status="PENDING"), name="registration_held"),
            models.Index(fields=["webinar", "status", "id"], name="registration_by_webinar"),
        ]

    def __str__(self) -> str:
        return f"{self.participant} · {self.webinar}"

    @property
    def is_confirmed(self) -> bool:
        return self.status == self.Status.CONFIRMED

    @property
    def is_waitlisted(self) -> bool:
        return self.status == self.Status.WAITLISTED

    @property
    def is_live(self) -> bool:
        return self.is_confirmed or self.is_waitlisted

    @property
    def changed_at(self) -> datetime:
        """Her latest step: signing up, a seat, the waiting list or leaving."""
        steps = (self.created_at, self.confirmed_at, self.waitlisted_at, self.cancelled_at)
        return max(at for at in steps if at)

    @property
    def join_url(self) -> str:
        """Her own Zoom address, or the webinar's. Only the redirect of her personal link may use it."""
        return self.zoom_join_url or self.webinar.join_url

    def room_state(self, now: datetime) -> str:
        """What her personal link leads to: webinar_cancelled, over, waiting, cancelled, no_hour, early, no_room, open."""
        webinar = self.webinar
        if webinar.is_cancelled:
            return "webinar_cancelled"
        if webinar.is_over(now):
            return "over"
        if self.is_waitlisted:
            return "waiting"
        if not self.is_confirmed:
            return "cancelled"
        if not webinar.is_open_for_joining(now):
            return "early" if webinar.starts_at else "no_hour"
        return "open" if self.join_url else "no_room"

    def place_in_line(self) -> int:
        """Her place on the waiting list, 1 for the next."""
        since = self.waitlisted_at
        ahead = Q(waitlisted_at__lt=since) | Q(waitlisted_at=since, pk__lt=self.pk)
        return Registration.objects.waiting().filter(ahead, webinar=self.webinar_id).count() + 1

    def set_status(self, status: "Registration.Status", *, now: datetime, held_until: datetime | None = None) -> None:
        """One transition with its time. Callers hold the lock on the webinar (signup.py, waitinglist.py)."""
        self.status, self.held_until = status, held_until
        moment = {
            self.Status.CONFIRMED: "confirmed_at",
            self.Status.WAITLISTED: "waitlisted_at",
            self.Status.CANCELLED: "cancelled_at",
        }.get(status)
        if moment:
            setattr(self, moment, now)
        self.save(update_fields=["status", "held_until", *([moment] if moment else [])])


class SeatCount(models.Model):
    """Seats taken in a webinar, kept by the database's own triggers (migration 0002), which refuse to exceed the capacity."""

    webinar = models.OneToOneField(
        Webinar, models.CASCADE, primary_key=True, related_name="seat_count", verbose_name=_("webinar")
    )
    taken = models.PositiveIntegerField(_("seats taken"), default=0, help_text=_("Confirmed or held."))
    held = models.PositiveIntegerField(_("of these held"), db_default=0)
    reserved = models.PositiveIntegerField(_("kept for invited people"), db_default=0)

    class Meta:
        verbose_name = _("seat count")
        verbose_name_plural = _("seat counts")

    def __str__(self) -> str:
        return str(self.taken)


class Attendance(models.Model):
    class Source(models.TextChoices):
        LINK = "link", _("Personal link")
        WEBHOOK = "webhook", _("Zoom, as it happened")
        REPORT = "report", _("Zoom's report")
        HAND = "hand", _("Entered by hand")

    registration = models.ForeignKey(
        Registration, models.CASCADE, related_name="attendances", verbose_name=_("registration")
    )
    source = models.CharField(_("source"), max_length=8, choices=Source)
    joined_at = models.DateTimeField(_("joined at"))
    left_at = models.DateTimeField(_("left at"), null=True, blank=True)

    class Meta:
        verbose_name = _("attendance")
        verbose_name_plural = _("attendances")
        constraints = [
            models.UniqueConstraint(fields=["registration", "source", "joined_at"], name="attendance_once"),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(left_at__gte=F("joined_at")), name="attendance_leaves_after_joining"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registration} · {self.get_source_display()}"


class Certificate(models.Model):
    registration = models.OneToOneField(
        Registration, models.CASCADE, related_name="certificate", verbose_name=_("registration")
    )
    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name as printed"), max_length=120)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    issued_at = models.DateTimeField(_("issued at"), default=timezone.now)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")

    def __str__(self) -> str:
        return self.code


class Feedback(models.Model):
    """What a participant says of a webinar."""

    registration = models.OneToOneField(
        Registration, models.CASCADE, related_name="feedback", verbose_name=_("registration")
    )
    rating = models.PositiveSmallIntegerField(_("rating, 1 to 5"))
    text = models.TextField(_("text"), blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [
            models.CheckConstraint(condition=Q(rating__range=(1, 5)), name="feedback_rating_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"{self.registration.webinar} · {self.rating}"
