"""Files that mean no good, or that went wrong on their way, at every place that takes one."""

import io
import logging
import struct
import time
import zipfile
import zlib

import openpyxl
import pytest
import xlsxwriter
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from conference.models import Material, Speaker
from registration.models import AuditEntry, Participant
from tests import factories

pytestmark = pytest.mark.django_db


def packed(**parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return file.getvalue()


def workbook(**more):
    """A sound one, with parts added or replaced."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.add_worksheet().write_row(0, 0, ["slug", "name", "Nama"])
    with zipfile.ZipFile(file) as archive:
        parts = {name.replace("/", "__"): archive.read(name) for name in archive.namelist()}
    return packed(**(parts | more))


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<worksheet><sheetData><row><c><v>&b;</v></c></row></sheetData></worksheet>"
)
BAD_TABLES = {
    "UTF-16 cut in half": "slug,name\nsatu,Wa Ode".encode("utf-16")[:-1],
    "UTF-16 that does not say so": "slug,name\nsatu,Wa Ode".encode("utf-16-le"),
    "NUL bytes": b"slug,name\nsatu,\0\0\0",
    "40 MB": b"slug,name\n" + b"satu,Wa Ode\n" * 3_500_000,
    "100,000 rows": b"slug,name\n" + b"s,n\n" * 100_000,
    "empty": b"",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "a PDF": b"%PDF-1.7\n" + bytes(range(256)),
    "zip bomb": workbook(xl__worksheets__sheet1__xml=b"<a>" + b" " * 60_000_000),
    "thousands of parts": packed(**{f"part{number}.xml": b"<a/>" for number in range(3000)}),
    "entities": workbook(**{"xl__worksheets__sheet1.xml": BOMB}),
    "macros": workbook(xl__vbaProject_bin=b"", **{"xl__vbaProject.bin": b"\xd0\xcf\x11\xe0"}),
    "a locked workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "half a workbook": workbook()[:400],
    "some other zip": packed(**{"hello.txt": b"hello"}),
    "quotes that never end": b'slug,name\nsatu,"' + b"x" * 200_000,
}


def staff(name):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return user


@pytest.fixture
def organiser(signed_in_client):
    return signed_in_client(staff("Organisers"))


def upload(client, address, content, name, **facts):
    return client.post(address, {"file": SimpleUploadedFile(name, content), **facts})


@pytest.mark.parametrize(("language", "name"), [("", "isi.csv"), ("/en", "isi.xlsx")])
@pytest.mark.parametrize("bait", BAD_TABLES)
def test_a_bad_file_of_content_is_refused_in_words_at_once(bait, name, language, organiser, caplog):
    factories.SpeakerFactory(slug="satu", name="Satu")
    started = time.monotonic()
    with caplog.at_level(logging.WARNING, logger="conference.admin.tables"):
        answer = upload(organiser, language + reverse("admin:conference_speaker_table"), BAD_TABLES[bait], name)
    assert time.monotonic() - started < 4
    form = answer.context_data["form"]
    [words] = form.errors["file"]
    assert len(words) > 10
    assert Speaker.objects.get().name == "Satu"
    if BAD_TABLES[bait]:
        assert "refused" in caplog.text
        assert "Wa Ode" not in caplog.text


@pytest.mark.parametrize("bait", BAD_TABLES)
def test_a_bad_list_of_people_is_refused_and_on_record(bait, organiser):
    factories.WebinarFactory()
    facts = {"note": "Folder", "language": "id"}
    started = time.monotonic()
    answer = upload(
        organiser, reverse("admin:registration_registration_paper_list"), BAD_TABLES[bait], "a.csv", **facts
    )
    assert time.monotonic() - started < 4
    assert answer.context_data["form"].errors["file"]
    assert not Participant.objects.exists()
    if BAD_TABLES[bait]:
        entry = AuditEntry.objects.get(action="refused")
        assert entry.object_type == "registration.registration"


@pytest.mark.parametrize("bait", BAD_TABLES)
def test_a_bad_list_of_a_group_is_refused_in_words(bait, signed_in_client, caplog):
    own = factories.ParticipantFactory()
    carer, webinar = signed_in_client(own.account, fresh=True), factories.WebinarFactory()
    started = time.monotonic()
    with caplog.at_level(logging.WARNING, logger="registration.group_forms"):
        answer = upload(carer, "/saya/rombongan/berkas/", BAD_TABLES[bait], "a.csv", webinars=[webinar.slug])
    assert time.monotonic() - started < 4
    assert answer.context["form"].errors["file"]
    assert Participant.objects.count() == 1


# ---- Pictures and materials


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * ((width // 8 + 2) * height if width * height < 10**9 else 10))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [png(9000, 100), png(60_000, 60_000), b"<svg/>", b"GIF89a" + bytes(20), b"%PDF-1.7", b"\0" * 500, png(5, 5)[:40]],
    ids=["wide", "a bomb of pixels", "svg", "gif", "pdf", "nul", "cut off"],
)
def test_what_is_no_good_picture_is_refused(content, organiser):
    speaker = factories.SpeakerFactory(slug="satu", name="Satu")
    form = {"name": "Berubah", "slug": "satu", "photo": SimpleUploadedFile("foto.png", content, "image/png")}
    inline = {"appearances-TOTAL_FORMS": "0", "appearances-INITIAL_FORMS": "0"}
    answer = organiser.post(reverse("admin:conference_speaker_change", args=[speaker.pk]), form | inline)
    assert answer.context_data["adminform"].form.errors["photo"]
    speaker.refresh_from_db()
    assert (speaker.name, speaker.photo.name) == ("Satu", "")


def docx(*, macros=False):
    return packed(word__document_xml=b"<w/>", **({"word__vbaProject.bin": b"x"} if macros else {}))


@pytest.mark.parametrize(
    ("name", "content", "is_good"),
    [
        ("a.pdf", b"%PDF-1.7 isi", True),
        ("a.pdf", b"<html><script>alert(1)</script>", False),
        ("a.pdf", b"MZ\x90\0", False),
        ("a.mp4", b"\0\0\0\x18ftypmp42", True),
        ("a.mp4", b"<html>", False),
        ("a.mp3", b"ID3\x04", True),
        ("a.docx", docx(), True),
        ("a.docx", docx(macros=True), False),
        ("a.docx", docx()[:60], False),
        ("a.pptx", b"\xd0\xcf\x11\xe0", False),
        ("a.html", b"<html>", False),
        ("a.exe", b"MZ", False),
    ],
    # A packed file holds the second in which it was packed: of that no test may be named.
    ids=[
        *("pdf", "page as pdf", "program as pdf", "mp4", "page as mp4", "mp3", "docx", "docx with macros"),
        *("half a docx", "old office as pptx", "page", "program"),
    ],
)
def test_a_material_is_what_its_name_says(name, content, is_good, organiser):
    webinar = factories.WebinarFactory()
    form = {"webinar": webinar.pk, "kind": "slides", "order": "0", "title_ind": "Salindia", "title_en": "", "url": ""}
    file = SimpleUploadedFile(name, content)
    answer = organiser.post(reverse("admin:conference_material_add"), form | {"file": file})
    assert Material.objects.exists() == is_good
    if not is_good:
        assert answer.context_data["adminform"].form.errors["file"]


def test_a_workbook_called_csv_and_a_csv_called_xlsx_are_what_they_are(organiser):
    factories.SpeakerFactory(slug="satu", name="Satu")
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["slug", "name"])
    book.active.append(["satu", "Baru"])
    book.save(file)
    address = reverse("admin:conference_speaker_table")
    for name, content in (("isi.csv", file.getvalue()), ("isi.xlsx", b"slug;name\nsatu;Baru\n")):
        [line] = upload(organiser, address, content, name).context_data["plan"].changed
        assert line.cells["name"] == "Baru"
