"""A thousand people in several processes, changing capacities and expiring holds; then every rule is checked."""

import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from django.utils import timezone

from registration import signup
from registration.models import OutgoingMail, Participant, Registration, SeatCount
from tests import invariants
from tests.factories import ParticipantFactory, RegistrationFactory, WebinarFactory
from tests.processes import ROOT, database_url

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

PEOPLE, PROCESSES, MOST_SEATS = 1000, 4, 120


def run_crowd(webinars):
    """What the processes did in all, and what went wrong in them."""
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "kpt.settings"}
    share = PEOPLE // PROCESSES
    crowds = []
    for number in range(PROCESSES):
        numbers = [number, number * share, (number + 1) * share, MOST_SEATS, *(webinar.pk for webinar in webinars)]
        command = [sys.executable, "-m", "tests.faults.crowd", *map(str, numbers)]
        crowds.append(
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        )
    done, errors = Counter(), []
    for crowd in crowds:
        said, complaints = crowd.communicate(timeout=240)
        assert crowd.returncode == 0, complaints.decode()[-2000:]
        report = json.loads(said)
        done.update(report["done"])
        errors += report["errors"]
    return done, errors


def number_of(kind):
    return OutgoingMail.objects.filter(kind=kind).count()


def test_a_crowd_breaks_no_rule():
    webinars = [*WebinarFactory.create_batch(3, capacity=60), WebinarFactory(capacity=None)]
    done, errors = run_crowd(webinars)
    assert errors == []
    assert invariants.broken(most_seats=MOST_SEATS) == {}
    # One mail for each answer that a person got, no more and no less.
    assert number_of("confirmation") == done["confirmed"]
    assert number_of("cancellation") == done["cancelled"]
    assert done["cancelled"] > 50
    assert done["promoted"] + number_of("promoted") > 0

    signup.expire_holds(now=timezone.now() + signup.HOLD * 2)
    assert not Registration.objects.pending().exists()
    assert not Participant.objects.filter(proven_at=None).exists()
    assert invariants.broken(most_seats=MOST_SEATS) == {}


def test_the_check_sees_what_is_broken():
    """Bait: a row slipped past the rules is found."""
    webinar = WebinarFactory(capacity=1)
    registration = RegistrationFactory(webinar=webinar, participant=ParticipantFactory(unproven=True))
    assert set(invariants.broken(most_seats=1)) == {
        "somebody whose address nobody proved has a seat or waits for one",
        "somebody has a seat and no mail that says so",
    }
    assert set(invariants.broken(most_seats=0)) - set(invariants.broken(most_seats=1)) == {
        "a webinar has more seats taken than it ever had"
    }
    Registration.objects.filter(pk=registration.pk).update(status="WAITLISTED", waitlisted_at=timezone.now())
    assert "a seat is free while somebody waits" in invariants.broken(most_seats=1)
    SeatCount.objects.update(taken=5)
    assert "the count of seats is not the number of rows" in invariants.broken(most_seats=9)
