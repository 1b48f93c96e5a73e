import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from registration import consents, takeaway
from registration.models import (
    Attendance,
    BouncedAddress,
    BounceReport,
    Certificate,
    Consent,
    Download,
    Event,
    Feedback,
    Handover,
    Invitation,
    OutgoingMail,
    Participant,
    Registration,
    SensitiveAnswers,
    Withdrawal,
)
from tests import factories
from tests.journeys.steps import say

pytestmark = pytest.mark.django_db


@pytest.fixture
def her(now):
    """Somebody with a row in each table that knows of people."""
    person = factories.ParticipantFactory(
        name="Yosefina =Contoh", province="81", regency="8171", guardian_name="Ibu Wali"
    )
    webinar = factories.WebinarFactory(title="Hutan & Pangan", title_en="Forest & Food")
    seat = factories.RegistrationFactory(participant=person, webinar=webinar, cancel_reason="Alasan rahasia")
    Attendance.objects.create(registration=seat, source="hand", joined_at=now)
    Certificate.objects.create(registration=seat, code="KPT-1", name="Nama Tercetak")
    Feedback.objects.create(registration=seat, rating=4, text="Bagus sekali")
    SensitiveAnswers.objects.create(
        participant=person, seeing="a_lot", needs=["captions"], access_needs="Kursi roda", delete_on=now.date()
    )
    host = factories.OrganisationFactory(name="Mitra Contoh")
    consents.grant(person, Consent.Purpose.PARTNER, language="id", now=now, organisation=host)
    Download.objects.create(
        user=factories.UserFactory(name="Orang Mitra"),
        organisation=host,
        webinar=webinar,
        format="csv",
        rows=9,
        columns="name, email",
        downloaded_at=now + timedelta(minutes=1),
    )
    Withdrawal.objects.create(organisation=host, webinar=webinar, registration_code=seat.code, withdrawn_at=now)
    factories.OutgoingMailFactory(participant=person, text="Isi surat")
    factories.OutgoingMailFactory(participant=None, to=person.email, kind="code", context={"code": "918273"})
    Invitation.objects.create(webinar=webinar, name="Undangan", email=person.email, expires_at=now)
    Handover.objects.create(participant=person, email="serah@example.org")
    BouncedAddress.objects.create(email=person.email, words="Kata server")
    BounceReport.objects.create(key="mail:1", source="mail", email=person.email, is_final=True, words="Kata server")
    Event.objects.create(participant=person, registration=seat, kind="cancelled", at=now, note="Catatan langkah")
    return person


def test_all_that_is_held_is_in_the_data_and_on_the_page(her, now):
    parts = takeaway.take_along(her, her.account, now=now)
    data = json.dumps(takeaway.as_data(her, parts, now=now), ensure_ascii=False)
    page = takeaway.as_page(her, parts, now=now)
    for words in [
        *("Yosefina =Contoh", her.email, her.phone, "Ibu Wali", "Alasan rahasia", "KPT-1", "Nama Tercetak"),
        *(
            "Bagus sekali",
            "Kursi roda",
            "Mitra Contoh",
            "Isi surat",
            "Undangan",
            "serah@example.org",
            "Catatan langkah",
        ),
    ]:
        assert words in data
        assert words in page
    assert "918273" not in data + page
    assert "Hutan &amp; Pangan" in page


def test_nothing_of_another_person_is_in_it(her, now):
    webinar = her.registrations.get().webinar
    bait = factories.RegistrationFactory(
        webinar=webinar, participant=factories.ParticipantFactory(name="Siti Umpan", email="umpan@example.org")
    )
    factories.OutgoingMailFactory(participant=bait.participant, text="Surat Umpan")
    factories.OutgoingMailFactory(participant=None, to=bait.participant.email)
    Feedback.objects.create(registration=bait, rating=1, text="Umpan")
    Invitation.objects.create(webinar=webinar, name="Umpan", email=bait.participant.email, expires_at=now)
    data = json.dumps(takeaway.as_data(her, takeaway.parts(her, her.account, now=now), now=now))
    assert "mpan" not in data.replace("Simpan", "")
    assert "Orang Mitra" not in data


def test_every_table_and_field_that_knows_of_a_person_is_in_it_or_left_out_for_a_reason(her, now):
    """A column that somebody adds later fails here until it is in the file, or in LEFT_OUT."""
    taken = {
        part.name: {fact.name for record in part.records for fact in record}
        for part in takeaway.parts(her, her.account, now=now)
    }
    places = {
        Participant: "person",
        Registration: "registrations",
        Attendance: "attendance",
        Feedback: "feedback",
        Certificate: "certificates",
        SensitiveAnswers: "sensitive_answers",
        Consent: "consents",
        OutgoingMail: "mails",
        Handover: "handovers",
        Invitation: "invitations",
        Event: "history",
    }
    relations = {
        relation.related_model for model in (Participant, Registration) for relation in model._meta.related_objects
    }
    assert relations <= set(places)
    for model in (Participant, Registration, SensitiveAnswers):
        for field in model._meta.concrete_fields:
            name = f"{model._meta.model_name}.{field.name}"
            known = field.name in taken[places[model]] or name in takeaway.LEFT_OUT or field.primary_key
            assert known or name == "sensitiveanswers.participant", name
    assert all(taken.values()), [name for name, facts in taken.items() if not facts]


def test_the_page_opens_without_the_network_in_both_languages(her, now):
    for language, words in {"id": say("id", "What you agreed to"), "en": "What you agreed to"}.items():
        with translation.override(language):
            page = takeaway.as_page(her, takeaway.parts(her, her.account, now=now), now=now)
        assert f'<html lang="{language}">' in page
        assert f"<h2>{words}</h2>" in page
        assert not re.search(r"<(script|link|img)|url\(|@import", page)
    assert "Forest &amp; Food" in page


def test_taking_it_is_in_her_history_and_asks_for_a_fresh_code(her, signed_in_client, client):
    address = f"/saya/data/{her.pk}/unduh/data.json"
    assert client.get(address).status_code == 302
    assert signed_in_client(her.account).get(address).status_code == 302
    assert not her.events.filter(kind="taken_along").exists()
    signed_in = signed_in_client(her.account, fresh=True)
    response = signed_in.get(address)
    assert response["Content-Disposition"] == 'attachment; filename="kpt-data.json"'
    assert response.json()["person"][0]["email"] == her.email
    assert response.json()["registrations"][0]["webinar"] == "Hutan & Pangan"
    assert signed_in.head(address).status_code == 405
    assert her.events.get(kind="taken_along").actor == her.account
    page = signed_in.get(f"/en/saya/data/{her.pk}/unduh/data.html")
    assert page["Content-Disposition"] == 'attachment; filename="kpt-data.html"'
    assert '<html lang="en">' in page.content.decode()


def test_nobody_takes_another_persons_data(her, signed_in_client):
    stranger = factories.ParticipantFactory()
    client = signed_in_client(stranger.account, fresh=True)
    for file in ("data.json", "data.html"):
        assert client.get(f"/saya/data/{her.pk}/unduh/{file}").status_code == 404
    assert not her.events.filter(kind="taken_along").exists()


def test_it_costs_the_same_for_one_registration_and_for_three(now):
    def cost(number):
        person = factories.ParticipantFactory()
        for _row in range(number):
            seat = factories.RegistrationFactory(participant=person)
            Attendance.objects.create(registration=seat, source="hand", joined_at=now)
            factories.OutgoingMailFactory(participant=person, registration=seat)
            Event.objects.create(participant=person, registration=seat, kind="confirmed", at=now)
        person = Participant.objects.select_related("account").get(pk=person.pk)
        with CaptureQueriesContext(connection) as queries:
            takeaway.parts(person, person.account, now=now)
        return len(queries)

    assert cost(1) == cost(3)
