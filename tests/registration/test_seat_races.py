"""Offers, invitations, capacities and cancelled webinars, each met by many at once."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from conference.models import Webinar
from registration import cancelled, invitations, signup, waitinglist
from registration.models import Invitation, OutgoingMail, Registration, SeatCount, User
from tests.factories import ConsentFactory, InvitationFactory, RegistrationFactory, WebinarFactory
from tests.registration.test_races import AT_ONCE, answers, at_once, count, sign_up

pytestmark = pytest.mark.django_db(transaction=True)

Status = Registration.Status


def errors(results):
    return [result for result in results if isinstance(result, Exception)]


def assert_counted(webinar):
    row = SeatCount.objects.get(webinar=webinar)
    seated = Registration.objects.filter(webinar=webinar, status__in=Registration.SEATED).count()
    held = Registration.objects.pending().filter(webinar=webinar).count()
    kept = Invitation.objects.open().filter(webinar=webinar).count()
    assert (row.taken, row.held, row.reserved) == (seated, held, kept)


def test_an_offer_that_ends_while_it_is_accepted_is_one_seat():
    now = timezone.now()
    webinar = WebinarFactory(capacity=4, starts_at=now + timedelta(hours=2))
    ended = [
        RegistrationFactory(
            webinar=webinar,
            offered=True,
            waitlisted_at=now - timedelta(hours=1),
            offered_at=now - timedelta(minutes=30),
            held_until=now,
        )
        for _number in range(4)
    ]
    RegistrationFactory.create_batch(8, webinar=webinar, waitlisted=True)
    results = at_once(
        [
            *(lambda r=r: waitinglist.accept(r, now=timezone.now()) for r in ended),
            *(lambda: signup.expire_holds(now=timezone.now()) for _ in range(6)),
            *(lambda n=n: sign_up(answers(1000 + n, webinar)) for n in range(8)),
        ]
    )
    assert errors(results) == []
    confirmed, offered = count(webinar, Status.CONFIRMED), Registration.objects.offered().count()
    assert confirmed + offered == 4
    accepted = [result for result in results[:4] if result is True]
    assert len(accepted) == confirmed
    assert OutgoingMail.objects.filter(kind="promoted").count() == confirmed
    assert_counted(webinar)


def test_an_invitation_taken_up_by_many_at_once_is_one_seat():
    webinar = WebinarFactory(capacity=1)
    invitation = InvitationFactory(webinar=webinar)
    people = [consent.participant for consent in ConsentFactory.create_batch(6)]
    given = [answers(1000 + n, webinar) | {"invitation": invitation.pk} for n in range(8)]
    results = at_once(
        [
            *(lambda p=p: signup.accept_invitation(invitation, p, now=timezone.now()) for p in people),
            *(lambda g=g: sign_up(g) for g in given),
            *(lambda: invitations.decline(invitation, now=timezone.now()) for _ in range(2)),
        ]
    )
    assert errors(results) == []
    assert count(webinar, Status.CONFIRMED) == 1
    invitation.refresh_from_db()
    assert invitation.status in ("accepted", "declined")
    if invitation.status == "accepted":
        assert invitation.registration.is_confirmed
    assert_counted(webinar)


def test_the_same_person_takes_it_up_in_two_tabs_and_by_the_button():
    webinar = WebinarFactory(capacity=2)
    invitation = InvitationFactory(webinar=webinar)
    maria = ConsentFactory().participant
    results = at_once(lambda: signup.accept_invitation(invitation, maria, now=timezone.now()) for _ in range(AT_ONCE))
    assert errors(results) == []
    assert len([result for result in results if result]) == 1
    assert OutgoingMail.objects.filter(kind="confirmation").count() == 1
    assert_counted(webinar)


def test_it_expires_is_taken_up_and_sent_again_at_once():
    now = timezone.now()
    webinar = WebinarFactory(capacity=6)
    late = [InvitationFactory(webinar=webinar, expires_at=now) for _number in range(6)]
    RegistrationFactory.create_batch(4, webinar=webinar, waitlisted=True)
    results = at_once(
        [
            *(lambda i=i, n=n: sign_up(answers(1000 + n, webinar) | {"invitation": i.pk}) for n, i in enumerate(late)),
            *(lambda: invitations.expire(now=timezone.now()) for _ in range(4)),
            *(lambda i=i: invitations.send_again(i, now=timezone.now()) for i in late),
        ]
    )
    assert errors(results) == []
    row = SeatCount.objects.get(webinar=webinar)
    assert row.taken + row.reserved <= 6
    assert_counted(webinar)


def change_capacity(webinar, to):
    with transaction.atomic():  # as the admin does
        Webinar.objects.filter(pk=webinar.pk).update(capacity=to)
        waitinglist.promote(webinar.pk, now=timezone.now())


def test_capacity_is_lowered_and_raised_at_once():
    webinar = WebinarFactory(capacity=10)
    seated = RegistrationFactory.create_batch(10, webinar=webinar)
    RegistrationFactory.create_batch(12, webinar=webinar, waitlisted=True)
    results = at_once(
        [
            *(lambda to=to: change_capacity(webinar, to) for to in (5, 12, 3, 14, 8, 15)),
            *(lambda r=r: signup.cancel(r, now=timezone.now()) for r in seated[:3]),
            *(lambda n=n: sign_up(answers(1000 + n, webinar)) for n in range(10)),
        ]
    )
    assert errors(results) == []
    # Nobody but those who left has lost a seat.
    assert all(Registration.objects.get(pk=r.pk).is_confirmed for r in seated[3:])
    webinar.refresh_from_db()
    taken = count(webinar, Status.CONFIRMED)
    assert taken <= 15
    assert taken >= min(webinar.capacity, 22)
    assert_counted(webinar)


def cancel(webinar):
    with transaction.atomic():  # as the admin does
        Webinar.objects.filter(pk=webinar.pk).update(status="cancelled")
        cancelled.tell(webinar.pk, now=timezone.now())


def test_whoever_signs_up_while_the_webinar_is_cancelled_is_told_or_not_in():
    webinar = WebinarFactory(capacity=10)
    results = at_once(
        [
            *(lambda n=n: sign_up(answers(1000 + n, webinar)) for n in range(10)),
            lambda: cancel(webinar),
            *(lambda: cancelled.tell_everywhere(now=timezone.now()) for _ in range(4)),
            *(lambda n=n: sign_up(answers(1000 + n, webinar)) for n in range(10, 20)),
        ]
    )
    assert errors(results) == []
    live = set(Registration.objects.live().filter(webinar=webinar).values_list("participant__email", flat=True))
    told = list(OutgoingMail.objects.filter(kind="webinar_cancelled").values_list("to", flat=True))
    assert set(told) == live
    assert len(told) == len(live)
    assert User.objects.count() == 20
