"""What search engines are told: the sitemap, robots.txt, canonical addresses, languages, and what stays out."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from tests.factories import (
    AppearanceFactory,
    EditionFactory,
    PageFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


@pytest.fixture
def urls(client):
    def read():
        root = ET.fromstring(client.get("/sitemap.xml").content)
        return {url.findtext("s:loc", "", NAMES): url for url in root.findall("s:url", NAMES)}

    return read


def alternates_of(page):
    return dict(re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)">', page))


def test_each_address_names_its_translations(urls, settings):
    WebinarFactory(slug="satu")
    for prefix in ("", "/en"):
        url = urls()[f"{settings.SITE_URL}{prefix}/webinar/satu/"]
        alternates = {link.get("hreflang"): link.get("href") for link in url.findall("x:link", NAMES)}
        assert alternates == {
            "id": f"{settings.SITE_URL}/webinar/satu/",
            "en": f"{settings.SITE_URL}/en/webinar/satu/",
            "x-default": f"{settings.SITE_URL}/webinar/satu/",
        }


def test_a_webinar_says_when_it_was_last_changed(urls, settings):
    WebinarFactory(slug="satu", revised_at=datetime(2027, 5, 4, 3, tzinfo=UTC))
    assert urls()[f"{settings.SITE_URL}/webinar/satu/"].findtext("s:lastmod", "", NAMES) == "2027-05-04"
    assert urls()[f"{settings.SITE_URL}/"].find("s:lastmod", NAMES) is None


def test_what_visitors_may_not_see_is_not_in_the_sitemap(urls):
    AppearanceFactory(webinar=WebinarFactory(slug="rahasia", draft=True), speaker__slug="rahasia")
    PageFactory(slug="rahasia", is_published=False)
    assert not [address for address in urls() if "rahasia" in address]


def test_every_address_of_the_sitemap_is_a_page_that_names_itself(client, urls, settings):
    AppearanceFactory(webinar=WebinarFactory(cancelled=True))
    PageFactory()
    EditionFactory(earlier=True)
    EditionFactory(earlier=True, year=2099)
    addresses = urls()
    assert f"{settings.SITE_URL}/daftar/" in addresses
    for address in addresses:
        response = client.get(address.removeprefix(settings.SITE_URL))
        page = response.content.decode()
        assert (response.status_code, "noindex" in page) == (200, False), address
        assert f'<link rel="canonical" href="{address}">' in page
        assert f'<meta property="og:url" content="{address}">' in page
        alternates = alternates_of(page)
        assert set(alternates) == {"id", "en", "x-default"}
        assert address in alternates.values()
        assert alternates["x-default"] == alternates["id"] != alternates["en"]


def test_the_head_says_each_thing_once_and_in_the_language_of_the_page(client, settings):
    WebinarFactory(slug="satu", title='Satu "dua" & tiga', title_en="One", summary="  Ringkas\n  saja ")
    page = client.get("/webinar/satu/").content.decode()
    properties = re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)">', page)
    facts = dict(properties)
    assert len(facts) == len(properties) == 13
    assert facts["og:title"] == "Satu &quot;dua&quot; &amp; tiga"
    assert "<title>Satu &quot;dua&quot; &amp; tiga · KPT</title>" in page
    assert facts["og:description"] == "Ringkas saja"
    assert '<meta name="description" content="Ringkas saja">' in page
    assert (facts["og:locale"], facts["og:locale:alternate"]) == ("id_ID", "en_GB")
    assert facts["og:site_name"] == "Konferensi Perempuan Timur"
    assert facts["twitter:card"] == "summary_large_image"
    english = client.get("/en/webinar/satu/").content.decode()
    assert '<meta property="og:title" content="One">' in english
    assert '<meta property="og:locale" content="en_GB">' in english


def test_a_question_in_the_address_is_no_part_of_the_canonical_one(client, settings):
    page = client.get("/agenda/?utm_source=wa&x=<script>").content.decode()
    assert f'<link rel="canonical" href="{settings.SITE_URL}/agenda/">' in page
    assert "utm_source" not in page


def test_a_sign_up_for_one_webinar_is_the_same_page(client, settings):
    webinar = WebinarFactory()
    page = client.get(f"/daftar/?webinars={webinar.slug}").content.decode()
    assert f'<link rel="canonical" href="{settings.SITE_URL}/daftar/">' in page


def test_pages_of_one_person_and_errors_stay_out(client, signed_in_client):
    registration = RegistrationFactory()
    mine = signed_in_client(registration.participant.account)
    for visitor, path in [
        (mine, "/saya/"),
        (mine, f"/saya/{registration.code}/batal/"),
        (client, "/akun/masuk/"),
        (client, "/gabung/unknown/"),
        (client, "/tidak-ada/"),
        (client, "/en/webinar/tidak-ada/"),
    ]:
        page = visitor.get(path).content.decode()
        assert '<meta name="robots" content="noindex">' in page, path
        assert "canonical" not in page
        assert "og:" not in page


def test_the_sign_up_of_somebody_who_is_signed_in_names_her_no_more_than_other_pages_of_hers(signed_in_client):
    user = UserFactory(email="ibu@example.org")
    WebinarFactory()
    page = signed_in_client(user).get("/daftar/").content.decode()
    head = page.partition("</head>")[0]
    assert "ibu@example.org" not in head
    assert "noindex" not in head


def test_robots_are_kept_from_personal_addresses_in_both_languages(client, settings):
    lines = client.get("/robots.txt").content.decode().splitlines()
    for path in ("/admin/", "/akun/", "/saya/", "/gabung/", "/ruang-mitra/"):
        assert {f"Disallow: {path}", f"Disallow: /en{path}"} <= set(lines)
    assert lines[0] == "User-agent: *"
    assert f"Sitemap: {settings.SITE_URL}/sitemap.xml" in lines
    assert not [line for line in lines if line.startswith("Disallow") and ("gambar" in line or "daftar" in line)]
