"""A partner's new manager on her phone, from the mail that invites her to the list in her hands; and a colleague who goes."""

import csv
import io
import re
import zipfile

import openpyxl
import pytest
from playwright.sync_api import expect

from registration import delivery, files
from registration.models import AuditEntry, ConsentText, OutgoingMail, PartnerMember, Session
from tests import factories
from tests.journeys.steps import code_in, links_in, say, text_of, totp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}
MANAGER, COLLEAGUE = "baru@example.org", "rekan@example.org"


def newest_mail(mailbox, address):
    delivery.deliver_due()
    return mailbox.to(address)[-1]


def press(page, words):
    page.get_by_role("button", name=say("id", words), exact=True).click()


def people(programme):
    """Two who agreed to everything, one whose text named little, and three who must not be seen."""
    first, host = programme.first, programme.host
    facts = [
        {"name": "Maria Wenda", "email": "maria@example.org", "province": "81", "age_group": "35_44"},
        {"name": "Adelheid Bere", "email": "adel@example.org", "province": "81", "age_group": "18_24"},
        {"name": "Salma Ode", "email": "salma@example.org", "province": "81", "age_group": "55_plus"},
        {"name": "Debora Ambon", "email": "debora@example.org", "province": "53", "age_group": "35_44"},
    ]
    seats = [factories.RegistrationFactory(webinar=first, **spelt(person)) for person in facts]
    for seat in seats:
        factories.ConsentFactory(participant=seat.participant, partner=host)
    little = seats[2].participant.consents.get(organisation=host)
    text = ConsentText.objects.get(pk=little.text_id)
    text.pk, text.columns, text.version = None, ["registration_code", "name", "province"], "little"
    text.save()
    little.text = text
    little.save()
    factories.RegistrationFactory(webinar=first, participant__name="Wa Diam", participant__province="81")
    gone = factories.RegistrationFactory(webinar=first, participant__name="Wa Pergi", participant__province="81")
    factories.ConsentFactory(participant=gone.participant, partner=host, withdrawn=True)
    elsewhere = factories.RegistrationFactory(webinar=programme.second, participant__name="Wa Lain")
    factories.ConsentFactory(participant=elsewhere.participant, partner=host)
    return [seat.code for seat in seats]


def spelt(person):
    return {f"participant__{name}": value for name, value in person.items()}


def invite(desk, organisation):
    desk.goto("/admin/registration/roleinvitation/team/")
    desk.get_by_label(say("id", "Email"), exact=True).fill(MANAGER)
    desk.select_option("[name=role]", "partner_manager")
    desk.select_option("[name=organisation]", str(organisation.pk))
    press(desk, "Invite")
    expect(desk.get_by_role("cell", name=MANAGER, exact=True)).to_be_visible()


def take_up(page, mailbox, address):
    """From the link in the mail to the room: the code, the role, the app on her phone, the recovery codes."""
    [link] = links_in(newest_mail(mailbox, address), "/peran/")
    page.goto(link)
    press(page, "Send me a code")
    page.wait_for_selector("[name=code]")
    page.fill("[name=code]", code_in(newest_mail(mailbox, address)))
    press(page, "Confirm")
    page.fill("[name=name]", "Maria Contoh")
    press(page, "Take up the role")
    page.get_by_role("link", name=say("id", "Connect an app")).click()
    secret = page.locator("#authenticator_secret").input_value()
    app = page.get_by_role("link", name=say("id", "Open the app on this phone"))
    assert f"secret={secret}" in app.get_attribute("href")
    page.fill("[name=code]", f"{int(totp(secret)) ^ 1:06}")
    press(page, "Connect")
    expect(page.locator(".field.is-wrong")).to_contain_text("waktu otomatis")
    page.fill("[name=code]", totp(page.locator("#authenticator_secret").input_value()))
    press(page, "Connect")
    expect(page.locator(".codes code")).to_have_count(10)
    page.get_by_role("link", name=say("id", "Continue to the partners' room")).click()
    expect(page).to_have_url("/ruang-mitra/")


def on_screen(page):
    """The table as she reads it: its columns, and the cells of each line."""
    lines = page.locator("tbody tr").all()
    return page.locator("thead th").all_text_contents(), [line.locator("td").all_inner_texts() for line in lines]


def choose(page):
    """People from Maluku, by their names, in four columns."""
    page.get_by_role("link", name=say("id", "See, search and filter the people")).first.click()
    page.locator("summary", has_text=say("id", "Filters and order")).click()
    page.get_by_label(say("id", "Province"), exact=True).select_option("81")
    page.get_by_label(say("id", "Order"), exact=True).select_option("name")
    page.locator("summary", has_text="14").click()
    for name in ("name", "email", "age_group"):
        page.locator(f"input[name=columns][value={name}]").check()
    press(page, "Show")
    expect(page.locator("#found")).to_have_text("3 orang")
    expect(page.locator("#found")).to_be_in_viewport()


def download(page, words, path):
    with page.expect_download() as download:
        press(page, words)
    download.value.save_as(path)
    return download.value.suggested_filename


def assert_fits(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url


def test_from_the_invitation_to_the_list_and_a_colleague_who_goes(
    new_page, sign_in_page, programme, mailbox, monkeypatch, tmp_path
):
    host, codes = programme.host, people(programme)
    desk = new_page()
    sign_in_page(desk, factories.UserFactory(organiser=True))
    invite(desk, host)

    page = new_page(viewport=PHONE)
    take_up(page, mailbox, MANAGER)
    assert PartnerMember.objects.get().role == "manager"
    expect(page.locator(".ticket h3")).to_have_text(["Hutan dan Pangan", "Laut dan Pesisir"])
    expect(page.locator(".ticket dd")).to_have_text(["6", "4", "1", "1"])
    assert_fits(page)

    choose(page)
    assert_fits(page)
    heads, lines = on_screen(page)
    assert heads == ["Kode pendaftaran", "Nama", "Email", "Kelompok usia"]
    # Whose text names no age stands before the others only where she may: by her name.
    assert lines == [
        [codes[1], "Adelheid Bere", "adel@example.org", "18 sampai 24 tahun"],
        [codes[0], "Maria Wenda", "maria@example.org", "35 sampai 44 tahun"],
        [codes[2], "Salma Ode", "", ""],
    ]
    file = [
        ["registration_code", "name", "email", "age_group"],
        [codes[1], "Adelheid Bere", "adel@example.org", "18_24"],
        [codes[0], "Maria Wenda", "maria@example.org", "35_44"],
        [codes[2], "Salma Ode", "", ""],
    ]

    assert re.fullmatch(
        r"peserta-hutan-yc-\d{4}-\d\d-\d\d\.zip", download(page, "Download these as CSV", tmp_path / "z")
    )
    with zipfile.ZipFile(tmp_path / "z") as folder:
        [table, terms] = folder.namelist()
        assert list(csv.reader(io.StringIO(folder.read(table).decode("utf-8-sig")))) == file
        assert host.name_ind in folder.read(terms).decode("utf-8-sig")

    # A long list is a worker's work.
    monkeypatch.setattr(files, "BIG", 2)
    press(page, "Download these for Excel")
    expect(page.locator("progress")).to_be_visible()
    assert files.make_due() == 1
    told = newest_mail(mailbox, MANAGER)
    page.goto(links_in(told, "/berkas/")[0])
    assert "Maria" not in text_of(told)
    download(page, "Download the file", tmp_path / "list.xlsx")
    book = openpyxl.load_workbook(tmp_path / "list.xlsx")
    assert [[cell or "" for cell in row] for row in book.worksheets[0].values] == file

    page.goto(f"/ruang-mitra/{host.slug}/tim/")
    page.get_by_label(say("id", "Email of your colleague")).fill(COLLEAGUE)
    press(page, "Invite")
    assert_fits(page)
    hers = new_page(viewport=PHONE, java_script_enabled=False)
    take_up(hers, mailbox, COLLEAGUE)
    hers.get_by_role("link", name=say("id", "See, search and filter the people")).first.click()
    expect(hers.locator("#found")).to_have_text("4 orang")
    assert hers.goto(f"/ruang-mitra/{host.slug}/catatan/").status == 403
    hers.go_back()

    page.reload()
    page.get_by_role("link", name=say("id", "Remove")).click()
    press(page, "Remove")
    expect(page.locator("main")).not_to_contain_text(f"Email: {COLLEAGUE}")
    press(hers, "Show")
    expect(hers).to_have_url(re.compile("/akun/masuk/"))
    assert not re.search("Maria|Adelheid|Salma|Debora|Hutan", hers.content())
    assert not Session.objects.filter(user__email=COLLEAGUE).exists()

    page.goto(f"/ruang-mitra/{host.slug}/catatan/")
    assert_fits(page)
    assert done_by(page, MANAGER) == [
        ("Mengakhiri peran", ""),
        ("Memberi peran lewat undangan", ""),
        ("Mengunduh", "3"),
        ("Meminta berkas", "3"),
        ("Mengunduh", "3"),
        ("Menelusuri daftar", "3"),
        ("Menelusuri daftar", "4"),
        ("Menerima peran", ""),
    ]
    assert OutgoingMail.objects.filter(kind="file_ready", to=MANAGER).count() == 1
    assert AuditEntry.objects.filter(action="downloaded", actor__email=COLLEAGUE).count() == 0


def done_by(page, address):
    """What, and of how many people; newest first."""
    lines = page.locator("tbody tr", has_text=address).all()
    cells = [line.locator("td").all_inner_texts() for line in lines]
    return [(row[2], row[4].strip("–")) for row in cells]
