"""A partner's person takes the list of those who agreed to be in it, and no other list."""

import csv
from io import StringIO

import openpyxl
import pytest
from playwright.sync_api import expect

from registration import files
from registration.exports import COLUMNS
from tests import factories
from tests.journeys.steps import say, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_partner_takes_the_lists_of_its_own_webinars(page, programme, worker, mailbox, tmp_path):
    agreed, _silent, withdrawn = (factories.RegistrationFactory(webinar=programme.first) for _person in range(3))
    factories.ConsentFactory(participant=agreed.participant, partner=programme.host)
    factories.ConsentFactory(participant=withdrawn.participant, partner=programme.host, withdrawn=True)
    elsewhere = factories.WebinarFactory(edition=programme.edition, hosts=[factories.OrganisationFactory()])
    factories.RegistrationFactory(webinar=elsewhere)
    member = factories.PartnerMemberFactory(organisation=programme.host)
    worker.start()

    page.goto("/ruang-mitra/")
    sign_in(page, mailbox, member.user, factories.TOTP_SECRET)
    expect(page).to_have_url("/ruang-mitra/")
    expect(page.locator(".ticket h3")).to_have_text(["Hutan dan Pangan", "Laut dan Pesisir"])
    expect(page.locator(".ticket dd")).to_have_text(["3", "1", "0", "0"])

    with page.expect_download() as download:
        page.get_by_role("link", name=say("id", "Download as CSV")).click()
    assert download.value.suggested_filename == "peserta-hutan-yc.csv"
    content = download.value.path().read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(StringIO(content.decode("utf-8-sig"))))
    assert rows[0] == list(COLUMNS)
    assert [row[0] for row in rows[1:]] == [agreed.code]

    with page.expect_download() as download:
        page.get_by_role("link", name=say("id", "Download for Excel")).click()
    assert download.value.suggested_filename == "peserta-hutan-yc.xlsx"
    download.value.save_as(tmp_path / "list.xlsx")
    sheet = list(openpyxl.load_workbook(tmp_path / "list.xlsx").active.values)
    assert sheet[0] == COLUMNS
    assert [(row[0], row[3]) for row in sheet[1:]] == [(agreed.code, agreed.participant.email)]

    for name in ("peserta.csv", "peserta.xlsx"):
        assert page.goto(f"/ruang-mitra/{elsewhere.slug}/{name}").status == 404


def test_whoever_takes_her_consent_back_is_gone_from_the_next_list(new_page, programme, sign_in_page):
    seat = factories.RegistrationFactory(webinar=programme.first)
    factories.ConsentFactory(participant=seat.participant, partner=programme.host)
    partner, participant = new_page(), new_page(java_script_enabled=False)
    sign_in_page(partner, factories.PartnerMemberFactory(organisation=programme.host).user)
    partner.goto("/ruang-mitra/")
    expect(partner.locator(".ticket dd")).to_have_text(["1", "1", "0", "0"])

    with partner.expect_download():
        partner.get_by_role("link", name=say("id", "Download as CSV")).click()

    sign_in_page(participant, seat.participant.account, fresh=True)
    participant.goto("/saya/")
    participant.get_by_role("link", name=say("id", "See, correct and share the data")).click()
    participant.get_by_role("button", name=say("id", "Take back")).click()
    expect(participant.get_by_role("button", name=say("id", "Take back"))).to_have_count(0)
    participant.goto("/saya/")
    expect(participant.locator(".ticket .state")).to_have_text(say("id", "Confirmed"))

    partner.reload()
    expect(partner.locator(".ticket dd")).to_have_text(["1", "0", "0", "0"])
    expect(partner.get_by_role("link", name=say("id", "Download as CSV"))).to_have_count(0)
    expect(partner.locator(".notice-warning")).to_contain_text(seat.code)
    partner.get_by_role("button", name=say("id", "Removed")).click()
    expect(partner.locator(".notice-warning")).to_have_count(0)


def test_a_partner_takes_just_what_is_on_her_phone_without_scripts(
    new_page, programme, sign_in_page, worker, monkeypatch, tmp_path
):
    for number in range(3):
        seat = factories.RegistrationFactory(webinar=programme.first, participant__name=f"Peserta {number}")
        factories.ConsentFactory(participant=seat.participant, partner=programme.host)
    member = factories.PartnerMemberFactory(organisation=programme.host, role="manager")
    page = new_page(java_script_enabled=False, viewport={"width": 360, "height": 740})
    sign_in_page(page, member.user)
    page.goto("/ruang-mitra/")
    page.get_by_role("link", name=say("id", "See, search and filter the people")).click()
    page.locator("summary", has_text=say("id", "Filters and order")).click()
    page.get_by_label(say("id", "Order")).select_option("-name")
    page.locator("summary", has_text="14").click()
    page.locator("input[name=columns][value=name]").check()
    page.get_by_role("button", name=say("id", "Show"), exact=True).click()
    expect(page.locator("tbody tr td:nth-child(2)")).to_have_text(["Peserta 2", "Peserta 1", "Peserta 0"])

    monkeypatch.setattr(files, "BIG", 1)
    page.get_by_role("button", name=say("id", "Download these for Excel")).click()
    expect(page.locator("progress")).to_be_visible()
    worker.start()
    worker.tick("make_files")
    page.get_by_role("button", name=say("id", "Download the file")).wait_for(timeout=30_000)
    with page.expect_download() as download:
        page.get_by_role("button", name=say("id", "Download the file")).click()
    download.value.save_as(tmp_path / "chosen.xlsx")
    book = openpyxl.load_workbook(tmp_path / "chosen.xlsx")
    rows = list(book.worksheets[0].values)
    assert rows[0] == ("registration_code", "name")
    assert [name for _code, name in rows[1:]] == ["Peserta 2", "Peserta 1", "Peserta 0"]
    assert programme.host.name in "\n".join(str(cell) for [cell] in book.worksheets[1].values)

    page.goto(f"/ruang-mitra/{programme.host.slug}/catatan/")
    expect(page.locator("tbody tr")).to_have_count(4)
