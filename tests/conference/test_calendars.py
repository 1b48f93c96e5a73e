from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import icalendar
import pytest
import vobject
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from conference import changes, sharing
from conference.calendars import agenda_file, calendar_file, entry_of
from conference.models import AgendaItem
from tests.factories import AgendaItemFactory, EditionFactory, WebinarFactory

pytestmark = pytest.mark.django_db

STARTS = datetime(2027, 6, 8, 1, 0, tzinfo=UTC)


def events(content):
    """Read by two parsers that know nothing of each other: they must agree."""
    one = icalendar.Calendar.from_ical(content).walk("VEVENT")
    other = vobject.readOne(content.decode())
    assert other.validate(raiseException=True)
    read = [(event.uid.value, event.summary.value, event.dtstart.value) for event in getattr(other, "vevent_list", [])]
    assert read == [(str(event["uid"]), str(event["summary"]), event["dtstart"].dt) for event in one]
    return one


@pytest.fixture
def edition():
    """A webinar with an hour, one without, a cancelled one, a draft, and an opening without an hour."""
    edition = EditionFactory(name="Konferensi; dan, lain-lain")
    WebinarFactory(edition=edition, number=1, title="Ada", starts_at=STARTS)
    WebinarFactory(edition=edition, number=2, title="Menyusul", unknown_hour=True, date=date(2027, 6, 8))
    WebinarFactory(edition=edition, number=3, title="Batal", cancelled=True, starts_at=STARTS + timedelta(days=1))
    WebinarFactory(edition=edition, number=4, title="Rahasia", draft=True)
    AgendaItemFactory(webinar=None, edition=edition, title="Pembukaan", date=date(2027, 6, 8), note="Bersama *Ibu*.")
    return edition


def test_a_webinar_is_an_event_in_utc_with_its_hours_in_three_zones():
    webinar = WebinarFactory(starts_at=STARTS, slug="satu", title="Satu")
    [event] = events(calendar_file([entry_of(webinar)]))
    address = f"{settings.SITE_URL}/webinar/satu/"
    assert (event["summary"], event["status"], event["transp"], event["url"]) == (
        "Satu",
        "CONFIRMED",
        "OPAQUE",
        address,
    )
    assert event["dtstart"].to_ical() == b"20270608T010000Z"
    assert event["dtend"].to_ical() == b"20270608T040000Z"
    assert event["description"].split("\n\n") == [
        "Selasa, 8 Juni 2027\n09.00–12.00 WITA\n08.00–11.00 WIB\n10.00–13.00 WIT",
        "Ringkasan contoh.",
        address,
    ]


def test_the_readers_own_zone_and_her_day_come_first():
    webinar = WebinarFactory(starts_at=datetime(2027, 6, 8, 15, 30, tzinfo=UTC), ends_at=None)
    [event] = events(calendar_file([entry_of(webinar)._replace(zone="WIT")]))
    assert event["description"].partition("\n\n")[0].splitlines() == [
        "Rabu, 9 Juni 2027",
        "00.30 WIT",
        "22.30 WIB (Selasa, 8 Juni 2027)",
        "23.30 WITA (Selasa, 8 Juni 2027)",
    ]


def test_a_personal_address_is_the_only_one_in_a_persons_file():
    webinar = WebinarFactory(zoom_url="https://zoom.example.org/w/1?pwd=secret")
    content = calendar_file([entry_of(webinar)._replace(url="https://kpt.example.org/gabung/hers/")])
    assert b"zoom" not in content
    assert b"/webinar/" not in content


def test_an_unknown_hour_is_a_whole_day_that_blocks_nothing():
    webinar = WebinarFactory(unknown_hour=True, date=date(2027, 6, 8))
    [event] = events(calendar_file([entry_of(webinar)]))
    assert (event["dtstart"].dt, event["dtend"].dt) == (date(2027, 6, 8), date(2027, 6, 9))
    assert (event["transp"], event["status"]) == ("TRANSPARENT", "TENTATIVE")
    assert "Jam menyusul" in event["description"]


def test_the_agenda_holds_cancelled_webinars_as_cancelled_and_no_drafts(client, edition):
    response = client.get("/agenda.ics")
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert {str(event["summary"]): (event["status"], event["transp"]) for event in events(response.content)} == {
        "Ada": ("CONFIRMED", "OPAQUE"),
        "Menyusul": ("TENTATIVE", "TRANSPARENT"),
        "Batal": ("CANCELLED", "TRANSPARENT"),
        "Pembukaan": ("TENTATIVE", "TRANSPARENT"),
    }


def test_the_agenda_can_be_subscribed_to(client, edition):
    lines = client.get("/agenda.ics").content.split(b"\r\n")
    name = rb"Konferensi\; dan\, lain-lain"
    for line in (
        b"NAME:" + name,
        b"X-WR-CALNAME:" + name,
        b"REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        b"X-PUBLISHED-TTL:PT1H",
    ):
        assert line in lines
    page = client.get("/agenda/").content.decode()
    webcal = f"webcal://{settings.SITE_URL.partition('://')[2]}/agenda.ics"
    assert f'href="{webcal}"' in page
    assert parse_qs(urlsplit(sharing.google_subscription(f"{settings.SITE_URL}/agenda.ics")).query) == {"cid": [webcal]}


def test_lines_end_in_crlf_and_are_folded_at_75_octets_between_characters(client, edition):
    long = "Perempuan “Timur” — ééé; koma, garis\\miring " * 8
    edition.webinars.filter(number=1).update(title_ind=long[:200], summary_ind=long[:300])
    content = client.get("/agenda.ics").content
    lines = content.split(b"\r\n")
    assert (lines.pop(), b"\n" in b"".join(lines), b"\r" in b"".join(lines)) == (b"", False, False)
    assert max(map(len, lines)) <= 75
    assert all(line.decode() for line in lines)
    assert str(events(content)[0]["summary"]) == long[:200]


def test_characters_that_no_calendar_allows_are_left_out():
    webinar = WebinarFactory(title="Satu\x0bdua\x08", summary="Baris satu\r\nBaris dua")
    content = calendar_file([entry_of(webinar)])
    assert not {code for code in content if code < 32} - {10, 13}
    [event] = events(content)
    assert (event["summary"], "Baris satu\nBaris dua" in event["description"]) == ("Satu dua ", True)


@pytest.mark.parametrize("language", ["", "/en"])
def test_an_edition_without_webinars_has_a_calendar_that_parsers_take(client, language):
    EditionFactory()
    content = client.get(f"{language}/agenda.ics").content
    assert events(content) == []
    assert icalendar.Calendar.from_ical(content).walk("VTIMEZONE")


# ---- Revisions


def test_the_same_programme_gives_the_same_bytes_at_any_hour(client, edition, now, time_machine):
    changes.record(edition, now=now)
    before = client.get("/agenda.ics").content
    time_machine.move_to(now + timedelta(days=3))
    changes.record(edition, now=now + timedelta(days=3))
    assert client.get("/agenda.ics").content == before


def test_each_change_raises_the_sequence_by_one_and_the_uid_stays(edition, now):
    changes.record(edition, now=now)
    webinar = edition.webinars.get(number=1)
    before = events(agenda_file(edition))
    for step in (1, 2):
        edition.webinars.filter(pk=webinar.pk).update(starts_at=STARTS + timedelta(minutes=step))
        changes.record(edition, now=now + timedelta(hours=step))
        after = events(agenda_file(edition))
        assert [event["uid"] for event in after] == [event["uid"] for event in before]
        assert [one["sequence"] - other["sequence"] for one, other in zip(after, before, strict=True)] == [
            step,
            *[0] * 3,
        ]
        stamp = (now + timedelta(hours=step)).astimezone(UTC)
        assert after[0]["last-modified"].dt == after[0]["dtstamp"].dt == stamp
        assert after[1]["last-modified"].dt == before[1]["last-modified"].dt


def test_a_cancellation_is_a_later_copy_of_the_same_event(edition, now):
    changes.record(edition, now=now)
    [before] = events(calendar_file([entry_of(edition.webinars.get(number=1))]))
    edition.webinars.filter(number=1).update(status="cancelled")
    changes.record(edition, now=now)
    [after] = events(calendar_file([entry_of(edition.webinars.get(number=1))]))
    assert (after["uid"], after["sequence"], after["status"]) == (before["uid"], before["sequence"] + 1, "CANCELLED")


def test_an_agenda_item_has_revisions_too(edition, now):
    changes.record(edition, now=now)
    AgendaItem.objects.update(starts_at=STARTS)
    changes.record(edition, now=now)
    opening = next(event for event in events(agenda_file(edition)) if event["summary"] == "Pembukaan")
    assert (opening["sequence"], opening["status"], opening["dtstart"].dt) == (1, "CONFIRMED", STARTS)
    assert (opening["dtend"].dt if "dtend" in opening else None) is None


# ---- Addresses


def test_a_webinars_file_speaks_the_language_of_its_address(client):
    webinar = WebinarFactory(slug="satu", title="Satu", title_en="One")
    with translation.override("en"):
        address = reverse("conference:webinar_ics", args=["satu"])
    [event] = events(client.get(address).content)
    assert (address, event["summary"]) == ("/en/webinar/satu.ics", "One")
    assert event["url"].endswith(f"/en/webinar/{webinar.slug}/")


def test_outlook_gets_the_hours_in_utc_and_no_plus_for_a_blank():
    webinar = WebinarFactory(title="Laut & pesisir", starts_at=STARTS)
    for kind, host in (("personal", "outlook.live.com"), ("work", "outlook.office.com")):
        address = sharing.outlook_address(webinar, kind)
        words = {name: value for name, [value] in parse_qs(urlsplit(address).query).items()}
        assert (urlsplit(address).hostname, "+" in address) == (host, False)
        assert (words["subject"], words["rru"]) == ("Laut & pesisir", "addevent")
        assert (words["startdt"], words["enddt"]) == ("2027-06-08T01:00:00Z", "2027-06-08T04:00:00Z")
        assert "09.00–12.00 WITA" in words["body"]


def test_outlook_and_google_get_a_whole_day_while_the_hour_is_unknown():
    webinar = WebinarFactory(unknown_hour=True, date=date(2027, 6, 8))
    words = parse_qs(urlsplit(sharing.outlook_address(webinar)).query)
    assert (words["startdt"], words["enddt"], words["allday"]) == (["2027-06-08"], ["2027-06-09"], ["true"])
    assert parse_qs(urlsplit(sharing.google_address(webinar)).query)["dates"] == ["20270608/20270609"]


def test_a_webinars_page_offers_google_outlook_and_a_file(client):
    webinar = WebinarFactory(slug="satu")
    page = client.get("/webinar/satu/").content.decode()
    for address in (sharing.google_address(webinar), sharing.outlook_address(webinar), "/webinar/satu.ics"):
        assert f'href="{address.replace("&", "&amp;")}"' in page


@pytest.mark.parametrize("address", ["/agenda.ics", "/webinar/rahasia.ics"])
def test_without_a_current_edition_and_for_a_draft_there_is_no_file(client, address):
    WebinarFactory(slug="rahasia", draft=True, edition=EditionFactory(is_current=False))
    assert client.get(address).status_code == 404
