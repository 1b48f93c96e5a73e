"""A partner's list on the screen, the file of just that, and the log of both."""

import io
import re
import zipfile
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from registration import choices, files, partners
from registration.models import AuditEntry, ConsentText, Download, PreparedFile, Registration, Withdrawal
from tests.factories import (
    ConsentFactory,
    OrganisationFactory,
    PartnerMemberFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

TABLE = "/ruang-mitra/gerak-bersama/"
FILE = f"{TABLE}unduh/"


@pytest.fixture
def bakti():
    return OrganisationFactory(name="BaKTI", slug="bakti")


@pytest.fixture
def alice(bakti):
    return PartnerMemberFactory(organisation=bakti, role="manager").user


@pytest.fixture
def webinar(bakti):
    return WebinarFactory(slug="gerak-bersama", title="Gerak Bersama", hosts=[bakti])


def attend(webinar, partner, name="Maria Contoh", **person):
    facts = {f"participant__{field}": value for field, value in person.items()}
    registration = RegistrationFactory(webinar=webinar, participant__name=name, **facts)
    ConsentFactory(participant=registration.participant, partner=partner)
    return registration


def cells(response):
    return re.findall(r"<td[^>]*>([^<]*)</td>", response.content.decode())


def names(response):
    return re.findall(r'<td data-label="Name">([^<]*)</td>', response.content.decode())


# ---- On the screen


def test_table_shows_who_agreed_and_nobody_else(signed_in_client, bakti, alice, webinar):
    attend(webinar, bakti, "Maria")
    RegistrationFactory(webinar=webinar, participant__name="Silent")
    attend(WebinarFactory(hosts=[bakti]), bakti, "Elsewhere")
    response = signed_in_client(alice).get(f"/en{TABLE}?mitra=bakti")
    assert names(response) == ["Maria"]
    assert "no-store" in response["Cache-Control"]
    assert "zoom.example.org" not in response.content.decode()


def test_filters_columns_and_order_of_the_address(signed_in_client, bakti, alice, webinar):
    attend(webinar, bakti, "Zita", gender="female", email="z@example.org")
    attend(webinar, bakti, "Ani", gender="female", email="a@example.org")
    attend(webinar, bakti, "Budi", gender="male", email="b@example.org")
    client = signed_in_client(alice)
    response = client.get(f"/en{TABLE}?gender=female&order=name&columns=email&columns=name")
    assert names(response) == ["Ani", "Zita"]
    assert cells(response)[2] == "a@example.org"
    assert "Indonesia" not in " ".join(cells(response))
    assert response.context["choice"].columns == ("registration_code", "name", "email")
    assert names(client.get(f"/en{TABLE}?search=budi")) == ["Budi"]


def test_pages_are_leafed_through_with_the_choice_kept(signed_in_client, bakti, alice, webinar, monkeypatch):
    monkeypatch.setattr(choices, "PAGE", 2)
    for name in ("Ani", "Budi", "Cici"):
        attend(webinar, bakti, name)
    client = signed_in_client(alice)
    first = client.get(f"/en{TABLE}?order=-name")
    assert names(first) == ["Cici", "Budi"]
    assert "order=-name" in first.context["next"]
    second = client.get(f"/en{TABLE}{first.context['next']}")
    assert names(second) == ["Ani"]
    assert (second.context["next"], second.context["first"]) == ("", "?mitra=bakti&order=-name")


@pytest.mark.parametrize(
    "query",
    [
        "after=99999999999999999999999",
        "after=-1",
        "after=%D9%A3",
        "after=9223372036854775807&order=name",
        "order=password&gender=%27&province=99&attended=maybe&columns=nope",
        "search=%25_%5C%27%22",
        "search=" + "x" * 3000,
        "columns=&columns=&gender=&gender=x",
        "mitra=bakti&mitra=bakti",
    ],
)
def test_absurd_addresses_are_no_error(signed_in_client, bakti, alice, webinar, query):
    attend(webinar, bakti)
    assert signed_in_client(alice).get(f"{TABLE}?{query}").status_code == 200


@pytest.mark.parametrize("people", [1, 3])
def test_table_counts_its_queries(signed_in_client, bakti, alice, webinar, people, django_assert_num_queries):
    for number in range(people):
        attend(webinar, bakti, f"Person {number}")
    client = signed_in_client(alice)
    # session, account, hosts, second factor, webinar; keys of the page, its rows, the look, the number; edition, menu
    with django_assert_num_queries(11):
        client.get(f"{TABLE}?gender=female&search=person")


def test_markup_in_a_name_is_text(signed_in_client, bakti, alice, webinar):
    attend(webinar, bakti, "<script>alert(1)</script>")
    assert "<script>alert" not in signed_in_client(alice).get(TABLE).content.decode()


def test_each_look_is_in_the_log(signed_in_client, bakti, alice, webinar):
    attend(webinar, bakti, "Maria")
    signed_in_client(alice).get(f"{TABLE}?search=maria&columns=name")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.organisation, entry.webinar_id) == ("listed", alice, bakti, webinar.pk)
    assert (entry.rows, entry.details) == (1, "registration_code, name · search")


# ---- The file of just that


def test_short_lists_are_handed_out_at_once(signed_in_client, bakti, alice, webinar, now):
    attend(webinar, bakti, "Zita", gender="female")
    attend(webinar, bakti, "Ani", gender="female")
    attend(webinar, bakti, "Budi", gender="male")
    client = signed_in_client(alice)
    choice = {"mitra": "bakti", "gender": "female", "order": "name", "columns": ["name", "gender"]}
    response = client.post(FILE, {**choice, "format": "xlsx"})
    assert response["Content-Disposition"] == 'attachment; filename="peserta-gerak-bersama-bakti-2027-06-01.xlsx"'
    book = openpyxl.load_workbook(io.BytesIO(response.getvalue()))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows[0] == ("registration_code", "name", "gender")
    assert [row[1:] for row in rows[1:]] == [("Ani", "female"), ("Zita", "female")]
    assert "BaKTI" in " ".join(cell.value for [cell] in book.worksheets[1].iter_rows())

    response = client.post(FILE, {**choice, "format": "csv"})
    assert response["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as folder:
        lines = folder.read("peserta-gerak-bersama-bakti-2027-06-01.csv").decode("utf-8-sig").split("\r\n")
        assert lines[0] == "registration_code,name,gender"
        assert [line.split(",")[1] for line in lines[1:3]] == ["Ani", "Zita"]
    taken = Download.objects.values_list("format", "rows", "columns").order_by("pk")
    assert list(taken) == [(kind, 2, "registration_code, name, gender") for kind in ("xlsx", "csv")]
    assert AuditEntry.objects.filter(action="downloaded", rows=2).count() == 2


def test_long_lists_are_a_workers(signed_in_client, bakti, alice, webinar, monkeypatch):
    monkeypatch.setattr(files, "BIG", 1)
    monkeypatch.setattr(files, "BIG_FOR_SCRIPTS", 1)
    for _number in range(2):
        attend(webinar, bakti)
    client = signed_in_client(alice)
    response = client.post(FILE, {"mitra": "bakti", "format": "csv"})
    file = PreparedFile.objects.get()
    assert response["Location"] == f"/berkas/{file.token}/"
    assert (file.requested_by, file.organisation, file.rows_total, file.language) == (alice, bakti, 2, "id")
    assert f"/berkas/{file.token}/" in client.get("/ruang-mitra/").content.decode()
    assert not Download.objects.exists()
    # The address of the contract leads there; as CSV it streams, however long.
    assert client.get(f"{TABLE}peserta.xlsx")["Location"] == f"{TABLE}?mitra=bakti"
    assert client.get(f"{TABLE}peserta.csv").getvalue().count(b"\r\n") == 3


def test_too_many_at_once_are_refused_in_words(signed_in_client, bakti, alice, webinar, monkeypatch):
    monkeypatch.setattr(files, "BIG", 0)
    monkeypatch.setattr(files, "MOST", 1)
    attend(webinar, bakti)
    client = signed_in_client(alice)
    client.post(FILE, {"mitra": "bakti"})
    response = client.post(FILE, {"mitra": "bakti", "gender": "female"}, follow=True)
    assert response.redirect_chain == [(f"{TABLE}?mitra=bakti&gender=female", 302)]
    assert len(response.context["messages"]) == 1


def test_nobody_takes_a_file_by_a_get(signed_in_client, bakti, alice, webinar):
    assert signed_in_client(alice).get(FILE).status_code == 405


# ---- Who is turned away


def test_foreign_webinars_and_organisations_do_not_exist(signed_in_client, bakti, alice, webinar):
    other = OrganisationFactory(slug="other")
    webinar.hosts.add(other)
    attend(webinar, other)
    WebinarFactory(slug="foreign", hosts=[other])
    WebinarFactory(slug="draft", hosts=[bakti], draft=True)
    client = signed_in_client(alice)
    for path in (f"{TABLE}?mitra=other", "/ruang-mitra/foreign/", "/ruang-mitra/draft/", "/ruang-mitra/no-such/"):
        assert client.get(path).status_code == 404
    assert client.post(FILE, {"mitra": "other"}).status_code == 404
    assert client.post("/ruang-mitra/foreign/unduh/").status_code == 404
    assert AuditEntry.objects.filter(action="refused", actor=alice).count() == 6


def test_who_was_removed_sees_nothing_in_her_open_session(signed_in_client, bakti, alice, webinar):
    client = signed_in_client(alice)
    assert client.get(TABLE).status_code == 200
    alice.partner_memberships.all().delete()
    for path in (TABLE, "/ruang-mitra/", "/ruang-mitra/bakti/catatan/", f"{TABLE}peserta.csv"):
        assert client.get(path).status_code == 404
    assert client.post(FILE).status_code == 404


def test_without_second_factor_she_is_asked_to_set_one_up(signed_in_client, bakti, webinar):
    bob = PartnerMemberFactory(organisation=bakti, user__second_factor=False, role="manager").user
    client = signed_in_client(bob)
    for response in (client.get(TABLE), client.post(FILE), client.get("/ruang-mitra/bakti/catatan/")):
        assert response["Location"] == "/akun/2fa/"


def test_visitors_are_led_to_sign_in(client, webinar):
    assert client.get(TABLE).status_code == client.post(FILE).status_code == 302


# ---- The log


def test_log_names_who_looked_and_who_took(signed_in_client, bakti, alice, webinar, now):
    attend(webinar, bakti)
    other = OrganisationFactory()
    partners.record_download(UserFactory(), other, webinar, "csv", 77, now=now)
    old = Download.objects.create(
        user=alice,
        organisation=bakti,
        webinar=webinar,
        format="csv",
        rows=5,
        columns="name",
        downloaded_at=datetime(2027, 1, 1, tzinfo=UTC),
    )
    client = signed_in_client(alice)
    client.get(TABLE)
    client.get(f"{TABLE}peserta.csv").getvalue()
    lines = partners.log(bakti)
    assert [(line.who, line.rows) for line in lines] == [(alice.email, 1), (alice.email, 1), (alice.email, 5)]
    assert lines[-1].at == old.downloaded_at
    page = client.get("/en/ruang-mitra/bakti/catatan/").content.decode()
    assert page.count(alice.email) >= 3
    assert ">77<" not in page
    assert "Gerak Bersama" not in page  # in English
    assert webinar.title_en in page


def test_log_speaks_in_words_that_its_reader_knows(signed_in_client, bakti, alice, webinar, now):
    attend(webinar, bakti, "Maria", gender="female")
    client = signed_in_client(alice)
    client.get(f"{TABLE}?columns=age_group&gender=female&search=maria")
    client.get(f"{TABLE}peserta.csv").getvalue()
    withdrawal = Withdrawal.objects.create(
        organisation=bakti, webinar=webinar, registration_code="MINE", withdrawn_at=now
    )
    client.post(f"/ruang-mitra/dihapus/{withdrawal.pk}/")
    viewer = PartnerMemberFactory(organisation=bakti).user
    assert signed_in_client(viewer).get("/ruang-mitra/bakti/catatan/").status_code == 403
    page = client.get("/en/ruang-mitra/bakti/catatan/")
    assert [(line.what, words) for line, _webinar, words in page.context["lines"]] == [
        ("Was refused", "wanted to see a page"),
        ("Said that a person is removed from the files", ""),
        ("Downloaded", "all columns"),
        ("Looked through a list", "registration code, age group · search, gender"),
    ]


def test_what_narrows_the_list_stands_above_it(signed_in_client, bakti, alice, webinar):
    attend(webinar, bakti, "Maria", gender="female", province="81")
    client = signed_in_client(alice)
    page = client.get(f"/en{TABLE}?gender=female&province=81&search=maria&order=-name")
    told = re.findall(r"([^<>]+): <strong>([^<]+)</strong>", page.content.decode())
    assert [(label.strip(" \n·"), value) for label, value in told] == [
        ("Search", "maria"),
        ("Province", "Maluku"),
        ("Gender", "Woman"),
        ("Order", "Name, Z to A"),
    ]
    assert client.get(f"/en{TABLE}?gender=nobody").context["narrowed"] == []


def test_log_is_leafed_through(signed_in_client, bakti, alice, webinar, now, monkeypatch):
    monkeypatch.setattr(partners, "PAGE", 2)
    for hours in range(5):
        partners.record_download(alice, bakti, webinar, "csv", hours, now=now - timedelta(hours=hours))
    client, address, seen = signed_in_client(alice), "/ruang-mitra/bakti/catatan/", []
    earlier = ""
    for _page in range(3):
        response = client.get(f"{address}{earlier}")
        seen += [line.rows for line, _webinar, _words in response.context["lines"]]
        earlier = response.context["earlier"]
    assert (seen, earlier) == ([0, 1, 2, 3, 4], "")


@pytest.mark.parametrize("before", ["", "x", "2027-13-45T99:00", "2027-01-01T00:00", "0001-01-01T00:00Z"])
def test_log_from_an_absurd_moment_is_no_error(signed_in_client, bakti, alice, before):
    assert signed_in_client(alice).get("/ruang-mitra/bakti/catatan/", {"before": before}).status_code == 200


def test_log_is_for_managers(signed_in_client, bakti):
    viewer = PartnerMemberFactory(organisation=bakti).user
    client = signed_in_client(viewer)
    assert client.get("/ruang-mitra/bakti/catatan/").status_code == 403
    assert "catatan" not in client.get("/ruang-mitra/").content.decode()
    foreign = PartnerMemberFactory(role="manager").user
    assert signed_in_client(foreign).get("/ruang-mitra/bakti/catatan/").status_code == 404


# ---- Column by column


def test_screen_and_file_leave_a_cell_empty_that_her_text_did_not_name(signed_in_client, bakti, alice, webinar):
    her = attend(webinar, bakti, email="rahasia@example.org")
    text = ConsentText.objects.create(purpose="partner", language="id", version="0", text="Nama.", columns=["name"])
    her.participant.consents.update(text=text)
    client = signed_in_client(alice)
    assert "rahasia@" not in client.get(TABLE).content.decode()
    assert names(client.get(f"/en{TABLE}?search=rahasia")) == []
    assert b"rahasia@" not in client.get(f"{TABLE}peserta.csv").getvalue()
    assert Registration.objects.shared_with(bakti).count() == 1
