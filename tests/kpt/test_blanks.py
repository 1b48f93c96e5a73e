"""Blank forms are kept for those who come without a cookie, and each gets a token of her own."""

import gzip
import re
import time

import pytest
from django.test import Client
from django.urls import reverse

from conference import notices
from kpt import blanks, pages
from registration.models import Registration
from tests.factories import RegistrationFactory, WebinarFactory

pytestmark = pytest.mark.django_db

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w{64})"')
PATH = "/daftar/"


@pytest.fixture
def told(monkeypatch):
    """As in a web worker, without the thread that listens."""
    told = notices.Notices()
    told.is_open = told.is_listening = True
    monkeypatch.setattr(told, "listen", lambda: None)
    for module in (notices, pages, blanks):
        monkeypatch.setattr(module, "notices", told)
    monkeypatch.setattr(blanks, "drawer", blanks.Drawer())
    return told


def page(path=PATH, client=None, **headers):
    response = (client or Client()).get(path, **headers)
    assert response.status_code == 200
    return response


def text_of(response):
    return response.content.decode()


def without_token(response):
    text, count = TOKEN.subn("", text_of(response))
    assert count == 1
    return text


def test_a_kept_form_costs_no_query_and_differs_in_its_token_alone(told, django_assert_num_queries):
    WebinarFactory()
    drawn = page()
    with django_assert_num_queries(0):
        kept = page()
    assert without_token(kept) == without_token(drawn)
    assert TOKEN.search(text_of(kept))[1] != TOKEN.search(text_of(drawn))[1]
    assert sorted(kept.headers) == sorted(drawn.headers)
    for name in drawn.headers.keys() - {"Expires"}:
        assert kept[name] == drawn[name], name
    assert kept.cookies["csrftoken"].value != drawn.cookies["csrftoken"].value


def test_compressed_it_is_the_same_page(told):
    WebinarFactory()
    plain = page()
    squeezed = page(HTTP_ACCEPT_ENCODING="gzip, deflate, br")
    assert squeezed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in squeezed["Vary"]
    text = gzip.decompress(squeezed.content).decode()
    assert TOKEN.sub("", text) == without_token(plain)
    again = page(HTTP_ACCEPT_ENCODING="gzip")
    assert gzip.decompress(again.content).decode() != text


def test_its_token_is_good_for_its_own_browser_alone(told, time_machine):
    webinar = WebinarFactory()
    page()
    hers, other = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    token = TOKEN.search(text_of(page(client=hers)))[1]
    form = {"webinars": webinar.slug, "name": "Yuliana", "email": "yuliana@example.org", "province": "53"}
    form |= {"consent_processing": "on", "csrfmiddlewaretoken": token}
    page(client=other)
    assert other.post(PATH, form).status_code == 403
    assert other.cookies["csrftoken"].value
    assert Registration.objects.count() == 0
    sent = hers.post(PATH, form)
    assert (sent.status_code, sent["Location"]) == (302, reverse("account_confirm_login_code"))
    assert Registration.objects.count() == 1


def test_a_visitor_who_has_a_token_keeps_it(told):
    WebinarFactory()
    page()
    client = Client(enforce_csrf_checks=True)
    page(client=client)
    first = client.cookies["csrftoken"].value
    page(client=client)
    assert client.cookies["csrftoken"].value == first


def test_each_language_and_each_webinars_own_link_has_its_page(told):
    first, second = WebinarFactory(), WebinarFactory()
    for _time in range(2):
        assert 'lang="id"' in text_of(page())
        assert 'lang="en"' in text_of(page("/en/daftar/"))
        for webinar in (first, second):
            [ticked] = re.findall(r'value="([^"]+)"[^>]*checked', text_of(page(f"{PATH}?webinars={webinar.slug}")))[:1]
            assert ticked == webinar.slug
    assert len(blanks.drawer.blanks) == 4


def test_any_other_query_is_not_kept(told):
    webinar = WebinarFactory()
    for query in ("x=1", "webinars=unknown", f"webinars={webinar.slug}&x=1", "undangan=abc"):
        page(f"{PATH}?{query}")
    assert not blanks.drawer.blanks


def test_who_is_signed_in_gets_her_own_form_and_leaves_none(told, signed_in_client):
    registration = RegistrationFactory(webinar=WebinarFactory())
    client = signed_in_client(registration.participant.account)
    assert registration.participant.email in text_of(page(client=client))
    assert not blanks.drawer.blanks
    page()
    assert registration.participant.email in text_of(page(client=client))
    assert registration.participant.email not in text_of(page())


def test_a_message_that_waits_is_shown_to_its_own_browser_alone(told):
    WebinarFactory()
    page()
    client = Client()
    client.cookies["messages"] = "waiting"
    page(client=client)
    assert len(blanks.drawer.blanks) == 1


def test_a_form_with_errors_is_drawn_and_not_kept(told):
    WebinarFactory()
    response = Client().post(PATH, {"email": "wrong"})
    assert response.status_code == 200
    assert not blanks.drawer.blanks


def test_a_content_change_and_a_few_seconds_draw_it_anew(told, time_machine):
    webinar = WebinarFactory(title="Judul lama")
    page()
    webinar.title = "Judul baru"
    webinar.save()
    assert "Judul lama" in text_of(page())
    told.revision += 1
    assert "Judul baru" in text_of(page())
    [blank] = blanks.drawer.blanks.values()
    assert blank.until - time.monotonic() <= blanks.FRESH_FOR


def test_while_nobody_tells_of_changes_nothing_is_kept_for_use(told):
    webinar = WebinarFactory(title="Judul lama")
    page()
    webinar.title = "Judul baru"
    webinar.save()
    told.is_listening = False
    assert "Judul baru" in text_of(page())


def test_the_drawer_has_an_end(told):
    blank = blanks.Blank([], b"", b"", (b"", None), 0, time.monotonic() + 60)
    for number in range(blanks.MOST_BLANKS + 10):
        blanks.drawer.keep((str(number),), blank)
    assert len(blanks.drawer.blanks) == blanks.MOST_BLANKS
    assert blanks.drawer.find(("0",)) is None
    assert blanks.drawer.find((str(blanks.MOST_BLANKS),)) is blank


def test_outside_a_web_worker_every_form_is_drawn():
    WebinarFactory()
    page()
    assert not notices.notices.is_open
    assert not blanks.drawer.blanks
