"""A page's HTML and style sheets arrive in one round trip: 14 kB compressed, and 30 kB with the first pictures."""

import gzip
import re
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image, ImageFilter

from conference import loading
from conference.models import Speaker, Webinar
from conference.rehearsal import rehearsal_start
from tests import factories
from tests.journeys.steps import prefix

ONE_ROUND_TRIP, WITH_PICTURES = 14_000, 30_000
STYLE_SHEETS = re.compile(r'<link rel="stylesheet"\s+href="/static/([^"]+)"')
NARROW, WIDE = {"width": 360, "height": 640}, {"width": 1280, "height": 800}
PAGES = {
    "home": "/",
    "agenda": "/agenda/",
    "webinar": "/webinar/akhiri-kekerasan/",
    "speakers": "/pembicara/",
    "speaker": "/pembicara/bintang-darmawati/",
    "organisations": "/mitra/",
    "organisation": "/mitra/bakti/",
    "editions": "/edisi/",
    "edition": "/edisi/2020/",
    "written page": "/halaman/privasi/",
    "sign-up": "/daftar/",
}


@pytest.fixture
def rehearsal():
    now = timezone.now()
    for earlier in ("kpt2016", "kpt2017", "kpt2018"):
        loading.load(earlier, now=now)
    loading.load("kpt2020", now=now, rehearsal_starts=rehearsal_start(None, now))


def compressed(content):
    # As a server does it on the way, not with its greatest effort.
    return len(gzip.compress(content, 6))


def weight_of(response):
    sheets = [Path(finders.find(name)) for name in STYLE_SHEETS.findall(response.content.decode())]
    assert response.status_code == 200
    assert sheets
    return compressed(response.content) + sum(compressed(sheet.read_bytes()) for sheet in sheets)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_html_and_styles_fit_into_one_round_trip(client, rehearsal, path, language):
    assert weight_of(client.get(prefix(language) + path)) <= ONE_ROUND_TRIP


@pytest.mark.django_db
def test_thirty_speakers_fit_too(client, rehearsal):
    webinar = Webinar.objects.get(slug="akhiri-kekerasan")
    for _number in range(30):
        factories.AppearanceFactory(webinar=webinar)
    assert weight_of(client.get("/webinar/akhiri-kekerasan/")) <= ONE_ROUND_TRIP


def portrait():
    """As rich in detail as a photograph."""
    bands = [Image.effect_noise((900, 1200), spread) for spread in (40, 60, 80)]
    file = BytesIO()
    Image.merge("RGB", bands).filter(ImageFilter.GaussianBlur(2)).save(file, "JPEG", quality=90)
    return ContentFile(file.getvalue(), "portrait.jpg")


@pytest.fixture
def photographed(rehearsal):
    """All speakers of the rehearsal have a photo, and all of them speak in its first webinar."""
    webinar = Webinar.objects.get(slug="akhiri-kekerasan")
    for speaker in Speaker.objects.all():
        speaker.photo.save("portrait.jpg", portrait())
        factories.AppearanceFactory(webinar=webinar, speaker=speaker)


# Addresses of the portraits and logos that a reader sees without scrolling.
IN_SIGHT = """() => [...document.images]
    .filter((image) => image.getBoundingClientRect().top < innerHeight).map((image) => image.currentSrc)"""


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["phone", "computer"])
def test_the_first_sight_with_its_pictures_weighs_little(new_page, photographed, viewport):
    page = new_page(viewport=viewport, device_scale_factor=2)
    page.route(
        "**/media/**", lambda route: route.fulfill(path=settings.MEDIA_ROOT + route.request.url.split("/media")[1])
    )
    answers = {}
    page.on("response", lambda response: answers.update({response.url: response}))
    weights = {name: weight(page, path, answers) for name, path in PAGES.items()}
    assert {name: bytes for name, bytes in weights.items() if bytes > WITH_PICTURES} == {}


def weight(page, path, answers):
    answers.clear()
    page.goto(path, wait_until="networkidle")
    in_sight = page.evaluate(IN_SIGHT)
    return sum(
        compressed(response.body())
        for address, response in answers.items()
        if response.request.resource_type in {"document", "stylesheet", "image"}
        and ("/media/" not in address or address in in_sight)
    )
