import html
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conference import changes
from conference.models import Partnership
from tests.factories import (
    AppearanceFactory,
    EditionFactory,
    OrganisationFactory,
    PartnershipFactory,
    SpeakerFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

STARTS = datetime(2027, 6, 8, 1, tzinfo=UTC)
SCHEMA = "https://schema.org/"


def graph(client, path):
    """What the page says in JSON-LD, by type; of several of a type the last."""
    page = client.get(path).content.decode()
    [script] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    facts = json.loads(script)
    assert list(facts) == ["@context", "@graph"]
    assert facts["@context"] == "https://schema.org"
    return {thing["@type"]: thing for thing in facts["@graph"]}


@pytest.fixture
def edition(now):
    return EditionFactory(
        year=2027, starts_on=date(2027, 6, 8), ends_on=date(2027, 6, 9), registration_opens_at=now - timedelta(days=1)
    )


def test_a_webinar_is_an_event_whole_and_exact(client, settings, edition):
    host = OrganisationFactory(slug="lembaga", name="Lembaga")
    webinar = WebinarFactory(
        edition=edition,
        number=1,
        slug="satu",
        title="Satu",
        starts_at=STARTS,
        ends_at=STARTS + timedelta(hours=2),
        capacity=500,
        hosts=[host],
        languages=["id", "tet"],
    )
    AppearanceFactory(webinar=webinar, speaker=SpeakerFactory(slug="ibu", name="Ibu Contoh"))
    facts = graph(client, "/webinar/satu/")
    site = settings.SITE_URL
    [picture] = facts["Event"].pop("image")
    assert picture.startswith(f"{site}/gambar/webinar/satu.png?v=")
    assert facts["Event"] == {
        "@type": "Event",
        "@id": f"{site}/webinar/satu/#event",
        "name": "Satu",
        "description": "Selasa, 8 Juni 2027, 09.00–11.00 WITA, 08.00–10.00 WIB, 10.00–12.00 WIT. Ringkasan contoh.",
        "url": f"{site}/webinar/satu/",
        "startDate": "2027-06-08T09:00+08:00",
        "endDate": "2027-06-08T11:00+08:00",
        "eventStatus": f"{SCHEMA}EventScheduled",
        "eventAttendanceMode": f"{SCHEMA}OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": f"{site}/webinar/satu/"},
        "organizer": [
            {
                "@type": "Organization",
                "@id": f"{site}/mitra/lembaga/#organisation",
                "name": "Lembaga",
                "url": f"{site}/mitra/lembaga/",
            }
        ],
        "performer": [
            {
                "@type": "Person",
                "@id": f"{site}/pembicara/ibu/#person",
                "name": "Ibu Contoh",
                "url": f"{site}/pembicara/ibu/",
            }
        ],
        "inLanguage": ["id", "tet"],
        "isAccessibleForFree": True,
        "maximumVirtualAttendeeCapacity": 500,
        "offers": {
            "@type": "Offer",
            "price": 0,
            "priceCurrency": "IDR",
            "availability": f"{SCHEMA}InStock",
            "url": f"{site}/daftar/?webinars=satu",
            "validFrom": "2027-05-31T09:00+08:00",
            "validThrough": "2027-06-08T11:00+08:00",
        },
        "superEvent": {
            "@type": "Event",
            "@id": f"{site}/edisi/2027/#event",
            "name": edition.name,
            "startDate": "2027-06-08",
            "endDate": "2027-06-09",
            "location": {"@type": "VirtualLocation", "url": f"{site}/edisi/2027/"},
        },
    }
    assert facts["BreadcrumbList"]["itemListElement"] == [
        {"@type": "ListItem", "position": 1, "name": "Konferensi Perempuan Timur", "item": f"{site}/"},
        {"@type": "ListItem", "position": 2, "name": "Agenda", "item": f"{site}/agenda/"},
        {"@type": "ListItem", "position": 3, "name": "Satu", "item": f"{site}/webinar/satu/"},
    ]


def test_an_event_without_an_hour_has_its_day_alone(client, edition):
    WebinarFactory(edition=edition, slug="satu", unknown_hour=True, date=date(2027, 6, 8))
    event = graph(client, "/webinar/satu/")["Event"]
    assert event["startDate"] == "2027-06-08"
    assert "endDate" not in event
    assert event["description"].startswith("Selasa, 8 Juni 2027, Jam menyusul. ")


def test_a_cancelled_event_says_so_on_its_page_and_in_the_agenda(client, edition):
    WebinarFactory(edition=edition, slug="satu", cancelled=True)
    event = graph(client, "/webinar/satu/")["Event"]
    assert event["eventStatus"] == f"{SCHEMA}EventCancelled"
    assert "offers" not in event
    [part] = graph(client, "/agenda/")["Event"]["subEvent"]
    assert part["eventStatus"] == f"{SCHEMA}EventCancelled"


def test_an_event_that_was_moved_says_from_when(client, edition):
    webinar = WebinarFactory(edition=edition, slug="satu", starts_at=STARTS)
    changes.record(edition, now=timezone.now())
    webinar.starts_at += timedelta(hours=2)
    webinar.ends_at += timedelta(hours=2)
    webinar.save()
    changes.record(edition, now=timezone.now())
    event = graph(client, "/webinar/satu/")["Event"]
    assert event["eventStatus"] == f"{SCHEMA}EventRescheduled"
    assert (event["previousStartDate"], event["startDate"]) == ("2027-06-08T09:00+08:00", "2027-06-08T11:00+08:00")
    for path in ("/", "/agenda/", "/edisi/2027/"):
        [part] = graph(client, path)["Event"]["subEvent"]
        assert part["eventStatus"] == f"{SCHEMA}EventRescheduled", path
        assert part["previousStartDate"] == "2027-06-08T09:00+08:00"


def test_of_two_moves_the_last_is_told_and_a_cancelled_one_tells_none(client, edition):
    webinar = WebinarFactory(edition=edition, slug="satu", starts_at=STARTS)
    changes.record(edition, now=timezone.now())
    for _time in range(2):
        webinar.starts_at += timedelta(hours=1)
        webinar.ends_at += timedelta(hours=1)
        webinar.save()
        changes.record(edition, now=timezone.now())
    assert graph(client, "/webinar/satu/")["Event"]["previousStartDate"] == "2027-06-08T10:00+08:00"
    webinar.status = webinar.Status.CANCELLED
    webinar.save()
    changes.record(edition, now=timezone.now())
    [part] = graph(client, "/agenda/")["Event"]["subEvent"]
    assert part["eventStatus"] == f"{SCHEMA}EventCancelled"
    assert "previousStartDate" not in part


@pytest.mark.parametrize("path", ["/", "/agenda/", "/edisi/2027/"])
def test_moved_webinars_cost_one_query_however_many(client, edition, path):
    def queries(webinars):
        for webinar in webinars:
            webinar.starts_at += timedelta(minutes=10)
            webinar.save()
        changes.record(edition, now=timezone.now())
        with CaptureQueriesContext(connection) as captured:
            parts = graph(client, path)["Event"]["subEvent"]
        assert {part["eventStatus"] for part in parts} == {f"{SCHEMA}EventRescheduled"}
        return len(captured)

    webinars = [WebinarFactory(edition=edition)]
    changes.record(edition, now=timezone.now())
    with_one = queries(webinars)
    webinars += [WebinarFactory(edition=edition) for _each in range(2)]
    changes.record(edition, now=timezone.now())
    assert queries(webinars) == with_one


@pytest.mark.parametrize(
    ("opens", "closes", "own", "availability"),
    [
        (-1, None, {}, "InStock"),
        (1, None, {}, "PreOrder"),
        (-2, -1, {}, "SoldOut"),
        (-2, -1, {"registration_closes_at": 1}, "InStock"),
        (-2, None, {"registration_opens_at": 1}, "PreOrder"),
    ],
)
def test_an_offer_says_how_sign_up_stands(client, edition, now, opens, closes, own, availability):
    edition.registration_opens_at = now + timedelta(days=opens)
    edition.registration_closes_at = now + timedelta(days=closes) if closes else None
    edition.save()
    WebinarFactory(edition=edition, slug="satu", **{name: now + timedelta(days=days) for name, days in own.items()})
    offer = graph(client, "/webinar/satu/")["Event"]["offers"]
    assert offer["availability"] == SCHEMA + availability
    valid_from = now + timedelta(days=own.get("registration_opens_at", opens))
    assert datetime.fromisoformat(offer["validFrom"]) == valid_from


@pytest.mark.parametrize("state", [{"over": True}, {"cancelled": True}, {"edition__registration_opens_at": None}])
def test_what_nobody_can_sign_up_for_is_no_offer(client, state):
    WebinarFactory(slug="satu", **state)
    event = graph(client, "/webinar/satu/")["Event"]
    assert "offers" not in event
    assert event["isAccessibleForFree"] is True


@pytest.mark.parametrize("path", ["/", "/agenda/", "/edisi/2027/"])
def test_the_edition_is_an_event_with_its_webinars(client, settings, edition, path):
    WebinarFactory(edition=edition, slug="satu", title="Satu", starts_at=STARTS)
    WebinarFactory(edition=edition, slug="rahasia", draft=True)
    PartnershipFactory(edition=edition, organisation__name="Penyelenggara", role=Partnership.Role.ORGANISER)
    PartnershipFactory(edition=edition, organisation__name="Pendukung", role=Partnership.Role.SUPPORTER)
    event = graph(client, path)["Event"]
    assert event["@id"] == f"{settings.SITE_URL}/edisi/2027/#event"
    assert (event["startDate"], event["endDate"]) == ("2027-06-08", "2027-06-09")
    assert event["eventAttendanceMode"] == f"{SCHEMA}OnlineEventAttendanceMode"
    assert event["isAccessibleForFree"] is True
    [part] = event["subEvent"]
    assert part == {
        "@type": "Event",
        "@id": f"{settings.SITE_URL}/webinar/satu/#event",
        "name": "Satu",
        "description": "Selasa, 8 Juni 2027, 09.00–12.00 WITA, 08.00–11.00 WIB, 10.00–13.00 WIT",
        "url": f"{settings.SITE_URL}/webinar/satu/",
        "startDate": "2027-06-08T09:00+08:00",
        "endDate": "2027-06-08T12:00+08:00",
        "eventStatus": f"{SCHEMA}EventScheduled",
        "eventAttendanceMode": f"{SCHEMA}OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": f"{settings.SITE_URL}/webinar/satu/"},
    }
    if path != "/agenda/":
        assert [one["name"] for one in event["organizer"]] == ["Penyelenggara"]


def test_an_edition_to_come_is_online_and_one_of_the_past_was_somewhere(client, edition):
    EditionFactory(earlier=True, year=2016, place="Makassar", place_en="")
    event = graph(client, "/")["Event"]
    assert event["location"]["@type"] == "VirtualLocation"
    assert "subEvent" not in event
    past = graph(client, "/edisi/2016/")["Event"]
    assert past["location"] == {"@type": "Place", "name": "Makassar", "address": "Makassar"}
    assert past["eventAttendanceMode"] == f"{SCHEMA}OfflineEventAttendanceMode"


def test_pages_without_an_edition(client):
    assert list(graph(client, "/")) == ["WebSite"]
    assert "ld+json" not in client.get("/agenda/").content.decode()


def test_organisations_and_people(client, settings):
    site = settings.SITE_URL
    organisation = OrganisationFactory(
        slug="lembaga",
        name="Lembaga",
        name_en="",
        acronym="LB",
        website="https://lb.example.org/",
        about="Tentang *kami*.",
    )
    AppearanceFactory(speaker=SpeakerFactory(slug="ibu", name="Ibu", position="Ketua", organisation=organisation))
    facts = graph(client, "/mitra/lembaga/")
    own = {
        "@type": "Organization",
        "@id": f"{site}/mitra/lembaga/#organisation",
        "name": "Lembaga",
        "url": f"{site}/mitra/lembaga/",
    }
    assert facts["Organization"] == own | {
        "alternateName": "LB",
        "description": "Tentang kami.",
        "sameAs": "https://lb.example.org/",
    }
    assert [step["name"] for step in facts["BreadcrumbList"]["itemListElement"]][1:] == ["Mitra", "Lembaga"]
    assert graph(client, "/pembicara/ibu/")["Person"] == {
        "@type": "Person",
        "@id": f"{site}/pembicara/ibu/#person",
        "name": "Ibu",
        "url": f"{site}/pembicara/ibu/",
        "jobTitle": "Ketua",
        "worksFor": own,
    }


def test_a_rehearsal_says_so(client, edition):
    edition.is_rehearsal = True
    edition.save()
    WebinarFactory(edition=edition, slug="satu", starts_at=STARTS)
    assert graph(client, "/webinar/satu/")["Event"]["description"].startswith("Gladi bersih, ")
    assert graph(client, "/agenda/")["Event"]["description"].startswith("Gladi bersih · ")


def test_the_room_is_in_no_facts(client, edition):
    WebinarFactory(edition=edition, slug="satu", running=True, zoom_url="https://zoom.example.org/w/1")
    for path in ("/", "/agenda/", "/webinar/satu/", "/edisi/2027/"):
        assert "zoom.example.org" not in json.dumps(graph(client, path))


@pytest.mark.parametrize("language", ["", "/en"])
@pytest.mark.parametrize(
    "title",
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "Kutip \"ganda\" dan 'tunggal' & dan",
        "\\u003C \\",
        "garis\u2028baru\u2029lagi",
        "Ibu 👩🏾‍🌾",
    ],
)
def test_no_title_ends_the_data_or_the_attributes(client, edition, title, language):
    webinar = WebinarFactory(edition=edition, slug="satu", title=title, title_en="", summary=title, summary_en="")
    AppearanceFactory(webinar=webinar, speaker__name=title)
    for path in ("/", "/agenda/", "/webinar/satu/"):
        event = graph(client, language + path)["Event"]
        named = event if path == "/webinar/satu/" else event["subEvent"][0]
        assert named["name"] == title
        page = client.get(language + path).content.decode()
        assert "<script>alert" not in page
    [shown] = re.findall(r'property="og:title" content="([^"]*)"', page)
    assert html.unescape(shown) == " ".join(title.split())


@pytest.mark.browser
def test_the_policy_lets_the_data_be(new_page, edition):
    """An inline script would be refused: the fixture fails on a violation. Data is no script."""
    WebinarFactory(edition=edition, slug="satu", starts_at=timezone.now() + timedelta(days=1))
    page = new_page()
    for path in ("/", "/agenda/", "/webinar/satu/"):
        page.goto(path)
        data = page.locator('script[type="application/ld+json"]').text_content()
        assert json.loads(data)["@graph"]
