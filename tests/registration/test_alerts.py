"""Staff hear of mail in trouble: when it is one, whom, and at most once an hour."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from registration import alerts, letters
from registration.models import OutgoingMail
from tests.factories import OutgoingMailFactory, UserFactory

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def owner(now):
    return UserFactory(organiser=True, email="pemilik@example.org")


def told():
    return sorted(OutgoingMail.objects.filter(kind="alert").values_list("to", flat=True))


def failed(now, **fields):
    return OutgoingMailFactory(failed=True, claimed_at=now, **fields)


def test_nobody_is_told_while_all_is_well(owner, now):
    OutgoingMailFactory()
    OutgoingMailFactory(sent=True)
    failed(now - HOUR)
    assert alerts.watch(now=now) == 0


def test_those_who_can_mend_it_are_told_of_a_failed_mail(owner, now):
    organiser = UserFactory(is_staff=True)
    organiser.groups.add(Group.objects.get(name="Organisers"))
    editor, gone = UserFactory(is_staff=True), UserFactory(organiser=True, is_active=False)
    editor.groups.add(Group.objects.get(name="Editors"))
    UserFactory(is_superuser=True, is_staff=False)
    failed(now)
    assert alerts.watch(now=now) == 2
    assert told() == sorted([owner.email, organiser.email])
    assert gone.email not in told()
    assert set(OutgoingMail.objects.filter(kind="alert").values_list("priority", flat=True)) == {0}


def test_at_most_once_an_hour(owner, now):
    failed(now)
    assert alerts.watch(now=now) == 1
    failed(now + MINUTE)
    assert [alerts.watch(now=now + minutes * MINUTE) for minutes in (1, 30, 59)] == [0, 0, 0]
    assert alerts.watch(now=now + HOUR) == 1
    assert alerts.watch(now=now + 3 * HOUR) == 0


def test_an_alert_that_fails_is_no_reason_for_another(owner, now):
    failed(now, kind="alert", key="alert:old", created_at=now - 2 * HOUR)
    assert alerts.watch(now=now) == 0


@pytest.mark.parametrize(("codes", "told"), [(4, 0), (5, 1)])
def test_single_codes_are_slips_and_many_are_trouble(codes, told, owner, now):
    for _person in range(codes):
        failed(now, kind="code", participant=None)
    assert alerts.watch(now=now) == told


@pytest.mark.parametrize(("priority", "minutes", "told"), [(5, 15, 1), (5, 14, 0), (7, 15, 1), (9, 90, 0)], ids=str)
def test_mail_that_should_be_out_is_trouble_and_mail_to_many_may_take_its_turn(priority, minutes, told, owner, now):
    OutgoingMailFactory(sent=True, claimed_at=now)
    OutgoingMailFactory(priority=priority, not_before=now - minutes * MINUTE)
    assert alerts.watch(now=now) == told


def test_a_queue_in_which_nothing_moves_is_trouble_whatever_is_in_it(owner, now):
    OutgoingMailFactory(sent=True, claimed_at=now - 15 * MINUTE)
    OutgoingMailFactory(priority=9, not_before=now - 20 * MINUTE)
    assert alerts.watch(now=now) == 1
    [mail] = OutgoingMail.objects.filter(kind="alert")
    assert {name: mail.context[name] for name in ("waiting", "minutes", "is_still", "failed")} == {
        "waiting": 1,
        "minutes": 20,
        "is_still": True,
        "failed": 0,
    }


def test_an_announcement_that_waits_for_the_providers_next_day_is_none(owner, now, settings):
    settings.MAIL_PER_DAY = 3
    for _mail in range(2):
        OutgoingMailFactory(sent=True, claimed_at=now - HOUR)
    OutgoingMailFactory(not_before=now - 30 * MINUTE, priority=9)
    assert alerts.watch(now=now) == 0
    OutgoingMailFactory(not_before=now - 30 * MINUTE, priority=5)
    assert alerts.trouble(now=now).waiting == 1
    settings.MAIL_PER_DAY = 4
    assert alerts.trouble(now=now).waiting == 2, "of its share one is left"


@pytest.mark.parametrize(("many", "told"), [(2, 0), (3, 1)])
def test_one_far_server_that_asks_to_wait_is_none(many, told, owner, now):
    for _mail in range(many):
        OutgoingMailFactory(status="RETRY", created_at=now - HOUR, not_before=now + HOUR, claimed_at=now - 30 * MINUTE)
    assert alerts.watch(now=now) == told


@pytest.mark.parametrize(("language", "words"), [("id", "2 email gagal"), ("en", "2 mails have failed")])
def test_it_holds_numbers_and_nobodys_data(language, words, owner, now):
    type(owner).objects.update(language=language)
    for address in ("satu@example.org", "dua@example.org"):
        failed(now, to=address, error=f"550 {address} unknown")
    alerts.watch(now=now)
    letter = letters.compose(OutgoingMail.objects.get(kind="alert"), now=now)
    assert words in letter.body
    assert "/admin/registration/outgoingmail/" in letter.body
    assert "satu@" not in letter.body + letter.subject
