"""Kept pages, on real gunicorn workers: compressed, conditional, fresh, and only what is everybody's."""

import gzip
import http.client
import time

import brotli
import pytest

from conference import notices
from kpt import blanks, pages
from registration.models import Participant
from tests.factories import RegistrationFactory, WebinarFactory
from tests.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]


def ask(site, path, method="GET", **headers):
    line = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    line.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = line.getresponse()
    answer.body = answer.read()
    line.close()
    return answer


def listening(monkeypatch):
    """As in a web worker, without the thread."""
    told = notices.Notices()
    told.is_open = told.is_listening = True
    monkeypatch.setattr(told, "listen", lambda: None)
    for module in (notices, pages, blanks):
        monkeypatch.setattr(module, "notices", told)
    return told


def warm(site, path):
    """Until every worker has kept the page and listens."""
    for _time in range(12):
        ask(site, path)
        time.sleep(0.05)


def test_a_page_is_compressed_as_the_browser_likes_and_answers_304(site):
    webinar = WebinarFactory()
    path = webinar.get_absolute_url()
    warm(site, path)
    plain = ask(site, path)
    assert webinar.title in plain.body.decode()
    assert gzip.decompress(ask(site, path, Accept_Encoding="gzip").body) == plain.body
    squeezed = ask(site, path, Accept_Encoding="gzip, deflate, br")
    assert squeezed.headers["Content-Encoding"] == "br"
    assert brotli.decompress(squeezed.body) == plain.body
    assert squeezed.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert squeezed.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in squeezed.headers
    again = ask(site, path, Accept_Encoding="gzip, deflate, br", If_None_Match=squeezed.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert ask(site, path, If_None_Match='"other"').status == 200
    head = ask(site, path, "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(plain.body)))


def test_a_kept_page_bears_the_same_headers_as_a_drawn_one(site):
    path = WebinarFactory().get_absolute_url()
    drawn = ask(site, path)
    warm(site, path)
    kept = ask(site, path)
    assert sorted(kept.headers.keys()) == sorted(drawn.headers.keys())
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Content-Language", "ETag"):
        assert kept.headers[name] == drawn.headers[name], name


def test_a_content_change_shows_on_all_workers_within_two_seconds(site):
    webinar = WebinarFactory(title="Judul lama")
    for path in ("/agenda/", webinar.get_absolute_url()):
        warm(site, path)
    webinar.title = "Judul baru"
    webinar.save()
    changed = time.monotonic()
    for path in ("/agenda/", webinar.get_absolute_url()):
        wait_until(lambda path=path: all(b"Judul baru" in ask(site, path).body for _worker in range(6)), 2)
    assert time.monotonic() - changed < 2


def test_a_draft_disappears_at_once_and_unknown_pages_are_not_kept(site):
    webinar = WebinarFactory()
    warm(site, webinar.get_absolute_url())
    webinar.status = webinar.Status.DRAFT
    webinar.save()
    wait_until(lambda: {ask(site, webinar.get_absolute_url()).status for _worker in range(6)} == {404}, 2)
    assert ask(site, "/webinar/tidak-ada/").headers.get("ETag") is None


def test_personal_pages_and_queries_are_never_kept(site):
    seat = RegistrationFactory()
    for path in ("/daftar/", "/saya/", "/akun/masuk/", f"{seat.webinar.get_absolute_url()}?x=1"):
        warm(site, path)
        assert ask(site, path).headers.get("ETag") is None, path
    assert Participant.objects.count() == 1


def test_a_kept_page_costs_no_query(django_assert_num_queries, client, monkeypatch):
    """The shelf alone, in this process: what the WSGI layer does with a page that is fresh."""
    shelf = pages.Shelf()
    monkeypatch.setattr(pages, "shelf", shelf)
    told = listening(monkeypatch)
    WebinarFactory()
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/agenda/", "wsgi.url_scheme": "http", "SCRIPT_NAME": ""}
    drawn = client.get("/agenda/", HTTP_HOST="testserver")
    said = []
    application = pages.answered_from_the_shelf(lambda *_args: pytest.fail("Django was asked"))
    with django_assert_num_queries(0):
        [body] = application(environ | {"HTTP_HOST": "testserver"}, lambda *args: said.append(args[0]))
    assert (said, body) == (["200 OK"], drawn.content)
    told.revision += 1
    assert shelf.find(environ | {"HTTP_HOST": "testserver"}) is None


def test_the_shelf_has_an_end():
    shelf = pages.Shelf()
    page = pages.Page([], {"": b""}, "x", 0, time.monotonic() + 60)
    for number in range(pages.MOST_PAGES + 10):
        shelf.keep({"PATH_INFO": f"/{number}/"}, page)
    assert len(shelf.pages) == pages.MOST_PAGES
    assert pages.key_of({"PATH_INFO": "/0/"}) not in shelf.pages
