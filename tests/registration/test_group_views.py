"""The carer's pages as a browser uses them, without JavaScript."""

import html
import io
import re
from datetime import timedelta

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation

from registration import groupfile, limits
from registration.models import Consent, Handover, OutgoingMail, Participant, Registration
from tests.factories import OrganisationFactory, ParticipantFactory, RegistrationFactory, WebinarFactory

pytestmark = pytest.mark.django_db

GROUP, ADD, FILE = "/en/saya/rombongan/", "/en/saya/rombongan/tambah/", "/en/saya/rombongan/berkas/"
COLUMNS = ["Name", "Gender", "Age group", "Province", "Regency or city", "Phone", "Agrees to take part"]


@pytest.fixture
def own(now):
    return ParticipantFactory(email="carer@example.org", name="Contoh Maria", province="53", proven_at=now)


@pytest.fixture
def carer(own, signed_in_client):
    return signed_in_client(own.account, fresh=True)


def answers(*webinars, **changes):
    return {
        "name": "Lina",
        "province": "53",
        "age_group": "35_44",
        "webinars": [webinar.slug for webinar in webinars],
        "consent_processing": "on",
        **changes,
    }


def in_care():
    return Participant.objects.filter(email="")


def upload(client, rows, *, columns=COLUMNS, name="list.csv", **fields):
    text = "\n".join(";".join(row) for row in [columns, *rows])
    return client.post(FILE, {"file": SimpleUploadedFile(name, text.encode()), **fields})


def hidden(response):
    """What the preview carries along, as the browser sends it back."""
    page = response.content.decode()
    rows = re.search(r'name="rows"\s+value="([^"]*)"', page)[1]
    webinars = re.findall(r'name="webinars"\s+value="([^"]*)"', page)
    return {"rows": html.unescape(rows), "webinars": webinars}


def errors_in(response):
    text = re.sub(r"<[^>]+>", " ", response.content.decode().partition('id="errors"')[2].partition("</ul>")[0])
    return [" ".join(line.split()) for line in re.findall(r"Row \d+, [^\n]+\n\s*[^\n]+", text)]


# ---- Who gets in


@pytest.mark.parametrize("page", [GROUP, ADD, FILE, "/saya/rombongan/contoh.csv"])
def test_a_fresh_code_is_asked_for(signed_in_client, client, own, page):
    assert client.get(page).status_code == 302
    assert signed_in_client(own.account).get(page).status_code == 302
    assert signed_in_client(own.account, fresh=True).get(page).status_code == 200


@pytest.mark.parametrize("page", ["", "keluarkan/", "serahkan/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_people_of_other_groups_do_not_exist(carer, own, page, method):
    stranger = ParticipantFactory(email="")
    for person in (stranger, own):
        answer = getattr(carer, method)(f"{GROUP}{person.pk}/{page}", {"email": "a@example.org"})
        assert answer.status_code == (302 if (method, page) == ("post", "keluarkan/") else 404)
    assert Participant.objects.filter(pk__in=[stranger.pk, own.pk]).count() == 2
    assert not Handover.objects.exists()


# ---- One person


def test_a_person_is_added_and_shown(carer, own, now):
    host = OrganisationFactory()
    webinar = WebinarFactory(hosts=[host])
    assert 'value="53" selected' in carer.get(ADD).content.decode()  # where her carer lives
    given = answers(
        webinar, phone="0812 3456 7890", needs=["captions"], consent_sensitive="on", consent_partners=[host.slug]
    )
    assert carer.post(ADD, given)["Location"] == GROUP
    person = in_care().get()
    assert (person.name, person.phone, person.account, person.language) == ("Lina", "+6281234567890", own.account, "en")
    assert person.sensitive_answers.needs == ["captions"]
    assert Registration.objects.get(participant=person).is_confirmed
    assert [host] == [c.organisation for c in Consent.objects.filter(participant=person, purpose="partner")]
    page = carer.get(GROUP).content.decode()
    assert "Lina" in page
    assert webinar.title_en in page
    assert "/gabung/" in page


def test_a_double_click_is_one_person_and_one_mail(carer, now):
    webinar = WebinarFactory()
    for _click in range(2):
        assert carer.post(ADD, answers(webinar))["Location"] == GROUP
    assert in_care().count() == Registration.objects.count() == 1
    assert OutgoingMail.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "www.example.org"}, "name"),
        ({"province": "99"}, "province"),
        ({"webinars": []}, "webinars"),
        ({"consent_processing": ""}, "consent_processing"),
        ({"needs": ["captions"]}, "consent_sensitive"),
        ({"access_needs": "a ramp"}, "consent_sensitive"),
        ({"age_group": "under_18"}, "guardian_name"),
        ({"age_group": "under_18", "guardian_name": "Maria"}, "guardian_consent"),
        ({"contact_email": "carer+x@example.org"}, "contact_email"),
        ({"phone": "123"}, "phone"),
        ({"regency": "7371"}, "regency"),
    ],
)
def test_mistakes_are_said_and_nothing_is_lost(carer, now, changes, field):
    page = carer.post(ADD, answers(WebinarFactory(), **{"access_needs": "", "name": "Lina", **changes}))
    assert page.status_code == 200
    assert page.context["form"].has_error(field)
    assert 'id="errors"' in page.content.decode()
    assert 'value="35_44"' in page.content.decode()
    assert not in_care().exists()


def test_the_carer_may_be_the_guardian(carer, own, now):
    given = answers(WebinarFactory(), age_group="under_18", guardian_is_me="on", guardian_consent="on")
    own.account.name = "Contoh Maria"
    own.account.save()
    assert carer.post(ADD, given)["Location"] == GROUP
    person = in_care().get()
    assert person.guardian_name == "Contoh Maria"
    assert person.consents.filter(purpose="guardian").exists()
    page = carer.get(f"{GROUP}{person.pk}/").content.decode()
    assert re.search(r'name="guardian_is_me"[^>]* checked', page)


def test_correcting_and_giving_up_a_webinar(carer, now, time_machine):
    first, second, closed = WebinarFactory(), WebinarFactory(), WebinarFactory(registration_closes_at=now)
    carer.post(ADD, answers(first, name="Lina"))
    person = in_care().get()
    seat = RegistrationFactory(participant=person, webinar=closed)
    address = f"{GROUP}{person.pk}/"
    page = carer.get(address).content.decode()
    assert re.search(rf'value="{first.slug}"[^>]* checked', page)
    assert re.search(rf'value="{closed.slug}"[^>]* checked', page)
    given = answers(second, closed, name="Lina Contoh")
    time_machine.move_to(now + timedelta(minutes=1))
    assert carer.post(address, given)["Location"] == GROUP
    person.refresh_from_db()
    assert person.name == "Lina Contoh"
    statuses = dict(person.registrations.values_list("webinar", "status"))
    assert statuses == {first.pk: "CANCELLED", second.pk: "CONFIRMED", closed.pk: "CONFIRMED"}
    assert carer.post(address, given)["Location"] == GROUP
    assert OutgoingMail.objects.filter(kind="group").count() == 2
    assert carer.post(address, answers(second))["Location"] == GROUP
    seat.refresh_from_db()
    assert seat.status == "CANCELLED"


def test_removing_asks_first(carer, now):
    carer.post(ADD, answers(WebinarFactory()))
    person = in_care().get()
    address = f"{GROUP}{person.pk}/keluarkan/"
    assert carer.get(address).status_code == 200
    assert in_care().exists()
    assert carer.post(address)["Location"] == GROUP
    assert not in_care().exists()
    assert carer.post(address)["Location"] == GROUP  # a second click


def test_handing_over_and_taking_back(carer, now):
    carer.post(ADD, answers(WebinarFactory(), contact_email="lina@example.org"))
    person = in_care().get()
    address = f"{GROUP}{person.pk}/serahkan/"
    assert 'value="lina@example.org"' in carer.get(address).content.decode()
    assert carer.post(address, {"email": "lina@example.org"})["Location"] == GROUP
    assert "lina@example.org" in carer.get(GROUP).content.decode()
    assert carer.get(f"{address}batal/").status_code == 405
    assert carer.post(f"{address}batal/")["Location"] == GROUP
    assert Handover.objects.get().withdrawn_at == now
    assert carer.post(address, {"email": "carer@example.org"}).status_code == 200


def test_strangers_phones_can_be_asked_for_a_few_times_only(carer, now):
    webinar, stranger = WebinarFactory(), ParticipantFactory(email="", phone="+6281200000002", name="Rahasia")
    for _try in range(limits.REFUSED_PHONES):
        page = carer.post(ADD, answers(webinar, phone=stranger.phone))
        assert page.context["form"].has_error("phone")
        assert "Rahasia" not in page.content.decode()
    page = carer.post(ADD, answers(webinar, phone="+6281200000003"))
    assert page.context["form"].non_field_errors()
    assert not in_care().exclude(pk=stranger.pk).exists()


def test_so_many_people_an_hour(carer, own, now, time_machine):
    webinar = WebinarFactory()
    limits.count_people(own.account.pk, limits.PEOPLE_AN_HOUR, now=now)
    page = carer.post(ADD, answers(webinar))
    assert page.context["form"].non_field_errors()
    assert 'value="Lina"' in page.content.decode()
    assert not in_care().exists()


@pytest.mark.parametrize("number", [1, 3])
def test_the_group_costs_the_same_for_one_and_for_three(carer, own, now, django_assert_num_queries, number):
    webinar = WebinarFactory(capacity=1)
    for _person in range(number):
        person = ParticipantFactory(email="", account=own.account)
        RegistrationFactory(participant=person, webinar=webinar, waitlisted=True)
        Handover.objects.create(participant=person, email="a@example.org", created_by=own.account)
    carer.get(GROUP)
    with django_assert_num_queries(10):
        carer.get(GROUP)


# ---- The file


def test_a_file_is_shown_then_written_once(carer, now):
    webinar = WebinarFactory()
    rows = [
        ["Lina", "woman", "35 to 44", "Nusa Tenggara Timur", "", "", "yes"],
        ["Rut", "", "", "53", "Sikka", "", "yes"],
    ]
    page = upload(carer, rows, webinars=[webinar.slug])
    assert page.status_code == 200
    assert not in_care().exists()  # looking writes nothing
    given = hidden(page) | {"action": "write"}
    assert carer.post(FILE, given)["Location"] == GROUP
    assert carer.post(FILE, given)["Location"] == GROUP
    assert list(in_care().order_by("pk").values_list("name", "gender", "regency")) == [
        ("Lina", "female", ""),
        ("Rut", "", "5307"),
    ]
    assert Registration.objects.filter(status="CONFIRMED").count() == 2
    assert OutgoingMail.objects.count() == 1
    # And the very file once more, from the beginning.
    again = upload(carer, rows, webinars=[webinar.slug])
    carer.post(FILE, hidden(again) | {"action": "write"})
    assert in_care().count() == 2


def test_each_mistake_is_shown_by_row_and_column_and_mended_in_place(carer, now):
    webinar = WebinarFactory()
    rows = [
        ["Lina", "woman", "35 to 44", "Atlantis", "", "12", "yes"],
        ["", "", "", "53", "", "", "perhaps"],
        ["Rut", "", "under 18", "53", "Kota Makassar", "", "no"],
        ["=1+1", "", "", "53", "", "", "yes"],
    ]
    page = upload(carer, rows, webinars=[webinar.slug])
    found = errors_in(page)
    assert [line.partition(":")[0] for line in found] == [
        "Row 2, Province",
        "Row 2, Phone",
        "Row 3, Name",
        "Row 3, Agrees to take part",
        "Row 4, Regency or city",
        "Row 4, Agrees to take part",
        "Row 4, Guardian (under 18)",
        "Row 4, Guardian agrees",
        "Row 5, Name",
    ]
    given = hidden(page) | {"action": "write"}
    assert carer.post(FILE, given).status_code == 200
    assert not in_care().exists()
    mended = given | {
        "2-province": "Maluku",
        "2-phone": "",
        "3-name": "Ana",
        "3-consent_processing": "yes",
        "4-regency": "",
        "4-consent_processing": "yes",
        "4-guardian_name": "Contoh Ibu",
        "4-guardian_consent": "yes",
        "5-name": "Sari",
    }
    page = carer.post(FILE, mended)
    assert page["Location"] == GROUP
    assert list(in_care().order_by("pk").values_list("name", "province")) == [
        ("Lina", "81"),
        ("Ana", "53"),
        ("Rut", "53"),
        ("Sari", "53"),
    ]


def test_looking_again_keeps_what_was_mended(carer, now):
    page = upload(carer, [["Lina", "", "", "Atlantis", "", "", "yes"]], webinars=[WebinarFactory().slug])
    page = carer.post(FILE, hidden(page) | {"2-province": "Maluku"})
    assert page.context["is_sound"] is True
    assert carer.post(FILE, hidden(page) | {"action": "write"})["Location"] == GROUP
    assert in_care().get().province == "81"


def test_a_row_can_be_left_out(carer, now):
    rows = [["Lina", "", "", "53", "", "", "yes"], ["Rut", "", "", "Atlantis", "", "", "yes"]]
    page = upload(carer, rows, webinars=[WebinarFactory().slug])
    assert "3-out" in page.content.decode()
    assert "2-out" not in page.content.decode()  # nothing is wrong with it
    page = carer.post(FILE, hidden(page) | {"3-out": "on"})
    assert page.context["is_sound"] is True
    assert carer.post(FILE, hidden(page) | {"action": "write"})["Location"] == GROUP
    assert in_care().get().name == "Lina"


def test_the_only_row_can_not_be_left_out(carer, now):
    page = upload(carer, [["Lina", "", "", "Atlantis", "", "", "yes"]], webinars=[WebinarFactory().slug])
    assert "2-out" not in page.content.decode()
    page = carer.post(FILE, hidden(page) | {"2-out": "on"})
    assert [line.partition(":")[0] for line in errors_in(page)] == ["Row 2, Province"]


def test_a_mistake_says_what_is_not_in_the_list_and_asks_about_no_namesakes(carer, now):
    page = upload(carer, [["Lina", "girl", "", "53", "", "", "yes"]], webinars=[WebinarFactory().slug])
    text = html.unescape(page.content.decode())
    assert "“girl” is not in the list. Choose from it, or leave this empty." in text
    assert 'name="namesakes"' not in text


def test_namesakes_in_a_file_are_asked_about(carer, now):
    webinar = WebinarFactory()
    rows = [["Lina", "", "35 to 44", "53", "", "", "yes"], ["Lina", "", "18 to 24", "53", "", "", "yes"]]
    page = upload(carer, rows, webinars=[webinar.slug])
    assert [line.partition(":")[0] for line in errors_in(page)] == ["Row 3, Name"]
    assert 'name="namesakes"' in page.content.decode()
    carer.post(FILE, hidden(page) | {"action": "write", "namesakes": "on"})
    assert in_care().count() == 2


def test_webinars_and_partners_by_row(carer, now):
    host = OrganisationFactory(acronym="YC")
    first, second = WebinarFactory(number=1, hosts=[host]), WebinarFactory(number=2)
    columns = [*COLUMNS, "Webinars", "Shares with the hosts"]
    rows = [
        ["A", "", "", "53", "", "", "yes", "1, 2", "yes"],
        ["B", "", "", "53", "", "", "yes", "", ""],
        ["C", "", "", "53", "", "", "yes", "1", "YC"],
    ]
    page = upload(carer, rows, columns=columns, webinars=[second.slug])
    carer.post(FILE, hidden(page) | {"action": "write"})
    taken = Registration.objects.order_by("participant__name", "webinar__number")
    assert list(taken.values_list("participant__name", "webinar__number")) == [("A", 1), ("A", 2), ("B", 2), ("C", 1)]
    shared = Consent.objects.filter(purpose="partner").order_by("participant__name")
    assert list(shared.values_list("participant__name", "organisation")) == [("A", host.pk), ("C", host.pk)]
    page = upload(carer, [["D", "", "", "53", "", "", "yes", "9", "XY"]], columns=columns)
    assert [line.partition(":")[0] for line in errors_in(page)] == ["Row 2, Webinars", "Row 2, Shares with the hosts"]
    assert first.registrations.count() == 2


def test_an_excel_template_filled_in(carer, now):
    webinar = WebinarFactory()
    answer = carer.get("/saya/rombongan/contoh.xlsx")
    assert 'filename="' in answer["Content-Disposition"]
    workbook, file = openpyxl.load_workbook(io.BytesIO(answer.content)), io.BytesIO()
    sheet = workbook.worksheets[0]
    with translation.override("id"):
        words = {"name": "Lina", "province": "Maluku", "consent_processing": "ya", "phone": 81234567890}
        for place, column in enumerate(groupfile.COLUMNS, 1):
            sheet.cell(2, place).value = words.get(column.field)
    workbook.save(file)
    page = carer.post(FILE, {"file": SimpleUploadedFile("x.xlsx", file.getvalue()), "webinars": [webinar.slug]})
    carer.post(FILE, hidden(page) | {"action": "write"})
    assert in_care().get().phone == "+6281234567890"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04no", "can&#x27;t be read"),
        (b"\x89PNG\0", "neither"),
        (b"a;b\n1;2\n", "missing"),
        (b"x" * 600_000, "too large"),
    ],
)
def test_a_file_that_is_no_list_is_said_to_be_so(carer, now, content, words):
    WebinarFactory()
    page = carer.post(FILE, {"file": SimpleUploadedFile("a.xlsx", content)})
    assert page.status_code == 200
    assert words in page.content.decode()


@pytest.mark.parametrize(
    "rows", ["", "[]", "{}", '{"rows": [1], "numbers": [1]}', '{"rows": [{}], "numbers": []}', "x"]
)
def test_rows_that_did_not_come_whole(carer, now, rows):
    page = carer.post(FILE, {"rows": rows, "action": "write"})
    assert page.status_code == 200
    assert not in_care().exists()


def test_markup_in_a_file_stays_text(carer, now):
    page = upload(
        carer, [["<script>alert(1)</script>", "", "", '"><i>', "", "", "yes"]], webinars=[WebinarFactory().slug]
    )
    text = page.content.decode()
    assert "<script>alert" not in text
    assert "><i>" not in text


@pytest.mark.parametrize("number", [1, 3])
def test_a_preview_costs_the_same_for_one_and_for_three(carer, now, django_assert_num_queries, number):
    webinar = WebinarFactory()
    rows = [[f"Lina {n}", "", "", "53", "", f"08123456789{n}", "yes"] for n in range(number)]
    upload(carer, rows, webinars=[webinar.slug])
    with django_assert_num_queries(9):
        upload(carer, rows, webinars=[webinar.slug])
