from datetime import timedelta

import pytest
from django.utils import timezone

from registration.models import OutgoingMail
from tests.factories import OutgoingMailFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOG = "/admin/registration/outgoingmail/"


@pytest.fixture(params=[360, 1280])
def desk(request, new_page, sign_in_page):
    page = new_page(viewport={"width": request.param, "height": 900})
    sign_in_page(page, UserFactory(organiser=True))
    return page


def is_within(page):
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_what_is_stuck_is_mended_by_one_button(desk):
    now = timezone.now()
    OutgoingMailFactory(
        status="RETRY", attempts=1, error="451 later", claimed_at=now, not_before=now + timedelta(hours=1)
    )
    OutgoingMailFactory.create_batch(3, sent=True)
    desk.goto(f"{LOG}board/")
    assert is_within(desk)
    assert desk.locator("svg.minutes rect").count() == 60
    desk.locator(".board summary").click()
    assert desk.locator("table.narrow tbody tr").count() == 60
    desk.get_by_role("button", name="Perbaiki sekarang").click()
    desk.wait_for_load_state()
    assert "1 email berangkat sekarang" in desk.content()
    assert is_within(desk)
    assert OutgoingMail.objects.get(status="RETRY").not_before < now + timedelta(minutes=1)


def test_all_that_match_are_sent_again_after_a_page_that_says_how_many(desk):
    OutgoingMailFactory.create_batch(51, failed=True)
    OutgoingMailFactory(sent=True)
    desk.goto(LOG)
    assert is_within(desk)
    desk.locator("#action-toggle").check()
    desk.get_by_role("link", name="Pilih semua yang cocok").click()
    desk.locator("select[name=action]").select_option("send_again")
    desk.locator("button[name=index]").click()
    assert desk.get_by_text("Ini akan dilakukan pada 51 dari 52 email yang Anda pilih.").is_visible()
    assert is_within(desk)
    assert not OutgoingMail.objects.filter(status="QUEUED").exists()
    desk.get_by_role("button", name="Kirim lagi").click()
    desk.wait_for_load_state()
    assert "51 email masuk antrean lagi." in desk.content()
    assert OutgoingMail.objects.filter(status="QUEUED").count() == 51
