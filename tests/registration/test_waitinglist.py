"""Seats that come free close to the start are offered; whoever does not answer lets them pass."""

from datetime import timedelta

import pytest

from conference.models import Webinar
from registration import history, letters, links, mail, seats, signup, waitinglist
from registration.models import Event, OutgoingMail, Registration, SeatCount
from tests.factories import RegistrationFactory, UserFactory, WebinarFactory
from tests.registration.test_signup import answers, sign_up

pytestmark = pytest.mark.django_db

Status = Registration.Status


def soon(now, hours=4, **fields):
    """A webinar that begins in so many hours."""
    return WebinarFactory(starts_at=now + timedelta(hours=hours), **fields)


def full(now, *, waiting=1, **fields):
    webinar = soon(now, capacity=1, **fields)
    seated = RegistrationFactory(webinar=webinar)
    return webinar, seated, RegistrationFactory.create_batch(waiting, webinar=webinar, waitlisted=True)


def fresh(row):
    row.refresh_from_db()
    return row


def steps(row):
    return list(Event.objects.filter(registration=row).values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [(24, 120), (8, 120), (4, 60), (1, 15), (0.5, 10), (0.05, 10), (24.01, None), (0, None), (-1, None)],
)
def test_an_offer_lives_a_quarter_of_the_time_to_the_start_and_at_most_two_hours(now, hours, minutes):
    webinar = soon(now, hours, capacity=1)
    until = minutes and now + timedelta(minutes=minutes)
    assert waitinglist.answer_by(webinar, now=now) == until


def test_a_seat_without_a_limit_or_an_hour_needs_no_answer(now):
    assert waitinglist.answer_by(soon(now), now=now) is None
    assert waitinglist.answer_by(WebinarFactory(unknown_hour=True, capacity=1), now=now) is None


def test_close_to_the_start_the_next_in_line_is_asked_and_the_seat_kept(now):
    webinar, seated, [first, second] = full(now, waiting=2)
    assert signup.cancel(seated, now=now)
    assert (fresh(first).status, first.offered_at, first.held_until) == ("PENDING", now, now + timedelta(hours=1))
    assert fresh(second).is_waitlisted
    assert seats.left(webinar) == 0
    offer = OutgoingMail.objects.get(kind="offer")
    assert (offer.registration, offer.not_after) == (first, first.held_until)
    assert steps(first) == ["offered"]


def test_an_earlier_seat_is_given_straight(now):
    _webinar, seated, [first] = full(now, hours=25)
    signup.cancel(seated, now=now)
    assert fresh(first).is_confirmed
    assert OutgoingMail.objects.filter(kind="promoted", registration=first).count() == 1


def test_while_it_runs_the_seat_is_given_straight(now):
    _webinar, seated, [first] = full(now, hours=-1)
    signup.cancel(seated, now=now)
    assert fresh(first).is_confirmed


def test_accepting_takes_the_seat_once_with_one_mail(now):
    _webinar, seated, [first] = full(now)
    signup.cancel(seated, now=now)
    assert waitinglist.accept(first, now=now + timedelta(minutes=5))
    assert waitinglist.accept(first, now=now + timedelta(minutes=6))
    assert (fresh(first).status, first.offered_at, first.held_until) == ("CONFIRMED", None, None)
    assert OutgoingMail.objects.filter(kind="promoted").count() == 1
    assert steps(first) == ["offered", "promoted"]


def test_an_offer_that_passes_goes_to_the_next_and_not_to_her_again(now):
    webinar, seated, [first, second] = full(now, waiting=2)
    signup.cancel(seated, now=now)
    assert signup.expire_holds(now=now + timedelta(minutes=59)) == 0
    later = now + timedelta(hours=1)
    assert signup.expire_holds(now=later) == 1
    assert (fresh(first).status, first.has_let_pass, first.waitlisted_at) == ("WAITLISTED", True, later)
    assert fresh(second).is_offered
    assert steps(first) == ["offered", "offer_expired"]
    assert signup.expire_holds(now=second.held_until) == 1
    assert (seats.left(webinar), fresh(first).is_waitlisted, fresh(second).is_waitlisted) == (1, True, True)
    assert waitinglist.promote_everywhere(now=second.held_until) == 0


def test_whoever_let_it_pass_may_take_a_seat_as_long_as_one_is_free(now):
    webinar, seated, [first] = full(now)
    signup.cancel(seated, now=now)
    signup.expire_holds(now=now + timedelta(hours=1))
    later = now + timedelta(hours=2)
    RegistrationFactory(webinar=webinar)
    assert not waitinglist.accept(first, now=later)
    Webinar.objects.filter(pk=webinar.pk).update(capacity=2)
    assert waitinglist.accept(first, now=later)
    assert fresh(first).is_confirmed


def test_taking_a_free_seat_overtakes_nobody_who_still_waits(now):
    webinar, seated, [first] = full(now)
    signup.cancel(seated, now=now)
    signup.expire_holds(now=now + timedelta(hours=1))
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True)
    assert not waitinglist.accept(first, now=now + timedelta(hours=2))
    assert fresh(waiting).is_offered


def test_whoever_let_it_pass_stands_behind_all_others(now):
    webinar = soon(now, capacity=1)
    passed = RegistrationFactory(webinar=webinar, waitlisted=True, offered_at=now, waitlisted_at=now)
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True, waitlisted_at=now + timedelta(hours=1))
    assert (waiting.place_in_line(), passed.place_in_line()) == (1, 2)
    known = {r.pk: r.place_in_line() for r in Registration.objects.with_places()}
    assert known == {waiting.pk: 1, passed.pk: 2}


def test_an_offer_can_be_declined(now):
    _webinar, seated, [first, second] = full(now, waiting=2)
    signup.cancel(seated, now=now)
    first.refresh_from_db()
    assert signup.cancel(first, now=now + timedelta(minutes=1), reason="Sakit")
    assert (fresh(first).status, first.offered_at, first.cancel_reason) == ("CANCELLED", None, "Sakit")
    assert fresh(second).is_offered


def test_signing_up_again_takes_the_offer(now):
    webinar = soon(now, capacity=1)
    seated = RegistrationFactory(webinar=webinar)
    [waiting] = sign_up(webinar, now=now)
    signup.cancel(seated, now=now)
    assert [r.pk for r in sign_up(webinar, now=now + timedelta(minutes=5))] == [waiting.pk]
    assert fresh(waiting).is_confirmed


def test_an_offer_is_no_hold_that_a_strangers_form_could_take(now):
    webinar = soon(now, capacity=1)
    seated = RegistrationFactory(webinar=webinar)
    [waiting] = sign_up(webinar, now=now)
    signup.cancel(seated, now=now)
    signup.begin(answers(webinar), now=now + timedelta(minutes=1))
    assert list(signup.held_webinars("maria@example.org")) == []
    assert fresh(waiting).held_until == now + timedelta(hours=1)


def test_an_organisers_hand_seats_straight_and_before_others(now):
    _webinar, seated, [first, second] = full(now, waiting=2)
    organiser = UserFactory(organiser=True)
    assert not waitinglist.give_seat(second, now=now, actor=organiser)
    signup.cancel(seated, now=now)
    assert waitinglist.give_seat(fresh(first), now=now, actor=organiser)
    assert fresh(first).is_confirmed
    assert Event.objects.get(registration=first, kind="promoted").actor == organiser


def test_the_free_seats_that_an_organiser_gives_need_no_answer(now):
    webinar = soon(now, capacity=2)
    waiting = RegistrationFactory.create_batch(3, webinar=webinar, waitlisted=True)
    assert waitinglist.promote(webinar.pk, now=now, actor=UserFactory(organiser=True)) == 2
    assert [fresh(r).status for r in waiting] == ["CONFIRMED", "CONFIRMED", "WAITLISTED"]


def test_a_cancelled_webinar_takes_no_answer(now):
    webinar, seated, [first] = full(now)
    signup.cancel(seated, now=now)
    Webinar.objects.filter(pk=webinar.pk).update(status="cancelled")
    assert not waitinglist.accept(first, now=now)


def test_the_mail_of_an_offer_that_is_answered_is_not_sent(now):
    _webinar, seated, [first] = full(now)
    signup.cancel(seated, now=now)
    offer = OutgoingMail.objects.get(kind="offer")
    message = letters.compose(offer, now=now)
    assert links.join(fresh(first), signed_at=first.changed_at) in message.body
    assert "10.00 WITA" in message.body
    waitinglist.accept(first, now=now)
    offer.registration.refresh_from_db()
    with pytest.raises(letters.Obsolete):
        letters.compose(offer, now=now)


# ---- What visitors see


def test_a_seat_held_for_a_code_still_counts_as_left_to_visitors(now):
    webinar = WebinarFactory(capacity=5)
    RegistrationFactory(webinar=webinar)
    before = seats.left_by_webinar([webinar])
    signup.begin(answers(webinar), now=now)
    assert seats.left_by_webinar([webinar]) == before == {webinar.pk: 4}
    assert seats.left(webinar) == 3


def test_a_lowered_capacity_shows_no_seat_and_not_fewer(now):
    webinar = WebinarFactory(capacity=3)
    RegistrationFactory.create_batch(3, webinar=webinar)
    webinar.capacity = 1
    webinar.save()
    assert (seats.left(webinar), seats.left_by_webinar([webinar])[webinar.pk]) == (0, 0)


# ---- What it costs


@pytest.mark.parametrize("number", [1, 4])
def test_a_sign_up_costs_the_same_for_four_webinars(now, django_assert_num_queries, number):
    webinars = WebinarFactory.create_batch(number, capacity=10)
    for webinar in webinars:
        RegistrationFactory(webinar=webinar)
    sign_up(WebinarFactory(), now=now)
    maria = Registration.objects.get(participant__email="maria@example.org").participant
    with django_assert_num_queries(5):  # those who wait, hers, the seats, the history
        signup.admit_all(maria, seats.lock(webinar.pk for webinar in webinars), now=now)
    assert maria.registrations.confirmed().count() == number + 1


def test_many_move_up_for_the_price_of_one(now, django_assert_max_num_queries):
    webinar = WebinarFactory(capacity=1)
    RegistrationFactory(webinar=webinar)
    RegistrationFactory.create_batch(6, webinar=webinar, waitlisted=True)
    Webinar.objects.filter(pk=webinar.pk).update(capacity=6)
    with django_assert_max_num_queries(8):
        assert waitinglist.promote(webinar.pk, now=now) == 5
    assert OutgoingMail.objects.filter(kind=mail.Kind.PROMOTED).count() == 5
    assert Event.objects.filter(kind=history.Kind.PROMOTED).count() == 5
    assert SeatCount.objects.get(webinar=webinar).taken == 6


# ---- History


def test_each_step_of_a_registration_is_noted(now):
    webinar = WebinarFactory(capacity=1)
    [seated] = sign_up(webinar, now=now, email="a@example.org")
    [waiting] = sign_up(webinar, now=now + timedelta(minutes=1), email="b@example.org")
    signup.cancel(seated, now=now + timedelta(minutes=2), actor=seated.participant.account, reason="Sakit")
    assert steps(seated) == ["held", "confirmed", "cancelled"]
    assert steps(waiting) == ["waitlisted", "promoted"]
    last = Event.objects.get(kind="cancelled")
    assert (last.actor, last.note) == (seated.participant.account, "Sakit")


def test_a_hold_that_passes_is_noted_for_somebody_who_is_known(now):
    webinar = WebinarFactory()
    sign_up(WebinarFactory(), now=now)
    signup.begin(answers(webinar), now=now)
    signup.expire_holds(now=now + signup.HOLD)
    passed = Event.objects.get(kind="hold_expired")
    assert (passed.participant.email, passed.registration, passed.note) == ("maria@example.org", None, webinar.title)


def test_a_cancellation_without_a_word_sends_no_mail(now):
    seated = RegistrationFactory()
    signup.cancel(seated, now=now, tell=False)
    assert not OutgoingMail.objects.exists()


# ---- Pages


def test_the_offer_is_taken_by_the_button_of_the_personal_link(client, now):
    _webinar, seated, [first] = full(now)
    signup.cancel(seated, now=now)
    token = links.join_token(fresh(first))
    page = client.get(f"/en/gabung/{token}/")
    assert b"Take the seat" in page.content
    assert fresh(first).is_offered
    response = client.post(f"/en/gabung/{token}/terima/")
    assert (response.status_code, response.url) == (303, f"/en/gabung/{token}/")
    assert fresh(first).is_confirmed
    assert b"your seat is confirmed" in client.get(response.url).content


def test_too_late_says_so_and_keeps_the_button(client, now):
    webinar, seated, [first] = full(now)
    signup.cancel(seated, now=now)
    signup.expire_holds(now=now + timedelta(hours=1))
    RegistrationFactory(webinar=webinar)
    response = client.post(f"/en/gabung/{links.join_token(first)}/terima/")
    assert response.status_code == 409
    assert b"No seat is free at the moment." in response.content
    assert b"Take a seat if one is free" in response.content


def test_her_own_page_has_the_button_too(signed_in_client, now):
    _webinar, seated, [first] = full(now)
    signup.cancel(seated, now=now)
    page = signed_in_client(first.participant.account).get("/en/saya/").content.decode()
    assert "Take the seat" in page
    assert "/terima/" in page


def test_a_made_up_token_takes_nothing(client):
    assert client.post("/gabung/1-1.abc.def/terima/").status_code == 404
