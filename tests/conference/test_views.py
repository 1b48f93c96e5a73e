import html
import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from conference.models import AgendaItem, Page, Partnership
from tests.factories import (
    AgendaItemFactory,
    AppearanceFactory,
    EditionFactory,
    MaterialFactory,
    OrganisationFactory,
    PageFactory,
    PartnershipFactory,
    SpeakerFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

STARTS = datetime(2027, 6, 8, 15, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_pages_of_the_migrations():
    Page.objects.all().delete()


def text(response):
    """The page in one line, so that a sentence is found however the template breaks it."""
    return " ".join(response.content.decode().split())


def filled_edition(rows):
    """An edition with so many rows of each kind."""
    edition = EditionFactory(earlier=False)
    for _ in range(rows):
        organisation = PartnershipFactory(edition=edition).organisation
        webinar = WebinarFactory(edition=edition, hosts=[organisation])
        speaker = AppearanceFactory(webinar=webinar, speaker__organisation=organisation).speaker
        part = AgendaItemFactory(webinar=webinar)
        AppearanceFactory(webinar=None, agenda_item=part)
        opening = AgendaItemFactory(edition=edition, webinar=None, kind=AgendaItem.Kind.OPENING)
        AppearanceFactory(webinar=None, agenda_item=opening, speaker=speaker)
        MaterialFactory(webinar=webinar)
        PageFactory(menu_order=1)
        EditionFactory(earlier=True)
    return {"webinar": webinar.slug, "speaker": speaker.slug, "organisation": organisation.slug, "year": edition.year}


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("/", 8),
        ("/agenda/", 8),
        ("/webinar/{webinar}/", 8),
        ("/pembicara/", 3),
        ("/pembicara/{speaker}/", 4),
        ("/mitra/", 3),
        ("/mitra/{organisation}/", 9),
        ("/edisi/", 3),
        ("/edisi/{year}/", 10),
        ("/agenda.ics", 4),
        ("/agenda.json", 7),
        ("/agenda.xml", 7),
    ],
)
def test_a_page_costs_the_same_queries_however_much_it_shows(client, django_assert_num_queries, rows, address, queries):
    names = filled_edition(rows)
    with django_assert_num_queries(queries):
        response = client.get(address.format(**names))
    assert response.status_code == 200


@pytest.mark.parametrize("language", ["", "/en"])
def test_public_pages_set_no_cookie_and_dont_vary_by_one(client, language):
    names = filled_edition(1)
    for path in ("/", "/agenda/", "/webinar/{webinar}/", "/pembicara/", "/mitra/", "/edisi/", "/agenda.ics"):
        response = client.get(language + path.format(**names))
        assert (response.status_code, dict(response.cookies)) == (200, {})
        assert "Cookie" not in response.get("Vary", "")


@pytest.mark.parametrize("path", ["/", "/agenda/", "/pembicara/", "/mitra/", "/edisi/"])
def test_pages_without_any_content_answer_with_a_next_step_or_a_plain_word(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert text(response).count("<h1>") == 1


def test_the_home_page_names_theme_dates_webinars_and_organisations(client):
    edition = EditionFactory(starts_on=date(2027, 6, 8), ends_on=date(2027, 6, 9))
    WebinarFactory(edition=edition, title="Satu", title_en="")
    WebinarFactory(edition=edition, title="Rahasia", title_en="", draft=True)
    PartnershipFactory(edition=edition, organisation__acronym="BAIK", role=Partnership.Role.SUPPORTER)
    EditionFactory(earlier=True, year=2018, name="Yang dulu", name_en="")
    page = text(client.get("/en/"))
    for words in ("Example theme", "8–9 June 2027", "Satu", "BAIK", "Supporter", "Yang dulu"):
        assert words in page
    assert "Rahasia" not in page


@pytest.mark.parametrize(
    ("opens", "closes", "sentence"),
    [
        (timedelta(days=-1), None, "Sign up, free of charge"),
        (timedelta(days=1), None, "Sign-up opens on Wednesday, 2 June 2027 at 09:00 WITA, 08:00 WIB, 10:00 WIT."),
        (timedelta(days=-2), timedelta(days=-1), "Sign-up is closed."),
        (None, None, "Sign-up isn't open yet."),
    ],
)
def test_the_home_page_says_how_sign_up_stands(client, now, opens, closes, sentence):
    EditionFactory(
        registration_opens_at=now + opens if opens else None, registration_closes_at=now + closes if closes else None
    )
    page = text(client.get("/en/"))
    assert sentence in page
    assert ('href="/en/daftar/"' in page) == (sentence == "Sign up, free of charge")


@pytest.mark.parametrize(
    ("edition_opens", "opens", "closes", "late", "sentence"),
    [
        (None, timedelta(days=-1), None, True, "Sign up, free of charge"),
        (None, timedelta(days=1), None, True, "Sign-up opens on Wednesday, 2 June 2027 at 09:00 WITA"),
        (timedelta(days=-2), timedelta(days=1), None, True, "Sign-up opens on Wednesday, 2 June 2027 at 09:00 WITA"),
        (timedelta(days=-2), None, timedelta(hours=-1), True, "Sign-up is closed."),
    ],
)
def test_a_webinars_own_hours_outrank_the_editions(client, now, edition_opens, opens, closes, late, sentence):
    edition = EditionFactory(registration_opens_at=edition_opens and now + edition_opens)
    webinar = WebinarFactory(
        edition=edition,
        registration_opens_at=opens and now + opens,
        registration_closes_at=closes and now + closes,
    )
    assert sentence in text(client.get("/en/"))
    page = text(client.get(f"/en{webinar.get_absolute_url()}"))
    assert ("Sign up for this webinar" in page) == (sentence == "Sign up, free of charge")
    assert ("Sign-up is closed." in page) == (sentence == "Sign-up is closed.")


@pytest.mark.parametrize("late", [True, False])
def test_signing_up_while_it_runs_is_for_the_organisers_to_allow(client, now, late):
    webinar = WebinarFactory(running=True, allows_late_sign_up=late)
    page = text(client.get(f"/en{webinar.get_absolute_url()}"))
    assert ("Sign up for this webinar" in page) == late
    assert ("Sign-up is closed." in page) != late


def test_a_past_edition_whose_sign_up_never_opened_is_closed(client, now):
    EditionFactory(registration_opens_at=None, starts_on=date(2020, 8, 26), ends_on=date(2020, 8, 27))
    assert "Sign-up is closed." in text(client.get("/en/"))


@pytest.mark.parametrize("path", ["/", "/agenda/", "/pembicara/", "/nix/"])
def test_a_rehearsal_is_named_on_every_page(client, path):
    EditionFactory(is_rehearsal=True)
    assert "This is a rehearsal." in text(client.get(f"/en{path}"))


def test_a_page_tells_its_address_in_both_languages(client, settings):
    EditionFactory()
    page = text(client.get("/en/agenda/"))
    assert '<html lang="en">' in page
    assert f'<link rel="canonical" href="{settings.SITE_URL}/en/agenda/">' in page
    assert f'<link rel="alternate" hreflang="id" href="{settings.SITE_URL}/agenda/">' in page
    assert f'<link rel="alternate" hreflang="en" href="{settings.SITE_URL}/en/agenda/">' in page


def test_a_webinar_gives_its_hours_in_three_zones_with_the_day_where_it_differs(client, now):
    WebinarFactory(slug="malam", starts_at=STARTS, ends_at=STARTS + timedelta(hours=1))
    page = text(client.get("/webinar/malam/"))
    assert '<time datetime="2027-06-08T23:30:00+08:00">23.30–00.30</time> WITA' in page
    assert '<time datetime="2027-06-08T22:30:00+07:00">22.30–23.30</time> WIB' in page
    assert '<time datetime="2027-06-09T00:30:00+09:00">00.30–01.30</time> WIT <small>Rabu, 9 Juni 2027</small>' in page


def test_an_unknown_hour_is_said_to_be_confirmed(client):
    WebinarFactory(slug="satu", unknown_hour=True)
    page = text(client.get("/en/webinar/satu/"))
    assert "Hour to be confirmed" in page
    assert "<time" not in page


@pytest.mark.parametrize(
    ("trait", "state", "can_sign_up"),
    [({}, None, True), ({"running": True}, "Running now", True), ({"over": True}, "Over", False)],
)
def test_a_webinar_tells_its_state_by_the_servers_clock(client, trait, state, can_sign_up):
    WebinarFactory(slug="satu", **trait)
    page = text(client.get("/en/webinar/satu/"))
    shown = [word for word in ("Running now", "Over", "Cancelled") if f">{word}</p>" in page]
    assert shown == ([state] if state else [])
    assert ("Sign up for this webinar" in page) == can_sign_up


def test_a_cancelled_webinar_says_so_and_offers_no_sign_up(client):
    WebinarFactory(slug="satu", cancelled=True)
    page = text(client.get("/en/webinar/satu/"))
    assert "This webinar will not take place." in page
    assert "Sign up for this webinar" not in page
    assert "wa.me" not in page


def test_the_room_of_a_webinar_is_on_no_public_page(client):
    webinar = WebinarFactory(running=True, zoom_url="https://zoom.example.org/w/1?pwd=secret", zoom_passcode="123456")
    for path in ("/", "/agenda/", webinar.get_absolute_url(), "/agenda.ics", "/agenda.json", "/agenda.xml"):
        page = text(client.get(path))
        assert "zoom.example.org" not in page
        assert "123456" not in page


def test_a_webinar_page_shares_a_ready_text(client, settings):
    WebinarFactory(
        number=7, slug="satu", title="Satu & dua", starts_at=datetime(2027, 6, 8, 1, tzinfo=UTC), ends_at=None
    )
    page = text(client.get("/webinar/satu/"))
    [address] = re.findall(r'href="(https://wa\.me/[^"]+)"', page)
    [ready] = parse_qs(urlsplit(html.unescape(address)).query)["text"]
    assert ready.split("\n") == [
        "*Satu & dua*",
        "Selasa, 8 Juni 2027",
        "09.00 WITA",
        "08.00 WIB",
        "10.00 WIT",
        "",
        "Daring, gratis, terbuka untuk semua.",
        f"{settings.SITE_URL}/7",
    ]
    assert f'<a href="/7">{urlsplit(settings.SITE_URL).netloc}/7</a>' in page


def test_a_webinar_names_its_speakers_with_roles_and_the_weight_of_its_materials(client):
    webinar = WebinarFactory(slug="satu", has_captions=True, capacity=500, languages=["id", "tet"])
    AppearanceFactory(webinar=webinar, speaker__name="Ibu Contoh", role="moderator")
    MaterialFactory(webinar=webinar, kind="audio", size_bytes=12_582_912)
    page = text(client.get("/en/webinar/satu/"))
    for words in ("Ibu Contoh", "Moderator", "Audio recording, 12 MB", "Indonesian, tet", "Captions", "500"):
        assert words in page


@pytest.mark.parametrize(("title", "expected"), [("Akhiri Kekerasan", True), ("Sumber Daya", False)])
def test_a_page_that_touches_violence_can_be_left_quickly_and_shows_where_help_is(client, title, expected):
    PageFactory(slug="bantuan", menu_order=1)
    WebinarFactory(slug="satu", title=title, title_en="")
    page = text(client.get("/en/webinar/satu/"))
    assert ("data-leave" in page) == expected
    assert ("See where help is found" in page) == expected


@pytest.mark.parametrize(
    "path", ["/webinar/rahasia/", "/webinar/rahasia.ics", "/pembicara/rahasia/", "/halaman/rahasia/"]
)
def test_drafts_answer_404(client, path):
    draft = WebinarFactory(slug="rahasia", draft=True)
    AppearanceFactory(webinar=draft, speaker__slug="rahasia")
    PageFactory(slug="rahasia", is_published=False)
    assert client.get(path).status_code == 404


def test_speakers_are_those_of_the_current_edition_and_none_of_a_draft(client):
    edition = EditionFactory()
    AppearanceFactory(webinar=WebinarFactory(edition=edition), speaker__name="Ibu Terlihat")
    AppearanceFactory(webinar=WebinarFactory(edition=edition, draft=True), speaker__name="Ibu Rahasia")
    AppearanceFactory(webinar=WebinarFactory(edition=EditionFactory(earlier=True)), speaker__name="Ibu Dulu")
    SpeakerFactory(name="Ibu Lain")
    page = text(client.get("/pembicara/"))
    found = [name for name in ("Ibu Terlihat", "Ibu Rahasia", "Ibu Dulu", "Ibu Lain") if name in page]
    assert found == ["Ibu Terlihat"]


def test_a_speaker_without_a_session_is_told_to_be_confirmed(client):
    edition = EditionFactory()
    AppearanceFactory(edition=edition, webinar=None, speaker__slug="ibu")
    assert "Session to be confirmed" in text(client.get("/en/pembicara/ibu/"))


def test_organisations_stand_by_role_organisers_first(client):
    edition = EditionFactory()
    PartnershipFactory(edition=edition, organisation__acronym="DUA", role=Partnership.Role.SUPPORTER, order=0)
    PartnershipFactory(edition=edition, organisation__acronym="SATU", role=Partnership.Role.ORGANISER, order=1)
    OrganisationFactory(acronym="LAIN")
    page = text(client.get("/en/mitra/"))
    assert page.index("Organiser<") < page.index(">SATU<") < page.index("Supporter<") < page.index(">DUA<")
    assert "LAIN" not in page


def test_english_falls_back_to_indonesian_where_it_is_empty(client):
    WebinarFactory(slug="satu", title="Judul", title_en="", summary="Ringkasan", summary_en="Summary")
    page = text(client.get("/en/webinar/satu/"))
    assert "Judul" in page
    assert "Summary" in page


def test_markdown_loses_its_html_and_dangerous_links(client):
    PageFactory(slug="satu", body="# Judul\n\n<script>x</script> [jahat](javascript:x) [baik](https://example.org/)")
    page = text(client.get("/halaman/satu/"))
    assert "<h2>Judul</h2>" in page
    assert "&lt;script&gt;" in page
    assert 'href="javascript' not in page
    assert '<a href="https://example.org/">baik</a>' in page


@pytest.mark.parametrize("path", ["/", "/agenda/", "/agenda.json", "/webinar/satu/"])
def test_public_pages_are_only_for_reading(client, path):
    assert client.post(path).status_code == 405


def test_an_unknown_address_answers_404_in_the_frame_of_the_site(client):
    response = client.get("/en/nix/")
    assert response.status_code == 404
    assert "This page doesn't exist" in text(response)


def test_the_page_for_a_broken_server_needs_no_context():
    assert "Something broke on our side" in render_to_string("500.html")


def test_a_tile_is_always_the_same_for_a_name_and_another_for_another():
    def tile(name):
        return render_to_string("conference/portrait.html", {"speaker": SpeakerFactory.build(name=name), "size": 80})

    assert tile("Sari") == tile("Sari")
    assert tile("Sari") != tile("Rina")
    assert "<script" not in tile("<script>")


def test_the_sitemap_lists_both_languages_and_no_drafts(client, settings):
    WebinarFactory(slug="satu")
    WebinarFactory(slug="rahasia", draft=True)
    sitemap = client.get("/sitemap.xml").content.decode()
    assert f"<loc>{settings.SITE_URL}/webinar/satu/</loc>" in sitemap
    assert f"<loc>{settings.SITE_URL}/en/webinar/satu/</loc>" in sitemap
    assert "rahasia" not in sitemap


def test_the_local_day_is_not_the_servers_utc_day(client, time_machine):
    """At half past midnight in Makassar the conference of that day isn't over, whatever day it is in UTC."""
    time_machine.move_to(datetime(2027, 6, 7, 16, 30, tzinfo=UTC), tick=False)
    EditionFactory(registration_opens_at=None, starts_on=date(2027, 6, 7), ends_on=date(2027, 6, 7))
    assert timezone.localdate() == date(2027, 6, 8)
    assert "Sign-up is closed." in text(client.get("/en/"))
