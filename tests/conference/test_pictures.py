"""The pictures of forwarded addresses, the copies of uploaded images, and short addresses."""

import html
import logging
import re
from collections import Counter
from datetime import UTC, date, datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import connection
from django.template import Context, Template
from django.test import RequestFactory
from django.test.client import ClientHandler
from PIL import Image

from conference import drawing, notices, photos, pictures
from kpt import pages
from tests.factories import (
    AppearanceFactory,
    EditionFactory,
    OrganisationFactory,
    PageFactory,
    SpeakerFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

LONG = "Kepemimpinan, Penghidupan dan Perlindungan Perempuan di Kawasan Timur " * 6


def meta(page, name):
    [content] = re.findall(rf'<meta (?:property|name)="{name}" content="([^"]*)">', page)
    return html.unescape(content)


def picture_path(client, path):
    """Of a page, as it names it."""
    address = urlsplit(meta(client.get(path).content.decode(), "og:image"))
    return f"{address.path}?{address.query}"


def uploaded(mode="RGB", size=(900, 1200), kind="JPEG", **options):
    written = BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(written, kind, **options)
    return ContentFile(written.getvalue(), f"contoh.{kind.lower()}")


@pytest.fixture
def rows():
    webinar = WebinarFactory(number=2, slug="satu")
    AppearanceFactory(webinar=webinar, speaker__slug="ibu")
    OrganisationFactory(slug="lembaga")
    PageFactory(slug="tentang", is_published=True)
    return webinar


# ---- Pictures of addresses


@pytest.mark.parametrize("language", ["", "/en"])
@pytest.mark.parametrize(
    ("page", "picture"),
    [
        ("/", "/gambar/beranda.png"),
        ("/agenda/", "/gambar/agenda.png"),
        ("/webinar/satu/", "/gambar/webinar/satu.png"),
        ("/pembicara/ibu/", "/gambar/pembicara/ibu.png"),
        ("/mitra/lembaga/", "/gambar/mitra/lembaga.png"),
        ("/edisi/2027/", "/gambar/edisi/2027.png"),
        ("/halaman/tentang/", "/gambar/halaman/tentang.png"),
        ("/pembicara/", "/gambar/beranda.png"),
        ("/daftar/", "/gambar/beranda.png"),
    ],
)
def test_every_public_page_has_a_picture_in_its_language(now, client, rows, settings, language, page, picture):
    shown = client.get(language + page).content.decode()
    address = meta(shown, "og:image")
    assert address.startswith(f"{settings.SITE_URL}{language}{picture}?v=")
    response = client.get(address.removeprefix(settings.SITE_URL))
    assert response["Content-Type"] == "image/png"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert len(response.content) < 300_000
    with Image.open(BytesIO(response.content)) as image:
        size = image.size
    assert size == (1200, 630) == (int(meta(shown, "og:image:width")), int(meta(shown, "og:image:height")))


def test_a_picture_is_asked_for_again_for_nothing_and_drawn_once(client, rows, monkeypatch):
    drawn = []
    monkeypatch.setattr(pictures, "card_png", lambda *facts: drawn.append(facts) or b"png")
    path = picture_path(client, "/webinar/satu/")
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert (client.get(path).content, again.status_code, again.content) == (b"png", 304, b"")
    assert again["Cache-Control"] == first["Cache-Control"]
    assert len(drawn) == 1
    other = client.get("/gambar/webinar/satu.png?v=old")
    assert (other.status_code, other["Cache-Control"]) == (200, "public, max-age=300")
    assert len(drawn) == 1


def test_a_picture_has_a_new_address_when_what_stands_on_it_changes(client, rows):
    before = picture_path(client, "/webinar/satu/")
    rows.zoom_passcode = "999"
    rows.save()
    assert picture_path(client, "/webinar/satu/") == before
    rows.title = "Judul lain"
    rows.save()
    assert picture_path(client, "/webinar/satu/") != before


def test_a_picture_needs_no_cache(client, rows, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert client.get("/gambar/webinar/satu.png").content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("webinar", "strong", "quiet"),
    [
        (
            {"starts_at": datetime(2027, 6, 8, 1, tzinfo=UTC), "ends_at": datetime(2027, 6, 8, 3, tzinfo=UTC)},
            ("Selasa, 8 Juni 2027", "09.00–11.00 WITA"),
            ("08.00–10.00 WIB · 10.00–12.00 WIT",),
        ),
        ({"unknown_hour": True, "date": date(2027, 6, 8)}, ("Selasa, 8 Juni 2027", "Jam menyusul"), ()),
        (
            {"cancelled": True, "starts_at": datetime(2027, 6, 8, 1, tzinfo=UTC)},
            ("Selasa, 8 Juni 2027", "Dibatalkan"),
            (),
        ),
    ],
)
def test_a_webinars_picture_says_when_it_is(webinar, strong, quiet):
    card = pictures.webinar_card(WebinarFactory(number=3, **webinar))
    assert (card.strong, card.quiet) == (strong, quiet)
    assert card.label.startswith("Webinar 3 · Konferensi Contoh")


def test_a_rehearsals_pictures_say_so():
    webinar = WebinarFactory(edition__is_rehearsal=True)
    assert pictures.webinar_card(webinar).label.startswith("Gladi bersih · ")
    assert pictures.home_card(webinar.edition).label == "Gladi bersih"
    assert pictures.agenda_card(webinar.edition).label.startswith("Gladi bersih · ")


@pytest.mark.parametrize(
    "title", ["A", LONG, "Panjang" * 60, "Šárka Nguyễn Thị Ánh Ḥasan", "🎉", "", "A\u0301na", "Dua\nbaris"]
)
def test_any_title_is_drawn_within_the_plain_middle(title):
    png = drawing.card_png(LONG, title, (LONG,), (LONG, LONG), "kpt.example.org")
    assert len(png) < 300_000
    with Image.open(BytesIO(png)) as opened:
        image = opened.convert("RGB")
    empty = drawing.cloth()
    edge = (drawing.WIDTH - drawing.FIELD) // 2
    for box in [(0, 0, edge, 630), (1200 - edge, 0, 1200, 630), (0, 0, 1200, 56), (0, 574, 1200, 630)]:
        assert image.crop(box).tobytes() == empty.crop(box).tobytes()


def test_a_long_title_is_set_smaller_and_the_longest_ends_in_an_ellipsis():
    sizes = [drawing.fitted(title, 240)[0].font.size for title in ("Pendek", LONG[:120], LONG)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]
    assert drawing.fitted(LONG, 240)[-1].text.endswith(" …")
    assert sum(line.height for line in drawing.fitted(LONG, 240)) <= 240


def test_the_letters_know_every_mark_of_a_name():
    letters = drawing.font(drawing.SERIF, 40)
    gap = bytes(letters.getmask("🎉"))
    for letter in "ŠáẹễḤŁñçğşıøåæßÉĀūʼ"[:-1]:
        assert bytes(letters.getmask(letter)) != gap, letter


def test_the_motif_is_the_one_of_the_pages():
    band = drawing.motif("band", 1)
    assert band.size == (28, 14)
    assert [band.getpixel(point) for point in ((0, 1), (0, 0), (13, 2))] == [
        (0x1E, 0x2F, 0x57),
        (0xE2, 0xA5, 0x2B),
        (0xE2, 0xA5, 0x2B),
    ]


UNKNOWN = [
    "/gambar/webinar/tidak-ada.png",
    "/gambar/webinar/rahasia.png",
    "/gambar/pembicara/rahasia.png",
    "/gambar/halaman/rahasia.png",
    "/gambar/edisi/1800.png",
    "/gambar/edisi/x.png",
    "/gambar/edisi/99999999999999999999.png",
    "/gambar/lain.png",
    "/gambar/webinar.png",
    "/gambar/lain/lain.png",
    "/gambar/beranda/lain.png",
    "/gambar/webinar/satu.jpg",
    "/gambar/../settings.png",
]


@pytest.mark.parametrize("path", UNKNOWN)
def test_what_visitors_may_not_see_has_no_picture(client, rows, path):
    AppearanceFactory(webinar=WebinarFactory(number=9, slug="rahasia", draft=True), speaker__slug="rahasia")
    PageFactory(slug="rahasia", is_published=False)
    assert client.get(path).status_code == 404
    assert client.get("/en" + path).status_code == 404


def test_pictures_without_an_edition(client):
    for path in ("/gambar/beranda.png", "/gambar/agenda.png"):
        assert client.get(path).status_code == 200
    assert "Konferensi Perempuan Timur" in meta(client.get("/agenda/").content.decode(), "og:image:alt")


@pytest.mark.parametrize("earlier", [True, False])
def test_an_edition_without_webinars_has_its_pages_and_pictures(client, earlier):
    edition = EditionFactory(earlier=earlier, year=1999 if earlier else 2099)
    for path in ("/", "/agenda/", f"/edisi/{edition.year}/", f"/gambar/edisi/{edition.year}.png", "/sitemap.xml"):
        assert client.get(path).status_code == 200


# ---- A crawler


UNKNOWN = [
    "/{}",
    "/{}/",
    "/en/{}x/",
    "/webinar/{}/",
    "/webinar/{}.ics",
    "/webinar/%ff%{}/",
    "/webinar/..%2f{}/",
    "/en/webinar/satu/{}/",
    "/pembicara/{}/",
    "/en/pembicara/ibu-{}/",
    "/mitra/{}/",
    "/edisi/{}00000/",
    "/en/edisi/-{}/",
    "/halaman/{}/",
    "/gambar/webinar/{}.png",
    "/gambar/edisi/{}00000.png",
    "/gambar/{}.png",
    "/media/variants/{}/80.avif",
    "/agenda/{}/",
    "/wp-login.php?id={}",
]


def test_a_crawler_of_ten_thousand_unknown_addresses_costs_little_and_leaves_nothing(
    client, rows, settings, monkeypatch, caplog
):
    caplog.set_level(logging.ERROR, "django.request")
    shelf = pages.Shelf()
    told = notices.Notices()
    told.is_open = True
    monkeypatch.setattr(told, "listen", lambda: None)
    monkeypatch.setattr(pages, "notices", told)
    monkeypatch.setattr(pages, "shelf", shelf)
    client.get("/")  # loads what is loaded once
    before = traces(settings)
    # Without the test client, which copies the context of every template.
    site, request = ClientHandler(), RequestFactory()
    answers, queries = Counter(), count()
    with connection.execute_wrapper(lambda execute, *query: (next(queries), execute(*query))[1]):
        for number in range(100, 600):
            for form in UNKNOWN:
                answers[site(request.get(form.format(number)).environ).status_code] += 1
    assert answers == {404: 10_000}
    assert next(queries) <= 3 * 10_000
    assert traces(settings) == before
    assert [key[-1] for key in shelf.pages] == ["/"]


def traces(settings):
    files = sorted(Path(settings.MEDIA_ROOT).rglob("*"))
    return row_counts(), files, sorted(cache.client.get_client().keys())


def row_counts():
    counts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()
    return counts


@pytest.mark.parametrize(
    "header", ["en", "xx-invalid;q=9", "en;q=" + "9" * 4000, "*" * 20_000, "en," * 5000, "\u00e9;q=\u00e9", "id;q=-1"]
)
def test_a_hostile_accept_language_changes_nothing(client, rows, header):
    plain, hostile = client.get("/webinar/satu/"), client.get("/webinar/satu/", HTTP_ACCEPT_LANGUAGE=header)
    assert hostile.content == plain.content
    assert hostile["Content-Language"] == "id"
    assert "Accept-Language" not in hostile.get("Vary", "")


# ---- Short addresses


@pytest.mark.parametrize(
    ("short", "target"),
    [("/2", "/webinar/satu/"), ("/2/", "/webinar/satu/"), ("/en/2", "/en/webinar/satu/")],
)
def test_a_short_address_leads_to_the_webinar_of_this_year(client, rows, short, target):
    response = client.get(short)
    assert (response.status_code, response["Location"]) == (302, target)


@pytest.mark.parametrize("short", ["/1", "/3", "/4", "/0", "/02", "/100", "/9999999999"])
def test_a_short_address_of_no_webinar_is_not_found(client, rows, short):
    WebinarFactory(edition=EditionFactory(earlier=True), number=3)
    WebinarFactory(edition=rows.edition, number=4, draft=True)
    assert client.get(short).status_code == 404


def test_a_webinar_of_an_earlier_edition_has_no_short_address(client):
    webinar = WebinarFactory(edition=EditionFactory(earlier=True), number=3)
    page = client.get(webinar.get_absolute_url()).content.decode()
    assert "Alamat pendek" not in page
    assert f"%2Fwebinar%2F{webinar.slug}%2F" in page


# ---- Portraits and logos


def shown(image, side=80):
    return Template("{% load images %}{% image image 'Ibu' side %}").render(Context({"image": image, "side": side}))


def files_of(image):
    folder = Path(image.storage.location) / "variants" / photos.folder_name(image)
    return {file.name: file for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("RGB", "JPEG", {}),
        ("CMYK", "JPEG", {}),
        ("RGBA", "PNG", {}),
        ("P", "PNG", {"transparency": 0}),
        ("LA", "PNG", {}),
        ("1", "PNG", {}),
        ("RGB", "WEBP", {}),
    ],
)
def test_a_portrait_is_shown_square_in_three_formats(mode, kind, options):
    speaker = SpeakerFactory(photo=uploaded(mode, kind=kind, **options))
    files = files_of(speaker.photo)
    assert len(files) == 9
    for name, file in files.items():
        with Image.open(file) as image:
            assert image.size == (int(name.split(".")[0]),) * 2
    page = shown(speaker.photo)
    base = photos.variants(speaker.photo).base
    assert f'<source type="image/avif" srcset="{base}/80.avif, {base}/160.avif 2x">' in page
    assert f'<source type="image/webp" srcset="{base}/80.webp, {base}/160.webp 2x">' in page
    assert " ".join(page.split()).count(f'<img src="{base}/80.jpg" alt="" width="80" height="80" loading="lazy"') == 1
    assert f"{base}/320.avif 2x" in shown(speaker.photo, 160)


def test_a_logo_keeps_its_shape():
    logo = OrganisationFactory(logo=uploaded("RGBA", (600, 200), "PNG")).logo
    with Image.open(files_of(logo)["160.webp"]) as image:
        assert image.size == (160, 53)


def test_the_copies_hold_nothing_of_what_the_camera_wrote_and_stand_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Kamera rahasia"
    logo = OrganisationFactory(logo=uploaded(size=(400, 200), exif=exif)).logo
    for file in files_of(logo).values():
        assert b"Kamera" not in file.read_bytes()
        with Image.open(file) as image:
            assert image.height > image.width


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, b"<svg onload=alert(1)>"])
def test_a_fake_image_on_the_disk_breaks_no_page(client, content):
    speaker = AppearanceFactory(speaker__slug="ibu").speaker
    speaker.photo.save("palsu.png", ContentFile(content))
    for path in ("/pembicara/", "/pembicara/ibu/"):
        page = client.get(path)
        assert page.status_code == 200
        assert "<svg" in page.content.decode()
        assert "palsu" not in page.content.decode()
    assert list(files_of(speaker.photo)) == ["broken"]


def test_half_an_image_is_a_broken_one():
    half = uploaded(size=(800, 800)).read()[:3000]
    speaker = SpeakerFactory(photo=ContentFile(half, "separuh.jpg"))
    assert photos.variants(speaker.photo) is None


def test_an_image_of_too_many_pixels_is_not_read():
    photo = SpeakerFactory(photo=uploaded("1", (9000, 10), "PNG")).photo
    assert photos.variants(photo) is None


def test_an_image_that_is_gone_or_lies_elsewhere_breaks_no_page():
    speaker = SpeakerFactory(photo=uploaded())
    Path(speaker.photo.path).unlink()
    assert "<svg" in shown(speaker.photo)
    speaker.photo.name = "../../etc/passwd"
    assert "<svg" in shown(speaker.photo)


def test_a_full_disk_breaks_no_page_and_is_tried_again(monkeypatch):
    def no_room(*args, **kwargs):
        raise OSError(28, "No space left on device")

    speaker = SpeakerFactory.build(name="Ibu", organisation=None)
    speaker.photo.save("satu.jpg", uploaded(), save=False)
    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", no_room)
        assert "<svg" in shown(speaker.photo)
    assert "<picture" in shown(speaker.photo)


def test_another_photo_has_other_copies():
    speaker = SpeakerFactory(photo=uploaded())
    before = photos.variants(speaker.photo)
    speaker.photo.save("lain.jpg", uploaded(size=(300, 300)))
    assert photos.variants(speaker.photo) != before
