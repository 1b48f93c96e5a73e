import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
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

    def held(self) -> "RegistrationQuerySet":
        """Waiting for the code that proves the address."""
        return self.pending().filter(offered_at=None)

    def offered(self) -> "RegistrationQuerySet":
        """Waiting for her answer to the seat that has come free."""
        return self.pending().filter(offered_at__isnull=False)

    def waiting(self) -> "RegistrationQuerySet":
        """The waiting list, first come first; without those who let an offer pass."""
        return self.filter(status=Registration.Status.WAITLISTED, offered_at=None).order_by("waitlisted_at", "pk")

    def live(self) -> "RegistrationQuerySet":
        """What a person has: a seat, the offer of one or a place in the line."""
        is_offered = Q(status=Registration.Status.PENDING, offered_at__isnull=False)
        return self.filter(Q(status__in=[Registration.Status.CONFIRMED, Registration.Status.WAITLISTED]) | is_offered)

    def held_longer_than(self, now: datetime) -> "RegistrationQuerySet":
        return self.pending().filter(held_until__lte=now)

    def put(
        self,
        rows: "Sequence[Registration]",
        status: "Registration.Status",
        *,
        now: datetime,
        held_until: datetime | None = None,
        offered_at: datetime | None = None,
        cancel_reason: str = "",
    ) -> None:
        """One transition of several rows, new ones among them. Callers hold the lock on the webinars."""
        fields: dict[str, Any] = {
            "status": status,
            "held_until": held_until,
            "offered_at": offered_at,
            "cancel_reason": cancel_reason,
        }
        if status in MOMENTS:
            fields[MOMENTS[status]] = now
        for row in rows:
            for name, value in fields.items():
                setattr(row, name, value)
        if known := [row.pk for row in rows if row.pk]:
            self.filter(pk__in=known).update(**fields)
        if new := [row for row in rows if not row.pk]:
            self.bulk_create(new)

    def in_order(self) -> "RegistrationQuerySet":
        return self.order_by("webinar__date", F("webinar__starts_at").asc(nulls_last=True), "webinar__number", "pk")

    def with_places(self) -> "RegistrationQuerySet":
        """Each with its place on the waiting list, so that `place_in_line` asks nothing for each row."""
        waiting = Registration.objects.filter(webinar=OuterRef("webinar"), status="WAITLISTED").order_by()
        since, pk = OuterRef("waitlisted_at"), OuterRef("pk")
        ahead = Q(waitlisted_at__lt=since) | Q(waitlisted_at=since, pk__lt=pk)
        in_line, behind = waiting.filter(ahead, offered_at=None), waiting.filter(ahead | Q(offered_at=None))
        place = Case(
            When(status="WAITLISTED", offered_at=None, then=counted(in_line)),
            When(status="WAITLISTED", then=counted(behind)),
        )
        return self.annotate(known_place=place)

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


def counted(rows: RegistrationQuerySet) -> Combinable:
    """One more than there are."""
    counts = rows.values("webinar").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counts), 0) + 1


# When a transition happened.
MOMENTS = {"CONFIRMED": "confirmed_at", "WAITLISTED": "waitlisted_at", "CANCELLED": "cancelled_at"}


class Registration(models.Model):
    class Status(models.TextChoices):
        PENDING = "PENDING", _("Seat held")
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

    # The indexes below begin with both.
    participant = models.ForeignKey(
        Participant, models.CASCADE, db_index=False, related_name="registrations", verbose_name=_("participant")
    )
    webinar = models.ForeignKey(
        Webinar, models.PROTECT, db_index=False, related_name="registrations", verbose_name=_("webinar")
    )
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
            # The organisers' list: whole, of one webinar, of one state (most have a seat, or are not in Zoom).
            models.Index(fields=["-created_at", "-id"], name="registration_list"),
            models.Index(fields=["webinar", "-created_at", "-id"], name="registration_list_webinar"),
            models.Index(
                fields=["status", "-created_at", "-id"],
                condition=~Q(status="CONFIRMED"),
                name="registration_list_status",
            ),
            models.Index(
                fields=["zoom_state", "-created_at", "-id"],
                condition=~Q(zoom_state="none"),
                name="registration_list_zoom",
            ),
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
    def is_offered(self) -> bool:
        """A seat that came free close to the start is kept for her answer."""
        return self.status == self.Status.PENDING and self.offered_at is not None

    @property
    def has_let_pass(self) -> bool:
        """She did not answer an offer in time: she gets none by herself again, but may take a seat that is free."""
        return self.is_waitlisted and self.offered_at is not None

    def read_again(self) -> bool:
        """How it stands now; False when it is gone, its person with it."""
        try:
            self.refresh_from_db(fields=["status", "held_until", "offered_at", "waitlisted_at", "cancelled_at"])
        except Registration.DoesNotExist:
            return False
        return True

    @property
    def is_live(self) -> bool:
        return self.is_confirmed or self.is_waitlisted or self.is_offered

    @property
    def changed_at(self) -> datetime:
        """Her latest step: signing up, a seat, the waiting list or leaving."""
        steps = (self.created_at, self.confirmed_at, self.waitlisted_at, self.offered_at, self.cancelled_at)
        return max(at for at in steps if at)

    @property
    def join_url(self) -> str:
        """Her own Zoom address, or the webinar's. Only the redirect of her personal link may use it."""
        return self.zoom_join_url or self.webinar.join_url

    def room_state(self, now: datetime) -> str:
        """What her personal link leads to: webinar_cancelled, over, offered, waiting, passed, cancelled, no_hour, early, no_room,
        open."""
        webinar = self.webinar
        if webinar.is_cancelled:
            return "webinar_cancelled"
        if webinar.is_over(now):
            return "over"
        if self.is_offered:
            return "offered"
        if self.is_waitlisted:
            return "passed" if self.has_let_pass else "waiting"
        if not self.is_confirmed:
            return "cancelled"
        if not webinar.is_open_for_joining(now):
            return "early" if webinar.starts_at else "no_hour"
        return "open" if self.join_url else "no_room"

    def place_in_line(self) -> int:
        """Her place on the waiting list, 1 for the next. Whoever let an offer pass stands behind all others."""
        if "known_place" in self.__dict__:
            return self.known_place  # type: ignore[attr-defined]
        since = self.waitlisted_at
        ahead = Q(waitlisted_at__lt=since) | Q(waitlisted_at=since, pk__lt=self.pk)
        waiting = Registration.objects.filter(webinar=self.webinar_id, status=self.Status.WAITLISTED)
        if self.has_let_pass:
            ahead = Q(offered_at=None) | ahead
        else:
            ahead &= Q(offered_at=None)
        return waiting.filter(ahead).count() + 1

    def set_status(self, status: "Registration.Status", *, now: datetime, held_until: datetime | None = None) -> None:
        """One transition with its time. Callers hold the lock on the webinar (signup.py, waitinglist.py)."""
        Registration.objects.put([self], status, now=now, held_until=held_until)


class SeatCount(models.Model):
    """Seats taken in a webinar, kept by the database's own triggers (migration 0002), which refuse to exceed the capacity."""

    webinar = models.OneToOneField(
        Webinar, models.CASCADE, primary_key=True, related_name="seat_count", verbose_name=_("webinar")
    )
    taken = models.PositiveIntegerField(_("seats taken"), default=0, help_text=_("Confirmed or held."))
    held = models.PositiveIntegerField(_("of these held"), db_default=0)
    reserved = models.PositiveIntegerField(_("kept for invited people"), db_default=0)
    told_at = models.DateTimeField(
        _("told of the cancelled webinar at"),
        null=True,
        blank=True,
        help_text=_("Empty while it takes place, and until everybody has been written to."),
    )

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
        Registration, models.CASCADE, db_index=False, related_name="attendances", verbose_name=_("registration")
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
        indexes = [
            models.Index(fields=["-joined_at", "-id"], name="attendance_list"),
            models.Index(fields=["source", "-joined_at", "-id"], name="attendance_list_source"),
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
