"""From her invitation to next year's first webinar on the site, and the donor's table in her hands."""

import csv
import re

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from conference.models import Edition, Webinar
from registration import delivery
from registration.models import Attendance, OutgoingMail, Participant
from tests import factories
from tests.journeys.steps import send, totp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"width": 1280, "height": 900}
ADDRESS = "ana@example.org"
# As a donor would count: each person once, by the answer that she gave.
BY_HAND = """
SELECT CASE p.gender WHEN 'female' THEN 'Perempuan' ELSE 'Laki-laki' END, count(DISTINCT p.id),
    count(DISTINCT p.id) FILTER (WHERE EXISTS (SELECT FROM registration_attendance a WHERE a.registration_id = r.id))
FROM registration_participant p
JOIN registration_registration r ON r.participant_id = p.id AND r.status = 'CONFIRMED'
JOIN conference_webinar w ON w.id = r.webinar_id
WHERE w.edition_id = %s GROUP BY 1
"""


def people_in(programme):
    """Fourteen women and twelve men, four of each in both webinars; who came and who did not are never few."""
    for gender, number, came in ((Participant.Gender.FEMALE, 14, 8), (Participant.Gender.MALE, 12, 6)):
        for place in range(number):
            first = factories.RegistrationFactory(webinar=programme.first, participant__gender=gender)
            if place < 4:
                factories.RegistrationFactory(webinar=programme.second, participant=first.participant)
            if place < came:
                Attendance.objects.create(registration=first, source="link", joined_at=timezone.now())
    factories.RegistrationFactory(webinar=programme.first, cancelled=True)


def invite(page):
    page.goto("/admin/registration/roleinvitation/team/")
    page.get_by_label("Email", exact=True).fill(ADDRESS)
    assert page.locator("select[name=role]").input_value() == ""
    page.select_option("select[name=role]", label="Penyelenggara")
    page.get_by_role("button", name="Undang", exact=True).click()
    expect(page.get_by_text(f"Undangan sedang dikirim ke {ADDRESS}.")).to_be_visible()


def take_up(page, mailbox):
    delivery.deliver_due()
    text = mailbox.to(ADDRESS)[-1].get_body(("plain",)).get_content()
    page.goto(re.search(r"http://\S+/peran/\S+", text).group())
    page.get_by_role("button", name="Kirim kode").click()
    page.fill("[name=code]", OutgoingMail.objects.filter(kind="code", to=ADDRESS).latest("pk").context["code"])
    send(page)
    page.fill("[name=name]", "Rina Penyelenggara")
    page.get_by_role("button", name="Terima peran").click()
    page.get_by_role("link", name="Hubungkan aplikasi").click()
    page.fill("[name=code]", totp(page.locator("#authenticator_secret").input_value()))
    page.get_by_role("button", name="Hubungkan", exact=True).click()
    expect(page.locator(".codes code")).to_have_count(10)
    page.get_by_role("link", name="Lanjut ke ruang penyelenggara").click()
    expect(page).to_have_url("/admin/")


def copy_edition(page, edition):
    page.goto(f"/admin/conference/edition/{edition.pk}/change/")
    page.get_by_role("link", name="Salin sebagai edisi baru…").click()
    page.fill("[name=name_ind]", "Konferensi Tahun Depan")
    next_year = edition.starts_on.replace(year=edition.starts_on.year + 1)
    page.fill("[name=starts_on]", next_year.isoformat())
    page.get_by_role("button", name="Buat edisi baru").click()
    expect(page.locator("[name=name_ind]")).to_have_value("Konferensi Tahun Depan")
    return Edition.objects.get(year=next_year.year)


def preview(page, visitor, webinar):
    """The link that she gives away opens what nobody else sees yet."""
    page.goto(f"/admin/conference/webinar/{webinar.pk}/change/")
    expect(page.locator(".gaps")).to_contain_text("Alamat Zoom belum ada")
    page.get_by_role("link", name="Tautan pratinjau untuk orang lain…").click()
    link = page.get_by_label("Bahasa Indonesia", exact=True).input_value()
    assert visitor.goto(webinar.get_absolute_url()).status == 404
    visitor.goto(link)
    expect(visitor.locator("h1")).to_have_text("Hutan dan Pangan")


def publish(page, visitor, webinar):
    page.goto(f"/admin/conference/webinar/{webinar.pk}/change/")
    page.get_by_role("link", name="Terbitkan atau jadwalkan…").click()
    page.get_by_role("button", name="Terbitkan", exact=True).click()
    expect(page.get_by_text("Semua orang melihatnya di situs.")).to_be_visible()
    assert visitor.goto(webinar.get_absolute_url()).status == 200
    expect(visitor.locator("h1")).to_have_text("Hutan dan Pangan")


def numbers_in(page):
    """The table on the page, the one to print, and the file: for each gender those who signed up and those who came."""
    page.goto("/admin/registration/keptcount/reports/")
    page.select_option("[name=rows]", "gender")
    page.get_by_role("button", name="Tampilkan tabel").click()
    page.get_by_role("link", name="Halaman cetak").wait_for()
    seen = cells(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Unduh sebagai CSV").click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        taken = [row for row in csv.reader(file) if row and row[0] in seen]
    page.get_by_role("link", name="Halaman cetak").click()
    page.locator("main.report table").first.wait_for()
    assert cells(page) == seen
    assert {row[0]: (int(row[1]), int(row[2])) for row in taken} == seen
    return seen


def cells(page):
    rows = (
        page.locator("table")
        .first.locator("tbody tr")
        .evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))")
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in rows if row[0] in {"Perempuan", "Laki-laki"}}


def counted_by_hand(edition):
    with connection.cursor() as cursor:
        cursor.execute(BY_HAND, [edition.pk])
        return {gender: (registered, came) for gender, registered, came in cursor}


def test_from_the_invitation_to_next_years_webinar_and_the_donors_table(new_page, sign_in_page, mailbox, programme):
    people_in(programme)
    owner, page, visitor = new_page(viewport=DESK), new_page(viewport=DESK), new_page()
    sign_in_page(owner, factories.UserFactory(organiser=True))
    invite(owner)
    take_up(page, mailbox)

    copied = copy_edition(page, programme.edition)
    webinar = Webinar.objects.get(edition=copied, number=1)
    assert webinar.date - copied.starts_on == programme.first.date - programme.edition.starts_on
    assert (webinar.status, webinar.zoom_url, webinar.registrations.count()) == (Webinar.Status.DRAFT, "", 0)
    preview(page, visitor, webinar)
    publish(page, visitor, webinar)
    assert Webinar.objects.get(edition=copied, number=2).status == Webinar.Status.DRAFT

    numbers = numbers_in(page)
    assert numbers == {"Perempuan": (14, 8), "Laki-laki": (12, 6)} == counted_by_hand(programme.edition)
