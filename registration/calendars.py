"""Her webinars in her own calendar, by mail once or as a file to subscribe to."""

from django.conf import settings
from django.utils.translation import gettext as _

from conference import calendars
from conference.models import Webinar
from registration import links
from registration.models import Participant, Registration


def entry_of(registration: Registration, url: str = "") -> calendars.Entry:
    """Both the programme and her own steps change it: the revision must grow with either."""
    webinar, changed_at = registration.webinar, registration.changed_at
    steps = int((changed_at - registration.created_at).total_seconds())
    return calendars.Entry(
        webinar,
        uid=f"{registration.code}@{settings.SITE_HOST}",
        url=url or links.join(registration, signed_at=changed_at),
        revision=webinar.revision + registration.link_version + steps,
        revised_at=max(webinar.revised_at, changed_at),
        zone=registration.participant.time_zone,
        note=_("You are on the waiting list.") if registration.is_waitlisted else "",
        is_tentative=not registration.is_confirmed,
    )


def file_of(participant: Participant) -> bytes:
    """All webinars that she has a seat in or waits for, and that visitors may see."""
    shown = participant.registrations.live().exclude(webinar__status=Webinar.Status.DRAFT).in_order()
    entries = [entry_of(registration) for registration in shown.select_related("webinar", "participant")]
    name = _("KPT webinars of %(name)s") % {"name": participant.first_name}
    return calendars.calendar_file(entries, name=name)
