"""Somebody reads: from the home page through everything to a page of text, in both languages."""

import pytest
from playwright.sync_api import expect

from tests.journeys.steps import say

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def watched(page):
    """A page with the addresses that it asked for and the errors in its console."""
    page.asked, page.console_errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.console_errors.append(message.text) if message.type == "error" else None)
    return page


def read_in_both_languages(page, path, heading, heading_en):
    """The language switch leads to the same page in English and back; neither sets a cookie."""
    for address, language, title, other in [
        (path, "id", heading, "English"),
        (f"/en{path}", "en", heading_en, "Indonesia"),
    ]:
        expect(page).to_have_url(page.home + address)
        expect(page.locator("h1")).to_have_text(title)
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert page.context.cookies() == []
        page.get_by_role("link", name=other, exact=True).click()
    expect(page).to_have_url(page.home + path)


def test_a_visitor_reads_the_whole_site_in_both_languages_without_a_cookie(watched, programme, live_server):
    page, menu, main = watched, watched.get_by_role("navigation"), watched.locator("main")
    page.home = live_server.url
    page.goto("/")
    read_in_both_languages(page, "/", programme.edition.name_ind, programme.edition.name_en)
    menu.get_by_role("link", name="Agenda").click()
    read_in_both_languages(page, "/agenda/", "Agenda", "Agenda")
    main.get_by_role("link", name="Hutan dan Pangan").click()
    read_in_both_languages(page, "/webinar/hutan/", "Hutan dan Pangan", "Forest and Food")
    main.get_by_role("link", name="Contoh Yosefina").first.click()
    read_in_both_languages(page, "/pembicara/yosefina/", "Contoh Yosefina", "Contoh Yosefina")
    main.get_by_role("link", name="Yayasan Contoh").click()
    read_in_both_languages(page, "/mitra/yc/", "Yayasan Contoh (YC)", "Example Foundation (YC)")
    main.get_by_role("link", name=programme.edition.name_ind).click()
    year = programme.edition.year
    read_in_both_languages(page, f"/edisi/{year}/", programme.edition.name_ind, programme.edition.name_en)
    page.get_by_role("contentinfo").get_by_role("link", name="Tentang KPT").click()
    read_in_both_languages(page, "/halaman/tentang/", "Tentang KPT", "About KPT")
    assert [url for url in page.asked if not url.startswith(live_server.url)] == []
    assert page.console_errors == []


def test_an_unknown_address_says_so_in_the_language_of_the_address(page, live_server):
    for path, language in [("/tidak-ada/", "id"), ("/en/nowhere/", "en")]:
        assert page.goto(path).status == 404
        expect(page.locator("h1")).to_have_text(say(language, "This page doesn't exist"))
        expect(page.locator("html")).to_have_attribute("lang", language)
