"""An organiser changes the programme, gives seats, and reads what was sent."""

import pytest
from playwright.sync_api import expect

from registration.accounts import lacks_second_factor
from registration.models import Participant
from tests import factories
from tests.journeys.steps import enter_code, mail_to, say, say_count, send, sign_in, text_of, totp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PROMOTED = (
    "%d person from the waiting list gets a seat, or the offer of one, and a mail.",
    "%d people from the waiting list get a seat, or the offer of one, and a mail.",
)


def open_webinar(page, title):
    page.goto("/admin/conference/webinar/")
    page.locator("#result_list").get_by_role("link", name=title, exact=True).click()


def save(page):
    page.locator("[name=_save]").click()
    expect(page).to_have_url("/admin/conference/webinar/")


def test_an_organiser_changes_a_webinar_gives_seats_and_reads_the_log(page, programme, worker, mailbox):
    programme.first.capacity = 1
    programme.first.save()
    factories.RegistrationFactory(webinar=programme.first)
    rut = factories.RegistrationFactory(
        webinar=programme.first, waitlisted=True, participant__email="contoh.rut@example.org"
    )
    organiser = factories.UserFactory(organiser=True)
    worker.start()

    page.goto("/admin/")
    sign_in(page, mailbox, organiser, factories.TOTP_SECRET)
    expect(page).to_have_url("/admin/")

    open_webinar(page, "Hutan dan Pangan")
    page.fill("[name=title_ind]", "Hutan, Pangan, dan Perempuan")
    page.fill("[name=starts_at_1]", "13:30")
    page.fill("[name=ends_at_1]", "15:30")
    save(page)
    page.goto("/webinar/hutan/")
    expect(page.locator("h1")).to_have_text("Hutan, Pangan, dan Perempuan")
    expect(page.locator(".ticket time")).to_have_text(["13.30–15.30", "12.30–14.30", "14.30–16.30"])

    open_webinar(page, "Hutan, Pangan, dan Perempuan")
    page.fill("[name=capacity]", "2")
    save(page)
    expect(page.get_by_text(say_count("id", *PROMOTED, 1))).to_be_visible()
    rut.refresh_from_db()
    assert rut.status == "CONFIRMED"
    subject = say("id", "A seat has come free: you are in")
    assert mail_to(mailbox, "contoh.rut@example.org", 1)["Subject"] == subject

    page.goto("/admin/registration/outgoingmail/")
    row = page.locator("#result_list tbody tr", has_text="contoh.rut@example.org")
    expect(row).to_contain_text(say("id", "Sent"))
    row.get_by_role("link").first.click()
    expect(page.get_by_text(subject, exact=True)).to_be_visible()


def press(page, words):
    """The desk's own button, below whatever else the page has."""
    page.locator("#content form[novalidate]").get_by_role("button", name=say("id", words), exact=True).click()


def test_an_organiser_signs_a_person_up_moves_her_and_merges_her_two_entries(
    page, programme, worker, mailbox, sign_in_page
):
    organiser = factories.UserFactory(organiser=True, name="Ibu Pengurus")
    worker.start()
    sign_in_page(page, organiser)

    page.goto("/admin/registration/registration/add/")
    page.fill("[name=name]", "Contoh Maria")
    page.fill("[name=email]", "contoh.maria@example.org")
    page.locator(f"[name=webinars][value='{programme.first.pk}']").check()
    page.select_option("[name=province]", "53")
    press(page, "Sign her up")
    expect(page.get_by_text(say("id", "Without this consent she can't be registered."))).to_be_visible()
    page.check("[name=consent_processing]")
    page.fill("[name=note]", "Formulir kertas, map Kupang")
    press(page, "Sign her up")
    expect(page.locator(".timeline li", has_text="map Kupang")).to_contain_text("Ibu Pengurus")
    assert "Hutan dan Pangan" in text_of(mail_to(mailbox, "contoh.maria@example.org", 1))

    maria = Participant.objects.get()
    page.goto(f"/admin/registration/registration/{maria.registrations.get().pk}/move/")
    page.get_by_label("Laut dan Pesisir").check()
    press(page, "Move her")
    expect(
        page.get_by_text(say("id", "She has a seat in “%(webinar)s” and gets one mail.", webinar="Laut dan Pesisir"))
    ).to_be_visible()
    assert "“Hutan dan Pangan”" in text_of(mail_to(mailbox, "contoh.maria@example.org", 2))

    twin = factories.ParticipantFactory(name="contoh maria", email="", contact_email="contoh.maria@example.org")
    factories.RegistrationFactory(participant=twin, webinar=programme.first)
    page.goto(f"/admin/registration/participant/{maria.pk}/change/")
    page.locator("a[href*='/merge/?other=']").click()
    page.get_by_role("button", name=say("id", "Merge the two")).click()
    expect(page.get_by_text(say("id", "The two entries are one now."))).to_be_visible()
    expect(page.locator(".timeline li").first).to_contain_text(say("id", "Merged with another entry"))
    assert Participant.objects.get() == maria
    assert {str(r.webinar) for r in maria.registrations.confirmed()} == {"Hutan dan Pangan", "Laut dan Pesisir"}


def test_an_organiser_without_a_second_factor_is_led_to_set_one_up(page, programme, worker, mailbox):
    organiser = factories.UserFactory(organiser=True, second_factor=False)
    worker.start()
    page.goto("/admin/")
    page.fill("[name=email]", organiser.email)
    send(page)
    enter_code(page, mailbox, organiser.email)
    expect(page).to_have_url("/akun/2fa/")
    page.locator("a[href$='/totp/activate/']").click()
    secret = page.locator("#authenticator_secret").input_value()
    page.fill("[name=code]", totp(secret))
    send(page)
    # For the day when her phone is gone.
    expect(page).to_have_url("/akun/2fa/recovery-codes/")
    expect(page.locator(".codes code")).to_have_count(10)
    assert not lacks_second_factor(organiser)
    page.goto("/admin/")
    expect(page).to_have_url("/admin/")
