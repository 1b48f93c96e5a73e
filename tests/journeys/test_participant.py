"""Maria signs up, gets her mail, comes in on the day, and cancels."""

from datetime import timedelta

import icalendar
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from registration.models import Attendance, Registration
from tests import factories
from tests.journeys.steps import code_in, enter_code, fill_in, links_in, mail_to, prefix, say, send, text_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MARIA = "contoh.maria@example.org"
HOURS = {
    "id": "10.00–13.00 WIT · 08.00–11.00 WIB · 09.00–12.00 WITA",
    "en": "10:00–13:00 WIT · 08:00–11:00 WIB · 09:00–12:00 WITA",
}


@pytest.mark.parametrize(
    ("language", "options"),
    [
        pytest.param("id", {}, id="Indonesian"),
        pytest.param("en", {}, id="English"),
        pytest.param("id", {"java_script_enabled": False, "viewport": {"width": 320, "height": 640}}, id="small-phone"),
        pytest.param("en", {"java_script_enabled": False}, id="English-without-JavaScript"),
    ],
)
def test_from_the_agenda_to_the_zoom_room_and_out_again(language, options, programme, zoom, new_page, worker, mailbox):
    webinar = programme.first
    webinar.capacity, webinar.zoom_url = 1, zoom.address
    webinar.save()
    worker.start()
    page = new_page(**options)

    # She finds the webinar and makes one mistake.
    title = webinar.title_en if language == "en" else webinar.title_ind
    page.goto(f"{prefix(language)}/agenda/")
    page.locator("main").get_by_role("link", name=title).click()
    page.get_by_role("link", name=say(language, "Sign up for this webinar")).click()
    expect(page.locator("[name=webinars]:checked")).to_have_count(1)
    fill_in(page, name="Contoh Maria", email=MARIA, province="")
    send(page)
    wrong = page.get_by_role("alert").get_by_role("listitem")
    expect(wrong).to_have_text(f"{say(language, 'Province')} · {say(language, 'Choose your province.')}")
    expect(page.locator("[name=name]")).to_have_value("Contoh Maria")
    expect(page.locator("[name=email]")).to_have_value(MARIA)
    expect(page.locator("[name=webinars]:checked")).to_have_value(webinar.slug)
    expect(page.locator("[name=consent_processing]")).to_be_checked()

    # The code by mail proves that the address is hers.
    page.select_option("[name=province]", "81")
    send(page)
    expect(page.locator("h1")).to_have_text(say(language, "Type the code"))
    first_mail = mail_to(mailbox, MARIA, 1)
    assert first_mail["Subject"] == say(language, "%(code)s is your KPT code", code=code_in(first_mail))
    enter_code(page, mailbox, MARIA)
    expect(page.locator("h1")).to_have_text(say(language, "My registrations"))
    expect(page.locator(".ticket .state")).to_have_text(say(language, "Confirmed"))
    expect(page.locator(".ticket h3")).to_have_text(title)
    registration = Registration.objects.get(participant__email=MARIA)
    assert registration.status == "CONFIRMED"

    # Everything she needs on the day is in one mail, first of all the hour on her own clock.
    mail = mail_to(mailbox, MARIA, 2)
    assert mail["Content-Language"] == language
    assert HOURS[language] in text_of(mail).splitlines()
    (join,) = [link for link in links_in(mail, "/gabung/") if "batal" not in link]
    (leave,) = links_in(mail, "/batal/")
    (attachment,) = mail.iter_attachments()
    assert attachment.get_filename() == "kpt.ics"
    (event,) = icalendar.Calendar.from_ical(attachment.get_content()).walk("VEVENT")
    assert event["SUMMARY"] == title
    assert (event.start, event.end) == (webinar.starts_at, webinar.ends_at)
    assert event["URL"] == join

    # Another phone, without a cookie: the link alone is enough, but not before the hour.
    phone = new_page(**options)
    phone.goto(join)
    expect(phone.locator("h1")).to_have_text(title)
    expect(phone.locator(".state")).to_have_text(say(language, "The room is not open yet"))
    expect(phone.get_by_role("button")).to_have_count(0)
    webinar.starts_at = timezone.now() + timedelta(minutes=20)
    webinar.ends_at = webinar.starts_at + timedelta(hours=2)
    webinar.date = timezone.localdate(webinar.starts_at)
    webinar.save()
    phone.get_by_role("link", name=say(language, "Look again")).click()
    assert not Attendance.objects.exists()
    phone.get_by_role("button", name=say(language, "Enter the Zoom room")).click()
    expect(phone.locator("h1")).to_have_text("Zoom")
    assert phone.url == zoom.address
    (visit,) = zoom.visits
    assert visit.referrer is None  # her key stays with us
    assert [a.source for a in Attendance.objects.filter(registration=registration)] == ["link"]

    # She can't come after all; the seat is offered to Rut, who waits, and Rut takes it.
    rut = factories.RegistrationFactory(
        webinar=webinar, waitlisted=True, participant__email="contoh.rut@example.org", participant__language=language
    )
    phone.goto(leave)
    phone.get_by_role("button", name=say(language, "Cancel registration")).click()
    expect(phone.locator("h1")).to_have_text(say(language, "Your registration is cancelled"))
    assert mail_to(mailbox, MARIA, 3)["Subject"] == say(language, "Your registration is cancelled")
    assert phone.context.cookies() == []
    offer = mail_to(mailbox, "contoh.rut@example.org", 1)
    assert offer["Subject"] == say(language, "A seat has come free: do you want it?")
    rut.refresh_from_db()
    assert rut.status == "PENDING"
    phone.goto(next(link for link in links_in(offer, "/gabung/") if "/batal/" not in link))
    phone.get_by_role("button", name=say(language, "Take the seat")).click()
    expect(phone.get_by_role("button", name=say(language, "Enter the Zoom room"))).to_be_visible()
    rut.refresh_from_db()
    registration.refresh_from_db()
    assert (registration.status, rut.status) == ("CANCELLED", "CONFIRMED")
