"""The charts' pages, tables and files: right numbers, for whoever may see them."""

from io import BytesIO

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from registration import charts, regions, statistics
from registration.admin.charts import PLACES
from registration.models import Attendance, AuditEntry, Counting
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = "admin:registration_figure_charts"
DOWNLOAD = "admin:registration_figure_download"
BY_ANSWER = """
SELECT count(*), count(*) FILTER (WHERE r.status = 'CONFIRMED')
FROM registration_registration r JOIN registration_participant p ON p.id = r.participant_id
WHERE r.webinar_id = %s AND p.province = %s AND NOT p.is_made_up
"""


@pytest.fixture
def webinar(now):
    webinar = factories.WebinarFactory(number=1, capacity=100, title_en="Care work")
    for province, number in (("53", 7), ("94", 6)):
        for _person in range(number):
            factories.RegistrationFactory(webinar=webinar, participant=factories.ParticipantFactory(province=province))
    factories.RegistrationFactory(
        webinar=webinar, waitlisted=True, participant=factories.ParticipantFactory(province="53")
    )
    bait = factories.ParticipantFactory(province="53", is_made_up=True)
    Attendance.objects.create(
        registration=factories.RegistrationFactory(webinar=webinar, participant=bait), source="link", joined_at=now
    )
    statistics.count(now=now)
    return webinar


@pytest.fixture
def observer():
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Observers"))
    return user


@pytest.fixture
def organiser():
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return user


def table(page, chart):
    """Of a chart's section: each line's first cell and the numbers beside it."""
    [section] = html.fromstring(page.content.decode()).xpath(f"//section[@aria-labelledby='chart-{chart}']")
    rows = section.xpath(".//tbody/tr | .//tfoot/tr")
    return {row.xpath("string(th)").strip(): [cell.text_content().strip() for cell in row.xpath("td")] for row in rows}


def test_the_table_has_what_plain_sql_counts(webinar, organiser, signed_in_client):
    page = signed_in_client(organiser).get(f"/en{reverse(PAGE)}")
    found = table(page, "province")
    with connection.cursor() as cursor:
        for code in ("53", "94"):
            cursor.execute(BY_ANSWER, [webinar.pk, code])
            signed_up, registered = cursor.fetchone()
            assert found[regions.province_name(code)][:2] == [str(signed_up), str(registered)]
    assert found["Total"] == ["14", "13", "0", "1", "0"]
    assert set(found) == {regions.province_name("53"), regions.province_name("94"), "Total"}


def test_every_chart_has_a_title_a_description_and_a_table(webinar, organiser, signed_in_client):
    page = html.fromstring(signed_in_client(organiser).get(reverse(PAGE)).content.decode())
    sections = page.xpath("//section[starts-with(@aria-labelledby, 'chart-')]")
    assert len(sections) == len(charts.TITLES)
    for section in sections:
        [picture] = section.xpath(".//figure//svg[@role='img']")
        title, words = picture.get("aria-labelledby").split()
        assert picture.xpath(f"string(title[@id='{title}'])").strip()
        assert picture.xpath(f"string(desc[@id='{words}'])").strip()
        assert section.xpath(".//table")
        assert len(section.xpath(".//a[@download]")) == 2
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_the_map_has_all_38_provinces_each_in_a_place_of_its_own():
    assert set(PLACES) == set(regions.provinces())
    assert len({place[:2] for place in PLACES.values()}) == 38


def test_by_webinar_the_capacity_stands_beside(webinar, organiser, signed_in_client):
    page = signed_in_client(organiser).get(f"/en{reverse(PAGE)}")
    assert table(page, "webinars")["1. Care work"] == ["14", "13", "0", "1", "0", "100"]


def test_of_one_webinar_alone(webinar, organiser, signed_in_client, now):
    other = factories.WebinarFactory(edition=webinar.edition, number=2)
    factories.RegistrationFactory(webinar=other)
    statistics.count(now=now)
    client = signed_in_client(organiser)
    assert table(client.get(f"/en{reverse(PAGE)}"), "gender")["Total"][0] == "15"
    page = client.get(f"/en{reverse(PAGE)}", {"edition": webinar.edition_id, "webinar": other.pk})
    assert table(page, "gender")["Total"][0] == "1"
    assert "chart-webinars" not in page.content.decode()


@pytest.mark.parametrize("query", ["edition=x", "edition=99999999999999999999", "webinar=-1", "webinar=1%27--"])
def test_an_absurd_choice_is_said_and_left_out(webinar, organiser, signed_in_client, query):
    page = signed_in_client(organiser).get(f"/en{reverse(PAGE)}?{query}")
    assert page.status_code == 200
    assert "is not there" in page.content.decode()
    assert table(page, "gender")["Total"][0] == "14"


def test_an_observer_sees_no_small_number(webinar, observer, signed_in_client, now):
    for _person in range(2):
        factories.RegistrationFactory(webinar=webinar, participant=factories.ParticipantFactory(province="81"))
    statistics.count(now=now)
    page = signed_in_client(observer).get(f"/en{reverse(PAGE)}")
    found = table(page, "province")
    assert found["Maluku"][0] == "hidden"
    assert all(len(numbers) == 2 for numbers in found.values()), "neither who waits nor who cancelled"
    file = (
        signed_in_client(observer).get(f"/en{reverse(DOWNLOAD, args=['province', 'csv'])}").content.decode("utf-8-sig")
    )
    assert next(line for line in file.splitlines() if line.startswith("Maluku,")) == "Maluku,hidden,hidden"


def test_without_an_edition(organiser, signed_in_client):
    assert signed_in_client(organiser).get(reverse(PAGE)).status_code == 200


def test_the_number_of_queries_does_not_grow(webinar, organiser, signed_in_client, now):
    client, counts = signed_in_client(organiser), []
    for numbers in ((2, 3), ()):
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(PAGE))
        counts.append(len(queries))
        for number in numbers:
            factories.RegistrationFactory(webinar=factories.WebinarFactory(edition=webinar.edition, number=number))
        statistics.count(now=now)
    assert counts[0] == counts[1]


# ---- Files


def test_the_files_hold_the_table_and_are_recorded(webinar, organiser, signed_in_client, now):
    client = signed_in_client(organiser)
    csv = client.get(f"/en{reverse(DOWNLOAD, args=['province', 'csv'])}?edition={webinar.edition_id}")
    assert csv["Content-Disposition"].endswith('-province.csv"')
    lines = csv.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Provinces"
    assert lines[2] == '"As of Tuesday, 1 June 2027, 09:00 WITA"'
    assert "Nusa Tenggara Timur,8,7,0,1,0" in lines
    assert lines[-1] == "Total,14,13,0,1,0"
    xlsx = client.get(f"/en{reverse(DOWNLOAD, args=['webinars', 'xlsx'])}")
    rows = list(openpyxl.load_workbook(BytesIO(xlsx.content)).active.iter_rows(values_only=True))
    assert rows[-1] == ("1. Care work", 14, 13, 0, 1, 0, 100)
    taken = AuditEntry.objects.filter(action="downloaded", object_type="registration.figure").order_by("pk")
    assert [(row.actor, row.details.split(" · ")[0]) for row in taken] == [
        (organiser, "Provinces"),
        (organiser, "Webinars"),
    ]


def test_a_title_never_becomes_a_formula(organiser, signed_in_client, now):
    webinar = factories.WebinarFactory(title="=1+1", title_en="")
    factories.RegistrationFactory(webinar=webinar)
    statistics.count(now=now)
    query = {"webinar": webinar.pk}
    file = signed_in_client(organiser).get(reverse(DOWNLOAD, args=["gender", "csv"]), query).content.decode("utf-8-sig")
    assert file.splitlines()[1] == "'=1+1"


@pytest.mark.parametrize(("name", "format"), [("nothing", "csv"), ("gender", "exe"), ("webinars", "pdf")])
def test_no_other_files(webinar, organiser, signed_in_client, name, format):
    assert signed_in_client(organiser).get(reverse(DOWNLOAD, args=[name, format])).status_code == 404


# ---- Counting by hand


def test_counting_anew(webinar, observer, signed_in_client, now):
    factories.RegistrationFactory(webinar=webinar)
    client = signed_in_client(observer)
    address = reverse("admin:registration_figure_recount")
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    assert table(client.get(f"/en{reverse(PAGE)}"), "gender")["Total"][0] == "14"
    Counting.objects.update(seconds=30)
    client.post(address)
    assert Counting.objects.get().marks == "", "a long counting is a worker's"


@pytest.mark.parametrize(("group", "status"), [("Editors", 403), ("Mail desk", 403), ("Observers", 200)])
def test_by_role(webinar, signed_in_client, group, status):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = signed_in_client(user)
    assert client.get(reverse(PAGE)).status_code == status
    assert client.get(reverse(DOWNLOAD, args=["gender", "csv"])).status_code == status
    assert client.post(reverse("admin:registration_figure_recount")).status_code == (302 if status == 200 else 403)
    assert client.get(reverse("admin:registration_figure_changelist")).status_code == 403
