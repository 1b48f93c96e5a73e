from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import translation
from icalendar import Calendar

from conference.calendars import webinar_calendar
from tests.factories import EditionFactory, WebinarFactory

pytestmark = pytest.mark.django_db

STARTS = datetime(2027, 6, 8, 1, 0, tzinfo=UTC)


def events(content):
    return Calendar.from_ical(content).walk("VEVENT")


def test_a_webinar_is_an_event_in_utc_with_its_hours_in_three_zones(now):
    webinar = WebinarFactory(starts_at=STARTS, slug="satu", title="Satu")
    calendar = Calendar.from_ical(webinar_calendar([(webinar, "https://kpt.example.org/a/", "a@kpt")], now))
    [event] = calendar.walk("VEVENT")
    assert calendar["method"] == "PUBLISH"
    assert (event["uid"], event["summary"], event["status"]) == ("a@kpt", "Satu", "CONFIRMED")
    assert event["dtstart"].to_ical() == b"20270608T010000Z"
    assert event["dtend"].to_ical() == b"20270608T040000Z"
    assert event["url"] == "https://kpt.example.org/a/"
    assert event["description"].split("\n\n") == [
        "Selasa, 8 Juni 2027\n09.00–12.00 WITA\n08.00–11.00 WIB\n10.00–13.00 WIT",
        "Ringkasan contoh.",
        "https://kpt.example.org/a/",
    ]


def test_a_personal_address_is_the_only_one_in_a_persons_file(now):
    webinar = WebinarFactory(zoom_url="https://zoom.example.org/w/1?pwd=secret")
    content = webinar_calendar([(webinar, "https://kpt.example.org/gabung/hers/", "CODE@kpt")], now)
    assert b"zoom" not in content
    assert b"/webinar/" not in content


def test_an_unknown_hour_is_a_whole_day_that_blocks_nothing(now):
    webinar = WebinarFactory(unknown_hour=True, date=date(2027, 6, 8))
    [event] = events(webinar_calendar([(webinar, "https://kpt.example.org/", "a@kpt")], now))
    assert (event["dtstart"].dt, event["dtend"].dt) == (date(2027, 6, 8), date(2027, 6, 9))
    assert (event["transp"], event["status"]) == ("TRANSPARENT", "TENTATIVE")


def test_a_later_file_has_the_same_uid_and_a_higher_sequence(now):
    entry = (WebinarFactory(), "https://kpt.example.org/", "a@kpt")
    [before] = events(webinar_calendar([entry], now))
    [after] = events(webinar_calendar([entry], now + timedelta(minutes=1)))
    assert (after["uid"], after["sequence"] - before["sequence"]) == (before["uid"], 1)


def test_the_agenda_file_holds_cancelled_webinars_as_cancelled_and_no_drafts(client):
    edition = EditionFactory()
    WebinarFactory(edition=edition, title="Ada")
    WebinarFactory(edition=edition, title="Batal", cancelled=True)
    WebinarFactory(edition=edition, title="Rahasia", draft=True)
    response = client.get("/agenda.ics")
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert [(event["summary"], event["status"]) for event in events(response.content)] == [
        ("Ada", "CONFIRMED"),
        ("Batal", "CANCELLED"),
    ]


def test_a_webinars_file_speaks_the_language_of_its_address(client):
    webinar = WebinarFactory(slug="satu", title="Satu", title_en="One")
    with translation.override("en"):
        address = reverse("conference:webinar_ics", args=["satu"])
    [event] = events(client.get(address).content)
    assert (address, event["summary"]) == ("/en/webinar/satu.ics", "One")
    assert event["url"].endswith(f"/en/webinar/{webinar.slug}/")


@pytest.mark.parametrize("address", ["/agenda.ics", "/webinar/rahasia.ics"])
def test_without_a_current_edition_and_for_a_draft_there_is_no_file(client, address):
    WebinarFactory(slug="rahasia", draft=True, edition=EditionFactory(is_current=False))
    assert client.get(address).status_code == 404
