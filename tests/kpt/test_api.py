import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from conference.models import Edition
from conference.notices import notices
from kpt import api
from tests.factories import (
    AgendaItemFactory,
    AppearanceFactory,
    EditionFactory,
    MaterialFactory,
    OrganisationFactory,
    PartnershipFactory,
    SpeakerFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

ROOM = "https://zoom.example.org/j/987654321"


def get(client, path, **options):
    return client.get(f"/api/v1/{path}", **options)


def validate(path, content):
    """Against the description's own schema of the answer."""
    schema = api.description()
    registry = Registry().with_resource("api", DRAFT202012.create_resource(schema))
    [answer] = [path_item["get"] for name, path_item in schema["paths"].items() if name == path]
    wanted = answer["responses"]["200"]["content"]["application/json"]["schema"]
    pointed = json.loads(json.dumps(wanted).replace('"#/', '"api#/'))
    Draft202012Validator(pointed, registry=registry, format_checker=FormatChecker()).validate(content)


@pytest.fixture
def programme(now):
    host = OrganisationFactory(slug="bakti", name="Yayasan BaKTI", acronym="BaKTI")
    webinar = WebinarFactory(
        slug="gerak", title="Gerak bersama", title_en="Moving together", hosts=[host], zoom_url=ROOM, capacity=300
    )
    PartnershipFactory(edition=webinar.edition, organisation=host)
    speaker = SpeakerFactory(slug="maria", name="Maria Contoh", organisation=host, position="Ketua")
    AppearanceFactory(webinar=webinar, speaker=speaker, role="keynote")
    AgendaItemFactory(webinar=webinar, title="Diskusi", kind="discussion")
    AgendaItemFactory(edition=webinar.edition, webinar=None, title="Pembukaan", kind="opening")
    MaterialFactory(webinar=webinar)
    draft = WebinarFactory(draft=True, slug="rahasia", title="Rancangan", hosts=[host])
    hidden = SpeakerFactory(slug="tersembunyi", name="Belum Diumumkan", organisation=host)
    AppearanceFactory(webinar=draft, speaker=hidden)
    return webinar


PATHS = [
    ("/editions", "editions"),
    ("/editions/{year}", "editions/{webinar.edition.year}"),
    ("/webinars", "webinars"),
    ("/webinars/{slug}", "webinars/gerak"),
    ("/speakers", "speakers"),
    ("/speakers/{slug}", "speakers/maria"),
    ("/organisations", "organisations"),
    ("/organisations/{slug}", "organisations/bakti"),
]


@pytest.mark.parametrize(("path", "address"), PATHS)
def test_answers_are_as_described_public_and_without_drafts_or_rooms(path, address, client, programme):
    for language in ("", "/en"):
        response = client.get(f"{language}/api/v1/{address.format(webinar=programme)}")
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json; charset=utf-8"
        assert response["Cache-Control"] == "public, max-age=0, must-revalidate"
        assert not response.cookies
        assert not response.has_header("Vary") or "Cookie" not in response["Vary"]
        validate(path, response.json())
        text = response.content.decode()
        for secret in ("rahasia", "Rancangan", "tersembunyi", "Belum Diumumkan", "zoom", "987654321"):
            assert secret not in text


def test_webinar_with_agenda_hours_and_hosts(client, programme):
    facts = get(client, "webinars/gerak").json()
    assert facts["title"] == "Gerak bersama"
    assert client.get("/en/api/v1/webinars/gerak").json()["title"] == "Moving together"
    assert facts["starts_at"] == "2027-06-08T09:00:00+08:00"
    assert (facts["hosts"], facts["capacity"], facts["edition"]) == (["bakti"], 300, programme.edition.year)
    assert facts["speakers"] == [{"speaker": "maria", "name": "Maria Contoh", "role": "keynote"}]
    assert [item["title"] for item in facts["agenda"]] == ["Diskusi"]
    assert facts["page"].endswith("/webinar/gerak/")
    assert client.get("/en/api/v1/webinars/gerak").json()["page"].endswith("/en/webinar/gerak/")


def test_hour_to_be_confirmed_is_null(client, now):
    WebinarFactory(unknown_hour=True, slug="kapan")
    facts = get(client, "webinars/kapan").json()
    validate("/webinars/{slug}", facts)
    assert (facts["starts_at"], facts["ends_at"]) == (None, None)


def test_cancelled_webinar_says_so(client):
    WebinarFactory(cancelled=True, slug="batal")
    assert get(client, "webinars/batal").json()["status"] == "cancelled"


def test_edition_that_nobody_sees_yet(client):
    Edition.objects.all().delete()
    EditionFactory(year=2031, is_current=False, is_published=False)
    assert get(client, "editions").json() == []
    assert get(client, "editions/2031").status_code == 404


def test_filter_by_edition(client, programme):
    older = WebinarFactory(edition=EditionFactory(earlier=True, year=2016), slug="lama")
    AppearanceFactory(webinar=older, speaker=SpeakerFactory(slug="dulu"))
    assert [one["slug"] for one in get(client, "webinars?edition=2016").json()] == ["lama"]
    assert [one["slug"] for one in get(client, "speakers?edition=2016").json()] == ["dulu"]
    assert {one["slug"] for one in get(client, "webinars").json()} == {"gerak", "lama"}


@pytest.mark.parametrize("path", ["webinars", "speakers", "organisations", "editions"])
def test_lists_cost_the_same_queries_for_one_and_three(path, client, programme):
    def queries():
        with CaptureQueriesContext(connection) as found:
            assert get(client, path).status_code == 200
        return len(found)

    one = queries()
    for number in range(2):
        host = OrganisationFactory(slug=f"mitra-{number}")
        more = WebinarFactory(hosts=[host], edition=EditionFactory(year=2010 + number, earlier=True))
        AppearanceFactory(webinar=more, speaker=SpeakerFactory(organisation=host))
    assert queries() == one


@pytest.mark.parametrize("address", ["webinars/rahasia", "webinars/nowhere", "speakers/tersembunyi", "editions/1900"])
def test_what_nobody_may_see_is_a_problem_in_clear_words(address, client, programme):
    for language, words in (("", "Tidak ada"), ("/en", "There is nothing")):
        response = client.get(f"{language}/api/v1/{address}")
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"
        facts = response.json()
        assert (facts["type"], facts["title"], facts["status"]) == ("about:blank", "Not Found", 404)
        assert words in facts["detail"]


def test_year_that_is_none(client):
    response = get(client, "webinars?edition=abc")
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert "edition" in response.json()["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_written_here(method, client):
    assert getattr(client, method)("/api/v1/webinars").status_code == 405


def test_head_is_as_get_without_a_body(client, programme):
    response = client.head("/api/v1/webinars/gerak")
    assert (response.status_code, response.content) == (200, b"")


def test_content_is_kept_until_it_changes(client, programme, monkeypatch):
    kept = []
    monkeypatch.setattr(notices, "is_open", True)
    monkeypatch.setattr(notices, "listen", lambda: None)
    monkeypatch.setattr("kpt.pages.shelf.keep", lambda environ, page: kept.append(environ["PATH_INFO"]))
    response = get(client, "webinars/gerak", headers={"Accept-Encoding": "br"})
    assert response["Content-Encoding"] == "br"
    tag = response["ETag"]
    assert get(client, "webinars/gerak", headers={"Accept-Encoding": "br", "If-None-Match": tag}).status_code == 304
    assert kept == ["/api/v1/webinars/gerak"] * 2


# ---- The description


def walk(part):
    if isinstance(part, dict):
        yield part
        for one in part.values():
            yield from walk(one)
    elif isinstance(part, list):
        for one in part:
            yield from walk(one)


class TestDescription:
    def test_is_whole_and_made_of_the_code(self):
        schema = api.description()
        assert schema["openapi"].startswith("3.1")
        served = {f"/{one.pattern}" for one in api.urlpatterns[2:]}
        assert {path.count("/") for path in schema["paths"]} == {path.count("/") for path in served}
        assert len(schema["paths"]) == len(served)
        references = {part["$ref"] for part in walk(schema) if isinstance(part.get("$ref"), str)}
        known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
        assert references == known

    def test_its_schemas_are_schemas(self):
        for schema in api.description()["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)

    def test_each_operation_says_what_it_is_and_what_it_needs(self):
        for path, methods in api.description()["paths"].items():
            assert set(methods) == {"get"}
            operation = methods["get"]
            assert operation["summary"]
            is_guarded = "attendees" in path
            assert ("security" in operation) == is_guarded
            assert ({"401", "403", "429"} <= set(operation["responses"])) == is_guarded
            for status, answer in operation["responses"].items():
                kind = "application/json" if status == "200" else "application/problem+json"
                assert set(answer["content"]) == {kind}
            for parameter in operation["parameters"]:
                assert parameter["in"] == "path" or parameter["description"]

    def test_token_goes_into_the_header_alone(self):
        [scheme] = api.description()["components"]["securitySchemes"].values()
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")

    def test_is_served_in_both_languages(self, client):
        english, indonesian = (client.get(f"{prefix}/api/v1/openapi.json").json() for prefix in ("/en", ""))
        assert english["paths"].keys() == indonesian["paths"].keys()
        assert english["info"]["description"] != indonesian["info"]["description"]
        assert english["servers"][0]["url"].endswith("/en/api/v1")

    @pytest.mark.parametrize("language", ["", "/en"])
    def test_page_for_people_obeys_the_policy(self, client, language):
        response = client.get(f"{language}/api/v1/")
        html = response.content.decode()
        assert "script-src 'self';" in response["Content-Security-Policy"] + ";"
        assert "https://cdn" not in html
        for path in api.description()["paths"]:
            assert f"GET {language}/api/v1{path}" in html
        for name in api.description()["components"]["schemas"]:
            assert f'id="{name}"' in html
        assert reverse("api:openapi") in client.get("/api/v1/").content.decode()


def test_open_registration_is_told(client, now):
    WebinarFactory(slug="buka")
    assert get(client, "webinars/buka").json()["is_registration_open"] is True
    WebinarFactory(slug="tutup", registration_closes_at=now - timedelta(hours=1))
    facts = get(client, "webinars/tutup").json()
    assert (facts["is_registration_open"], facts["registration_closes_at"]) == (False, "2027-06-01T08:00:00+08:00")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_page_fits_a_phone_without_scripts(new_page, live_server):
    page = new_page(viewport={"width": 360, "height": 800}, java_script_enabled=False)
    page.goto("/api/v1/")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
