"""A passkey in Chromium's own virtual authenticator: as second factor, and in place of the code by mail."""

import pytest
from playwright.sync_api import expect

from registration.models import OutgoingMail
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}
OF_THE_PHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def phone(new_page):
    page = new_page(viewport=PHONE)
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    line.send("WebAuthn.addVirtualAuthenticator", {"options": OF_THE_PHONE})
    return page


def sign_in_by_code(page, user):
    page.goto("/akun/masuk/")
    page.fill("[name=email]", user.email)
    page.get_by_role("button", name="Kirim kode").click()
    page.fill("[name=code]", OutgoingMail.objects.filter(kind="code", to=user.email).latest("pk").context["code"])
    page.get_by_role("button", name="Konfirmasi").click()


def test_a_partners_person_uses_her_phone(phone):
    organisation = factories.OrganisationFactory()
    user = factories.UserFactory()
    factories.PartnerMemberFactory(user=user, organisation=organisation)
    sign_in_by_code(phone, user)
    phone.goto("/akun/2fa/webauthn/add/")
    phone.locator("[name=passwordless]").check()
    phone.locator("#mfa_webauthn_add").click()
    expect(phone.locator(".codes code")).to_have_count(10)
    phone.goto("/akun/2fa/webauthn/")
    expect(phone.locator("article.ticket")).to_have_count(1)
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]

    phone.context.clear_cookies()
    sign_in_by_code(phone, user)
    phone.locator("#mfa_webauthn_authenticate").click()
    expect(phone).to_have_url("/ruang-mitra/")

    phone.context.clear_cookies()
    phone.goto("/akun/masuk/")
    phone.locator("a[href='?kunci']").click()
    phone.locator("#passkey_login").click()
    expect(phone).to_have_url("/ruang-mitra/")
