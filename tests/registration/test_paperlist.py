"""A list that came on paper: seen first, then signed up by the rules of the site, all or nobody."""

import csv
import io
import time

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import translation

from registration.models import AuditEntry, Consent, Event, OutgoingMail, Participant, Registration
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/en/admin/registration/registration/paper-list"


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def actor():
    user = factories.UserFactory(is_staff=True, name="Petugas")
    user.groups.add(Group.objects.get(name="Organisers"))
    return user


@pytest.fixture
def organiser(signed_in_client, actor):
    return signed_in_client(actor)


@pytest.fixture
def webinar():
    host = factories.OrganisationFactory(acronym="Batukarinfo")
    return factories.WebinarFactory(number=1, slug="satu", hosts=[host], edition=factories.EditionFactory())


def person(name="Wa Ode", **cells):
    row = {"Name": name, "Province": "Maluku", "Email": "", "Webinars": "1", "Agrees to take part": "yes"}
    return row | cells


def written(*rows):
    file = io.StringIO(newline="")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(file, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def send(client, content, name="daftar.csv", **facts):
    form = {"note": "Daftar Kupang", "language": "id", "file": SimpleUploadedFile(name, content)}
    return client.post(reverse_page(), form | facts)


def reverse_page():
    return reverse("admin:registration_registration_paper_list")


def confirm(client, preview):
    return client.post(reverse_page(), {"kept": preview.context_data["kept"]})


def errors(preview):
    return [
        (line.number, str(column), str(words))
        for line in preview.context_data["sheet"].wrong
        for column, words in line.errors
    ]


def test_a_list_is_seen_then_signed_up_with_all_that_follows(organiser, actor, webinar):
    rows = [
        person("Wa Ode", Email="wa@example.org", **{"Shares with the hosts": "Batukarinfo"}),
        person("Mama Yos", Phone="0812 3456 7890"),
    ]
    preview = send(organiser, written(*rows))
    assert not errors(preview)
    assert not Participant.objects.exists()
    assert confirm(organiser, preview).status_code == 302
    assert Registration.objects.filter(webinar=webinar, status="CONFIRMED").count() == 2
    own = Participant.objects.get(email="wa@example.org")
    assert Consent.objects.filter(participant=own, purpose="partner").exists()
    assert Event.objects.get(participant=own, kind="signed_up").note == "Daftar Kupang"
    assert Participant.objects.get(name="Mama Yos").account == actor
    assert set(OutgoingMail.objects.values_list("kind", "to")) == {
        ("confirmation", "wa@example.org"),
        ("group", actor.email),
    }
    assert AuditEntry.objects.filter(action="added", participant_id=own.pk, actor=actor).exists()


def test_all_of_them_are_in_the_language_that_was_chosen(organiser, webinar):
    rows = [person("Siti", Email="siti@example.org"), person("Wa Ode")]
    confirm(organiser, send(organiser, written(*rows), language="en"))
    assert dict(Participant.objects.values_list("name", "language")) == {"Siti": "en", "Wa Ode": "en"}
    assert set(Consent.objects.values_list("language", flat=True)) == {"en"}


def test_where_seats_run_out_the_first_have_them(organiser, webinar):
    webinar.capacity = 2
    webinar.save()
    rows = [person(f"Orang {number}", Email=f"o{number}@example.org") for number in range(4)]
    preview = send(organiser, written(*rows))
    assert "2 seats are left" in preview.content.decode()
    assert "waiting list" in preview.content.decode()
    confirm(organiser, preview)
    states = dict(Registration.objects.values_list("participant__name", "status"))
    assert [states[f"Orang {number}"] for number in range(4)] == ["CONFIRMED", "CONFIRMED", "WAITLISTED", "WAITLISTED"]


def test_each_mistake_is_named_and_nobody_is_written(organiser, webinar):
    factories.ParticipantFactory(name="Ani", email="ani@example.org")
    rows = [
        person("Baik", Email="baik@example.org"),
        person("", Email="tanpa@example.org"),
        person("Budi", Email="ani@example.org"),
        person("Cici", Email="baik@example.org"),
        person("Dedi", Province="Jawa Bali"),
        person("Eli", **{"Agrees to take part": "no"}),
        person("Fitri", Webinars="9"),
        person("Gita", Phone="6.28E+12"),
        person("=1+1"),
    ]
    preview = send(organiser, written(*rows))
    assert [(number, column) for number, column, _words in errors(preview)] == [
        (3, "Name"),
        (4, "Email"),
        (5, "Email"),
        (6, "Province"),
        (7, "Agrees to take part"),
        (8, "Webinars"),
        (9, "Phone"),
        (10, "Name"),
    ]
    assert preview.context_data["kept"] == ""
    assert Participant.objects.count() == 1


def test_the_same_list_again_changes_nothing(organiser, webinar):
    content = written(person("Wa Ode", Email="wa@example.org"), person("Mama Yos"))
    for _time in range(2):
        assert confirm(organiser, send(organiser, content)).status_code == 302
    assert Participant.objects.count() == 2
    assert OutgoingMail.objects.count() == 2


def test_what_is_on_paper_does_not_overwrite_what_she_has_written(organiser, webinar):
    known = factories.ParticipantFactory(name="Wa Ode", email="wa@example.org", province="73")
    confirm(organiser, send(organiser, written(person("Wa Ode", Email="WA@example.org"))))
    known.refresh_from_db()
    assert known.province == "73"
    assert known.registrations.get().status == "CONFIRMED"


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_an_export_goes_in_again(format, organiser, webinar, actor):
    rows = [
        person("Wa Ode", Email="wa@example.org", Gender="Female", **{"Shares with the hosts": "yes"}),
        person("Mama Yos", Phone="+6281234567890"),
    ]
    confirm(organiser, send(organiser, written(*rows)))
    file = organiser.get(f"{reverse_page()}/{webinar.pk}/{format}/".replace("//", "/"))
    assert file.status_code == 200
    entry = AuditEntry.objects.filter(action="downloaded").get()
    assert (entry.rows, entry.webinar_id) == (2, webinar.pk)
    preview = send(organiser, file.content)
    assert not errors(preview)
    before = Participant.objects.count(), OutgoingMail.objects.count(), Consent.objects.count()
    confirm(organiser, preview)
    assert (Participant.objects.count(), OutgoingMail.objects.count(), Consent.objects.count()) == before


def test_a_long_list_in_a_reasonable_time(organiser, webinar):
    rows = [person(f"Orang {number}", Email=f"o{number}@example.org") for number in range(300)]
    started = time.monotonic()
    preview = send(organiser, written(*rows))
    confirm(organiser, preview)
    assert Registration.objects.filter(status="CONFIRMED").count() == 300
    assert OutgoingMail.objects.count() == 300
    assert time.monotonic() - started < 60


def test_a_hundred_thousand_rows_are_refused_at_once_and_on_record(organiser, webinar):
    content = written(person("Wa Ode", Email="wa@example.org")) + b"X,Maluku,,1,yes\r\n" * 100_000
    started = time.monotonic()
    answer = send(organiser, content)
    assert time.monotonic() - started < 3
    assert "at most 1024 kB" in answer.content.decode()
    assert AuditEntry.objects.filter(action="refused", object_type="registration.registration").exists()
    assert not Participant.objects.exists()


def test_a_long_list_costs_no_more_than_its_people(organiser, webinar, django_assert_max_num_queries):
    """The account and the person of each, and nothing else for each."""
    preview = send(organiser, written(*(person(f"Orang {number}", Email=f"o{number}@x.org") for number in range(40))))
    with django_assert_max_num_queries(4 * 40 + 60):
        confirm(organiser, preview)
    assert Consent.objects.filter(purpose="processing").count() == 40


def test_more_than_one_account_cares_for_is_told_to_whoever_can_divide_it(organiser, webinar, settings):
    settings.PEOPLE_PER_CARER = 2
    answer = send(organiser, written(*(person(f"Orang {number}") for number in range(3))))
    assert "One account has the care of 2 people without an address at most." in answer.content.decode()


def test_a_list_of_somebody_else_is_not_written(organiser, webinar, signed_in_client):
    preview = send(organiser, written(person("Wa Ode")))
    other = factories.UserFactory(organiser=True)
    confirm(signed_in_client(other), preview)
    assert not Participant.objects.exists()


def test_a_file_from_a_spreadsheet_program(organiser, webinar):
    workbook, file = openpyxl.Workbook(), io.BytesIO()
    workbook.active.append(["Daftar hadir Kupang"])
    workbook.active.append(["Nama lengkap", "Provinsi", "Usia", "No HP", "Surel", "Webinar", "Setuju ikut"])
    workbook.active.append(["Wa Ode", "NTT", 34, 6281234567890, "wa@example.org", 1, "ya"])
    workbook.save(file)
    answer = send(organiser, file.getvalue(), "daftar.xlsx")
    if "form" in answer.context_data:  # a column that is needed has another name: it says which
        assert "Agrees to take part" in answer.context_data["form"].errors["file"][0]
