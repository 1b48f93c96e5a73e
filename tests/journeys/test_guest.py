"""A guest who never signs in: from the mail to her page, out of one webinar and off a waiting list; and with a code for her data."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from registration import delivery, signup
from registration.models import Registration
from tests import factories
from tests.journeys.steps import code_in, enter_code, fill_in, links_in, mail_to, prefix, say, send

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADDRESS = "maria@example.org"


def answers_for(*webinars):
    person = dict.fromkeys(signup.Person.__annotations__, "") | {
        "name": "Maria Wenda",
        "email": ADDRESS,
        "gender": "undisclosed",
        "age_group": "undisclosed",
        "province": "94",
    }
    return {
        "person": person,
        "webinars": [webinar.pk for webinar in webinars],
        "partners": [],
        "language": "id",
        "given_at": timezone.now().isoformat(),
    }


def signed_up(language, *webinars):
    answers = answers_for(*webinars) | {"language": language}
    now = timezone.now()
    user = signup.begin(answers, now=now)
    signup.confirm(user, answers, now=now)
    delivery.deliver_due()


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def phone(request, new_page):
    return new_page(java_script_enabled=request.param, viewport={"width": 360, "height": 640})


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_mail_opens_her_page_and_she_leaves_without_signing_in(phone, programme, mailbox, language):
    full = factories.WebinarFactory(title="Penuh", title_en="Full one", capacity=1)
    other = factories.RegistrationFactory(webinar=full)
    signed_up(language, programme.first, full)
    [link] = links_in(mail_to(mailbox, ADDRESS, 1), "/tautan/")
    phone.goto(link)
    expect(phone.locator("h1")).to_have_text(say(language, "My registrations"))
    expect(phone.locator("h2").first).to_have_text("Maria")
    assert "Wenda" not in phone.content()
    assert not phone.context.cookies()
    ticket = phone.locator(".ticket")
    expect(ticket.nth(0).locator(".state")).to_have_text(say(language, "Confirmed"))
    expect(ticket.nth(1).locator(".state")).to_have_text(say(language, "On the waiting list, place %(place)s", place=1))

    ticket.nth(0).locator("summary").click()
    ticket.nth(0).locator("button.danger").click()
    expect(ticket.nth(0).locator(".state")).to_have_text(say(language, "Your registration is cancelled"))
    ticket.nth(1).locator("button").click()
    expect(ticket.nth(1).locator(".state")).to_have_text(say(language, "Your registration is cancelled"))
    assert Registration.objects.exclude(pk=other.pk).filter(status="CANCELLED").count() == 2
    ticket.nth(0).get_by_role("link", name=say(language, "Sign up again")).click()
    expect(phone.locator(f"input[value={programme.first.slug}]")).to_be_checked()


@pytest.mark.parametrize("language", ["id", "en"])
def test_with_a_fresh_code_she_ends_her_links(phone, programme, mailbox, language):
    signed_up(language, programme.first)
    [old] = links_in(mail_to(mailbox, ADDRESS, 1), "/tautan/")
    phone.goto(f"{prefix(language)}/saya/tautan/baru/")
    phone.fill("[name=email]", ADDRESS)
    send(phone)
    delivery.deliver_due()
    enter_code(phone, mailbox, ADDRESS, 2)
    expect(phone.locator("h1")).to_have_text(say(language, "Renew my links"))
    send(phone)
    expect(phone.locator("h1")).to_have_text(say(language, "Your links are renewed"))
    delivery.deliver_due()
    [fresh] = links_in(mail_to(mailbox, ADDRESS, 3), "/tautan/")
    phone.goto(old)
    expect(phone.locator("h1")).to_have_text(say(language, "This link has ended"))
    phone.goto(fresh)
    expect(phone.locator("h2").first).to_have_text("Maria")


def test_a_sign_in_of_long_ago_asks_for_a_code_and_comes_back(phone, programme, mailbox, sign_in_page):
    person = factories.ParticipantFactory(email=ADDRESS)
    sign_in_page(phone, person.account)
    phone.goto("/saya/")
    phone.get_by_role("link", name=say("id", "Renew my links")).click()
    expect(phone.locator("h1")).to_have_text(say("id", "Is it you?"))
    phone.get_by_role("button", name=say("id", "Send me a code")).click()
    delivery.deliver_due()
    code = code_in(mail_to(mailbox, ADDRESS, 1))
    phone.fill("[name=code]", "000000" if code != "000000" else "111111")
    send(phone)
    expect(phone.locator("#errors")).to_be_visible()
    phone.fill("[name=code]", code)
    send(phone)
    expect(phone.locator("h1")).to_have_text(say("id", "Renew my links"))


def test_a_slip_in_the_address_is_mended_by_one_tick(phone, programme, mailbox):
    phone.goto("/daftar/")
    fill_in(phone, programme.first, name="Maria Wenda", email="maria@gmial.com", province="94")
    send(phone)
    expect(phone.locator("#errors")).to_contain_text("maria@gmail.com")
    expect(phone.locator("[name=name]")).to_have_value("Maria Wenda")
    expect(phone.locator("[name=province]")).to_have_value("94")
    phone.check("[name=email_meant]")
    phone.locator("main form .button").first.click()
    expect(phone).to_have_url(re.compile("/akun/kode/$"))
    expect(phone.locator("main")).to_contain_text("maria@gmail.com")


def test_the_province_narrows_the_regencies_quickly(new_page, programme):
    phone = new_page(viewport={"width": 360, "height": 640})
    phone.context.new_cdp_session(phone).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    phone.goto("/daftar/")
    regency = phone.locator("[name=regency]")
    expect(regency.locator("option")).to_have_count(1 + 514)
    phone.select_option("[name=province]", "53")
    expect(regency.locator("option")).to_have_count(1 + 22)
    expect(regency.locator("option", has_text="Kota Kupang")).to_have_count(1)
    phone.select_option("[name=regency]", "5371")
    took = phone.evaluate(
        """() => {
            const { province } = document.forms[0].elements;
            const start = performance.now();
            province.value = "91";
            province.dispatchEvent(new Event("change"));
            return performance.now() - start;
        }"""
    )
    assert took < 100  # on a phone six times slower than this machine
    expect(regency).to_have_value("")
    phone.select_option("[name=province]", "00")
    expect(regency.locator("option")).to_have_count(1)
