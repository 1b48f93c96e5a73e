"""People in another's care: written once, seated like everybody, never twice in one webinar."""

from datetime import timedelta

import pytest

from registration import care, letters, needs
from registration.models import Consent, Event, OutgoingMail, Participant, Registration, SensitiveAnswers
from tests.factories import (
    ConsentFactory,
    OrganisationFactory,
    ParticipantFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db


def entry(name="Contoh Lina", *webinars, **changes):
    return {
        "name": name,
        "phone": "",
        "contact_email": "",
        "gender": "female",
        "age_group": "35_44",
        "province": "53",
        "regency": "",
        "guardian_name": "",
        "webinars": [webinar.pk for webinar in webinars],
        "partners": [],
        "needs": [],
        "access_needs": "",
        "is_namesake": False,
        **changes,
    }


@pytest.fixture
def carer(now):
    return ParticipantFactory(email="carer@example.org", name="Contoh Maria", proven_at=now).account


def register(carer, *entries, now):
    return care.register(carer, entries, language="id", now=now)


def words_against(carer, *entries, **kwargs):
    return [(problem.place, problem.field) for problem in care.problems(carer, entries, **kwargs)]


def statuses(webinar):
    rows = Registration.objects.filter(webinar=webinar).order_by("participant__pk")
    return list(rows.values_list("participant__name", "status"))


def test_each_has_a_seat_of_her_own_and_one_mail_tells_the_carer(carer, now, settings):
    first, second = WebinarFactory(), WebinarFactory()
    written = register(carer, entry("Lina", first), entry("Rut", first, second), now=now)
    assert statuses(first) == [("Lina", "CONFIRMED"), ("Rut", "CONFIRMED")]
    assert statuses(second) == [("Rut", "CONFIRMED")]
    assert {person.address for person in written.people} == {"carer@example.org"}
    [mail] = OutgoingMail.objects.all()
    assert (mail.kind, mail.to, mail.participant.email) == ("group", "carer@example.org", "carer@example.org")
    message = letters.compose(mail, now=now)
    text = message.body
    assert text.count("/gabung/") == 3
    assert "Lina" in text
    assert "Rut" in text
    assert message.attachments == []
    assert Event.objects.filter(kind="confirmed", actor=carer).count() == 3


def test_the_first_in_the_list_have_the_last_seats(carer, now):
    webinar = WebinarFactory(capacity=2)
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True, waitlisted_at=now - timedelta(hours=1))
    register(carer, entry("A", webinar), entry("B", webinar), now=now)
    waiting.refresh_from_db()
    assert waiting.status == "CONFIRMED"  # who waits is not overtaken
    rows = dict(statuses(webinar))
    assert (rows["A"], rows["B"]) == ("CONFIRMED", "WAITLISTED")
    written = register(carer, entry("C", webinar), now=now + timedelta(minutes=1))
    assert care.summary(written) == [care.summary(written)[0]]
    assert Registration.objects.get(participant__name="C").place_in_line() == 2


def test_the_same_list_again_changes_nothing_and_writes_no_mail(carer, now):
    webinar = WebinarFactory()
    entries = [entry("Lina", webinar), entry("Rut", webinar, phone="+6281234567890")]
    register(carer, *entries, now=now)
    again = register(carer, *entries, now=now + timedelta(minutes=1))
    assert again.changed == []
    assert Participant.objects.in_care_of(carer).count() == 2
    assert Registration.objects.count() == 2
    assert OutgoingMail.objects.count() == 1
    assert Consent.objects.filter(purpose="processing").count() == 2


def test_another_webinar_for_the_same_person_is_added_to_the_first(carer, now):
    first, second = WebinarFactory(), WebinarFactory()
    register(carer, entry("Lina", first), now=now)
    register(carer, entry("lina", second), now=now + timedelta(minutes=1))
    person = Participant.objects.in_care_of(carer).get()
    assert person.registrations.count() == 2
    mail = OutgoingMail.objects.latest("pk")
    assert letters.compose(mail, now=now).body.count("/gabung/") == 2


def test_a_namesake_is_told_apart(carer, now):
    webinar = WebinarFactory()
    register(carer, entry("Lina", webinar), now=now)
    other = entry("Lina", webinar, age_group="55_plus")
    assert words_against(carer, other) == [(0, "name")]
    with pytest.raises(care.Refused):
        register(carer, entry("Rut", webinar), other, now=now)
    assert Participant.objects.in_care_of(carer).count() == 1  # nothing was written of the list
    register(carer, other | {"is_namesake": True}, now=now)
    assert Participant.objects.in_care_of(carer).count() == 2


def test_a_line_that_is_there_twice_is_refused(carer, now):
    assert words_against(carer, entry("Lina"), entry("Rut"), entry("LINA", is_namesake=True)) == [(2, "name")]


def test_a_phone_is_one_person(carer, now):
    register(carer, entry("Lina", WebinarFactory(), phone="+6281234567890"), now=now)
    ParticipantFactory(email="somebody@example.org", phone="+6281200000001")  # has an address: known by it
    stranger = ParticipantFactory(email="", phone="+6281200000002")
    problems = care.problems(
        carer,
        [
            entry("A", phone="+6281234567890"),
            entry("B", phone="+6281200000001"),
            entry("C", phone="+6281200000002"),
            entry("D", phone="+6281200000001"),
        ],
    )
    assert [(p.place, p.field, p.is_of_stranger) for p in problems] == [
        (0, "phone", False),
        (3, "phone", False),
        (2, "phone", True),
    ]
    assert stranger.name not in problems[-1].words
    assert care.refused_phones(problems) == 1


def test_an_address_is_one_person_and_not_the_carers_own(carer, now):
    register(carer, entry("Lina", WebinarFactory(), contact_email="lina@example.org"), now=now)
    known = ParticipantFactory(email="rut@example.org")
    found = words_against(
        carer,
        entry("A", contact_email="lina+kpt@example.org"),
        entry("B", contact_email="carer+kpt@example.org"),
        entry("C", contact_email=known.email),  # whether somebody has it is not told
    )
    assert found == [(0, "contact_email"), (1, "contact_email")]


def test_a_group_has_an_end(carer, now, settings):
    settings.PEOPLE_PER_CARER = 2
    webinar = WebinarFactory()
    register(carer, entry("A", webinar), entry("B", webinar), now=now)
    assert words_against(carer, entry("C")) == [(None, "")]
    assert words_against(carer, entry("A")) == []


def test_consents_are_the_carers_statement(carer, now):
    host = OrganisationFactory()
    webinar = WebinarFactory(hosts=[host])
    child = entry(
        "Rut", webinar, age_group="under_18", guardian_name="Contoh Maria", partners=[host.pk], needs=["captions"]
    )
    register(carer, entry("Lina", webinar), child, now=now)
    lina, rut = Participant.objects.in_care_of(carer)
    assert list(lina.consents.values_list("purpose", flat=True)) == ["processing"]
    assert set(rut.consents.values_list("purpose", flat=True)) == {"processing", "guardian", "partner", "sensitive"}
    text = rut.consents.get(purpose="partner").text.text
    assert text.startswith(str(care.consents.STATEMENTS_IN_CARE["partner"]))
    assert host.name in text
    assert rut.sensitive_answers.needs == ["captions"]
    assert list(Registration.objects.shared_with(host)) == [rut.registrations.get()]
    assert not SensitiveAnswers.objects.filter(participant=lina).exists()


def test_correcting_takes_back_what_is_left_out(carer, now):
    host = OrganisationFactory()
    first, second = WebinarFactory(hosts=[host]), WebinarFactory()
    register(carer, entry("Lina", first, partners=[host.pk], needs=["captions"]), now=now)
    person = Participant.objects.in_care_of(carer).get()
    waiting = RegistrationFactory(webinar=first, waitlisted=True)
    first.capacity = 1
    first.save()
    later = now + timedelta(minutes=1)
    written = care.correct(person, entry("Lina Contoh", second, regency="5371"), actor=carer, language="id", now=later)
    person.refresh_from_db()
    assert (person.name, person.regency) == ("Lina Contoh", "5371")
    assert dict(person.registrations.values_list("webinar", "status")) == {
        first.pk: "CANCELLED",
        second.pk: "CONFIRMED",
    }
    waiting.refresh_from_db()
    assert waiting.status == "CONFIRMED"
    assert set(person.consents.in_force().values_list("purpose", flat=True)) == {"processing"}
    assert needs.answers_of(person) is None
    assert len(written.changed) == 2
    kinds = list(OutgoingMail.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["group", "promoted", "group"]  # no cancellation mail for what she has done herself


def test_correcting_nothing_tells_nobody(carer, now):
    webinar = WebinarFactory()
    register(carer, entry("Lina", webinar), now=now)
    person = Participant.objects.in_care_of(carer).get()
    written = care.correct(person, entry("Lina", webinar), actor=carer, language="id", now=now + timedelta(minutes=1))
    assert written.changed == []
    assert OutgoingMail.objects.count() == 1


def test_who_is_in_another_group_is_out_of_reach(carer, now):
    stranger = ParticipantFactory(email="")
    own = ParticipantFactory(email="own@example.org", account=carer)
    for person in (stranger, own):
        with pytest.raises(Participant.DoesNotExist):
            care.correct(person, entry("X"), actor=carer, language="id", now=now)
        assert care.remove(person, actor=carer, now=now) is False
    assert Participant.objects.filter(pk__in=[stranger.pk, own.pk]).count() == 2


def test_removing_passes_the_seat_on(carer, now):
    webinar = WebinarFactory(capacity=1)
    register(carer, entry("Lina", webinar), now=now)
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True)
    person = Participant.objects.in_care_of(carer).get()
    assert care.remove(person, actor=carer, now=now) is True
    assert care.remove(person, actor=carer, now=now) is False
    waiting.refresh_from_db()
    assert waiting.status == "CONFIRMED"
    assert not Participant.objects.in_care_of(carer).exists()
    assert type(carer).objects.filter(pk=carer.pk).exists()


def test_a_mail_about_people_who_have_left_the_group_is_not_sent(carer, now):
    register(carer, entry("Lina", WebinarFactory()), now=now)
    person = Participant.objects.in_care_of(carer).get()
    Participant.objects.filter(pk=person.pk).update(account=UserFactory())
    with pytest.raises(letters.Obsolete):
        letters.compose(OutgoingMail.objects.get(), now=now)


@pytest.mark.parametrize("webinar", [{"cancelled": True}, {"draft": True}, {"over": True}])
def test_what_is_closed_takes_nobody(carer, now, webinar):
    written = register(carer, entry("Lina", WebinarFactory(**webinar)), now=now)
    assert written.changed == []
    assert not Registration.objects.exists()


def test_a_list_costs_the_same_statements_under_the_lock(carer, now, django_assert_max_num_queries):
    webinars = WebinarFactory.create_batch(4)
    people = [ParticipantFactory(email="", account=carer) for _number in range(30)]
    with django_assert_max_num_queries(12):
        care.admit_all(people, webinars[0], actor=carer, now=now)
    assert webinars[0].registrations.count() == 30


def test_questions_about_a_list_are_few(carer, now, django_assert_num_queries):
    ConsentFactory(participant=ParticipantFactory(email="", account=carer))
    entries = [entry(f"Contoh {number}", phone=f"+62812345678{number:02}") for number in range(40)]
    with django_assert_num_queries(2):
        assert care.problems(carer, entries) == []
