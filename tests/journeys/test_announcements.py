"""An organiser writes to the people of a webinar, on a computer and on a phone; one of them wants no more of it."""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import translation
from playwright.sync_api import expect

from registration.admin.announcements import reach_words
from registration.models import Announcement, Participant
from tests import factories
from tests.journeys.steps import links_in, say

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("SHOTS", "")


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("width", [360, 1280])
def test_written_looked_at_sent_stopped_and_refused(new_page, sign_in_page, programme, worker, mailbox, width):
    webinar = programme.first
    people = [factories.ParticipantFactory(name=f"Maria Contoh {number}") for number in range(12)]
    for person in people:
        factories.RegistrationFactory(webinar=webinar, participant=person)
    organiser = factories.UserFactory(organiser=True, name="Ibu Panitia")
    page = new_page(viewport={"width": width, "height": 900})
    sign_in_page(page, organiser)

    page.goto("/admin/registration/announcement/add/")
    page.select_option("[name=edition]", str(webinar.edition_id))
    page.fill("[name=subject_ind]", "Persiapan webinar")
    page.fill("[name=body_ind]", "Halo **semua**,\n\n[Buka halaman Anda]({page})\n\n- satu\n- dua")
    page.locator("[name=about][value=own_webinars]").check()
    page.get_by_label(webinar.title).check()
    assert fits(page)
    shoot(page, f"write-{width}")
    page.locator("[name=_save]").click()

    with translation.override("id"):
        count = reach_words({"mailboxes": 12, "people": 12, "in_care": 0})
    expect(page.get_by_text(count, exact=True)).to_be_visible()
    page.get_by_text(say("id", "Ten of them, from all over the list")).click()
    expect(page.locator(".people > li")).to_have_count(10)
    page.get_by_text("Bahasa Indonesia: ").click()
    letter = page.frame_locator("iframe.letter")
    expect(letter.locator("strong", has_text="semua")).to_be_visible()
    assert fits(page)
    shoot(page, f"look-{width}")
    found = Axe().run(page, context=".announcement", options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
    assert found.response["violations"] == []

    worker.start()
    page.get_by_role("button", name=re.compile(say("id", "Send me a test: %(name)s", name="Bahasa Indonesia"))).click()
    [test] = mailbox.wait_for(1)
    assert (test["To"], test["Subject"]) == (organiser.email, f"{say('id', '[Test]')} Persiapan webinar")

    mailbox.delay = 0.2
    page.get_by_role("link", name=say("id", "Send or schedule…")).click()
    shoot(page, f"send-{width}")
    assert fits(page)
    page.get_by_role("button", name=say("id", "Send it")).click()
    expect(page.locator("progress")).to_be_visible()
    assert fits(page)
    shoot(page, f"sending-{width}")
    mailbox.wait_for(13)
    worker.tick("send_announcements")
    expect(page.locator("[data-watch]")).to_have_count(0, timeout=20_000)
    shoot(page, f"sent-{width}")
    assert Announcement.objects.get().mails.filter(status="SENT").count() == 12

    message = mailbox.to(people[3].email)[0]
    [link] = links_in(message, "/berhenti/")
    reader = new_page(viewport={"width": width, "height": 800})
    reader.goto(link)
    shoot(reader, f"unsubscribe-{width}")
    reader.get_by_role("button", name=say("id", "No more announcements")).click()
    expect(reader.locator("h1")).to_have_text(say("id", "You get no announcements any more"))
    assert Participant.objects.get(pk=people[3].pk).unsubscribed_at
    assert Participant.objects.filter(unsubscribed_at=None).count() == 11
