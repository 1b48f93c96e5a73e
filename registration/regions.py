"""Provinces, regencies and cities by Kemendagri code; origin and licence in regions-LICENCE.txt."""

import csv
from functools import cache
from pathlib import Path

from django.utils.translation import gettext_lazy as _

OUTSIDE_INDONESIA = "00"
# Sumatra, Java, West and Central Kalimantan; the Maluku islands and Papua; all others are in the middle.
WIB_PROVINCES = frozenset({*map(str, range(11, 20)), "21", *map(str, range(31, 37)), "61", "62"})
WIT_PROVINCES = frozenset({"81", "82", *map(str, range(91, 97))})


@cache
def names() -> dict[str, str]:
    with (Path(__file__).parent / "regions.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


@cache
def provinces() -> dict[str, str]:
    return {code: name for code, name in names().items() if len(code) == 2}


@cache
def regencies(province: str) -> dict[str, str]:
    return {code: name for code, name in names().items() if len(code) == 4 and code.startswith(province)}


def province_choices() -> list[tuple[str, str]]:
    return [*provinces().items(), (OUTSIDE_INDONESIA, _("Outside Indonesia"))]  # type: ignore[list-item]


@cache
def regency_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Grouped by province, as a select without JavaScript shows them."""
    return [(name, list(regencies(code).items())) for code, name in provinces().items()]


def province_name(code: str) -> str:
    return str(_("Outside Indonesia")) if code == OUTSIDE_INDONESIA else names().get(code, "")


def time_zone(province: str) -> str:
    """WIB, WITA or WIT; WITA, the organisers' own, for people outside Indonesia."""
    if province in WIB_PROVINCES:
        return "WIB"
    return "WIT" if province in WIT_PROVINCES else "WITA"
