"""The whole sign-up without a mouse."""

import pytest
from playwright.sync_api import expect

from registration.models import Registration
from tests.journeys.steps import code_in, mail_to, say

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MARIA = "contoh.maria@example.org"


def outline(page):
    """Width of the line around whatever has the focus; 0 is none."""
    return page.evaluate("""() => {
        const style = getComputedStyle(document.activeElement);
        return style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
    }""")


def tab_to(page, target):
    """Press Tab until the target has the focus; each stop on the way can be seen."""
    for _press in range(60):
        page.keyboard.press("Tab")
        assert outline(page) >= 2, page.evaluate("document.activeElement.outerHTML")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {target}")


def test_the_skip_link_leads_past_the_menu(page, programme):
    page.goto("/agenda/")
    skip = page.get_by_role("link", name=say("id", "Skip to the content"))
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page).to_have_url("/agenda/#content")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_somebody_signs_up_by_keyboard_alone(page, programme, worker, mailbox):
    worker.start()
    page.goto("/webinar/hutan/")
    tab_to(page, page.get_by_role("link", name=say("id", "Sign up for this webinar")))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(say("id", "Sign up"))
    tab_to(page, page.locator("[value=laut]"))
    page.keyboard.press("Space")
    tab_to(page, page.locator("[name=name]"))
    page.keyboard.type("Contoh Maria")
    tab_to(page, page.locator("[name=email]"))
    page.keyboard.type(MARIA)
    tab_to(page, page.locator("[name=province]"))
    page.keyboard.type("Maluku")
    tab_to(page, page.locator("[name=consent_processing]"))
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(say("id", "Type the code"))
    tab_to(page, page.locator("[name=code]"))
    page.keyboard.type(code_in(mail_to(mailbox, MARIA, 1)))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(say("id", "My registrations"))
    signed_up = Registration.objects.filter(participant__email=MARIA, participant__province="81", status="CONFIRMED")
    assert sorted(registration.webinar.slug for registration in signed_up) == ["hutan", "laut"]
