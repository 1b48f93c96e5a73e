"""Did she get her link? In a sentence, from the log."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import translation

from registration import care, reached, reminders
from registration.models import OutgoingMail
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory

pytestmark = pytest.mark.django_db

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def english(now):
    with translation.override("en"):
        yield


@pytest.fixture
def seat(now):
    return RegistrationFactory(participant__email="maria@example.org", confirmed_at=now - DAY)


def mail_to(seat, **facts):
    return OutgoingMailFactory(**({"kind": "confirmation", "participant": seat.participant} | facts))


CASES = [
    (
        {"sent": True},
        "Yes: it was sent to maria@example.org on 1 June 2027 at 09.00 WITA, and the mail server accepted it.",
    ),
    (
        {"status": "BOUNCED", "error": "550 5.1.1 no such person"},
        "No: it was sent to maria@example.org on 1 June 2027 at 09.00 WITA and came back. 550 5.1.1 no such person",
    ),
    (
        {"status": "BOUNCED", "error": "Not sent: this address bounces."},
        "No: it was not sent, because mail to maria@example.org comes back.",
    ),
    (
        {"failed": True, "error": "550 no"},
        "No: it could not be sent to maria@example.org on 1 June 2027 at 09.00 WITA. 550 no",
    ),
    ({"status": "CANCELLED", "error": "Too late."}, "No: the mail to maria@example.org was cancelled. Too late."),
    ({}, "Not yet: it has waited for maria@example.org since 1 June 2027 at 08.57 WITA."),
    ({"sending": True}, "Not yet: it has waited for maria@example.org since 1 June 2027 at 08.57 WITA."),
    (
        {"status": "RETRY", "error": "451 later"},
        "Not yet: it has waited for maria@example.org since 1 June 2027 at 08.57 WITA and is tried again on "
        "1 June 2027 at 09.05 WITA. 451 later",
    ),
]


@pytest.mark.parametrize(("facts", "words"), CASES, ids=lambda facts: str(facts)[:20])
def test_the_sentence_for_each_state(facts, words, seat, now):
    mail_to(seat, created_at=now - 3 * MINUTE, not_before=now + 5 * MINUTE, claimed_at=now, **facts)
    assert reached.by(seat.participant) == words
    assert reached.about(seat) == words


def test_no_mail_at_all(seat):
    OutgoingMailFactory(kind="code", participant=None, to="maria@example.org", sent=True)
    OutgoingMailFactory(kind="cancellation", participant=seat.participant, sent=True)
    OutgoingMailFactory(sent=True)  # another person's
    assert reached.by(seat.participant) == reached.about(seat) == "No: no mail with her link was ever queued."


@pytest.mark.parametrize("state", ["waitlisted", "pending", "cancelled"])
def test_without_a_seat_no_link_is_due(state, now):
    registration = RegistrationFactory(**{state: True})
    mail_to(registration, sent=True)
    assert reached.by(registration.participant) == "She has no seat now, so no link is due."
    assert reached.about(registration) == "She has no seat in this webinar, so no link is due."


def test_an_earlier_mail_that_arrived_counts_and_the_newer_one_is_told(seat, now):
    mail_to(seat, sent=True, created_at=now - MINUTE)
    mail_to(seat, kind="reminder", failed=True, created_at=now)
    words = reached.by(seat.participant)
    assert words.startswith("Yes: it was sent to maria@example.org")
    assert words.endswith("A newer mail with it, “Reminder”, stands at “Failed”.")


def test_the_address_has_changed_since(seat, now):
    mail_to(seat, sent=True, to="lama@example.org")
    assert reached.by(seat.participant).endswith("By now her address is maria@example.org.")


def test_a_plus_tag_is_no_other_address(seat):
    mail_to(seat, sent=True, to="maria+kpt@example.org")
    assert "By now" not in reached.by(seat.participant)


def test_a_confirmation_from_before_her_seat_does_not_hold_its_link(seat, now):
    mail_to(seat, sent=True, created_at=seat.confirmed_at - DAY, sent_at=seat.confirmed_at - MINUTE)
    assert reached.about(seat) == "No: no mail with her link was ever queued."
    # Rendered when it is sent, it names what she has by then.
    mail_to(seat, sent=True, created_at=seat.confirmed_at - DAY, sent_at=seat.confirmed_at)
    assert reached.about(seat).startswith("Yes:")


def test_a_mail_about_another_webinar_is_not_about_this_one(seat, now):
    other = RegistrationFactory(participant=seat.participant, confirmed_at=now)
    mail_to(other, kind="promoted", registration=other, sent=True)
    assert reached.about(seat).startswith("No:")
    assert reached.about(other).startswith("Yes:")


def test_the_carers_mail_about_her_group_tells_of_who_is_in_it(now):
    carer = UserFactory(email="ibu@example.org")
    here, there = ParticipantFactory.create_batch(2, email="", account=carer)
    for person in (here, there):
        RegistrationFactory(participant=person, confirmed_at=now)
    care.tell(carer, [here.pk], moment=now)
    assert reached.by(here).startswith("Not yet: it has waited for ibu@example.org")
    assert reached.by(there) == "No: no mail with her link was ever queued."


@pytest.mark.parametrize("has_own_seat", [True, False])
def test_a_reminder_to_her_carer_tells_of_all_who_had_a_seat_by_then(has_own_seat, now):
    carer = ParticipantFactory(name="Ibu Rosa", email="ibu@example.org")
    carer.account.name = "Ibu Rosa"
    carer.account.save()
    here, late = ParticipantFactory.create_batch(2, email="", account=carer.account)
    webinar = WebinarFactory(starts_at=now + timedelta(minutes=30), reminder_minutes=[60])
    other = WebinarFactory()
    seats = [
        RegistrationFactory(participant=p, webinar=w, confirmed_at=now) for p in (here, late) for w in (webinar, other)
    ]
    seats[0].__class__.objects.filter(pk=seats[0].pk).update(confirmed_at=now - timedelta(hours=1))
    if has_own_seat:
        RegistrationFactory(participant=carer, webinar=webinar, confirmed_at=now - timedelta(hours=1))
    reminders.queue_due(now=now)
    OutgoingMail.objects.update(status="SENT", sent_at=now)
    for seat in seats:
        seat.refresh_from_db()
    yes = "Yes: it was sent to ibu@example.org on 1 June 2027 at 09.00 WITA, and the mail server accepted it."
    assert reached.by(here) == f"{yes} Her mail goes to Ibu Rosa, who looks after her."
    assert [reached.about(seat)[:3] for seat in seats] == ["Yes", "No:", "No:", "No:"]


def test_a_change_told_to_her_carer_counts(now):
    carer = UserFactory(email="ibu@example.org", name="Ibu Rosa")
    person = ParticipantFactory(email="", account=carer)
    seat, elsewhere = (RegistrationFactory(participant=person, confirmed_at=now) for _webinar in range(2))
    facts = {"webinar": seat.webinar_id, "was": {}, "carer": carer.pk}
    OutgoingMailFactory(kind="webinar_changed", participant=None, to=carer.email, context=facts, sent=True)
    assert reached.about(seat).startswith("Yes: it was sent to ibu@example.org")
    assert reached.about(elsewhere).startswith("No:")


@pytest.mark.parametrize("rows", [1, 3])
def test_it_costs_the_same_for_many_mails(rows, seat, django_assert_num_queries):
    for _row in range(rows):
        mail_to(seat, sent=True)
    with django_assert_num_queries(2):
        reached.by(seat.participant)
    with django_assert_num_queries(1):
        reached.about(seat)


def test_organisers_read_it_with_the_person_and_the_registration(seat, now, signed_in_client):
    mail_to(seat, sent=True)
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    client = signed_in_client(user)
    for page in (f"participant/{seat.participant_id}", f"registration/{seat.pk}"):
        html = client.get(f"/en/admin/registration/{page}/change/").content.decode()
        assert "Yes: it was sent to maria@example.org" in html
