"""The sign-up form on a bad line, and the other small helpers of the pages' scripts."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from registration import links
from registration.models import OutgoingMail, Registration
from tests import factories
from tests.journeys.steps import fill_in, say, send

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIGN_UP = "/daftar/?webinars=hutan"
MARIA = {"name": "Contoh Maria", "email": "contoh.maria@example.org"}
LOST = "The line is gone: the form is not sent yet. What you typed stays here. It goes out by itself as soon as the line is back; you may also press the button again."


@pytest.fixture
def posts(live_server):
    """The forms that reached the site; while `answers` has a status, that is what comes back."""
    server = live_server.thread.httpd
    app = server.get_app()
    server.arrived, server.answers = [], []

    def between(environ, start_response):
        if environ["REQUEST_METHOD"] == "POST":
            server.arrived.append(environ["PATH_INFO"])
            if server.answers:
                list(app(environ, lambda *args: None))  # it was taken; only the answer is lost
                start_response(server.answers.pop(), [("Content-Type", "text/html")])
                return [b""]
        return app(environ, start_response)

    server.set_app(between)
    yield server
    server.set_app(app)


def expect_typed(page):
    expect(page.locator("[name=name]")).to_have_value(MARIA["name"])
    expect(page.locator("[name=email]")).to_have_value(MARIA["email"])
    expect(page.locator("[name=province]")).to_have_value("81")
    expect(page.locator("[name=webinars]:checked")).to_have_value("hutan")


def expect_code_page(page):
    expect(page.locator("h1")).to_have_text(say("id", "Type the code"))
    registration = Registration.objects.get()
    assert registration.participant.name == MARIA["name"]
    assert OutgoingMail.objects.filter(kind=OutgoingMail.Kind.CODE).count() == 1


def test_a_form_sent_without_a_line_waits_and_goes_out_once(page, programme, posts):
    page.goto(SIGN_UP)
    fill_in(page, **MARIA)
    page.context.set_offline(True)
    send(page)
    expect(page.locator("form [role=status]")).to_have_text(say("id", LOST))
    expect_typed(page)
    assert posts.arrived == []
    page.context.set_offline(False)  # it goes by itself
    expect_code_page(page)
    assert posts.arrived == ["/daftar/"]
    page.goto("/")
    assert page.evaluate("sessionStorage.length") == 0


def test_the_next_tap_sends_it_when_only_the_answer_was_lost(page, programme, posts):
    page.goto(SIGN_UP)
    fill_in(page, **MARIA)
    posts.answers.append("502 Bad Gateway")
    send(page)
    expect(page.locator("form [role=status]")).to_have_text(say("id", LOST))
    assert Registration.objects.count() == 1
    send(page)
    expect_code_page(page)
    assert posts.arrived == ["/daftar/", "/daftar/"]


def test_whoever_types_on_is_not_sent_behind_her_back(page, programme, posts):
    page.goto(SIGN_UP)
    fill_in(page, **MARIA)
    page.context.set_offline(True)
    send(page)
    expect(page.locator("form [role=status]")).to_have_text(say("id", LOST))
    page.fill("[name=name]", "Contoh Mar")
    page.context.set_offline(False)
    page.wait_for_timeout(500)
    assert posts.arrived == []
    page.fill("[name=name]", MARIA["name"])
    send(page)
    expect_code_page(page)


def test_two_taps_are_one_form(page, programme, posts):
    page.goto(SIGN_UP)
    fill_in(page, **MARIA)
    page.evaluate(
        "() => { const form = document.querySelector('main form'); form.requestSubmit(); form.requestSubmit(); }"
    )
    expect_code_page(page)
    assert posts.arrived == ["/daftar/"]


def test_what_was_typed_is_there_after_the_page_was_lost_but_nothing_sensitive(page, programme):
    page.goto(SIGN_UP)
    fill_in(page, **MARIA)
    page.check("[name=gender][value=female]")
    page.select_option("[name=regency]", "8171")
    page.goto("/agenda/")
    page.goto("/daftar/")
    expect_typed(page)
    expect(page.locator("[name=regency]")).to_have_value("8171")
    expect(page.locator("[name=gender]:checked")).to_have_count(0)
    expect(page.locator("[name=consent_processing]")).not_to_be_checked()


def test_what_was_typed_is_forgotten_after_half_an_hour_and_by_another_person(page, programme, sign_in_page):
    page.goto(SIGN_UP)
    fill_in(page, **MARIA)
    page.evaluate(
        """() => { const kept = JSON.parse(sessionStorage.getItem("kpt-sign-up")); kept.at -= 31 * 60e3;
        sessionStorage.setItem("kpt-sign-up", JSON.stringify(kept)) }"""
    )
    page.reload()
    expect(page.locator("[name=name]")).to_have_value("")
    assert page.evaluate("sessionStorage.length") == 0
    fill_in(page, **MARIA)
    sign_in_page(page, factories.UserFactory(name="Contoh Rut"))
    page.goto("/daftar/")
    expect(page.locator("[name=name]")).to_have_value("Contoh Rut")
    expect(page.locator("[name=webinars]:checked")).to_have_count(0)


def test_a_mistake_is_shown_in_place_and_the_form_goes_on(page, programme, posts):
    page.goto(SIGN_UP)
    fill_in(page, **MARIA | {"province": ""})
    send(page)
    expect(page.get_by_role("alert")).to_be_focused()
    page.select_option("[name=province]", "81")
    send(page)
    expect_code_page(page)
    assert posts.arrived == ["/daftar/", "/daftar/"]


def test_signed_in_she_lands_on_her_page_with_its_message(page, programme, sign_in_page):
    person = factories.ParticipantFactory()
    sign_in_page(page, person.account)
    page.goto(SIGN_UP)
    page.check("[name=consent_processing]")
    send(page)
    expect(page.get_by_role("status").first).to_contain_text(programme.first.title_ind)
    expect(page).to_have_url("/saya/")
    assert Registration.objects.get().is_confirmed


def test_the_list_of_regencies_is_that_of_the_province(page, programme):
    page.goto("/daftar/")
    groups = page.locator("[name=regency] optgroup")
    assert groups.count() > 30
    page.select_option("[name=province]", "81")
    assert [group.get_attribute("label") for group in groups.all()] == ["Maluku"]
    page.select_option("[name=regency]", "8171")
    page.select_option("[name=province]", "73")
    expect(page.locator("[name=regency]")).to_have_value("")
    page.select_option("[name=province]", "00")
    expect(groups).to_have_count(0)
    page.select_option("[name=province]", "")
    assert groups.count() > 30


def test_under_18_opens_the_block_of_the_guardian(page, programme):
    page.goto("/daftar/")
    expect(page.locator("[name=guardian_name]")).not_to_be_visible()
    page.select_option("[name=age_group]", "under_18")
    expect(page.locator("[name=guardian_name]")).to_be_visible()


# ---- Hours and doors


@pytest.mark.parametrize(
    ("zone", "language", "expected"),
    [
        ("Europe/Amsterdam", "id", "02.00–05.00 jam Anda"),
        ("Europe/Amsterdam", "en", "02:00–05:00 your clock"),
        ("Pacific/Auckland", "id", "12.00–15.00 jam Anda"),
        ("America/New_York", "id", "20.00–23.00 jam Anda Senin, 31 Mei"),
        ("Asia/Jakarta", "id", None),
        ("Asia/Singapore", "id", None),
        ("Asia/Jayapura", "id", None),
    ],
)
def test_a_visitor_elsewhere_reads_her_own_hour_too(zone, language, expected, new_page, programme):
    webinar = programme.first
    webinar.starts_at, webinar.date = datetime(2027, 6, 1, 0, 0, tzinfo=UTC), date(2027, 6, 1)
    webinar.ends_at = webinar.starts_at + timedelta(hours=3)
    webinar.save()
    page = new_page(timezone_id=zone)
    page.goto(f"{'/en' if language == 'en' else ''}/webinar/hutan/")
    lines = [" ".join(line.split()) for line in page.locator(".hours").first.locator("li").all_inner_texts()]
    assert lines[0] == ("08:00–11:00 WITA" if language == "en" else "08.00–11.00 WITA")
    assert lines[3:] == ([expected] if expected else [])


def test_the_waiting_room_opens_by_itself(page, programme):
    webinar = programme.first
    webinar.starts_at = timezone.now() + timedelta(minutes=webinar.join_opens_minutes, seconds=2)
    webinar.ends_at = webinar.starts_at + timedelta(hours=1)
    webinar.date = timezone.localdate(webinar.starts_at)
    webinar.save()
    ticket = factories.RegistrationFactory(webinar=webinar)
    page.goto(f"/gabung/{links.join_token(ticket)}/")
    expect(page.locator(".state")).to_have_text(say("id", "The room is not open yet"))
    expect(page.get_by_role("button", name=say("id", "Enter the Zoom room"))).to_be_visible(timeout=20_000)


def test_a_door_that_opens_in_months_is_not_waited_for(page, programme):
    webinar = programme.first
    webinar.starts_at = timezone.now() + timedelta(days=90)
    webinar.ends_at = webinar.starts_at + timedelta(hours=1)
    webinar.date = timezone.localdate(webinar.starts_at)
    webinar.save()
    loads = []
    page.on("load", lambda: loads.append(time.monotonic()))
    page.goto(f"/gabung/{links.join_token(factories.RegistrationFactory(webinar=webinar))}/")
    page.wait_for_timeout(1000)
    assert len(loads) == 1
