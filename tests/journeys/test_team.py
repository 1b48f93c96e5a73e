"""From an organiser's invitation to the partner's room, on a phone; and a manager's colleague after her."""

import re

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from registration import delivery
from registration.models import OutgoingMail, PartnerMember
from tests import factories
from tests.journeys.steps import say, totp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}


def link_in(mailbox, address):
    delivery.deliver_due()
    text = mailbox.to(address)[-1].get_body(("plain",)).get_content()
    return re.search(r"http://\S+/peran/\S+", text).group()


def code_for(address):
    return OutgoingMail.objects.filter(kind="code", to=address).latest("pk").context["code"]


@pytest.mark.parametrize("language", ["id", "en"])
def test_from_the_invitation_to_the_room(new_page, sign_in_page, mailbox, language):
    organisation = factories.OrganisationFactory()
    organiser = factories.UserFactory(is_staff=True)
    organiser.groups.add(Group.objects.get(name="Organisers"))
    prefix = "" if language == "id" else "/en"
    desk = new_page(viewport={"width": 1280, "height": 900})
    sign_in_page(desk, organiser)
    desk.goto(f"{prefix}/admin/registration/roleinvitation/team/")
    fits(desk)
    desk.get_by_label(say(language, "Email"), exact=True).fill("baru@example.org")
    desk.select_option("[name=role]", "partner_manager")
    desk.select_option("[name=organisation]", str(organisation.pk))
    desk.select_option("[name=language]", language)
    desk.get_by_role("button", name=say(language, "Invite"), exact=True).click()
    expect(desk.get_by_role("cell", name="baru@example.org", exact=True)).to_be_visible()
    fits(desk)

    page = new_page(viewport=PHONE)
    page.goto(link_in(mailbox, "baru@example.org"))
    fits(page)
    page.get_by_role("button", name=say(language, "Send me a code")).click()
    page.fill("[name=code]", code_for("baru@example.org"))
    page.get_by_role("button", name=say(language, "Confirm")).click()
    fits(page)
    page.fill("[name=name]", "Maria Baru")
    page.get_by_role("button", name=say(language, "Take up the role")).click()
    fits(page)
    page.get_by_role("link", name=say(language, "Connect an app")).click()
    fits(page)
    page.fill("[name=code]", totp(page.locator("#authenticator_secret").input_value()))
    page.locator("form button").last.click()
    expect(page.locator(".codes code")).to_have_count(10)
    fits(page)
    page.get_by_role("link", name=say(language, "Continue to the partners' room")).click()
    expect(
        page.get_by_role("heading", name=organisation.name_ind if language == "id" else organisation.name_en).first
    ).to_be_visible()
    assert PartnerMember.objects.get().role == "manager"

    page.goto(f"{prefix}/ruang-mitra/{organisation.slug}/tim/")
    page.fill("[name=email]", "rekan@example.org")
    page.get_by_role("button", name=say(language, "Invite"), exact=True).click()
    expect(page.get_by_text("rekan@example.org").first).to_be_visible()
    fits(page)
    page.goto(f"{prefix}/akun/sesi/")
    fits(page)
    page.goto(f"{prefix}/akun/2fa/")
    fits(page)


def fits(page):
    """Nothing stands beyond the edge of the screen."""
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], page.url
