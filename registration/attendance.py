"""Who was there. The click on the personal link, Zoom's webhook, Zoom's report and an organiser's hand are the sources."""

from datetime import datetime

from registration.models import Attendance, Registration


def record_click(registration: Registration, *, now: datetime) -> None:
    """The first click counts; she may come back through the same link as often as her line breaks."""
    Attendance.objects.get_or_create(
        registration=registration, source=Attendance.Source.LINK, defaults={"joined_at": now}
    )
