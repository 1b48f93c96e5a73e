"""The audit in the admin: what each page notes, and the page on which it is read."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.functional import lazy
from openpyxl import load_workbook

from registration import audit, exports
from registration.models import AuditEntry, Registration, SensitiveAnswers
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "/admin/registration/auditentry/"


@pytest.fixture
def owner():
    return factories.UserFactory(organiser=True)


@pytest.fixture
def desk(signed_in_client, owner, now):
    return signed_in_client(owner)


def in_group(name):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return user


def facts(*fields):
    return list(AuditEntry.objects.order_by("pk").values_list(*fields))


# ---- What pages note


def test_a_list_is_noted_with_its_rows_and_that_it_was_searched_but_not_for_what(desk, owner):
    factories.ParticipantFactory.create_batch(2, name="Rosa")
    factories.ParticipantFactory(name="Bait")
    desk.get("/admin/registration/participant/")
    desk.get("/admin/registration/participant/", {"q": "rosa"})
    desk.get("/admin/registration/participant/", {"gender": "nobody"})
    desk.get("/admin/registration/participant/", {"o": "1", "p": "1"})
    assert facts("action", "object_type", "rows", "details", "actor") == [
        ("listed", "registration.participant", 3, "", owner.pk),
        ("listed", "registration.participant", 2, "searched or filtered", owner.pk),
        ("listed", "registration.participant", 0, "searched or filtered", owner.pk),
        ("listed", "registration.participant", 3, "", owner.pk),
    ]


def test_a_persons_page_and_what_is_changed_on_it_are_noted_by_the_names_of_fields(desk, owner):
    person = factories.ParticipantFactory(name="Maria", phone="", organisation="")
    page = f"/admin/registration/participant/{person.pk}/change/"
    form = desk.get(page).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields}
    inlines = {}
    for formset in desk.get(page).context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        inlines |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    response = desk.post(page, data | inlines | {"name": "Siti Rahasia", "organisation": "Yayasan Rahasia"})
    assert response.status_code == 302
    assert facts("action", "participant_id", "details") == [
        ("looked_at", person.pk, ""),
        ("changed", person.pk, "name, organisation"),
    ]
    assert "Rahasia" not in "".join(AuditEntry.objects.values_list("details", flat=True))


def test_adding_changing_and_deleting_a_row_of_ones_own(desk, now):
    seat = factories.RegistrationFactory()
    start = {"registration": seat.pk, "joined_at_0": "2027-06-01", "joined_at_1": "09:00", "left_at_0": ""}
    desk.post("/admin/registration/attendance/add/", start | {"left_at_1": ""})
    [row] = seat.attendances.all()
    page = f"/admin/registration/attendance/{row.pk}"
    desk.post(f"{page}/change/", start | {"left_at_0": "2027-06-01", "left_at_1": "10:00"})
    desk.post(f"{page}/delete/", {"post": "yes"})
    person = seat.participant_id
    assert facts("action", "object_type", "object_id", "participant_id", "details") == [
        ("added", "registration.attendance", str(row.pk), person, ""),
        ("changed", "registration.attendance", str(row.pk), person, "Left at"),
        ("deleted", "registration.attendance", str(row.pk), person, ""),
    ]


def test_each_look_at_sensitive_answers_is_noted_and_others_may_not_look(desk, signed_in_client, now):
    person = factories.ParticipantFactory()
    answers = SensitiveAnswers.objects.create(participant=person, delete_on=now.date())
    page = f"/admin/registration/sensitiveanswers/{answers.pk}/change/"
    for _look in range(3):
        assert desk.get(page).status_code == 200
    organiser = in_group("Organisers")
    assert signed_in_client(organiser).get(page).status_code == 403
    assert facts("action", "participant_id", "object_id") == [
        *[("sensitive", person.pk, str(answers.pk))] * 3,
        ("refused", None, str(answers.pk)),
    ]


def test_cancelling_notes_each_person_once_and_the_page_that_asks_nothing(desk, owner):
    seats = factories.RegistrationFactory.create_batch(2, webinar=factories.WebinarFactory())
    bait = factories.RegistrationFactory()
    url = "/admin/registration/registration/"
    chosen = {"action": "cancel_registrations", "_selected_action": [seat.pk for seat in seats]}
    desk.post(url, chosen | {"index": "0"})
    assert facts("action") == []
    desk.post(url, chosen | {"is_sent": "yes", "reason": "Siti sakit"})
    assert sorted(facts("action", "object_id", "participant_id", "details")) == sorted(
        ("acted", str(seat.pk), seat.participant_id, "cancelled") for seat in seats
    )
    assert not AuditEntry.objects.filter(participant_id=bait.participant_id).exists()


def test_an_action_without_rules_of_its_own_notes_each_chosen_row(desk):
    seats = factories.RegistrationFactory.create_batch(2)
    factories.RegistrationFactory()
    keys = [seat.pk for seat in seats]
    desk.post(
        "/admin/registration/registration/", {"action": "send_links_again", "_selected_action": keys, "index": "0"}
    )
    words = "Send the confirmation with the personal links again"
    assert sorted(facts("action", "participant_id", "details")) == sorted(
        ("acted", seat.participant_id, words) for seat in seats
    )


def test_an_action_on_all_that_match_is_one_entry_with_their_number(desk):
    factories.RegistrationFactory.create_batch(3)
    chosen = {"action": "send_links_again", "_selected_action": [Registration.objects.first().pk], "select_across": "1"}
    desk.post("/admin/registration/registration/", chosen | {"index": "0"})
    assert facts("action", "object_id", "rows") == [("acted", "", 3)]


def test_suggestions_while_typing_are_one_entry_an_hour(desk):
    factories.RegistrationFactory()
    about = {"app_label": "registration", "model_name": "attendance", "field_name": "registration", "term": "a"}
    for term in "abc":
        assert desk.get("/admin/autocomplete/", about | {"term": term}).status_code == 200
    assert facts("action", "object_type", "details") == [
        ("looked_at", "registration.registration", "suggestions while typing")
    ]


def test_pages_of_the_programme_leave_no_looks_and_their_changes_an_entry(desk):
    page = factories.PageFactory()
    desk.get("/admin/conference/page/")
    desk.get(f"/admin/conference/page/{page.pk}/change/")
    assert facts("action") == []
    desk.post(f"/admin/conference/page/{page.pk}/delete/", {"post": "yes"})
    assert facts("action", "object_type", "object_id") == [("deleted", "conference.page", str(page.pk))]


def test_a_public_page_asks_nothing_and_notes_nothing(client, monkeypatch):
    asked = lazy(lambda _request: pytest.fail("asked where from"), str)
    monkeypatch.setattr("kpt.middleware.asked_when_noted", asked)
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/agenda/").status_code == 200
    assert not [query for query in queries if "auditentry" in query["sql"]]
    assert audit.network.get() == ""


def test_where_from_is_a_block_not_an_address(desk):
    desk.get("/admin/registration/participant/", REMOTE_ADDR="2001:db8:1:2:3:4:5:6")
    assert facts("network") == [("2001:db8:1:2::",)]


# ---- What is refused


def test_who_asks_for_what_she_may_not_see_is_noted(signed_in_client, now):
    member = factories.PartnerMemberFactory()
    foreign = factories.WebinarFactory(hosts=[factories.OrganisationFactory()])
    browser = signed_in_client(member.user)
    assert browser.get(reverse("registration:attendees_csv", args=[foreign.slug])).status_code == 404
    assert browser.get("/ruang-mitra/no/such/address/").status_code == 404
    assert browser.get("/tidak-ada/").status_code == 404
    assert facts("action", "actor", "organisation", "object_type", "object_id") == [
        ("refused", member.user.pk, member.organisation.pk, "registration:attendees_csv", foreign.slug)
    ]


def test_a_removed_member_with_an_open_session_is_refused_and_noted(signed_in_client):
    member = factories.PartnerMemberFactory()
    browser = signed_in_client(member.user)
    assert browser.get("/ruang-mitra/").status_code == 200
    before = AuditEntry.objects.count()
    member.delete()
    assert browser.get("/ruang-mitra/").status_code == 404
    assert facts("action", "actor", "organisation")[before:] == [("refused", member.user.pk, None)]


def test_an_editor_who_asks_for_a_person_is_refused_and_noted(signed_in_client):
    editor, person = in_group("Editors"), factories.ParticipantFactory()
    assert signed_in_client(editor).get(f"/admin/registration/participant/{person.pk}/change/").status_code == 403
    assert facts("action", "actor", "object_type", "object_id", "object_name") == [
        ("refused", editor.pk, "admin:registration_participant_change", str(person.pk), "")
    ]


# ---- Reading


@pytest.fixture
def entries(now):
    """Of two organisers on two people, and of a partner."""
    one, two = factories.UserFactory(organiser=True), factories.UserFactory(organiser=True)
    maria, rosa = factories.ParticipantFactory(name="Maria Contoh"), factories.ParticipantFactory(name="Rosa Umpan")
    audit.look(maria, actor=one, now=now)
    audit.look(rosa, actor=two, now=now - timedelta(days=3))
    organisation = factories.OrganisationFactory()
    partner = factories.PartnerMemberFactory(organisation=organisation).user
    audit.look_through(Registration, actor=partner, now=now, rows=7, organisation=organisation)
    return {"one": one, "two": two, "maria": maria, "rosa": rosa, "organisation": organisation, "partner": partner}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"actor": "one"}, ["one"]),
        ({"action__exact": "looked_at"}, ["one", "two"]),
        ({"kind": "registration.registration"}, ["partner"]),
        ({"organisation__id__exact": "organisation"}, ["partner"]),
        ({"person": "rosa"}, ["two"]),
        ({"q": "Umpan"}, ["two"]),
        ({"q": "one"}, ["one"]),
        ({"q": "nobody at all"}, []),
        ({"person": "999999"}, []),
        ({"at_from": "2027-05-31"}, ["one", "partner"]),
        ({"at_to": "2027-05-29"}, ["two"]),
        ({"at_from": "2027-06-01", "at_to": "2027-06-01"}, ["one", "partner"]),
        ({"at_from": "no day"}, ["one", "partner", "two"]),
    ],
)
def test_filters_and_search(desk, owner, entries, query, expected):
    keys = {name: str(row.pk) for name, row in entries.items()} | {"q one": entries["one"].email}
    wanted = {name: keys.get(f"{name} {value}", keys.get(value, value)) for name, value in query.items()}
    shown = desk.get(LIST, wanted).context["cl"].result_list
    assert sorted(entry.actor_id for entry in shown) == sorted(entries[name].pk for name in expected)


def test_the_page_reads_as_a_line_of_time_and_looking_through_it_is_noted(desk, owner, entries):
    response = desk.get(f"/en{LIST}")
    assert [entry.actor_name for entry in response.context["cl"].result_list] == [
        entries["partner"].email,
        entries["one"].email,
        entries["two"].email,
    ]
    html = response.content.decode()
    assert f"/en/admin/registration/participant/{entries['maria'].pk}/change/" in html
    assert facts("action", "object_type", "rows", "actor")[3:] == [("listed", "registration.auditentry", 3, owner.pk)]


@pytest.mark.parametrize("action", AuditEntry.Action)
def test_each_deed_is_told_in_words(desk, owner, now, action):
    AuditEntry.objects.create(at=now, actor=owner, action=action, object_type="registration.participant")
    row = desk.get(LIST, {"action__exact": action}).content.decode().partition('id="result_list"')[2]
    assert f"{action.label}\n" in row


def test_nobody_adds_changes_or_deletes(desk, entries):
    entry = AuditEntry.objects.first()
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.get(f"{LIST}{entry.pk}/delete/").status_code == 403
    assert desk.post(f"{LIST}{entry.pk}/change/", {"actor_name": "Bait"}).status_code == 403
    desk.post(LIST, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert AuditEntry.objects.get(pk=entry.pk).actor_name == entry.actor_name


@pytest.mark.parametrize(("group", "status"), [("Organisers", 200), ("Editors", 403)])
def test_who_may_read_it(signed_in_client, group, status):
    browser = signed_in_client(in_group(group))
    assert browser.get(LIST).status_code == status
    browser.post(f"{LIST}export/csv/").getvalue()
    assert AuditEntry.objects.filter(action="downloaded").count() == (status == 200)


def test_from_a_person_to_her_line_of_time(desk, entries):
    response = desk.get(f"/admin/registration/participant/{entries['maria'].pk}/record/")
    assert response.headers["Location"] == f"{LIST}?person={entries['maria'].pk}"


def test_a_list_of_three_costs_what_a_list_of_one_costs(desk, owner, now):
    def look_at_somebody():
        audit.look(factories.RegistrationFactory(), actor=owner, now=now)

    look_at_somebody()
    desk.get(LIST)
    counts = []
    for _time in range(2):
        with CaptureQueriesContext(connection) as queries:
            desk.get(LIST)
        counts.append(len(queries))
        look_at_somebody()
        look_at_somebody()
    assert counts[0] == counts[1]


# ---- As a file


def written(desk, format, query=""):
    response = desk.post(f"{LIST}export/{format}/{query}")
    assert response.status_code == 200
    return response.getvalue()


def test_the_csv_holds_exactly_the_filtered_rows_and_is_noted(desk, owner, entries):
    content = written(desk, "csv", f"?actor={entries['one'].pk}")
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert header[:6] == ["at", "by", "action", "kind", "key", "name"]
    person = str(entries["maria"].pk)
    assert [row[:7] for row in rows] == [
        [
            "2027-06-01T09:00:00+08:00",
            entries["one"].email,
            "looked_at",
            "registration.participant",
            person,
            "Maria Contoh",
            person,
        ]
    ]
    assert facts("action", "object_type", "rows", "details", "actor")[3:] == [
        ("downloaded", "registration.auditentry", 1, "csv", owner.pk)
    ]


def test_no_cell_is_a_formula(desk, owner, now):
    evil = '=HYPERLINK("https://evil.example.org")'
    audit.look(factories.ParticipantFactory(name=evil), actor=owner, now=now)
    [_header, row] = csv.reader(io.StringIO(written(desk, "csv", f"?actor={owner.pk}").decode("utf-8-sig")))
    assert row[5] == f"'{evil}"
    sheet = load_workbook(io.BytesIO(written(desk, "xlsx", f"?action__exact=looked_at&actor={owner.pk}"))).active
    assert (sheet["F2"].value, sheet["F2"].data_type, sheet["F2"].hyperlink, sheet.max_row) == (evil, "s", None, 2)


def test_too_many_rows_for_a_file_are_said_to_be_and_no_format_is_made_up(desk, owner, entries, monkeypatch):
    monkeypatch.setattr("registration.auditfile.MOST", 2)
    response = desk.post(f"/en{LIST}export/csv/?kind=", follow=True)
    assert "A file holds at most 2 entries" in response.content.decode()
    assert not AuditEntry.objects.filter(action="downloaded").exists()
    assert desk.post(f"{LIST}export/pdf/").status_code == 404
    assert desk.get(f"{LIST}export/csv/").status_code == 405


def test_all_columns_are_said_in_two_words(desk, owner, now):
    details = f"{', '.join(exports.COLUMNS)} · province, search"
    AuditEntry.objects.create(
        at=now, actor=owner, action="listed", object_type="registration.registration", details=details
    )
    assert "semua kolom · provinsi, " in desk.get(LIST).content.decode()
