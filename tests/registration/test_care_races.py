"""Groups and single people at once, each in a thread with a connection of its own."""

import pytest
from django.utils import timezone

from registration import care, erasure, handover, signup
from registration.models import OutgoingMail, Participant, Registration, User
from tests.factories import ParticipantFactory, RegistrationFactory, WebinarFactory
from tests.registration.test_care import entry
from tests.registration.test_races import AT_ONCE, answers, assert_seats_are_counted, at_once, count, sign_up

pytestmark = pytest.mark.django_db(transaction=True)


def register(carer, entries):
    return care.register(carer, entries, language="id", now=timezone.now())


def failures(results):
    return [result for result in results if isinstance(result, Exception)]


def test_many_clicks_on_one_list_are_one_list_and_one_mail():
    webinar, carer = WebinarFactory(capacity=30), ParticipantFactory().account
    entries = [entry(f"Contoh {number}", webinar, phone=f"+62812345678{number:02}") for number in range(10)]
    results = at_once([lambda: register(carer, entries)] * AT_ONCE)
    assert failures(results) == []
    assert Participant.objects.in_care_of(carer).count() == 10
    assert count(webinar, Registration.Status.CONFIRMED) == 10
    assert OutgoingMail.objects.count() == 1
    assert_seats_are_counted(webinar)


def test_groups_and_single_people_for_the_last_seats():
    first, second = WebinarFactory(capacity=25), WebinarFactory(capacity=60)
    carers = [ParticipantFactory().account for _number in range(8)]
    groups = [
        lambda carer=carer: register(
            carer,
            [entry(f"Contoh {number}", *((first, second) if number % 2 else (second, first))) for number in range(8)],
        )
        for carer in carers
    ]
    single = [lambda n=n: sign_up(answers(n, second, first)) for n in range(24)]
    results = at_once([job for pair in zip(groups * 3, single, strict=True) for job in pair])
    assert failures(results) == []
    people = 8 * 8 + 24
    for webinar in (first, second):
        assert count(webinar, Registration.Status.CONFIRMED) == webinar.capacity
        assert count(webinar, Registration.Status.WAITLISTED) == people - webinar.capacity
        assert_seats_are_counted(webinar)
    assert OutgoingMail.objects.filter(kind="group").count() == 8


def test_two_carers_and_one_phone():
    webinar, carers = WebinarFactory(), [ParticipantFactory().account for _number in range(AT_ONCE)]
    results = at_once(
        lambda carer=carer: register(carer, [entry("Contoh Lina", webinar, phone="+6281234567890")]) for carer in carers
    )
    assert len([r for r in failures(results) if isinstance(r, care.Refused)]) == AT_ONCE - 1
    assert len(failures(results)) == AT_ONCE - 1
    assert Participant.objects.filter(phone="+6281234567890").count() == 1


def test_two_variants_of_one_address_at_once_are_one_person():
    webinar = WebinarFactory()

    def begin(tag):
        given = answers(1, webinar)
        given["person"]["email"] = f"peserta1{tag}@example.org"
        return signup.begin(given, now=timezone.now())

    results = at_once([lambda n=n: begin(f"+{n}" if n else "") for n in range(AT_ONCE)])
    assert failures(results) == []
    assert User.objects.count() == Participant.objects.count() == Registration.objects.count() == 1
    assert_seats_are_counted(webinar)


def test_two_clicks_on_the_handover_while_she_signs_up_herself():
    webinar = WebinarFactory(capacity=5)
    carer = ParticipantFactory(email="carer@example.org").account
    people = [ParticipantFactory(email="", account=carer, phone="") for _number in range(5)]
    offers = []
    for number, person in enumerate(people):
        RegistrationFactory(participant=person, webinar=webinar)
        offers.append(handover.offer(person, f"peserta{number}@example.org", actor=carer, now=timezone.now()))
    clicks = [lambda offer=offer: handover.accept(offer, now=timezone.now()) for offer in offers]
    single = [lambda n=n: sign_up(answers(n, webinar)) for n in range(5)]
    results = at_once([*clicks, *single, *clicks, *single])
    assert failures(results) == []
    assert Participant.objects.exclude(account=carer).count() == 5
    assert not Participant.objects.in_care_of(carer).exists()
    live = Registration.objects.live().filter(webinar=webinar)
    assert live.count() == len({row.participant_id for row in live}) == 5
    assert_seats_are_counted(webinar)


def test_removing_and_correcting_at_once_leaves_no_seat_behind():
    webinar, other = WebinarFactory(capacity=8), WebinarFactory(capacity=8)
    carer = ParticipantFactory().account
    people = register(carer, [entry(f"Contoh {n}", webinar) for n in range(8)]).people
    jobs = []
    for place, person in enumerate(people):
        changed = entry(f"Contoh {place}", other)
        jobs.append(lambda p=person, e=changed: care.correct(p, e, actor=carer, language="id", now=timezone.now()))
        jobs.append(lambda p=person: care.remove(p, actor=carer, now=timezone.now()))
    jobs += [lambda p=person: erasure.erase(p, now=timezone.now()) for person in people]
    results = at_once(jobs)
    assert {type(result) for result in failures(results)} <= {Participant.DoesNotExist}
    assert not Participant.objects.in_care_of(carer).exists()
    for each in (webinar, other):
        assert not Registration.objects.filter(webinar=each).exists()
        assert_seats_are_counted(each)
