"""The three Indonesian time zones, and how hours and days are written. None has daylight saving (Presidential
Decree 41/1987)."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date
from django.utils.translation import get_language


@dataclass(frozen=True)
class Zone:
    code: str
    info: ZoneInfo


WIB = Zone("WIB", ZoneInfo("Asia/Jakarta"))
WITA = Zone("WITA", ZoneInfo("Asia/Makassar"))
WIT = Zone("WIT", ZoneInfo("Asia/Jayapura"))
ZONES = (WIB, WITA, WIT)
BY_CODE = {zone.code: zone for zone in ZONES}


@dataclass(frozen=True)
class Hour:
    """A span of time as one zone's clocks show it."""

    code: str
    starts: datetime
    ends: datetime | None
    is_other_day: bool  # its date isn't that of the zone named first

    @property
    def span(self) -> str:
        return f"{clock(self.starts)}–{clock(self.ends)}" if self.ends else clock(self.starts)

    def __str__(self) -> str:
        spoken = f"{self.span} {self.code}"
        return f"{spoken} ({day(self.starts)})" if self.is_other_day else spoken


def hours(at: datetime, first: str = "WITA") -> list[tuple[str, datetime]]:
    """The moment in the three zones as (code, local time), the reader's own zone first, the others west to east."""
    ordered = sorted(ZONES, key=lambda zone: zone.code != first)
    return [(zone.code, at.astimezone(zone.info)) for zone in ordered]


def hour_spans(starts_at: datetime, ends_at: datetime | None, first: str = "WITA") -> list[Hour]:
    starts = hours(starts_at, first)
    first_date = starts[0][1].date()
    return [
        Hour(code, at, ends_at.astimezone(at.tzinfo) if ends_at else None, at.date() != first_date)
        for code, at in starts
    ]


def spoken_hours(starts_at: datetime, ends_at: datetime | None, first: str = "WITA") -> list[str]:
    """As people write it: 10.00–12.00 WITA, 09.00–11.00 WIB, 11.00–13.00 WIT."""
    return [str(hour) for hour in hour_spans(starts_at, ends_at, first)]


def clock(local: datetime) -> str:
    """10.00 in Indonesian, 10:00 in English."""
    return local.strftime("%H.%M" if (get_language() or "id").startswith("id") else "%H:%M")


def day(of: date) -> str:
    """Rabu, 26 Agustus 2020; in English Wednesday, 26 August 2020."""
    return format_date(of, "l, j F Y")


def start_of(day: date) -> datetime:
    """Its first moment, in the site's own zone."""
    return datetime.combine(day, time.min, WITA.info)


def moment(at: datetime) -> str:
    """Rabu, 26 Agustus 2020, 10.00 WITA: organisers read all hours in the site's own zone."""
    local = at.astimezone(WITA.info)
    return f"{day(local)}, {clock(local)} WITA"


def days(first: date, last: date) -> str:
    """26–27 Agustus 2020, with as little said twice as the two dates allow."""
    end = format_date(last, "j F Y")
    if first == last:
        return end
    if first.year != last.year:
        return f"{format_date(first, 'j F Y')} – {end}"
    if first.month != last.month:
        return f"{format_date(first, 'j F')} – {end}"
    return f"{first.day}–{end}"
