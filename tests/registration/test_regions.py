"""The vendored table of provinces, regencies and cities, and how people choose from it."""

import re

import pytest

from registration import regions
from registration.models import Participant
from tests.factories import WebinarFactory
from tests.registration.forms import filled_in


def all_regencies():
    return {code: name for province in regions.provinces() for code, name in regions.regencies(province).items()}


def test_it_holds_all_38_provinces_and_514_regencies_and_cities():
    assert len(regions.provinces()) == 38
    assert len(all_regencies()) == len(set(all_regencies().values())) == 514
    assert all(re.fullmatch(r"\d{4}", code) and code[:2] in regions.provinces() for code in all_regencies())
    assert len(regions.names()) == 38 + 514  # and nothing else


def test_each_is_named_with_its_kind():
    kinds = [name.split()[0] for name in all_regencies().values()]
    assert (kinds.count("Kabupaten"), kinds.count("Kota")) == (416, 98)
    assert all(len(name.split()) > 1 for name in all_regencies().values())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("5371", "Kota Kupang"),
        ("5301", "Kabupaten Kupang"),
        ("9103", "Kabupaten Jayapura"),
        ("9171", "Kota Jayapura"),
    ],
)
def test_cities_and_regencies_of_one_name_are_told_apart(code, name):
    assert all_regencies()[code] == name


def test_every_province_has_its_zone():
    zones = {
        zone: {code for code in regions.provinces() if regions.time_zone(code) == zone}
        for zone in ("WIB", "WITA", "WIT")
    }
    assert [len(codes) for codes in zones.values()] == [18, 12, 8]
    assert zones["WIT"] == {"81", "82", "91", "92", "93", "94", "95", "96"}
    assert regions.time_zone(regions.OUTSIDE_INDONESIA) == "WITA"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/daftar/", "/en/daftar/"])
def test_the_form_shows_them_all_with_their_kind_grouped_by_province_without_javascript(client, now, path):
    WebinarFactory()
    page = client.get(path).content.decode()
    groups = re.findall(r"<optgroup label=['\"]([^'\"]+)['\"]>(.*?)(?=<optgroup|</select>)", page, re.DOTALL)
    assert [name for name, _options in groups] == list(regions.provinces().values())
    options = re.findall(r"<option value=(\d{4})>([^<]+)", page)
    assert {code: name.strip() for code, name in options} == all_regencies()


@pytest.mark.django_db
def test_outside_indonesia_needs_no_regency_and_takes_none(client, now):
    webinar = WebinarFactory()
    page = client.post("/en/daftar/", filled_in(webinar, province="00", regency="5371")).content.decode()
    assert "Outside Indonesia there are no regencies" in page
    assert client.post("/daftar/", filled_in(webinar, province="00")).status_code == 302
    assert (Participant.objects.get().province, Participant.objects.get().regency) == ("00", "")
