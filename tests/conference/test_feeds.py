import json
from datetime import UTC, date, datetime
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from conference.models import AgendaItem
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


@pytest.mark.parametrize("address", ["/agenda.json", "/agenda.xml"])
def test_without_a_current_edition_there_is_no_feed(client, address):
    assert client.get(address).status_code == 404
