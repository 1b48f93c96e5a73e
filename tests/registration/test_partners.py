import csv
import io
import re
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from django.urls import reverse

from registration import exports, partners, workbooks
from registration.models import Download
from tests.factories import (
    ConsentFactory,
    OrganisationFactory,
    PartnerMemberFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

ROOM = "/ruang-mitra/"
FORMATS = ("csv", "xlsx")


@pytest.fixture
def bakti():
    return OrganisationFactory(name="BaKTI", slug="bakti")


@pytest.fixture
def alice(bakti):
    """Of BaKTI, with a second factor."""
    return PartnerMemberFactory(organisation=bakti).user


@pytest.fixture
def webinar(bakti):
    return WebinarFactory(slug="gerak-bersama", hosts=[bakti])


def attend(webinar, organisation, name="Maria Contoh"):
    registration = RegistrationFactory(webinar=webinar, participant__name=name)
    ConsentFactory(participant=registration.participant, partner=organisation)
    return registration


def address(webinar, kind="csv"):
    return f"/ruang-mitra/{webinar.slug}/peserta.{kind}"


def csv_names(response):
    text = response.getvalue().decode("utf-8-sig")
    return [row["name"] for row in csv.DictReader(io.StringIO(text, newline=""))]


# ---- Rules


def test_webinars_of_an_organisation_with_their_counts(bakti, webinar):
    attend(webinar, bakti)
    RegistrationFactory(webinar=webinar)
    RegistrationFactory(webinar=webinar, waitlisted=True)
    empty = WebinarFactory(hosts=[bakti, OrganisationFactory()], cancelled=True)
    attend(WebinarFactory(hosts=[OrganisationFactory()]), bakti)
    WebinarFactory(hosts=[bakti], draft=True)

    found = [(w.slug, w.confirmed, w.shared) for w in partners.webinars_of(bakti)]
    assert found == [(webinar.slug, 2, 1), (empty.slug, 0, 0)]


def test_hosts_for_a_user_are_her_own_organisations_that_host_it(bakti, alice, webinar):
    webinar.hosts.add(OrganisationFactory())
    PartnerMemberFactory(user=alice, organisation=OrganisationFactory())
    draft = WebinarFactory(hosts=[bakti], draft=True)
    assert partners.hosts_for(alice, webinar.slug) == [bakti]
    assert partners.hosts_for(alice, draft.slug) == partners.hosts_for(alice, "no-such") == []


# ---- The room


def test_whoever_is_in_no_room_reads_why_and_where_to_ask(signed_in_client, alice, bakti, webinar):
    stranger = UserFactory(email="lain@example.org")
    response = signed_in_client(stranger).get(f"/en{ROOM}")
    assert response.status_code == 404
    assert "You are signed in as lain@example.org." in response.content.decode()
    assert "BaKTI" not in response.content.decode()


def test_room_shows_webinars_counts_and_both_downloads(signed_in_client, bakti, alice, webinar):
    attend(webinar, bakti)
    RegistrationFactory.create_batch(2, webinar=webinar)
    response = signed_in_client(alice).get(ROOM)
    page = re.sub(r"\s*\n\s*", "", response.content.decode())
    assert "no-store" in response["Cache-Control"]
    assert [(o, [w.pk for w in found], gone) for o, found, gone in response.context["rooms"]] == [
        (bakti, [webinar.pk], [])
    ]
    assert re.findall(r"<dd>\s*(\d+)\s*</dd>", page)[:2] == ["3", "1"]
    assert f'href="{address(webinar)}"' in page
    assert f'href="{address(webinar, "xlsx")}"' in page


def test_room_names_nobody_and_no_zoom_address(signed_in_client, bakti, alice, webinar):
    attend(webinar, bakti, name="Maria Contoh")
    page = signed_in_client(alice).get(ROOM).content.decode()
    assert "Maria Contoh" not in page
    assert webinar.zoom_url not in page
    assert "zoom.example.org" not in page


def test_room_in_english(signed_in_client, alice, webinar):
    page = signed_in_client(alice).get(f"/en{ROOM}").content.decode()
    assert webinar.title_en in page
    assert f'href="/en{address(webinar)}"' not in page  # nobody has agreed yet: no empty file to take
    assert "Nobody has agreed to be in your list yet." in page


def test_room_without_webinars_says_who_can_change_that(signed_in_client, alice):
    assert "host" in signed_in_client(alice).get(f"/en{ROOM}").content.decode()


@pytest.mark.parametrize("webinars", [1, 3])
def test_room_counts_its_queries(signed_in_client, bakti, alice, webinars, django_assert_num_queries, settings):
    for _number in range(webinars):
        attend(WebinarFactory(hosts=[bakti]), bakti)
    client = signed_in_client(alice)
    settings.DEMO = True
    # session, account, memberships, who is to be removed, webinars, whom she manages, her files; the frame: edition, menu
    with django_assert_num_queries(9):
        client.get(ROOM)


# ---- The lists


def test_csv_download_is_recorded_with_its_rows(signed_in_client, bakti, alice, webinar, now):
    attend(webinar, bakti, "Maria Contoh")
    attend(webinar, bakti, "Yosefa Contoh")
    RegistrationFactory(webinar=webinar, participant__name="Silent")
    response = signed_in_client(alice).get(address(webinar))

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="peserta-gerak-bersama-bakti.csv"'
    assert "no-store" in response["Cache-Control"]
    assert csv_names(response) == ["Maria Contoh", "Yosefa Contoh"]
    record = Download.objects.get()
    assert (record.user, record.organisation, record.webinar) == (alice, bakti, webinar)
    assert (record.format, record.rows, record.downloaded_at) == ("csv", 2, now)
    assert record.columns.split(", ") == list(exports.COLUMNS)


def test_xlsx_download_is_recorded_with_its_rows(signed_in_client, bakti, alice, webinar):
    attend(webinar, bakti, "=cmd()")
    response = signed_in_client(alice).get(address(webinar, "xlsx"))
    assert response["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    rows = list(openpyxl.load_workbook(io.BytesIO(response.getvalue())).active.iter_rows(values_only=True))
    assert [row[2] for row in rows] == ["name", "=cmd()"]
    assert list(Download.objects.values_list("format", "rows")) == [("xlsx", 1)]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("people", [1, 3])
def test_download_counts_its_queries(signed_in_client, bakti, alice, webinar, kind, people, django_assert_num_queries):
    for number in range(people):
        attend(webinar, bakti, f"Person {number}")
    client = signed_in_client(alice)
    # session, account, hosts, second factor, webinar; begin, the organisation's lock, list, record, audit, commit;
    # then as CSV begin, setting, block, commit; as XLSX before all that the number, and in it the one block
    with django_assert_num_queries({"csv": 15, "xlsx": 13}[kind]):
        client.get(address(webinar, kind)).getvalue()


def test_head_and_post_take_no_list(signed_in_client, bakti, alice, webinar):
    client = signed_in_client(alice)
    assert client.head(address(webinar)).status_code == 405
    assert client.post(address(webinar)).status_code == 405
    assert not Download.objects.exists()


def test_file_that_fails_half_way_is_no_download(signed_in_client, bakti, alice, webinar, monkeypatch):
    attend(webinar, bakti)

    def broken(file, found, terms):
        file.write(b"half a list")
        raise OSError("disk full")

    monkeypatch.setitem(workbooks.WRITERS, Download.Format.XLSX, broken)
    client = signed_in_client(alice)
    client.raise_request_exception = False
    assert client.get(address(webinar, "xlsx")).status_code == 500
    assert not Download.objects.exists()


# ---- Who is turned away


@pytest.mark.parametrize("kind", FORMATS)
def test_foreign_unknown_and_unpublished_webinars_do_not_exist(signed_in_client, bakti, alice, kind):
    foreign = WebinarFactory(hosts=[OrganisationFactory()])
    attend(foreign, bakti)
    draft = WebinarFactory(hosts=[bakti], draft=True)
    client = signed_in_client(alice)
    for path in (address(foreign, kind), address(draft, kind), f"/ruang-mitra/no-such/peserta.{kind}"):
        assert client.get(path).status_code == 404
    assert not Download.objects.exists()


def test_list_of_an_organisation_of_others_does_not_exist(signed_in_client, bakti, alice, webinar):
    other = OrganisationFactory(slug="other")
    webinar.hosts.add(other)
    attend(webinar, other)
    assert signed_in_client(alice).get(f"{address(webinar)}?mitra=other").status_code == 404
    assert not Download.objects.exists()


@pytest.mark.parametrize("person", [{}, {"organiser": True}])
def test_people_of_no_organisation_find_no_room(signed_in_client, webinar, person):
    client = signed_in_client(UserFactory(**person))
    for path in (ROOM, address(webinar), address(webinar, "xlsx")):
        assert client.get(path).status_code == 404


def test_visitor_is_led_to_sign_in_and_back(client, webinar):
    for path in (ROOM, address(webinar), address(webinar, "xlsx")):
        response = client.get(path)
        assert response.status_code == 302
        to = urlsplit(response["Location"])
        assert to.path == reverse("account_request_login_code")
        assert parse_qs(to.query) == {"next": [path]}


@pytest.mark.parametrize("path", [ROOM, "/ruang-mitra/gerak-bersama/peserta.csv"])
def test_without_second_factor_she_is_asked_to_set_one_up(signed_in_client, bakti, webinar, path):
    bob = PartnerMemberFactory(organisation=bakti, user__second_factor=False).user
    response = signed_in_client(bob).get(path)
    assert (response.status_code, response["Location"]) == (302, reverse("mfa_index"))
    assert not Download.objects.exists()


def test_demo_does_without_second_factor(signed_in_client, bakti, webinar, settings):
    settings.DEMO = True
    bob = PartnerMemberFactory(organisation=bakti, user__second_factor=False).user
    assert signed_in_client(bob).get(ROOM).status_code == 200


# ---- One person in two organisations


def test_person_of_two_hosts_gets_the_list_of_either(signed_in_client, bakti, alice, webinar):
    other = OrganisationFactory(name="Another", slug="another")
    webinar.hosts.add(other)
    PartnerMemberFactory(user=alice, organisation=other)
    attend(webinar, bakti, "For BaKTI")
    attend(webinar, other, "For the other")
    client = signed_in_client(alice)

    page = client.get(ROOM).content.decode()
    for slug, name in [("bakti", "For BaKTI"), ("another", "For the other")]:
        path = f"{address(webinar)}?mitra={slug}"
        assert f'href="{path}"' in page
        assert csv_names(client.get(path)) == [name]
    taken = Download.objects.order_by("pk").values_list("organisation__slug", "rows")
    assert list(taken) == [("bakti", 1), ("another", 1)]


def test_person_of_two_hosts_is_asked_whose_list_she_means(signed_in_client, bakti, alice, webinar):
    other = OrganisationFactory()
    webinar.hosts.add(other)
    PartnerMemberFactory(user=alice, organisation=other)
    response = signed_in_client(alice).get(address(webinar), follow=True)
    assert response.redirect_chain == [(ROOM, 302)]
    assert len(response.context["messages"]) == 1
    assert not Download.objects.exists()


def test_record_says_who_took_what_when(bakti, alice, webinar, now: datetime):
    record = partners.record_download(alice, bakti, webinar, Download.Format.CSV, 7, now=now)
    assert (record.user, record.rows, record.downloaded_at) == (alice, 7, now)
