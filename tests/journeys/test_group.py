"""A carer with one phone registers her group, without JavaScript and on a narrow screen."""

import pytest
from django.utils import translation
from playwright.sync_api import expect

from registration import groupfile
from registration.models import Participant, Registration
from tests.factories import ParticipantFactory
from tests.journeys.steps import links_in, mail_to, prefix, say, send, text_of
from tests.registration.test_groupfile import header

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CARER, LINA = "contoh.maria@example.org", "contoh.lina@example.org"


def list_of(language, *people):
    """A CSV file as the template of that language has it; a person by field."""
    with translation.override(language):
        rows = [header(language), *([row.get(column.field, "") for column in groupfile.COLUMNS] for row in people)]
    return "\n".join(";".join(row) for row in rows).encode("utf-8-sig")


def assert_fits(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_group_by_hand_and_from_a_file_then_one_of_them_on_her_own(
    new_page, sign_in_page, programme, worker, mailbox, language
):
    worker.start()
    carer = ParticipantFactory(email=CARER, name="Contoh Maria", province="53", language=language).account
    page = new_page(java_script_enabled=False, viewport={"width": 320, "height": 640})
    sign_in_page(page, carer, fresh=True)
    page.goto(f"{prefix(language)}/saya/")
    page.get_by_role("link", name=say(language, "Register others")).click()
    assert_fits(page)

    # One by hand: without her consent first.
    page.get_by_role("link", name=say(language, "Add a person")).click()
    assert_fits(page)
    page.fill("[name=name]", "Contoh Lina")
    page.locator(f"[name=webinars][value={programme.first.slug}]").check()
    send(page)
    expect(page.locator("#errors")).to_be_visible()
    page.check("[name=consent_processing]")
    send(page)
    expect(page.locator("h2")).to_have_text("Contoh Lina")
    assert "/gabung/" in text_of(mail_to(mailbox, CARER, 1))

    # Two more from a file, with a mistake that is mended on the page.
    page.get_by_role("link", name=say(language, "Add many from a file")).click()
    assert_fits(page)
    yes = say(language, "yes")
    content = list_of(
        language,
        {"name": "Contoh Rut", "province": "Maluku", "consent_processing": yes, "webinars": "1, 2"},
        {"name": "Contoh Ana", "province": "Atlantis", "consent_processing": yes},
    )
    page.set_input_files("[name=file]", {"name": "grup.csv", "mimeType": "text/csv", "buffer": content})
    page.locator(f"[name=webinars][value={programme.second.slug}]").check()
    send(page)
    expect(page.locator("#errors")).to_be_visible()
    assert_fits(page)
    assert Participant.objects.in_care_of(carer).count() == 1
    page.select_option("[name='3-province']", label="Nusa Tenggara Timur")
    send(page)
    assert Participant.objects.in_care_of(carer).count() == 1
    page.get_by_role("button", name=say(language, "Register all of them")).click()
    expect(page.locator("section h2")).to_have_text(["Contoh Lina", "Contoh Rut", "Contoh Ana"])
    assert_fits(page)
    assert Registration.objects.confirmed().count() == 4
    mail = mail_to(mailbox, CARER, 2)
    assert "Contoh Lina" not in text_of(mail)
    joins = links_in(mail, "/gabung/")
    assert len(joins) == 3
    page.goto(joins[0])
    expect(page.locator("main")).to_contain_text("WIT")  # the hours of where Rut lives

    # Lina has an address now.
    page.goto(f"{prefix(language)}/saya/rombongan/")
    page.get_by_role("link", name=say(language, "Give an account of their own")).first.click()
    page.fill("[name=email]", LINA)
    send(page)
    [link] = links_in(mail_to(mailbox, LINA, 1), "/serah-terima/")
    hers = new_page(java_script_enabled=False, viewport={"width": 320, "height": 640})
    hers.goto(link)
    assert_fits(hers)
    send(hers)
    expect(hers.locator("h1")).to_have_text(say(language, "It is yours now"))
    assert len(links_in(mail_to(mailbox, LINA, 2), "/gabung/")) >= 1
    page.goto(f"{prefix(language)}/saya/rombongan/")
    expect(page.locator("section h2")).to_have_text(["Contoh Rut", "Contoh Ana"])
