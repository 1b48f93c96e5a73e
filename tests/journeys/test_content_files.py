"""As a programme officer: a list goes out, is changed in a spreadsheet program, comes in again, and one change goes back."""

import io

import openpyxl
import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from conference.models import Webinar
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def changed(content, cells):
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    sheet, file = workbook.active, io.BytesIO()
    place = {cell.value: cell.column for cell in sheet[1]}
    for name, value in cells.items():
        sheet.cell(2, place[name], value)
    workbook.save(file)
    return file.getvalue()


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("width", [360, 1280])
def test_out_changed_in_and_back(width, new_page, sign_in_page):
    user = factories.UserFactory(is_staff=True, name="Mama Petugas")
    user.groups.add(Group.objects.get(name="Organisers"))
    webinar = factories.WebinarFactory(title="Judul lama", slug="satu", capacity=50)
    page = new_page(viewport={"width": width, "height": 800})
    sign_in_page(page, user)
    page.goto("/admin/conference/webinar/")
    if width == 360:
        page.goto("/admin/conference/webinar/table")
    else:
        page.get_by_role("link", name="Impor dan ekspor").click()
    assert fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Berkas Excel").click()
    content = download.value.path().read_bytes()

    def choose(cells):
        file = {"name": "webinar.xlsx", "mimeType": "", "buffer": changed(content, cells)}
        page.locator("input[type=file]").last.set_input_files(file)
        page.get_by_role("button", name="Lihat dulu akibatnya").click()

    choose({"capacity": "banyak"})
    expect(page.get_by_text("1 baris salah")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Pilih berkas lain").click()
    choose({"title_id": "Judul baru", "capacity": 75})
    expect(page.get_by_text("1 baris berubah")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Tulis semuanya").click()
    expect(page.get_by_text("1 baris diubah.")).to_be_visible()
    webinar.refresh_from_db()
    assert (webinar.title_ind, webinar.capacity) == ("Judul baru", 75)

    page.goto(f"/admin/conference/webinar/{webinar.pk}/history/")
    expect(page.get_by_text("Mama Petugas").first).to_be_visible()
    expect(page.get_by_text("dari berkas").first).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Kembali ke versi ini").last.click()
    assert fits(page)
    page.get_by_role("button", name="Kembali ke versi ini").click()
    expect(page.get_by_text("tercatat sebagai versi baru")).to_be_visible()
    webinar.refresh_from_db()
    assert (webinar.title_ind, webinar.capacity) == ("Judul lama", 50)
    assert Webinar.objects.count() == 1
