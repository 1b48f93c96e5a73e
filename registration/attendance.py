"""Who was there. The click on the personal link, Zoom's webhook, Zoom's report and an organiser's hand are the sources."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from registration import webhooks
from registration.models import Attendance, Registration


def record_click(registration: Registration, *, now: datetime) -> None:
    """The first click counts; she may come back through the same link as often as her line breaks."""
    with transaction.atomic():
        # A double click is two requests at once: one after the other.
        Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
        clicks = Attendance.objects.filter(registration=registration, source=Attendance.Source.LINK)
        if not clicks.exists():
            Attendance.objects.create(registration=registration, source=Attendance.Source.LINK, joined_at=now)
            webhooks.ring_soon()


def in_the_room(registrations: Iterable[int], *, since: datetime) -> set[int]:
    """Who of them has come since then, and has not left as far as is known. `reminders.QUEUED` says the same."""
    came = Attendance.objects.filter(registration__in=registrations, left_at=None, joined_at__gte=since)
    left = Attendance.objects.filter(registration=OuterRef("registration"), left_at__gte=OuterRef("joined_at"))
    return set(came.exclude(Exists(left)).values_list("registration", flat=True))
