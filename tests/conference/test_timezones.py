from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from conference.timezones import clock, day, days, hour_spans, hours, spoken_hours

MORNING = datetime(2020, 8, 26, 2, 0, tzinfo=UTC)
NOON = datetime(2020, 8, 26, 4, 30, tzinfo=UTC)
LATE = datetime(2020, 8, 26, 15, 30, tzinfo=UTC)


def test_hours_put_the_readers_own_zone_first_and_the_others_west_to_east():
    assert [(code, f"{at:%H:%M}") for code, at in hours(MORNING, "WIT")] == [
        ("WIT", "11:00"),
        ("WIB", "09:00"),
        ("WITA", "10:00"),
    ]


def test_spoken_hours_name_each_zone():
    assert spoken_hours(MORNING, NOON) == ["10.00–12.30 WITA", "09.00–11.30 WIB", "11.00–13.30 WIT"]


def test_spoken_hours_without_an_end_say_the_start_alone():
    assert spoken_hours(MORNING, None, "WIB") == ["09.00 WIB", "10.00 WITA", "11.00 WIT"]


def test_spoken_hours_say_the_day_where_it_is_another_one():
    assert spoken_hours(LATE, None) == ["23.30 WITA", "22.30 WIB", "00.30 WIT (Kamis, 27 Agustus 2020)"]


def test_spoken_hours_say_the_day_before_to_a_reader_further_east():
    assert spoken_hours(LATE, None, "WIT") == [
        "00.30 WIT",
        "22.30 WIB (Rabu, 26 Agustus 2020)",
        "23.30 WITA (Rabu, 26 Agustus 2020)",
    ]


def test_hour_spans_keep_the_end_in_their_own_zone():
    assert [hour.ends.isoformat() for hour in hour_spans(MORNING, NOON)] == [
        "2020-08-26T12:30:00+08:00",
        "2020-08-26T11:30:00+07:00",
        "2020-08-26T13:30:00+09:00",
    ]


@pytest.mark.parametrize(
    ("language", "spoken"), [("id", ("10.00", "Rabu, 26 Agustus 2020")), ("en", ("10:00", "Wednesday, 26 August 2020"))]
)
def test_clock_and_day_follow_the_language(language, spoken):
    local = hours(MORNING)[0][1]
    with translation.override(language):
        assert (clock(local), day(local.date())) == spoken


@pytest.mark.parametrize(
    ("first", "last", "spoken"),
    [
        (date(2020, 8, 26), date(2020, 8, 26), "26 Agustus 2020"),
        (date(2020, 8, 26), date(2020, 8, 27), "26–27 Agustus 2020"),
        (date(2020, 8, 31), date(2020, 9, 1), "31 Agustus – 1 September 2020"),
        (date(2020, 12, 31), date(2021, 1, 1), "31 Desember 2020 – 1 Januari 2021"),
    ],
)
def test_days_say_as_little_twice_as_possible(first, last, spoken):
    assert days(first, last) == spoken
