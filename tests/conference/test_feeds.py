import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from django.conf import settings
from lxml import etree

from conference import changes
from conference.feeds import NEWEST
from conference.models import AgendaItem, ProgrammeChange
from tests.factories import AgendaItemFactory, AppearanceFactory, EditionFactory, WebinarFactory

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[1] / "data"
SCHEMA = json.loads((DATA / "schedule.schema.json").read_text())
VALIDATOR = jsonschema.Draft6Validator(SCHEMA, format_checker=jsonschema.Draft6Validator.FORMAT_CHECKER)
XSD = etree.XMLSchema(etree.parse(DATA / "schedule.xml.xsd"))


@pytest.fixture
def edition():
    """A day with an opening without an hour, a webinar with one, one without, a cancelled one and a draft."""
    edition = EditionFactory(year=2027, starts_on=date(2027, 6, 8), ends_on=date(2027, 6, 9))
    on = date(2027, 6, 8)
    AgendaItemFactory(
        edition=edition, webinar=None, kind=AgendaItem.Kind.OPENING, date=on, title="Pembukaan", starts_at=None
    )
    first = WebinarFactory(edition=edition, slug="satu", title="Satu", starts_at=datetime(2027, 6, 8, 1, tzinfo=UTC))
    WebinarFactory(edition=edition, slug="dua", title="Dua", unknown_hour=True, date=on)
    WebinarFactory(edition=edition, slug="batal", title="Batal", cancelled=True, unknown_hour=True, date=on)
    WebinarFactory(edition=edition, slug="rahasia", title="Rahasia", draft=True, unknown_hour=True, date=on)
    AppearanceFactory(webinar=first, speaker__name="Ibu Contoh")
    return edition


def json_events(client, address="/agenda.json"):
    [day] = client.get(address).json()["schedule"]["conference"]["days"]
    [events] = day["rooms"].values()
    return events


@pytest.mark.parametrize("language", ["", "/en"])
def test_json_is_valid_against_the_published_schema(client, edition, language):
    assert list(VALIDATOR.iter_errors(client.get(f"{language}/agenda.json").json())) == []


@pytest.mark.parametrize("language", ["", "/en"])
def test_xml_is_valid_against_the_published_schema(client, edition, language):
    response = client.get(f"{language}/agenda.xml")
    XSD.assertValid(etree.fromstring(response.content))
    assert response["Content-Type"] == "application/xml; charset=utf-8"


def test_events_come_in_the_order_of_the_agenda_without_drafts_and_cancelled_ones(client, edition):
    assert [event["title"] for event in json_events(client)] == ["Pembukaan", "Satu", "Dua"]


def test_a_known_hour_is_given_in_wita(client, edition):
    event = json_events(client)[1]
    assert (event["date"], event["start"], event["duration"]) == ("2027-06-08T09:00:00+08:00", "09:00", "03:00")
    assert [person["name"] for person in event["persons"]] == ["Ibu Contoh"]


def test_an_unknown_hour_spans_its_day_and_says_so(client, edition):
    event = json_events(client, "/en/agenda.json")[2]
    assert (event["date"], event["duration"]) == ("2027-06-08T00:00:00+08:00", "24:00")
    assert event["subtitle"] == "Hour to be confirmed"


def test_json_and_xml_tell_the_same_events(client, edition):
    root = etree.fromstring(client.get("/agenda.xml").content)
    from_xml = [(event.get("guid"), event.findtext("title"), event.findtext("date")) for event in root.iter("event")]
    assert from_xml == [(event["guid"], event["title"], event["date"]) for event in json_events(client)]


def test_the_version_changes_with_the_content_only(client, edition):
    def version():
        return client.get("/agenda.json").json()["schedule"]["version"]

    before = version()
    assert version() == before
    edition.webinars.filter(slug="dua").update(title_ind="Dua lagi")
    assert version() != before


@pytest.mark.parametrize("address", ["/agenda.json", "/agenda.xml", "/perubahan.atom"])
def test_without_a_current_edition_there_is_no_feed(client, address):
    assert client.get(address).status_code == 404


# ---- What has changed

ATOM = "{http://www.w3.org/2005/Atom}"


def atom(client, language=""):
    response = client.get(f"{language}/perubahan.atom")
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    return etree.fromstring(response.content)


def entries(client, language=""):
    return [
        (entry.findtext(f"{ATOM}title"), entry.find(f"{ATOM}link").get("href"))
        for entry in atom(client, language).iter(f"{ATOM}entry")
    ]


@pytest.fixture
def changed(edition, now):
    changes.record(edition, now=now)
    edition.webinars.filter(slug="satu").update(starts_at=datetime(2027, 6, 8, 2, tzinfo=UTC))
    changes.record(edition, now=now + timedelta(hours=1))
    edition.webinars.filter(slug="dua").update(status="cancelled")
    changes.record(edition, now=now + timedelta(hours=2))
    edition.webinars.filter(slug="dua").delete()
    changes.record(edition, now=now + timedelta(hours=3))
    return edition


def test_the_newest_change_comes_first_in_the_language_of_the_address(client, changed):
    assert entries(client) == [
        ("“Dua” tidak ada lagi dalam acara", f"{settings.SITE_URL}/agenda/"),
        ("“Dua” dibatalkan", f"{settings.SITE_URL}/agenda/"),
        (
            "“Satu” pindah jam: Selasa, 8 Juni 2027, 10.00–12.00 WITA, 09.00–11.00 WIB, 11.00–13.00 WIT",
            f"{settings.SITE_URL}/webinar/satu/",
        ),
    ]
    assert entries(client, "/en")[-1][1] == f"{settings.SITE_URL}/en/webinar/satu/"
    assert entries(client, "/en")[0][0].endswith("is no longer in the programme")


@pytest.mark.parametrize("language", ["", "/en"])
def test_the_feed_has_all_that_rfc_4287_asks_for(client, changed, language, now):
    feed = atom(client, language)
    for element in (feed, *feed.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
            assert element.findtext(f"{ATOM}{name}")
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    assert feed.find(f"{ATOM}link[@rel='self']").get("href") == f"{settings.SITE_URL}{language}/perubahan.atom"
    assert datetime.fromisoformat(feed.findtext(f"{ATOM}updated")) == now + timedelta(hours=3)
    ids = [element.text for element in feed.iter(f"{ATOM}id")]
    assert len(set(ids)) == 4
    assert all(one.startswith(("tag:", "http")) for one in ids)
    assert "09" in feed.findall(f"{ATOM}entry")[-1].findtext(f"{ATOM}summary")


def test_ids_and_bytes_stay_until_the_next_change(client, changed, now, time_machine):
    before = client.get("/perubahan.atom").content
    time_machine.move_to(now + timedelta(days=2))
    assert client.get("/perubahan.atom").content == before


def test_a_feed_without_a_change_is_dated_by_the_first_look(client, edition, now):
    changes.record(edition, now=now)
    feed = atom(client)
    assert (list(feed.iter(f"{ATOM}entry")), datetime.fromisoformat(feed.findtext(f"{ATOM}updated"))) == ([], now)


def test_the_feed_ends_after_the_newest_fifty(client, edition, now):
    for number in range(NEWEST + 1):
        ProgrammeChange.objects.create(edition=edition, kind="guest_added", at=now, facts={"speaker": f"Ibu {number}"})
    titles = [title for title, _link in entries(client)]
    assert (len(titles), titles[0]) == (NEWEST, f"Ibu {NEWEST} ikut mengisi konferensi")


def test_characters_that_xml_does_not_know_are_left_out_of_every_feed(client, edition, now):
    changes.record(edition, now=now)
    edition.webinars.filter(slug="satu").update(title_ind="Satu\x0b<b>&\x08dua")
    changes.record(edition, now=now)
    assert entries(client)[0][0].endswith("“Satu <b>& dua”")
    XSD.assertValid(etree.fromstring(client.get("/agenda.xml").content))


@pytest.mark.parametrize("path", ["/", "/agenda/"])
def test_readers_of_feeds_find_it(client, edition, path):
    page = client.get(f"/en{path}").content.decode()
    link = (
        '<link rel="alternate" type="application/atom+xml" title="Changes in the programme" href="/en/perubahan.atom">'
    )
    assert link in " ".join(page.split())
