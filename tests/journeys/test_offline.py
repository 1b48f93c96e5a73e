"""What a phone keeps of the site, for whom, and until when."""

import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Error, expect

from kpt import offline
from registration import links
from tests import factories
from tests.journeys.steps import prefix, say
from tests.servers import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HAS = "([cache, path]) => caches.match(path, {cacheName: cache, ignoreVary: true}).then(Boolean)"
MINE, PAGES = "mine-1", "pages-1"


@pytest.fixture
def phone(new_page):
    return new_page(service_workers="allow")


@pytest.fixture
def line(live_server):
    """`line(answer)`: between the browser and the site; `answer(environ, start_response, app)` may wait or refuse."""
    server = live_server.thread.httpd
    app = server.get_app()

    def put_between(answer):
        server.set_app(lambda environ, start_response: answer(environ, start_response, app))

    yield put_between
    server.set_app(app)


@pytest.fixture
def tickets(programme):
    """Maria's and Rut's, each for one webinar."""
    return [
        factories.RegistrationFactory(webinar=webinar, participant__name=name)
        for webinar, name in [(programme.first, "Contoh Maria"), (programme.second, "Contoh Rut")]
    ]


def wait_for(page, promise, value=None):
    """Playwright's own waiting takes a promise for its answer."""
    wait_until(lambda: page.evaluate(promise, value), 15, lambda: f"{promise} stayed false")


def wait_for_copy(page, cache, path):
    wait_for(page, HAS, [cache, path])


def has_copy(page, cache, path):
    return page.evaluate(HAS, [cache, path])


def visit(page, path="/", language="id"):
    """The first visit: all public pages of the language are kept afterwards."""
    page.goto(prefix(language) + path)
    wait_for_copy(page, PAGES, f"{prefix(language)}/kept")


def open_own_page(page, sign_in_page, ticket):
    """Signed in, with her page and her personal link on the phone."""
    sign_in_page(page, ticket.participant.account)
    page.goto("/saya/")
    expect(page.locator("main h2").first).to_have_text(ticket.participant.name)
    wait_for_copy(page, MINE, join_path(ticket).partition(".")[0] + "/")


def join_path(ticket):
    return f"/gabung/{links.join_token(ticket)}/"


def expect_no_line_page(page, language="id"):
    expect(page.locator("h1")).to_have_text(say(language, "No line at the moment"))


def kept_notice(page):
    return page.locator("main > .kept")


@pytest.mark.parametrize("language", ["id", "en"])
def test_after_one_visit_the_public_pages_are_read_without_a_line(language, phone, programme):
    visit(phone, "/pembicara/yosefina/", language)
    phone.context.set_offline(True)
    phone.goto(f"{prefix(language)}/")
    expect(kept_notice(phone)).to_be_visible()
    phone.goto(f"{prefix(language)}/agenda/")
    words = {"id": r"^Salinan tersimpan, \w+ \d+ \w+ \d\d\.\d\d\.", "en": r"^Kept copy, \w+ \d+ \w+ \d\d:\d\d\."}
    assert phone.evaluate(
        "pattern => new RegExp(pattern).test(document.querySelector('.kept').innerText)", words[language]
    )
    title = {"id": "Laut dan Pesisir", "en": "Sea and Coast"}[language]
    phone.locator("main").get_by_role("link", name=title).click()  # a webinar that she never opened
    expect(phone.locator("h1")).to_have_text(title)
    expect(kept_notice(phone)).to_be_visible()
    phone.goto(f"{prefix(language)}/pembicara/yosefina/")  # the page on which the worker came
    expect(phone.locator("h1")).to_have_text("Contoh Yosefina")


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_short_address_is_answered_without_a_line(language, phone, programme):
    visit(phone, language=language)
    phone.context.set_offline(True)
    for short in ("/2", "/2/"):
        phone.goto(prefix(language) + short)
        expect(phone).to_have_url(f"{prefix(language)}/webinar/laut/")
        expect(phone.locator("h1")).to_have_text({"id": "Laut dan Pesisir", "en": "Sea and Coast"}[language])
        expect(kept_notice(phone)).to_be_visible()
    phone.goto(f"{prefix(language)}/3")
    expect_no_line_page(phone, language)
    phone.context.set_offline(False)
    phone.goto(f"{prefix(language)}/2")
    expect(phone).to_have_url(f"{prefix(language)}/webinar/laut/")
    expect(kept_notice(phone)).to_have_count(0)


LOADS = """address => new Promise((done) => {
    const image = new Image();
    image.onload = () => done(image.naturalWidth);
    image.onerror = () => done(0);
    image.src = address;
})"""


def test_a_photo_that_was_seen_is_kept(phone, programme, line):
    picture = BytesIO()
    Image.new("RGB", (80, 80)).save(picture, "WEBP")

    def with_media(environ, start_response, app):
        if environ["PATH_INFO"] != "/media/variants/0a1b/80.webp":
            return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "image/webp"), ("Cache-Control", "no-store")])
        return [picture.getvalue()]

    line(with_media)
    visit(phone)
    assert phone.evaluate(LOADS, "/media/variants/0a1b/80.webp") == 80
    phone.context.set_offline(True)
    phone.goto("/agenda/")
    assert phone.evaluate(LOADS, "/media/variants/0a1b/80.webp") == 80
    assert phone.evaluate(LOADS, "/media/speakers/80.webp") == 0


def test_what_is_not_kept_says_what_can_be_done(phone, programme):
    visit(phone)
    phone.context.set_offline(True)
    for path, language in [("/mitra/yc/", "id"), ("/daftar/", "id"), ("/saya/", "id"), ("/en/agenda/", "en")]:
        phone.goto(path)
        expect_no_line_page(phone, language)
        expect(phone).to_have_url(path)
    phone.goto("/webinar/hutan/?utm_source=wa")
    expect(phone.locator("h1")).to_have_text("Hutan dan Pangan")
    phone.context.set_offline(False)
    phone.goto("/mitra/yc/")
    expect(phone.locator("h1")).to_have_text("Yayasan Contoh (YC)")
    expect(kept_notice(phone)).to_have_count(0)


def test_a_slow_line_shows_the_kept_page_and_keeps_the_new_one(phone, programme, line):
    visit(phone)
    programme.first.title_ind = "Hutan dan Air"
    programme.first.save()

    def slow(environ, start_response, app):
        if environ["PATH_INFO"] == "/agenda/":
            time.sleep(6)
        return app(environ, start_response)

    line(slow)
    phone.goto("/agenda/")
    expect(kept_notice(phone)).to_be_visible()
    expect(phone.locator("main")).to_contain_text("Hutan dan Pangan")
    wait_for(
        phone,
        "() => caches.match('/agenda/', {cacheName: 'pages-1'}).then(c => c ? c.text() : '').then(t => t.includes('Hutan dan Air'))",
    )


def test_a_server_that_is_away_leaves_the_kept_page(phone, programme, line):
    visit(phone)

    def away(environ, start_response, app):
        start_response("503 Service Unavailable", [("Content-Type", "text/html")])
        return [b"<h1>503</h1>"]

    line(away)
    phone.goto("/agenda/")
    expect(kept_notice(phone)).to_be_visible()
    phone.goto("/mitra/yc/")
    expect(phone.locator("h1")).to_have_text("503")


def test_nothing_of_staff_of_partners_and_of_sign_in_is_kept(phone, programme, sign_in_page):
    member = factories.PartnerMemberFactory(organisation=programme.host)
    sign_in_page(phone, member.user)
    visit(phone)
    for path in ("/ruang-mitra/", "/daftar/", "/akun/keluar/", "/admin/", "/agenda/?halaman=2"):
        phone.goto(path)
    with suppress(Error):  # a calendar is a download
        phone.goto("/agenda.ics")
    phone.goto("/agenda/")
    paths = phone.evaluate(
        """async () => { const found = [];
        for (const name of await caches.keys()) for (const key of await (await caches.open(name)).keys())
          found.push(key.url.replace(location.origin, ""));
        return found.sort() }"""
    )
    assert paths == ["/", "/agenda/", "/en/luring/", "/kept", "/luring/", "/webinar/hutan/", "/webinar/laut/"]


# ---- One person's pages


def test_her_own_page_and_her_links_are_read_without_a_line(phone, tickets, sign_in_page):
    maria, _ = tickets
    open_own_page(phone, sign_in_page, maria)
    phone.context.set_offline(True)
    phone.goto("/saya/")
    expect(kept_notice(phone)).to_be_visible()
    phone.get_by_role("link", name=say("id", "To the waiting room")).click()
    expect(phone.locator("h1")).to_have_text(maria.webinar.title)
    expect(kept_notice(phone)).to_be_visible()
    phone.goto(join_path(maria))  # as it stands in her mail, where it is signed at another hour
    expect(phone.locator("h1")).to_have_text(maria.webinar.title)
    expect(kept_notice(phone)).to_be_visible()


@pytest.fixture
def open_room(tickets, zoom):
    """Maria's ticket, on the day."""
    maria, _rut = tickets
    begun = timezone.now() - timedelta(minutes=5)
    maria.webinar.starts_at, maria.webinar.ends_at = begun, begun + timedelta(hours=2)
    maria.webinar.zoom_url = zoom.address
    maria.webinar.save()
    return maria


def enter_the_room(page):
    page.get_by_role("button", name=say("id", "Enter the Zoom room")).click()


def test_the_way_to_the_room_without_a_line_says_what_to_do_and_works_when_it_is_back(
    phone, open_room, zoom, sign_in_page
):
    open_own_page(phone, sign_in_page, open_room)
    phone.goto(join_path(open_room))
    phone.context.set_offline(True)
    enter_the_room(phone)
    expect(phone.locator(".stuck")).to_contain_text("ruangnya belum dapat dibuka")
    expect(phone.locator("h1")).to_have_text(open_room.webinar.title)
    expect(kept_notice(phone)).to_be_visible()
    assert zoom.visits == []
    phone.context.set_offline(False)
    phone.locator(".stuck").get_by_role("link", name=say("id", "Try again")).click()
    expect(phone.locator(".stuck")).to_have_count(0)
    enter_the_room(phone)
    phone.wait_for_url(f"{zoom.address}**")
    assert len(zoom.visits) == 1


def test_the_way_to_the_room_of_a_link_that_is_not_kept(phone, open_room, zoom):
    visit(phone)
    phone.goto(join_path(open_room))
    phone.context.set_offline(True)
    enter_the_room(phone)
    expect_no_line_page(phone)
    expect(phone.locator(".stuck")).to_contain_text("ruangnya belum dapat dibuka")
    paths = phone.evaluate(
        """async () => { const found = [];
        for (const name of await caches.keys()) for (const key of await (await caches.open(name)).keys())
          found.push(key.url);
        return found.filter((url) => url.includes("gabung")) }"""
    )
    assert paths == []


def test_signing_out_takes_her_pages_away(phone, tickets, sign_in_page):
    maria, _ = tickets
    open_own_page(phone, sign_in_page, maria)
    phone.get_by_role("button", name=say("id", "Sign out")).click()
    expect(phone).to_have_url("/")
    assert not has_copy(phone, MINE, "/saya/")
    phone.context.set_offline(True)
    for path in ("/saya/", join_path(maria)):
        phone.goto(path)
        expect_no_line_page(phone)


def test_signing_out_without_a_line_takes_her_pages_away_too(phone, tickets, sign_in_page):
    open_own_page(phone, sign_in_page, tickets[0])
    phone.context.set_offline(True)
    phone.get_by_role("button", name=say("id", "Sign out")).click()
    expect(phone).to_have_url("chrome-error://chromewebdata/")
    phone.goto("/saya/")
    expect_no_line_page(phone)


@pytest.mark.parametrize("path", ["/saya/", "/daftar/", "/akun/masuk/", "a link from a mail"])
def test_a_session_that_has_ended_takes_her_pages_away(path, phone, tickets, sign_in_page):
    maria, rut = tickets
    open_own_page(phone, sign_in_page, maria)
    phone.context.clear_cookies()
    phone.goto(join_path(rut) if path.startswith("a link") else path)
    wait_for(phone, "() => caches.has('mine-1').then(has => !has)")
    phone.context.set_offline(True)
    for own in ("/saya/", join_path(maria), join_path(rut)):
        phone.goto(own)
        expect_no_line_page(phone)


def test_the_second_person_never_sees_the_first_ones_page(phone, tickets, sign_in_page):
    maria, rut = tickets
    open_own_page(phone, sign_in_page, maria)
    open_own_page(phone, sign_in_page, rut)
    phone.context.set_offline(True)
    phone.goto("/saya/")
    expect(phone.locator("main h2").first).to_have_text("Contoh Rut")
    phone.goto(join_path(maria))
    expect_no_line_page(phone)


def test_a_forwarded_link_of_somebody_else_is_not_kept(phone, tickets, sign_in_page):
    maria, rut = tickets
    open_own_page(phone, sign_in_page, maria)
    phone.goto(join_path(rut))
    phone.context.set_offline(True)
    phone.goto(join_path(rut))
    expect_no_line_page(phone)
    phone.goto(join_path(maria))
    expect(phone.locator("h1")).to_have_text(maria.webinar.title)


def test_another_address_in_the_form_takes_her_pages_away_even_without_a_line(phone, tickets, sign_in_page):
    open_own_page(phone, sign_in_page, tickets[0])
    phone.goto("/daftar/")
    phone.fill("[name=email]", "contoh.rut@example.org")
    phone.context.set_offline(True)
    phone.locator("main form .button").first.click()
    wait_for(phone, "() => caches.has('mine-1').then(has => !has)")


def test_an_answer_that_comes_after_the_sign_out_is_not_kept(phone, tickets, sign_in_page, line):
    open_own_page(phone, sign_in_page, tickets[0])
    asked = []

    def slow(environ, start_response, app):
        answer = app(environ, start_response)
        if environ["PATH_INFO"] == "/saya/":
            asked.append(1)
            time.sleep(2)
        return answer

    line(slow)
    other = phone.context.new_page()
    other.goto("/robots.txt")
    other.evaluate("() => { location.href = '/saya/' }")
    while not asked:
        phone.wait_for_timeout(50)
    phone.get_by_role("button", name=say("id", "Sign out")).click()
    expect(phone).to_have_url("/")
    expect(other.locator("h1")).to_have_text(say("id", "My registrations"))
    phone.wait_for_timeout(500)
    assert not has_copy(phone, MINE, "/saya/")


def test_a_cancelled_ticket_is_no_longer_kept(phone, tickets, sign_in_page):
    maria, _ = tickets
    open_own_page(phone, sign_in_page, maria)
    maria.status = "CANCELLED"
    maria.cancelled_at = timezone.now()
    maria.save()
    phone.goto("/saya/")
    wait_for(phone, "path => caches.match(path).then(copy => !copy)", join_path(maria).partition(".")[0] + "/")
    assert has_copy(phone, MINE, "/saya/")


# ---- Versions


def update(page):
    page.evaluate("navigator.serviceWorker.getRegistration().then(one => one.update())")


def new_version(monkeypatch):
    script = offline.worker_script().replace('VERSION = "', 'VERSION = "next', 1)
    monkeypatch.setattr(offline, "worker_script", lambda: script)


def test_a_new_version_takes_over_and_leaves_nothing_of_the_old_one(phone, programme, monkeypatch):
    visit(phone)
    old = next(name for name in phone.evaluate("caches.keys()") if name.startswith("static-"))
    new_version(monkeypatch)
    update(phone)
    wait_for(phone, "old => caches.has(old).then(has => !has)", old)
    phone.goto("/agenda/")
    wait_for_copy(phone, PAGES, "/kept")
    names = phone.evaluate("caches.keys()")
    assert [name for name in names if name.startswith("static-")] == [f"static-next{old.removeprefix('static-')}"]
    phone.context.set_offline(True)
    phone.goto("/webinar/laut/")
    expect(kept_notice(phone)).to_be_visible()


def expect_gone(page):
    wait_for(page, "() => navigator.serviceWorker.getRegistration().then(one => !one)")
    wait_for(page, "() => caches.keys().then(names => !names.length)")


def test_the_brake_makes_phones_give_everything_back(phone, programme, settings):
    visit(phone)
    settings.OFFLINE_COPIES = False
    offline.worker_script.cache_clear()
    try:
        update(phone)
        expect_gone(phone)
    finally:
        offline.worker_script.cache_clear()


def test_a_worker_whose_site_is_gone_goes_too(phone, programme, line):
    visit(phone)

    def moved_away(environ, start_response, app):
        if environ["PATH_INFO"] == "/sw.js":
            start_response("404 Not Found", [])
            return [b""]
        return app(environ, start_response)

    line(moved_away)
    phone.evaluate("caches.open('pages-1').then(cache => cache.delete('/kept'))")  # the next look is due
    phone.goto("/agenda/")
    expect_gone(phone)


# ---- With the static files of production


@pytest.fixture
def production_site(monkeypatch, tmp_path, request):
    """The site with hashed static files, as it runs behind a proxy."""
    for name, value in {"DEBUG": "off", "STATIC_ROOT": str(tmp_path / "static")}.items():
        monkeypatch.setenv(name, value)
    tmp_path.chmod(0o755)
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"]
    subprocess.run(command, cwd=Path(django_settings.BASE_DIR), check=True)
    return request.getfixturevalue("site")


def test_the_kept_page_wears_its_style_even_that_of_an_earlier_version(production_site, programme, new_page):
    page = new_page(base_url=f"http://127.0.0.1:{production_site.port}", service_workers="allow")
    visit(page)
    band = "getComputedStyle(document.querySelector('.band')).backgroundImage"
    with_line = page.evaluate(band)
    page.context.set_offline(True)
    page.goto("/agenda/")
    expect(kept_notice(page)).to_be_visible()
    assert page.evaluate("document.styleSheets.length") >= 1
    assert page.evaluate(band) == with_line != "none"
    assert page.evaluate(LOADS, "/media/variants/0a1b/80.webp") > 0  # cloth, as it was never seen
    # A page kept before an update asks for a file of that time.
    page.evaluate(
        """async () => { const cache = await caches.open('pages-1'), copy = await cache.match('/agenda/');
        const text = (await copy.text()).replace(/(css\\/\\w+\\.)[0-9a-f]{12}/g, '$1000000000000');
        await cache.put('/agenda/', new Response(text, { headers: copy.headers })) }"""
    )
    page.goto("/agenda/")
    assert page.evaluate(band) == with_line


def test_the_page_behind_the_mails_link_is_kept_for_its_owner_alone(phone, tickets, sign_in_page):
    maria, rut = (f"/tautan/{links.page_token(ticket.participant)}/" for ticket in tickets)
    kept = [path.partition(".")[0] + "/" for path in (maria, rut)]
    visit(phone)
    phone.goto(maria)  # a guest's phone keeps nothing
    open_own_page(phone, sign_in_page, tickets[0])
    assert not has_copy(phone, MINE, kept[0])
    phone.goto(maria)
    wait_for_copy(phone, MINE, kept[0])
    phone.goto(rut)  # somebody's who uses the same phone
    expect(phone.locator("main h2").first).to_have_text("Contoh")
    phone.goto("/saya/")
    assert not has_copy(phone, MINE, kept[1])
    phone.context.set_offline(True)
    phone.goto(maria)
    expect(kept_notice(phone)).to_be_visible()
    expect(phone.locator("main h2").first).to_have_text("Contoh")
    phone.goto(rut)
    expect_no_line_page(phone)
