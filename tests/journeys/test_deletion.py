"""She takes her data along and has everything deleted; her seat passes on, and the partner that has her is told."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from registration.models import Consent, Download, Participant, User
from tests import factories
from tests.journeys.steps import code_in, links_in, mail_to, prefix, say, send, text_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("language", ["id", "en"])
def test_she_takes_it_along_and_deletes_everything(new_page, sign_in_page, programme, worker, mailbox, language):
    page = new_page(java_script_enabled=language == "en")
    programme.first.capacity = 1
    programme.first.save()
    seat = factories.RegistrationFactory(webinar=programme.first)
    waiting = factories.RegistrationFactory(webinar=programme.first, waitlisted=True)
    member = factories.PartnerMemberFactory(organisation=programme.host)
    hour_ago = timezone.now() - timedelta(hours=1)
    type(seat).objects.filter(pk=seat.pk).update(created_at=hour_ago - timedelta(hours=1))
    Consent.objects.create(
        participant=seat.participant,
        purpose="partner",
        organisation=programme.host,
        version="1",
        language=language,
        granted_at=hour_ago,
    )
    Download.objects.create(organisation=programme.host, webinar=programme.first, format="csv", rows=1, columns="name")
    Participant.objects.filter(pk=seat.participant_id).update(language=language)
    address, name = seat.participant.email, seat.participant.name
    worker.start()

    sign_in_page(page, seat.participant.account)
    page.goto(f"{prefix(language)}/saya/data/")
    page.get_by_role("button", name=say(language, "Send me a code")).click()
    page.fill("[name=code]", code_in(mail_to(mailbox, address, 1)))
    send(page)
    expect(page.locator("h1")).to_have_text(name)

    with page.expect_download() as download:
        page.get_by_role("link", name=say(language, "Download it as JSON")).click()
    taken = json.loads(download.value.path().read_text())
    assert taken["person"][0]["email"] == address
    with page.expect_download() as download:
        page.get_by_role("link", name=say(language, "Download it as a page")).click()
    reader = new_page()
    reader.set_content(download.value.path().read_text())
    expect(reader.locator("h1")).to_have_text(name)

    page.get_by_role("link", name=say(language, "Delete everything"), exact=True).click()
    expect(page.locator("main")).to_contain_text(
        programme.first.title if language == "id" else programme.first.title_en
    )
    expect(page.locator("main")).to_contain_text(programme.host.name if language == "id" else programme.host.name_en)
    page.get_by_role("button", name=say(language, "Delete everything now")).click()
    expect(page.locator("h1")).to_have_text(say(language, "Everything about you is deleted"))

    last = mail_to(mailbox, address, 2)
    assert last["Subject"] == say(language, "The data is deleted")
    mail_to(mailbox, waiting.participant.email, 1)
    told = mail_to(mailbox, member.user.email, 1)
    assert seat.code in text_of(told)
    assert links_in(told, "/ruang-mitra/")
    assert not User.objects.filter(email=address).exists()

    page.go_back()
    button = page.get_by_role("button", name=say(language, "Delete everything now"))
    if button.count():
        button.click()
        expect(page.locator("h1")).to_have_text(say(language, "Everything about you is deleted"))
    page.goto(f"{prefix(language)}/saya/")
    expect(page.locator("[name=email]")).to_be_visible()
    waiting.refresh_from_db()
    assert waiting.status == "CONFIRMED"
