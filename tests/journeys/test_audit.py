"""The record of who did what, as an organiser reads it, on a computer and on a phone, and as the person reads it."""

import os
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from registration import audit
from registration.models import AuditEntry, Registration
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("SHOTS", "")


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("width", [360, 1280])
def test_from_a_look_at_a_person_to_its_entry_and_the_file(new_page, sign_in_page, width):
    organiser = factories.UserFactory(organiser=True)
    maria = factories.ParticipantFactory(name="Maria Contoh")
    host = factories.OrganisationFactory()
    seat = factories.RegistrationFactory(webinar=factories.WebinarFactory(hosts=[host]), participant=maria)
    factories.ConsentFactory(participant=maria, partner=host)
    partner = factories.PartnerMemberFactory(organisation=host).user
    facts = {"organisation": host, "webinar": seat.webinar, "rows": 1, "is_narrowed": True}
    audit.look_through(Registration, actor=partner, now=timezone.now(), **facts)
    page = new_page(viewport={"width": width, "height": 900})
    sign_in_page(page, organiser)
    page.goto(f"/admin/registration/participant/{maria.pk}/change/")
    page.goto(f"/admin/registration/participant/{maria.pk}/record/")
    table = page.locator("#result_list")
    expect(table).to_contain_text("Maria Contoh")
    expect(table).to_contain_text(organiser.email)
    expect(table).to_contain_text(partner.email)
    expect(table).to_contain_text("Menelusuri daftar")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    shoot(page, f"audit-{width}")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "audit.csv"
    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert [line.split(",")[2] for line in lines[1:]] == ["looked_at", "listed"]
    page.goto("/admin/registration/auditentry/?action__exact=downloaded")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.locator("#result_list tbody tr th a").click()
    expect(page.locator("#content")).to_contain_text("catatan akses")
    expect(page.locator("body")).not_to_contain_text("('downloaded'")
    shoot(page, f"audit-entry-{width}")
    assert AuditEntry.objects.filter(action="downloaded", rows=2).count() == 1


def test_she_reads_who_looked(new_page, sign_in_page):
    maria = factories.ParticipantFactory(name="Maria Contoh")
    host = factories.OrganisationFactory()
    seat = factories.RegistrationFactory(webinar=factories.WebinarFactory(hosts=[host]), participant=maria)
    factories.ConsentFactory(participant=maria, partner=host)
    now = timezone.now()
    organiser = factories.UserFactory(organiser=True, name="Nama Panitia")
    audit.look(maria, actor=organiser, now=now)
    partner = factories.PartnerMemberFactory(organisation=host).user
    for _look in range(2):
        audit.look_through(
            Registration, actor=partner, now=now, rows=1, organisation=host, webinar=seat.webinar, is_narrowed=True
        )
    page = new_page(viewport={"width": 360, "height": 900}, java_script_enabled=False)
    sign_in_page(page, maria.account, fresh=True)
    page.goto(f"/saya/data/{maria.pk}/catatan/")
    section = page.locator("section", has_text="Siapa yang telah melihat data ini")
    expect(section).to_contain_text("Penyelenggara · melihat: peserta")
    expect(section).to_contain_text(f"{host.name} · menelusuri daftar “{seat.webinar.title}” yang memuat orang ini")
    expect(section).to_contain_text("2 kali pada hari itu")
    expect(page.locator("body")).not_to_contain_text("Nama Panitia")
    shoot(page, "audit-hers")
