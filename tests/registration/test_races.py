"""Many people at once, each in a thread with a connection of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from conference.models import Webinar
from registration import attendance, seats, signup, waitinglist
from registration.models import Attendance, OutgoingMail, Participant, Registration, SeatCount, User
from tests.factories import ParticipantFactory, RegistrationFactory, WebinarFactory

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 16


def answers(number: int, *webinars: Webinar) -> signup.Answers:
    person: signup.Person = {
        "name": f"Peserta Contoh {number}",
        "email": f"peserta{number}@example.org",
        "phone": "",
        "gender": "undisclosed",
        "age_group": "undisclosed",
        "province": "73",
        "regency": "",
        "organisation": "",
        "organisation_kind": "",
        "guardian_name": "",
    }
    return {
        "person": person,
        "webinars": [webinar.pk for webinar in webinars],
        "partners": [],
        "language": "id",
        "given_at": timezone.now().isoformat(),
    }


def sign_up(given: signup.Answers) -> list[Registration]:
    user = signup.begin(given, now=timezone.now())
    return signup.confirm(user, given, now=timezone.now())


def at_once(jobs: Iterable[Callable[[], object]]) -> list[object]:
    """Run the jobs, AT_ONCE or more, on so many threads that begin together; what they return or raise, in order."""
    jobs = list(jobs)
    start = Barrier(AT_ONCE)

    def run(job):
        try:
            return job()
        except Exception as error:  # noqa: BLE001 -- the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE, initializer=start.wait, initargs=[10]) as pool:
        return list(pool.map(run, jobs))


def count(webinar: Webinar, status: Registration.Status) -> int:
    return Registration.objects.filter(webinar=webinar, status=status).count()


def assert_seats_are_counted(webinar: Webinar) -> None:
    seated = Registration.objects.filter(webinar=webinar, status__in=Registration.SEATED).count()
    assert SeatCount.objects.get(webinar=webinar).taken == seated


def test_a_hundred_people_and_ten_seats():
    webinar = WebinarFactory(capacity=10)
    results = at_once(lambda n=n: sign_up(answers(n, webinar)) for n in range(100))
    assert [result for result in results if isinstance(result, Exception)] == []
    assert count(webinar, Registration.Status.CONFIRMED) == 10
    assert count(webinar, Registration.Status.WAITLISTED) == 90
    assert Registration.objects.count() == Participant.objects.count() == User.objects.count() == 100
    assert OutgoingMail.objects.filter(kind=OutgoingMail.Kind.CONFIRMATION).count() == 100
    assert_seats_are_counted(webinar)


def raise_capacity(webinar: Webinar, by: int) -> None:
    with transaction.atomic():  # as the admin does
        Webinar.objects.filter(pk=webinar.pk).update(capacity=F("capacity") + by)
        waitinglist.promote(webinar.pk, now=timezone.now())


def test_capacity_is_raised_while_people_cancel_and_sign_up():
    webinar = WebinarFactory(capacity=10)
    confirmed = RegistrationFactory.create_batch(10, webinar=webinar)
    waiting = RegistrationFactory.create_batch(30, webinar=webinar, waitlisted=True)
    leaving = [*confirmed[:5], *waiting[:5], *waiting[20:]]
    results = at_once(
        [
            *(lambda r=r: signup.cancel(r, now=timezone.now()) for r in leaving),
            *(lambda: raise_capacity(webinar, 2) for _ in range(4)),
            *(lambda n=n: sign_up(answers(1000 + n, webinar)) for n in range(20)),
        ]
    )
    assert [result for result in results if isinstance(result, Exception)] == []
    webinar.refresh_from_db()
    assert webinar.capacity == 18
    assert count(webinar, Registration.Status.CONFIRMED) == 18
    assert count(webinar, Registration.Status.WAITLISTED) == 40 - len(leaving) + 20 - 18
    assert_seats_are_counted(webinar)
    # Five keep their seats; of the fifteen who keep waiting the first thirteen have come up, and no newcomer.
    staying = [registration.pk for registration in waiting[5:20]]
    promoted = Registration.objects.confirmed().filter(waitlisted_at__isnull=False, pk__in=staying)
    assert sorted(promoted.values_list("pk", flat=True)) == staying[:13]


def test_the_same_person_twice_at_once_is_one_person_with_one_mail():
    webinar, other = WebinarFactory.create_batch(2, capacity=10)
    results = at_once(lambda: sign_up(answers(1, webinar, other)) for _ in range(AT_ONCE))
    assert [result for result in results if isinstance(result, Exception)] == []
    assert User.objects.count() == Participant.objects.count() == 1
    assert Registration.objects.confirmed().count() == 2
    mails = OutgoingMail.objects.values_list("kind", flat=True)
    assert list(mails) == [OutgoingMail.Kind.CONFIRMATION]
    assert_seats_are_counted(webinar)


def test_cancelling_twice_at_once_frees_one_seat_and_sends_one_mail():
    webinar = WebinarFactory(capacity=1)
    registration = RegistrationFactory(webinar=webinar)
    RegistrationFactory.create_batch(3, webinar=webinar, waitlisted=True)
    copies = [Registration.objects.get(pk=registration.pk) for _ in range(AT_ONCE)]
    results = at_once(lambda copy=copy: signup.cancel(copy, now=timezone.now()) for copy in copies)
    assert sorted(results) == [False] * (AT_ONCE - 1) + [True]
    assert count(webinar, Registration.Status.CONFIRMED) == 1
    kinds = sorted(OutgoingMail.objects.values_list("kind", flat=True))
    assert kinds == [OutgoingMail.Kind.CANCELLATION, OutgoingMail.Kind.PROMOTED]


def test_a_hold_that_expires_while_its_code_is_entered_is_never_two_seats():
    webinar = WebinarFactory(capacity=10)
    held = [answers(n, webinar) for n in range(10)]
    users = [signup.begin(given, now=timezone.now() - timedelta(hours=1)) for given in held]
    results = at_once(
        [
            *(lambda u=u, g=g: signup.confirm(u, g, now=timezone.now()) for u, g in zip(users, held, strict=True)),
            *(lambda: signup.expire_holds(now=timezone.now()) for _ in range(4)),
            *(lambda n=n: sign_up(answers(100 + n, webinar)) for n in range(10)),
        ]
    )
    # Whoever is too late by a moment signs up again; whoever is not has her seat or her place in the line.
    late = [result for result in results if isinstance(result, User.DoesNotExist)]
    assert [result for result in results if isinstance(result, Exception) and result not in late] == []
    assert count(webinar, Registration.Status.CONFIRMED) == 10
    assert count(webinar, Registration.Status.WAITLISTED) == 10 - len(late)
    assert_seats_are_counted(webinar)


def lock_and_touch(*webinars: Webinar) -> None:
    with transaction.atomic():
        for webinar in seats.lock([webinar.pk for webinar in webinars]):
            Webinar.objects.filter(pk=webinar.pk).update(summary="touched")


def test_two_webinars_in_opposite_order_never_deadlock():
    first, second = WebinarFactory.create_batch(2, capacity=20)
    results = at_once(
        [
            *(lambda: lock_and_touch(first, second) for _ in range(20)),
            *(lambda: lock_and_touch(second, first) for _ in range(20)),
            *(lambda n=n: sign_up(answers(n, first, second)) for n in range(15)),
            *(lambda n=n: sign_up(answers(n, second, first)) for n in range(15, 30)),
        ]
    )
    assert [result for result in results if isinstance(result, Exception)] == []
    for webinar in (first, second):
        assert count(webinar, Registration.Status.CONFIRMED) == 20
        assert count(webinar, Registration.Status.WAITLISTED) == 10


# ---- The database itself, when code goes round the rules

INSERT = """
INSERT INTO registration_registration (participant_id, webinar_id, status, code, created_at, confirmed_at,
    zoom_registrant_id, zoom_join_url, zoom_state, zoom_error)
VALUES (%s, %s, 'CONFIRMED', %s, now(), now(), '', '', 'none', '')
"""


def insert(participant: Participant, webinar: Webinar) -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [participant.pk, webinar.pk, f"RAW{participant.pk}"])


def test_the_database_refuses_the_eleventh_seat():
    webinar = WebinarFactory(capacity=10)
    RegistrationFactory.create_batch(10, webinar=webinar)
    with pytest.raises(IntegrityError, match="has 10 seats"):
        insert(ParticipantFactory(), webinar)
    assert_seats_are_counted(webinar)


def test_the_database_refuses_an_update_that_would_take_it():
    webinar = WebinarFactory(capacity=10)
    RegistrationFactory.create_batch(10, webinar=webinar)
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True)
    rows = Registration.objects.filter(pk=waiting.pk)
    with pytest.raises(IntegrityError, match="has 10 seats"):
        rows.update(status=Registration.Status.CONFIRMED, confirmed_at=timezone.now())
    elsewhere = RegistrationFactory()
    with pytest.raises(IntegrityError, match="has 10 seats"):
        Registration.objects.filter(pk=elsewhere.pk).update(webinar=webinar)
    assert_seats_are_counted(webinar)
    assert_seats_are_counted(elsewhere.webinar)


def test_the_database_refuses_when_many_go_round_the_lock_at_once():
    webinar = WebinarFactory(capacity=10)
    people = ParticipantFactory.create_batch(40)
    results = at_once(lambda person=person: insert(person, webinar) for person in people)
    assert sum(isinstance(result, IntegrityError) for result in results) == 30
    assert count(webinar, Registration.Status.CONFIRMED) == 10
    assert_seats_are_counted(webinar)


def test_a_lowered_capacity_throws_nobody_out_and_lets_nobody_in():
    webinar = WebinarFactory(capacity=10)
    RegistrationFactory.create_batch(10, webinar=webinar)
    Webinar.objects.filter(pk=webinar.pk).update(capacity=4)
    assert count(webinar, Registration.Status.CONFIRMED) == 10
    with pytest.raises(IntegrityError, match="has 4 seats"):
        insert(ParticipantFactory(), webinar)


def test_trying_again_while_strangers_are_forgotten_loses_nobody():
    webinar = WebinarFactory(capacity=1)
    RegistrationFactory(webinar=webinar)
    long_ago = timezone.now() - 2 * signup.HOLD
    for number in range(20):
        signup.begin(answers(number, webinar), now=long_ago)
    jobs = [
        lambda: signup.expire_holds(now=timezone.now()),
        *(lambda n=n: sign_up(answers(n, webinar)) for n in range(20)),
    ]
    results = at_once(jobs[:10] + [jobs[0]] * 5 + jobs[10:])
    assert [result for result in results if isinstance(result, Exception)] == []
    assert count(webinar, Registration.Status.WAITLISTED) == 20


def test_a_double_click_on_the_door_is_one_attendance():
    seat = RegistrationFactory()
    results = at_once([lambda: attendance.record_click(seat, now=timezone.now())] * AT_ONCE)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert Attendance.objects.count() == 1
