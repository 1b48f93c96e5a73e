import gzip
import json
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.utils.cache import has_vary_header
from PIL import Image, ImageChops

from kpt import offline
from tests import icons
from tests.journeys.steps import say

STATIC = Path(django_settings.BASE_DIR) / "static"
LIMIT = 3_000


@pytest.fixture
def fresh_script():
    offline.worker_script.cache_clear()
    yield offline.worker_script
    offline.worker_script.cache_clear()


def test_the_worker_is_asked_for_anew_each_time_and_rules_the_whole_site(client):
    response = client.get("/sw.js")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Cache-Control"] == "no-cache"
    assert client.head("/sw.js").status_code == 200
    assert client.post("/sw.js").status_code == 405
    assert client.get("/sw.js", headers={"If-None-Match": response["ETag"]}).status_code == 304
    assert not response.cookies


def test_the_worker_says_in_both_languages_that_a_page_is_kept(fresh_script):
    notices = json.loads(re.search(r"^const NOTICE = (.*);$", fresh_script(), re.MULTILINE)[1])
    assert "Salinan tersimpan, {when}." in notices["id"]
    assert "Kept copy, {when}." in notices["en"]


def test_another_static_file_is_another_version(fresh_script, monkeypatch):
    first = fresh_script()
    fresh_script.cache_clear()
    monkeypatch.setattr(offline, "staticfiles_storage", type("Files", (), {"manifest_hash": "abc"}))
    assert fresh_script().splitlines()[0] != first.splitlines()[0]


@pytest.mark.parametrize(("prefix", "language"), [("", "id"), ("/en", "en")])
def test_the_manifest_is_in_the_language_of_its_address(prefix, language, client):
    response = client.get(f"{prefix}/manifest.webmanifest")
    assert response["Content-Type"] == "application/manifest+json"
    manifest = response.json()
    assert manifest["lang"] == language
    assert manifest["name"] == say(language, "Eastern Indonesia Women's Conference")
    assert manifest["start_url"] == f"{prefix}/"
    for icon in manifest["icons"]:
        file = finders.find(icon["src"].removeprefix(django_settings.STATIC_URL))
        if icon["type"] == "image/png":
            with Image.open(file) as image:
                assert icon["sizes"] == f"{image.width}x{image.height}"
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}


@pytest.mark.parametrize("name", icons.SIZES)
def test_the_icons_are_those_that_the_command_draws(name):
    drawn = icons.drawn(*icons.SIZES[name]).convert("RGB")
    with Image.open(icons.FOLDER / f"{name}.png") as kept:
        assert ImageChops.difference(drawn, kept.convert("RGB")).getbbox() is None


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_the_page_for_the_time_without_a_line_depends_on_nobody(prefix, client):
    response = client.get(f"{prefix}/luring/")
    assert response.status_code == 200
    assert 'content="noindex"' in response.content.decode()
    assert not has_vary_header(response, "Cookie")
    assert not response.cookies


def test_the_scripts_of_any_page_are_small():
    assert (
        sum(len(gzip.compress((STATIC / "js" / name).read_bytes())) for name in ("site.js", "form.js")) <= LIMIT + 100
    )
    assert len(gzip.compress((STATIC / "js" / "site.js").read_bytes())) <= LIMIT
