from datetime import timedelta

import pytest
from django.utils import translation

from registration import consents, merging, rights, signup, timeline
from registration.models import Consent, Event
from tests import factories

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def english():
    with translation.override("en"):
        yield


def words(participant):
    return [(line.words, line.by) for line in timeline.of(participant)]


def test_steps_mails_and_consents_stand_in_one_line_the_newest_first(now):
    organiser = factories.UserFactory(name="Ibu Pengurus")
    seat = factories.RegistrationFactory(webinar__title="Hutan")
    host = factories.OrganisationFactory(name="Mitra", name_en="Partner")
    consents.grant(seat.participant, Consent.Purpose.PARTNER, language="id", now=now, organisation=host)
    factories.OutgoingMailFactory(participant=seat.participant, registration=seat, created_at=now + MINUTE)
    signup.cancel(seat, now=now + 2 * MINUTE, actor=organiser, reason="Salah alamat", tell=False)
    lines = timeline.of(seat.participant)
    assert [line.at for line in lines] == [now + 2 * MINUTE, now + MINUTE, now]
    cancelled, mail, consent = lines
    assert (cancelled.by, cancelled.note, cancelled.webinar) == ("Ibu Pengurus", "Salah alamat", "Hutan")
    assert (mail.note, mail.mail.status, mail.webinar) == (seat.participant.email, "QUEUED", "Hutan")
    assert str(host) in consent.words


def test_a_consent_is_told_once_with_the_hand_that_wrote_it(now):
    organiser = factories.UserFactory(name="Ibu Pengurus")
    participant = factories.ParticipantFactory()
    processing = Consent.Purpose.PROCESSING
    consents.grant(participant, processing, language="id", now=now, actor=organiser)
    [given] = timeline.of(participant)
    assert given.by == "Ibu Pengurus"
    consents.withdraw(participant.consents.get(), now=now + MINUTE, actor=participant.account)
    taken_back, _given = timeline.of(participant)
    assert taken_back.at == now + MINUTE
    assert taken_back.by not in {"Ibu Pengurus", participant.account.name}


def test_who_did_it_is_the_site_herself_her_carer_or_an_organiser(now, english):
    carer = factories.UserFactory(name="Ibu Rina")
    alone, in_care = factories.ParticipantFactory(), factories.ParticipantFactory(email="", account=carer)
    for participant, actor in ((alone, None), (alone, alone.account), (in_care, carer)):
        Event.objects.create(participant=participant, kind="confirmed", actor=actor, at=now)
    assert {by for _words, by in words(alone)} == {"the site, by its rules", "the person herself"}
    assert {by for _words, by in words(in_care)} == {"her carer, Ibu Rina"}


def test_corrected_fields_are_named_as_the_forms_name_them(now, english):
    participant = factories.ParticipantFactory()
    rights.correct(participant, {"organisation_kind": "media"}, actor=participant.account, language="id", now=now)
    [line] = timeline.of(participant)
    assert line.note == "kind of organisation"


def test_a_merger_brings_the_other_entrys_history(now):
    kept, other = factories.ParticipantFactory.create_batch(2)
    Event.objects.create(participant=other, kind="looked_at", at=now)
    merging.merge(kept, other, actor=None, now=now + MINUTE)
    assert [line.at for line in timeline.of(kept)] == [now + MINUTE, now]


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow_with_the_history(rows, now, django_assert_num_queries):
    participant = factories.ParticipantFactory()
    for _number in range(rows):
        seat = factories.RegistrationFactory(participant=participant)
        Event.objects.create(participant=participant, registration=seat, kind="moved", actor=factories.UserFactory())
        factories.OutgoingMailFactory(participant=participant, registration=seat)
        factories.ConsentFactory(participant=participant, partner=factories.OrganisationFactory())
    with django_assert_num_queries(3):
        timeline.of(participant)
