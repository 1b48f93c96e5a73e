"""Two people sign up on one phone."""

import pytest
from playwright.sync_api import expect

from registration.models import Registration
from tests.journeys.steps import enter_code, fill_in, say, send

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MARIA, RUT = "contoh.maria@example.org", "contoh.rut@example.org"


def test_the_second_person_on_a_phone_does_not_see_the_first(page, programme, worker, mailbox):
    worker.start()
    page.goto("/daftar/")
    fill_in(page, programme.first, name="Contoh Maria", email=MARIA)
    send(page)
    enter_code(page, mailbox, MARIA)
    expect(page.locator("main h2")).to_have_text("Contoh Maria")

    # The phone goes to Rut while Maria is still signed in: the form knows Maria, Rut writes over it.
    page.get_by_role("link", name=say("id", "Sign up for a webinar")).click()
    fill_in(page, programme.second, name="Contoh Rut", email=RUT)
    send(page)
    page.goto("/saya/")  # until her code is there it is nobody's page, not Maria's
    expect(page.locator("h1")).to_have_text(say("id", "Type the code"))
    enter_code(page, mailbox, RUT)
    expect(page.locator("main h2")).to_have_text("Contoh Rut")
    expect(page.locator(".ticket h3")).to_have_text("Laut dan Pesisir")
    expect(page.get_by_text(MARIA)).to_have_count(0)

    of_maria = Registration.objects.get(participant__email=MARIA)
    assert page.goto(f"/saya/{of_maria.code}/batal/").status == 404
    assert of_maria.participant.name == "Contoh Maria"
    assert Registration.objects.get(participant__email=RUT).webinar == programme.second
