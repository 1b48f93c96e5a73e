"""Links to what is not public yet."""

from datetime import timedelta

import pytest
from django.core import signing
from django.urls import reverse

from conference import previewing, publishing
from conference.models import Webinar
from kpt.logs import redact
from tests import factories

pytestmark = pytest.mark.django_db

BAIT = "https://zoom.example.org/j/999?pwd=rahasia"


@pytest.fixture
def organiser(now, signed_in_client):
    return signed_in_client(factories.UserFactory(organiser=True))


def draft_webinar():
    return factories.WebinarFactory(
        draft=True, title="Judul rahasia", zoom_url=BAIT, zoom_passcode="sandi123", zoom_meeting_id="99988877766"
    )


def draft_page():
    return factories.PageFactory(is_published=False, title="Halaman rahasia")


def draft_edition():
    return factories.EditionFactory(year=2031, number=31, is_current=False, is_published=False, name="KPT rahasia")


DRAFTS = {"webinar": draft_webinar, "page": draft_page, "edition": draft_edition}


@pytest.fixture(params=DRAFTS)
def row(request, now):
    return DRAFTS[request.param]()


def address(row):
    return reverse("conference:preview", args=[previewing.token(row)])


def step(row, name):
    return reverse(f"admin:conference_{row._meta.model_name}_{name}", args=[row.pk])


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_whoever_has_the_link_sees_the_page_and_that_it_is_a_preview(client, row, prefix):
    response = client.get(prefix + address(row))
    html = response.content.decode()
    assert response.status_code == 200
    assert "rahasia" in html or "Example" in html
    assert ("This is a preview." if prefix else "Ini pratinjau.") in html
    assert "8 Juni 2027, 09.00 WITA" in html or "8 June 2027" in html
    assert '<meta name="robots" content="noindex">' in html
    assert response["X-Robots-Tag"] == "noindex"
    assert "no-store" in response["Cache-Control"]
    assert not getattr(response, "may_be_kept", False)
    assert not response.cookies
    for trace in (
        "canonical",
        "og:image",
        "ld+json",
        "<form",
        "zoom.example.org",
        "sandi123",
        "99988877766",
        "/daftar/?",
    ):
        assert trace not in html


def test_nobody_can_sign_up_on_it(client, now):
    """Though the edition's sign-up is open."""
    webinar = draft_webinar()
    assert webinar.edition.is_registration_open(now)
    html = client.get(address(webinar)).content.decode()
    assert f"webinars={webinar.slug}" not in html
    assert f"/webinar/{webinar.slug}" not in html  # calendars and the address to share lead nowhere yet


def test_it_ends_after_a_week(client, row, now, time_machine):
    link = address(row)
    time_machine.move_to(now + previewing.AGE - timedelta(seconds=1))
    assert client.get(link).status_code == 200
    time_machine.move_to(now + previewing.AGE)
    response = client.get(link)
    assert response.status_code == 410
    assert "rahasia" not in response.content.decode()
    assert response["X-Robots-Tag"] == "noindex"


def test_an_organiser_ends_the_links_of_one_page_and_no_other(client, organiser, row):
    link, bait = address(row), address(draft_page() if row._meta.model_name != "page" else draft_webinar())
    assert organiser.get(step(row, "end_previews")).status_code == 405
    assert organiser.post(step(row, "end_previews")).status_code == 302
    assert client.get(link).status_code == 410
    assert client.get(bait).status_code == 200
    assert client.get(address(type(row).objects.get(pk=row.pk))).status_code == 200


def test_a_forged_link_opens_nothing(client, row):
    token = previewing.token(row)
    value, stamp, signature = token.rsplit(".", 2)
    foreign = signing.TimestampSigner(salt="registration.join", sep=".").sign(value)
    for forged in (f"{value}.{stamp}.{signature[:-1]}", f"w-1-0.{stamp}.{signature}", value, foreign, "x", "a.b.c"):
        if forged != token:
            assert client.get(f"/pratinjau/{forged}/").status_code == 404


def test_a_link_of_another_kind_opens_nothing(client, now):
    """A webinar's number is no page's."""
    webinar = draft_webinar()
    page = factories.PageFactory(pk=webinar.pk, is_published=False, title="Umpan")
    assert "Umpan" not in client.get(address(webinar)).content.decode()
    assert "Judul rahasia" not in client.get(address(page)).content.decode()


def test_it_leads_on_to_the_page_once_that_is_public(client, now):
    webinar = draft_webinar()
    link = address(webinar)
    publishing.publish(webinar)
    response = client.get(link)
    assert (response.status_code, response["Location"]) == (302, webinar.get_absolute_url())


def test_what_is_deleted_has_ended(client, row):
    link = address(row)
    row.delete()
    assert client.get(link).status_code == 410


def test_nothing_is_sent_to_it(client, row):
    assert client.post(address(row)).status_code == 405


def test_an_editions_link_opens_its_webinars_and_no_others(client, now):
    edition = draft_edition()
    webinar = factories.WebinarFactory(edition=edition, draft=True, title="Sesi rahasia", zoom_url=BAIT)
    foreign = factories.WebinarFactory(draft=True)
    token = previewing.token(edition)
    beneath = reverse("conference:preview_webinar", args=[token, webinar.slug])
    assert beneath in client.get(address(edition)).content.decode()
    html = client.get(beneath).content.decode()
    assert "Sesi rahasia" in html
    assert "Ini pratinjau." in html
    assert "zoom.example.org" not in html
    for slug in (foreign.slug, "tidak-ada"):
        assert client.get(reverse("conference:preview_webinar", args=[token, slug])).status_code == 404
    other = previewing.token(webinar)
    assert client.get(reverse("conference:preview_webinar", args=[other, webinar.slug])).status_code == 404
    Webinar.objects.filter(pk=webinar.pk).update(status="published")
    assert client.get(beneath)["Location"] == webinar.get_absolute_url()


def test_the_admin_shows_the_link_and_until_when(organiser, client, row):
    assert step(row, "preview_link") in organiser.get(step(row, "change")).content.decode()
    html = organiser.get(step(row, "preview_link")).content.decode()
    assert previewing.token(row) in html
    assert f"/en/pratinjau/{previewing.token(row)}/" in html
    assert "8 Juni 2027, 09.00 WITA" in html
    assert client.get(step(row, "preview_link")).status_code == 302


def test_what_is_public_needs_no_link(organiser, now):
    webinar = factories.WebinarFactory()
    assert step(webinar, "preview_link") not in organiser.get(step(webinar, "change")).content.decode()
    html = organiser.get(step(webinar, "preview_link")).content.decode()
    assert "/pratinjau/" not in html


def test_the_admins_own_preview_says_so_until_it_is_public(organiser, now):
    webinar = draft_webinar()
    page = step(webinar, "preview")
    assert "Ini pratinjau." in organiser.get(page).content.decode()
    publishing.publish(webinar)
    assert "Ini pratinjau." not in organiser.get(page).content.decode()


def test_search_engines_and_logs_keep_away(client, now):
    assert "Disallow: /pratinjau/" in client.get("/robots.txt").content.decode()
    token = previewing.token(draft_webinar())
    assert token not in redact(f"GET /en/pratinjau/{token}/ 200")
