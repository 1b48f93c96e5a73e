"""Addresses that carry a webinar elsewhere: WhatsApp, with a ready text, and Google's calendar."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from conference.agenda import local_date
from conference.models import Webinar
from conference.timezones import day, spoken_hours


def full_address(path: str) -> str:
    return settings.SITE_URL + path


def when_in_words(webinar: Webinar) -> str:
    """Day and hours on lines of their own; or the day, and that the hour is to be confirmed."""
    date = day(local_date(webinar.date, webinar.starts_at))
    if webinar.starts_at is None:
        return "\n".join([date, _("Hour to be confirmed")])
    return "\n".join([date, *spoken_hours(webinar.starts_at, webinar.ends_at)])


def whatsapp_address(webinar: Webinar) -> str:
    text = "\n".join([webinar.title, when_in_words(webinar), "", full_address(webinar.get_absolute_url())])
    return "https://wa.me/?" + urlencode({"text": text})


def google_address(webinar: Webinar) -> str:
    address = full_address(webinar.get_absolute_url())
    return "https://calendar.google.com/calendar/render?" + urlencode(
        {
            "action": "TEMPLATE",
            "text": webinar.title,
            "dates": google_dates(webinar),
            "details": f"{when_in_words(webinar)}\n\n{address}",
            "location": address,
        }
    )


def google_dates(webinar: Webinar) -> str:
    if webinar.starts_at is None or webinar.expected_end is None:
        return f"{webinar.date:%Y%m%d}/{webinar.date + timedelta(days=1):%Y%m%d}"
    return f"{utc_stamp(webinar.starts_at)}/{utc_stamp(webinar.expected_end)}"


def utc_stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
