"""Addresses that carry a session elsewhere: WhatsApp, with a ready text, and the calendars of Google and Outlook."""

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from conference.models import AgendaItem, Webinar
from conference.timezones import BY_CODE, day, spoken_hours

# What is pasted from a word processor may hold characters that neither XML nor a calendar allows.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
OUTLOOK = {"personal": "https://outlook.live.com", "work": "https://outlook.office.com"}


def full_address(path: str) -> str:
    return settings.SITE_URL + path


def printable(text: str) -> str:
    return UNPRINTABLE.sub(" ", text)


# ---- Day and hours


def when_in_words(session: Webinar | AgendaItem, zone: str = "WITA") -> str:
    """Day and hours on lines of their own, the reader's zone first; or the day, and that the hour is to be confirmed."""
    return "\n".join(hours_in_words(session.date, session.starts_at, session.ends_at, zone))


def hours_in_words(on: date, starts_at: datetime | None, ends_at: datetime | None, zone: str = "WITA") -> list[str]:
    hours = spoken_hours(starts_at, ends_at, zone) if starts_at else [_("Hour to be confirmed")]
    return [day_in_words(on, starts_at, zone), *hours]


def day_in_words(on: date, starts_at: datetime | None, zone: str = "WITA") -> str:
    return day(starts_at.astimezone(BY_CODE[zone].info).date() if starts_at else on)


def utc_stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


# ---- One webinar


def short_path(webinar: Webinar) -> str:
    """To be read aloud: the number alone, while its edition is the current one."""
    if webinar.edition.is_current and 1 <= webinar.number <= 99:
        return reverse("conference:short", args=[webinar.number])
    return webinar.get_absolute_url()


def short_address(webinar: Webinar) -> str:
    """As it is said; empty where it isn't shorter."""
    path = short_path(webinar)
    return "" if path == webinar.get_absolute_url() else full_address(path).partition("://")[2]


def whatsapp_address(webinar: Webinar) -> str:
    """With a text that is ready to be sent; WhatsApp sets in bold what stands between two stars."""
    invitation = _("Online, free of charge, open to everyone.")
    if webinar.edition.is_rehearsal:
        invitation = _("This is a rehearsal.")
    title = f"*{webinar.title.replace('*', '')}*"
    text = "\n".join([title, when_in_words(webinar), "", invitation, full_address(short_path(webinar))])
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


def outlook_address(webinar: Webinar, kind: str = "personal") -> str:
    """Of a personal account, or of one at work or school. Outlook shows a plus as it is: blanks are %20."""
    address = full_address(webinar.get_absolute_url())
    facts = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": webinar.title,
        **outlook_hours(webinar),
        "body": f"{when_in_words(webinar)}\n\n{address}",
        "location": address,
    }
    return f"{OUTLOOK[kind]}/calendar/0/deeplink/compose?{urlencode(facts, quote_via=quote)}"


def outlook_hours(webinar: Webinar) -> dict[str, str]:
    if webinar.starts_at is None or webinar.expected_end is None:
        next_day = webinar.date + timedelta(days=1)
        return {"startdt": webinar.date.isoformat(), "enddt": next_day.isoformat(), "allday": "true"}
    moments = {"startdt": webinar.starts_at, "enddt": webinar.expected_end}
    return {name: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in moments.items()}


# ---- A calendar to subscribe to


def webcal_address(address: str) -> str:
    """Opens the calendar of a telephone or computer, which asks for the address again and again from then on."""
    return "webcal://" + address.partition("://")[2]


def google_subscription(address: str) -> str:
    return "https://calendar.google.com/calendar/r?" + urlencode({"cid": webcal_address(address)})
