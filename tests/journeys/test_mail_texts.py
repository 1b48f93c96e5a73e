"""An organiser writes her own words for a mail, looks at them, saves them, and they go out."""

import pytest
from playwright.sync_api import expect

from registration import delivery, mailtexts
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OWN = "Halo **{first_name}**,\n\nSampai jumpa!\n\n{webinars}\n\n[Halaman Anda]({personal_page})"


@pytest.mark.parametrize("width", [360, 1280])
def test_own_words_from_the_first_draft_to_the_mailbox(new_page, sign_in_page, mailbox, width):
    page = new_page(viewport={"width": width, "height": 900})
    sign_in_page(page, factories.UserFactory(organiser=True))
    seat = factories.RegistrationFactory(participant__name="Ani Contoh")
    page.goto("/admin/registration/mailtext/")
    page.locator("a[href$='/kind/confirmation/']").click()

    body, save = page.locator("[name=id-body]"), page.locator("button[value=save]")
    expect(body).to_have_value(mailtexts.starting("confirmation", "id")[1])
    body.fill("Halo {first_nam}")
    save.click()
    expect(page.locator(".errors")).to_contain_text("{first_name}")
    expect(body).to_have_value("Halo {first_nam}")

    body.fill(OWN)
    page.fill("[name=person]", seat.code)
    page.locator("button[value=preview]:visible").click()
    letter = page.frame_locator("iframe").first
    expect(letter.locator("strong", has_text="Ani")).to_be_visible()
    expect(letter.get_by_role("link", name="Halaman Anda")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    save.click()
    version = page.locator("a[href$='/change/']")
    expect(version).to_have_count(1)
    version.click()
    expect(page.locator("ins", has_text="Sampai jumpa!").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    factories.OutgoingMailFactory(participant=seat.participant, registration=seat, language="id")
    mailtexts.forget()
    assert delivery.deliver_due() == 1
    [message] = mailbox.messages
    assert "Sampai jumpa!" in message.get_body(("plain",)).get_content()
    assert "<strong>Ani</strong>" in message.get_body(("html",)).get_content()


def test_without_scripts_a_text_is_written_and_enter_sends_no_mail(new_page, sign_in_page, mailbox):
    page = new_page(java_script_enabled=False, viewport={"width": 360, "height": 900})
    sign_in_page(page, factories.UserFactory(organiser=True))
    page.goto("/admin/registration/mailtext/kind/confirmation/")
    page.fill("[name=id-subject]", "Tautan untuk {first_name}")
    page.press("[name=id-subject]", "Enter")
    expect(page.get_by_text("Tautan untuk Maria").first).to_be_visible()
    assert mailbox.messages == []

    page.locator("button[value=save]").click()
    expect(page.locator("a[href$='/change/']")).to_have_count(1)
