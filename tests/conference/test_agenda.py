from datetime import UTC, date, datetime, timedelta

import pytest

from conference.agenda import programme
from conference.models import AgendaItem
from tests.factories import AgendaItemFactory, AppearanceFactory, EditionFactory, WebinarFactory

pytestmark = pytest.mark.django_db

FIRST = date(2027, 6, 8)
SECOND = date(2027, 6, 9)
Kind = AgendaItem.Kind


def titles(edition):
    return [(day.date, [slot.entry.title for slot in day.slots]) for day in programme(edition)]


def item(edition, kind, on=FIRST, **fields):
    return AgendaItemFactory(edition=edition, webinar=None, kind=kind, date=on, title=str(kind.value), **fields)


def webinar(edition, title, on=FIRST, **fields):
    return WebinarFactory(edition=edition, title=title, date=on, **{"starts_at": None, "ends_at": None} | fields)


def test_unknown_hours_stand_between_the_opening_and_the_closing():
    edition = EditionFactory()
    item(edition, Kind.CLOSING)
    webinar(edition, "one")
    webinar(edition, "two")
    item(edition, Kind.OPENING)
    assert titles(edition) == [(FIRST, ["opening", "one", "two", "closing"])]


def test_known_hours_come_in_their_order_before_unknown_ones():
    edition = EditionFactory()
    webinar(edition, "unknown")
    webinar(edition, "ten", starts_at=datetime(2027, 6, 8, 2, tzinfo=UTC))
    webinar(edition, "nine", starts_at=datetime(2027, 6, 8, 1, tzinfo=UTC))
    item(edition, Kind.CLOSING)
    assert titles(edition) == [(FIRST, ["nine", "ten", "unknown", "closing"])]


def test_an_opening_with_an_hour_stands_where_its_hour_is():
    edition = EditionFactory()
    item(edition, Kind.OPENING, starts_at=datetime(2027, 6, 8, 2, tzinfo=UTC))
    webinar(edition, "nine", starts_at=datetime(2027, 6, 8, 1, tzinfo=UTC))
    webinar(edition, "also ten", starts_at=datetime(2027, 6, 8, 2, tzinfo=UTC))
    assert titles(edition) == [(FIRST, ["nine", "opening", "also ten"])]


def test_days_are_those_of_the_organisers_clocks():
    edition = EditionFactory()
    webinar(edition, "after midnight in WITA", starts_at=datetime(2027, 6, 8, 16, 30, tzinfo=UTC))
    webinar(edition, "day one")
    assert titles(edition) == [(FIRST, ["day one"]), (SECOND, ["after midnight in WITA"])]


def test_drafts_are_left_out_and_cancelled_webinars_stay():
    edition = EditionFactory()
    webinar(edition, "draft", draft=True)
    webinar(edition, "cancelled", cancelled=True)
    assert titles(edition) == [(FIRST, ["cancelled"])]


def test_a_slot_names_the_people_of_the_webinar_and_of_its_parts():
    appearance = AppearanceFactory()
    part = AgendaItemFactory(webinar=appearance.webinar)
    second = AppearanceFactory(webinar=None, agenda_item=part)
    [day] = programme(appearance.edition)
    assert [one.speaker for one in day.slots[0].people] == [appearance.speaker, second.speaker]


def test_a_webinar_whose_hour_stays_unknown_is_over_with_its_day():
    webinar = WebinarFactory(unknown_hour=True, date=FIRST)
    ends = datetime(2027, 6, 8, 17, 0, tzinfo=UTC)  # midnight in WIB
    assert not webinar.is_over(ends - timedelta(seconds=1))
    assert webinar.is_over(ends)
    assert not webinar.is_open_for_registration(ends)
