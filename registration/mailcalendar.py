"""The calendar file of a mail. Thousands in a row differ in few lines: what is the same for all is written once."""

from collections.abc import Iterable
from datetime import UTC
from functools import cache

from django.utils.translation import get_language

from conference import calendars
from registration import stencils
from registration.calendars import entry_of
from registration.models import Registration

LINE, FOLD = "\r\n", "\r\n "
SAMPLE = "https://example.org/sample"
UID, URL, URL_IN_WORDS, STAMP, REVISION = (f"\ue000{number}\ue001" for number in range(5))
OWN_LINES = {
    "UID": UID,
    "URL": URL,
    "DTSTAMP": f"DTSTAMP:{STAMP}",
    "LAST-MODIFIED": f"LAST-MODIFIED:{STAMP}",
    "SEQUENCE": f"SEQUENCE:{REVISION}",
}
WORDS = [f"{field}_{language}" for field in ("title", "summary", "description") for language in ("ind", "en")]
MOST = 200
kept: dict[object, stencils.Stencil] = {}


def file_of(registrations: Iterable[tuple[Registration, str]]) -> bytes:
    """What `calendars.calendar_file` says of them, each with her own link."""
    language = get_language()
    head, tail = frame(language)
    events = [event(registration, url, language) for registration, url in registrations]
    return "".join([head, *events, tail]).encode()


@cache
def frame(language: str | None) -> tuple[str, str]:
    """Of a calendar in the active language. An empty one holds a time zone."""
    head, _begin, rest = calendars.calendar_file([]).decode().partition(f"BEGIN:VTIMEZONE{LINE}")
    return head, rest.partition(f"END:VTIMEZONE{LINE}")[2]


def event(registration: Registration, url: str, language: str | None) -> str:
    entry, webinar = entry_of(registration, url), registration.webinar
    # The columns, since asking for the text in the active language takes longer than all else here.
    said = [getattr(webinar, column) for column in WORDS]
    key = (language, *said, webinar.status, webinar.date, webinar.starts_at, webinar.expected_end, entry[-3:])
    if (stencil := kept.get(key)) is None:
        if len(kept) >= MOST:
            kept.clear()
        stencil = kept[key] = draw(entry)
    stamp = entry.revised_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return stencils.fill(
        stencil, [folded(f"UID:{entry.uid}"), folded(f"URL:{url}"), folded(url), stamp, str(entry.revision)]
    )


def draw(entry: calendars.Entry) -> stencils.Stencil:
    file = calendars.calendar_file([entry._replace(url=SAMPLE)]).decode().replace(FOLD, "")
    begin, end = file.index("BEGIN:VEVENT"), file.index("END:VCALENDAR")
    return stencils.cut("".join(blanked(line) + LINE for line in file[begin:end].splitlines()))


def blanked(line: str) -> str:
    name, _colon, _value = line.partition(":")
    if name == "DESCRIPTION":  # it ends with her link
        return folded(line.removesuffix(SAMPLE)) + FOLD + URL_IN_WORDS
    return OWN_LINES.get(name) or folded(line)


def folded(line: str) -> str:
    """At most 75 bytes a line, cut neither within a character nor within an escape."""
    data, pieces = line.encode(), []
    while data:
        end = 74
        while end < len(data) and (data[end] & 0xC0 == 0x80 or data[end - 1 : end] == b"\\"):
            end -= 1
        pieces.append(data[:end].decode())
        data = data[end:]
    return FOLD.join(pieces)
