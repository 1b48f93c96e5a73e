import pytest
from tests import factories
from tests.journeys.steps import *
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
def test_shots(new_page, programme, worker, mailbox, sign_in_page):
    page = new_page(viewport={"width":360,"height":700})
    sign_in_page(page, factories.UserFactory(organiser=True, second_factor=False))
    for i, path in enumerate(["/akun/2fa/", "/akun/2fa/totp/activate/", "/akun/2fa/recovery-codes/generate/", "/akun/2fa/webauthn/add/"]):
        print(path, page.goto(path).status, page.url)
        page.screenshot(path=f"/tmp/journeys/mfa{i}.png", full_page=True)
    worker.start()
    page = new_page(viewport={"width":360,"height":700})
    organiser = factories.UserFactory(organiser=True)
    page.goto("/admin/")
    page.fill("[name=email]", organiser.email)
    send(page)
    enter_code(page, mailbox, organiser.email)
    page.screenshot(path=f"/tmp/journeys/mfa-auth.png", full_page=True)
    page.fill("[name=code]", "000000")
    send(page)
    page.screenshot(path=f"/tmp/journeys/mfa-auth.png", full_page=True)
