"""Lists of large tables: found by what one knows, quick by their indexes, and unmoved by absurd addresses."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.lists import PAGES
from registration import finding
from registration.admin.readonly import ListAdmin, LongListPaginator
from registration.models import Attendance, AuditEntry, Consent, Event, OutgoingMail, Participant, Registration, User
from tests import factories

pytestmark = pytest.mark.django_db

LARGE = [Attendance, AuditEntry, Consent, Event, OutgoingMail, Participant, Registration, User]


@pytest.fixture
def owner(signed_in_client, now):
    return signed_in_client(factories.UserFactory(organiser=True))


# ---- Finding


@pytest.fixture
def teti(now):
    person = factories.ParticipantFactory(
        name="Wa Ode Teti Rumbiak",
        email="teti@example.org",
        phone="+6281344556677",
        organisation="Kelompok Perempuan Oelnasi",
    )
    factories.ParticipantFactory(name="Teti Lain", organisation="Yayasan Rumbiak")  # bait: one word each
    return person


@pytest.mark.parametrize(
    "words",
    [
        "ode rumbiak",
        "RUMBIAK teti",
        "iak wa",
        "teti@example.org",
        "teti+kpt@example.org",
        "teti@exa",
        "0813 4455 6677",
        "+6281344556677",
        "44556677",
        "perempuan oelnasi",
    ],
)
def test_a_person_is_found_by_what_one_knows_of_her(teti, words):
    assert list(finding.participants(Participant.objects.all(), words)) == [teti]


def test_a_person_is_found_by_the_code_that_she_reads_aloud(teti, owner):
    seat, _other = (
        factories.RegistrationFactory(participant=person) for person in (teti, factories.ParticipantFactory())
    )
    address = reverse("admin:registration_participant_changelist")
    found = owner.get(address, {"q": f" {seat.code.lower()}"}).context["cl"].result_list
    assert list(found) == [teti]


def test_who_is_in_care_is_found_by_her_carer(now):
    carer = factories.UserFactory(email="mama@example.org")
    child = factories.ParticipantFactory(email="", account=carer, phone="+6281200000001")
    factories.ParticipantFactory()
    assert list(finding.participants(Participant.objects.all(), "mama@example")) == [child]


@pytest.mark.parametrize("words", ["%", "_", "xyz123", "00", "'; --", "a" * 3000, "\\"])
def test_nobody_is_found_by_what_nobody_has(teti, words):
    assert teti not in finding.participants(Participant.objects.all(), words)


def test_many_of_one_name_are_all_found(monkeypatch, now):
    monkeypatch.setattr(finding, "FEW", 2)
    webinar = factories.WebinarFactory()
    for _person in range(4):
        factories.RegistrationFactory(webinar=webinar, participant=factories.ParticipantFactory(name="Siti"))
    factories.RegistrationFactory(webinar=webinar, participant=factories.ParticipantFactory(name="Bait"))
    assert finding.by_person(Registration.objects.all(), "participant", "siti").count() == 4
    assert finding.participants(Participant.objects.all(), "siti").count() == 4


@pytest.mark.parametrize("model", ["registration", "attendance", "consent", "event"])
def test_lists_are_searched_by_person_and_code(owner, teti, model, now):
    for person in Participant.objects.all():
        seat = factories.RegistrationFactory(participant=person)
        Attendance.objects.create(registration=seat, source="link", joined_at=now)
        factories.ConsentFactory(participant=person)
        Event.objects.create(participant=person, registration=seat, kind="confirmed")
    address = reverse(f"admin:registration_{model}_changelist")
    found = owner.get(address, {"q": "ode rumbiak"}).context["cl"].result_list
    assert len(found) == 1
    if model in ("registration", "attendance"):
        code = teti.registrations.get().code
        assert len(owner.get(address, {"q": code.lower()}).context["cl"].result_list) == 1


# ---- Quick


@pytest.mark.parametrize("model", LARGE)
def test_a_large_list_counts_no_further_than_anybody_leafs_and_sorts_by_an_index(model):
    model_admin = admin.site._registry[model]
    assert isinstance(model_admin, ListAdmin)
    assert model_admin.paginator is LongListPaginator
    assert model_admin.date_hierarchy is None, "it would look at every row for its days"
    first = model_admin.ordering[0].removeprefix("-")
    assert any(index.fields[:1] == [f"-{first}"] or index.fields[:1] == [first] for index in of_fields(model))


def of_fields(model):
    indexes = [index for index in model._meta.indexes if index.fields]
    for index in indexes:
        index.fields = [name for name, _order in index.fields_orders] and [
            f"{'-' if order else ''}{name}" for name, order in index.fields_orders
        ]
    return indexes


def test_searches_go_by_an_index_of_trigrams():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        query, params = Participant.objects.filter(finding.matching("rumbiak")).query.sql_with_params()
        cursor.execute(f"EXPLAIN {query}", params)
        plan = "\n".join(line for [line] in cursor.fetchall())
    assert "participant_words" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("page", [page for name, page in PAGES.items() if "{" not in page])
def test_queries_do_not_grow(owner, page, now):
    counts, address = [], f"/en/admin/{page}"
    webinar = factories.WebinarFactory(edition=factories.EditionFactory(year=2020))  # as in the address of a report
    for number in (1, 3):
        for _row in range(number):
            person = factories.ParticipantFactory(name="Siti Lestari")
            seat = factories.RegistrationFactory(participant=person, webinar=webinar)
            Attendance.objects.create(registration=seat, source="hand", joined_at=now)
            factories.ConsentFactory(participant=seat.participant)
            Event.objects.create(
                participant=seat.participant, registration=seat, kind="confirmed", actor=seat.participant.account
            )
            factories.OutgoingMailFactory(participant=seat.participant)
        owner.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


# ---- Absurd addresses


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", ["registration", "participant", "outgoingmail", "attendance", "consent", "event"])
@pytest.mark.parametrize(
    "query",
    [
        "id__exact=99999999999999999999999",
        "id__exact=siti",
        "id__regex=(((",
        "nothing=1",
        "id__nothing=1",
        "created_at__gte=yesterday",
        "created_at__gte=99999-01-01",
        "created_at__gte=0001-01-01+00:00:00%2B14:00",
        "joined_at__year=99999999999",
        "granted_at__date=x",
        "at__lt=2027-13-45",
        "p=99999999999999999999",
        "p=-1",
        "p=x",
        "o=99.-99.x",
        "status__in=" + "x," * 500,
        "q=" + "a" * 5000,
        "q=%25%25%25",
        "e=1",
        "_facets=1",
        "all=1",
    ],
)
def test_an_absurd_filter_shows_the_whole_list_and_says_so(owner, model, query):
    answer = owner.get(f"/en{reverse(f'admin:registration_{model}_changelist')}?{query}", follow=True)
    assert answer.status_code == 200
    assert "cl" in answer.context
    if answer.redirect_chain:
        assert "can&#x27;t be filtered like that" in answer.content.decode() or query.startswith("_")


def test_a_deed_on_all_is_refused_where_nobody_has_counted_them(owner, monkeypatch, now):
    monkeypatch.setattr(LongListPaginator, "COUNTED", 2)
    seats = [factories.RegistrationFactory() for _seat in range(3)]
    data = {"action": "cancel_registrations", "select_across": "1", "_selected_action": [seats[0].pk]}
    answer = owner.post(f"/en{reverse('admin:registration_registration_changelist')}", data, follow=True)
    assert "Filter the list first" in answer.content.decode()
    assert Registration.objects.confirmed().count() == 3
