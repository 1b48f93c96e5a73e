"""The life of registrations, in every order that hypothesis can think of, against a model of a few lines."""

import itertools
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from conference.models import Webinar
from registration import newcomers, signup, waitinglist
from registration.models import OutgoingMail, Registration
from tests.factories import WebinarFactory
from tests.registration.test_races import answers

PEOPLE = ["ani", "beti", "cici", "dewi", "ester"]
person = st.sampled_from(PEOPLE)
# The second has no limit at first.
webinar = st.integers(0, 1)
webinars = st.sets(webinar, min_size=1)
examples = itertools.count()


class Place:
    """What one webinar should look like."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.confirmed, self.line, self.held = set(), [], {}

    def has_left(self):
        return self.capacity is None or len(self.confirmed) + len(self.held) < self.capacity

    def holds_something_for(self, someone):
        return someone in self.confirmed or someone in self.line or someone in self.held

    def move_up(self):
        moved = 0
        while self.line and self.has_left():
            self.confirmed.add(self.line.pop(0))
            moved += 1
        return moved


class Life(RuleBasedStateMachine):
    @initialize()
    def open_the_doors(self):
        self.example = next(examples)
        self.now = timezone.now()
        starts_at = self.now + timedelta(days=60)
        self.webinars = [WebinarFactory(capacity=2, starts_at=starts_at), WebinarFactory(starts_at=starts_at)]
        self.places = [Place(2), Place(None)]
        self.forms, self.mails = {}, Counter()

    def tick(self):
        """No two steps at the same moment."""
        self.now += timedelta(seconds=1)
        return self.now

    def given(self, someone, chosen):
        form = answers(0, *(self.webinars[index] for index in chosen))
        form["person"]["email"] = f"{someone}.{self.example}@example.org"
        return form

    @rule(someone=person, chosen=webinars)
    def send_the_form(self, someone, chosen):
        now = self.tick()
        form = self.given(someone, sorted(chosen))
        self.forms[someone] = form, chosen, signup.begin(form, now=now)
        for index in chosen:
            place = self.places[index]
            if not place.holds_something_for(someone) and place.has_left():
                place.held[someone] = now + signup.HOLD

    @rule(someone=person)
    def type_the_code(self, someone):
        """Once, or again after a lost answer: the second time nothing changes."""
        if someone not in self.forms:
            return
        form, chosen, _user = self.forms[someone]
        user = newcomers.account_of(form["person"]["email"], language="id", now=self.tick())
        changed = {registration.webinar_id for registration in signup.confirm(user, form, now=self.now)}
        assert changed == {self.webinars[index].pk for index in chosen if self.admit(someone, self.places[index])}
        self.mails["confirmation"] += bool(changed)

    def admit(self, someone, place):
        if someone in place.confirmed or someone in place.line:
            return False
        if place.held.pop(someone, None) or place.has_left():
            place.confirmed.add(someone)
        else:
            place.line.append(someone)
        return True

    @rule(someone=person, index=webinar)
    def cancel(self, someone, index):
        place = self.places[index]
        is_in = someone in place.confirmed or someone in place.line
        if registration := self.registration(someone, index):
            assert signup.cancel(registration, now=self.tick()) is is_in
        place.confirmed.discard(someone)
        if someone in place.line:
            place.line.remove(someone)
        self.mails["cancellation"] += is_in
        self.mails["promoted"] += place.move_up()

    def registration(self, someone, index):
        own = Registration.objects.filter(participant__email=f"{someone}.{self.example}@example.org")
        return own.filter(webinar=self.webinars[index]).select_related("participant__account", "webinar").first()

    @rule(minutes=st.sampled_from([1, 10, 29, 31]))
    def let_time_pass(self, minutes):
        self.now += timedelta(minutes=minutes)
        signup.expire_holds(now=self.now)
        for place in self.places:
            place.held = {someone: until for someone, until in place.held.items() if until > self.now}
            self.mails["promoted"] += place.move_up()

    @rule(index=webinar, capacity=st.sampled_from([1, 2, 3, None]))
    def change_the_capacity(self, index, capacity):
        """Lowered below what is taken it throws nobody out."""
        Webinar.objects.filter(pk=self.webinars[index].pk).update(capacity=capacity)
        self.places[index].capacity = capacity
        moved = self.places[index].move_up()
        assert waitinglist.promote(self.webinars[index].pk, now=self.tick()) == moved
        self.mails["promoted"] += moved

    @invariant()
    def the_database_agrees(self):
        for row, place in zip(self.webinars, self.places, strict=True):
            found = {status: self.names(row, status) for status in Registration.Status}
            assert set(found["CONFIRMED"]) == place.confirmed
            assert set(found["PENDING"]) == set(place.held)
            assert [self.name(r) for r in Registration.objects.waiting().filter(webinar=row)] == place.line

    @invariant()
    def each_step_has_its_mail(self):
        own = OutgoingMail.objects.filter(to__endswith=f".{self.example}@example.org")
        assert Counter(own.values_list("kind", flat=True)) == +self.mails

    def names(self, row, status):
        return [self.name(r) for r in Registration.objects.filter(webinar=row, status=status)]

    def name(self, registration):
        return registration.participant.email.partition("@")[0].partition(".")[0]


@pytest.mark.django_db
def test_every_life_of_a_registration():
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Life,
        settings=settings(
            # The same lives in each run: a red one is a change of ours, and no chance.
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=checks,
        ),
    )
