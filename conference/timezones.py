"""The three Indonesian time zones. None has daylight saving (Presidential Decree 41/1987)."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Zone:
    code: str
    info: ZoneInfo


WIB = Zone("WIB", ZoneInfo("Asia/Jakarta"))
WITA = Zone("WITA", ZoneInfo("Asia/Makassar"))
WIT = Zone("WIT", ZoneInfo("Asia/Jayapura"))
ZONES = (WIB, WITA, WIT)
BY_CODE = {zone.code: zone for zone in ZONES}


def hours(at: datetime, first: str = "WITA") -> list[tuple[str, datetime]]:
    """The moment in the three zones as (code, local time), the reader's own zone first, the others west to east."""
    ordered = sorted(ZONES, key=lambda zone: zone.code != first)
    return [(zone.code, at.astimezone(zone.info)) for zone in ordered]
