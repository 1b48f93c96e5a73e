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
from django.utils import timezone
from PIL import Image

from conference import photos, spreadsheets, tables
from conference.models import Material, Speaker
from registration import audit, erasure
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


def why_of(content):
    return audit.UNREADABLE if content else audit.EMPTY


def on_record():
    """What kind of row, and why, for whoever runs the site."""
    entries = AuditEntry.objects.filter(action="refused").order_by("pk")
    facts = [(entry.object_type, entry.details.split(", ")) for entry in entries]
    assert all(parts[0] == audit.NOT_TAKEN for _kind, parts in facts)
    return [(kind, parts[1]) for kind, parts in facts]


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
    assert on_record() == [("conference.speaker", why_of(BAD_TABLES[bait]))]
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
    assert on_record() == [("registration.registration", why_of(BAD_TABLES[bait]))]


@pytest.mark.parametrize("bait", BAD_TABLES)
def test_a_bad_list_of_a_group_is_refused_in_words(bait, signed_in_client, caplog):
    own = factories.ParticipantFactory()
    carer, webinar = signed_in_client(own.account, fresh=True), factories.WebinarFactory()
    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        answer = upload(carer, "/saya/rombongan/berkas/", BAD_TABLES[bait], "a.csv", webinars=[webinar.slug])
    assert time.monotonic() - started < 4
    assert answer.context["form"].errors["file"]
    assert Participant.objects.count() == 1
    assert on_record() == [("registration.participant", why_of(BAD_TABLES[bait]))]
    assert "Wa Ode" not in caplog.text


ROWS_TWICE = b"Nama;Provinsi;Setuju ikut\nWa Ode;NTT;ya\nWa Ode;NTT;ya\n"


def test_rows_that_stand_twice_are_on_record_too(organiser, signed_in_client):
    webinar = factories.WebinarFactory()
    answer = upload(organiser, reverse("admin:conference_speaker_table"), b"slug,name\na,b\na,c\n", "isi.csv")
    assert answer.context_data["wrong"]
    own = factories.ParticipantFactory()
    carer, facts = signed_in_client(own.account, fresh=True), {"webinars": [webinar.slug]}
    answer = upload(carer, "/saya/rombongan/berkas/", ROWS_TWICE, "a.csv", **facts)
    assert answer.context["wrong"]
    assert on_record() == [("conference.speaker", audit.WRONG_ROWS), ("registration.participant", audit.WRONG_ROWS)]
    carer.post("/saya/rombongan/berkas/", {"rows": answer.context["kept"], **facts})  # mended in the page: no new file
    assert len(on_record()) == 2


def test_renamed_columns_are_named_and_on_record(organiser):
    answer = upload(organiser, reverse("admin:conference_speaker_table"), b"alamat,nama_orang\nsatu,Wa\n", "isi.csv")
    assert answer.context_data["form"].errors["file"]
    assert on_record() == [("conference.speaker", audit.UNREADABLE)]


def test_her_name_leaves_the_record_of_her_files_with_her_account(signed_in_client):
    own = factories.ParticipantFactory()
    upload(signed_in_client(own.account, fresh=True), "/saya/rombongan/berkas/", b"x", "a.csv")
    assert AuditEntry.objects.get(action="refused").actor_name == own.email
    erasure.erase(own, now=timezone.now())
    assert AuditEntry.objects.get(action="refused").actor_name == ""


# So many cells in cells take hours where each is looked for in all that is around it.
NESTED = (
    b'<worksheet><sheetData><row r="1">'
    + b"<c><row>" * 30_000
    + b"</row></c>" * 30_000
    + b"</row></sheetData></worksheet>"
)


@pytest.mark.parametrize("limits", [spreadsheets.A_LIST, tables.LIMITS])
def test_rows_in_cells_in_rows_are_read_once(limits):
    started = time.monotonic()
    spreadsheets.read(workbook(**{"xl__worksheets__sheet1.xml": NESTED}), limits)
    assert time.monotonic() - started < 4


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
    [(kind, why)] = on_record()
    assert (kind, why in (audit.OTHER_KIND, audit.TOO_LARGE)) == ("conference.speaker", True)


GPS, MAKER = 0x8825, 0x010F


def portrait(format):
    """With where it was taken, whose camera it was, a comment, and a page behind it."""
    exif = Image.Exif()
    exif[MAKER] = "Kamera rahasia"
    exif[0x0112] = 6  # lies on its side
    exif.get_ifd(GPS)[2] = (10.0, 10.0, 10.0)
    file, more = io.BytesIO(), {"comment": b"alamat rumah"} if format == "JPEG" else {}
    Image.new("RGB", (60, 40), "#804020").save(file, format, exif=exif, **more)
    return file.getvalue() + b"<html><script>alert(1)</script></html>"


def send_photo(organiser, content, name):
    speaker = factories.SpeakerFactory(slug="satu", name="Satu")
    form = {"name": "Satu", "slug": "satu", "photo": SimpleUploadedFile(name, content), "photo_alt_ind": "Potret"}
    inline = {"appearances-TOTAL_FORMS": "0", "appearances-INITIAL_FORMS": "0"}
    answer = organiser.post(reverse("admin:conference_speaker_change", args=[speaker.pk]), form | inline)
    speaker.refresh_from_db()
    return answer, speaker


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_of_a_photo_the_picture_alone_is_kept(format, organiser):
    """Whoever guesses its address finds no more than pages show."""
    answer, speaker = send_photo(organiser, portrait(format), f"foto.{format.lower()}")
    assert answer.status_code == 302
    kept = speaker.photo.read()
    speaker.photo.close()
    for secret in (b"rahasia", b"alamat rumah", b"<script>", b"Exif"):
        assert secret not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert (image.format, image.size, dict(image.getexif())) == (format, (40, 60), {})


def test_a_photo_that_breaks_off_is_refused_and_on_record(organiser):
    whole = io.BytesIO()
    Image.effect_noise((400, 400), 90).save(whole, "JPEG")
    answer, speaker = send_photo(organiser, whole.getvalue()[:2000], "foto.jpg")
    assert answer.context_data["adminform"].form.errors["photo"]
    assert not speaker.photo
    assert on_record() == [("conference.speaker", audit.OTHER_KIND)]


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
    assert [kind for kind, _why in on_record()] == ([] if is_good else ["conference.material"])


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


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_a_logo_whose_ground_is_one_colour_that_does_not_show_stays_so(mode):
    file = io.BytesIO()
    Image.new(mode, (30, 20)).save(file, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)
    kept = Image.open(photos.bare(SimpleUploadedFile("logo.png", file.getvalue())))
    assert kept.convert("RGBA").getchannel("A").getextrema() == (0, 0)
