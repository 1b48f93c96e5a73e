"""The morning's numbers to organisers who want them, and the partners' word that there is a list."""

from datetime import timedelta

import pytest

from registration import digests, letters, partners
from registration.models import OutgoingMail
from tests.factories import (
    ConsentFactory,
    InvitationFactory,
    OutgoingMailFactory,
    ParticipantFactory,
    PartnerMemberFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def to(kind):
    return sorted(OutgoingMail.objects.filter(kind=kind).values_list("to", flat=True))


# ---- The digest


@pytest.fixture
def reader(now):
    return UserFactory(organiser=True, wants_digest=True, language="en")


@pytest.fixture
def seat(now):
    """Signed up yesterday."""
    return RegistrationFactory(created_at=now - DAY, confirmed_at=now - DAY)


def test_it_goes_to_those_who_want_it_once(reader, seat, now):
    UserFactory(organiser=True)
    UserFactory(wants_digest=True)
    UserFactory(organiser=True, wants_digest=True, is_active=False)
    assert [digests.write(now=now + hour * HOUR) for hour in range(3)] == [1, 0, 0]
    assert to("digest") == [reader.email]


def test_it_waits_for_seven_in_makassar(reader, seat, now):
    assert digests.write(now=now - 2 * HOUR - MINUTE) == 0
    assert digests.write(now=now - 2 * HOUR) == 1


def test_on_a_day_without_anything_there_is_none(reader, now):
    RegistrationFactory()  # today
    RegistrationFactory(created_at=now - 2 * DAY, confirmed_at=now - 2 * DAY)
    RegistrationFactory(pending=True, created_at=now - DAY)
    RegistrationFactory(participant__is_made_up=True, created_at=now - DAY)
    OutgoingMailFactory(sent=True, claimed_at=now - DAY)
    assert digests.write(now=now) == 0


def test_it_holds_numbers_and_nobodys_data(reader, seat, now):
    webinar = seat.webinar
    RegistrationFactory(webinar=webinar, waitlisted=True, created_at=now - 3 * DAY)
    RegistrationFactory(webinar=webinar, cancelled=True, created_at=now - 3 * DAY, cancelled_at=now - DAY)
    InvitationFactory(webinar=webinar, status="accepted", answered_at=now - DAY)
    OutgoingMailFactory(failed=True, claimed_at=now - DAY)
    digests.write(now=now)
    mail = OutgoingMail.objects.get(kind="digest")
    assert mail.context["numbers"] == {
        "signed_up": 1,
        "left": 1,
        "answered": 1,
        "downloads": 0,
        "withdrawn": 0,
        "sent": 0,
        "failed": 1,
    }
    assert mail.context["webinars"] == [{"webinar": webinar.pk, "new": 1, "confirmed": 1, "waiting": 1}]
    letter = letters.compose(mail, now=now)
    assert letter.subject == "Monday, 31 May 2027: 1 new registration"
    assert "Confirmed: 1 · new: 1 · waiting: 1" in letter.body
    assert seat.participant.name not in letter.body
    assert seat.participant.email not in letter.body


def test_who_does_not_want_it_any_more_gets_none(reader, seat, now):
    digests.write(now=now)
    type(reader).objects.update(wants_digest=False)
    with pytest.raises(letters.Obsolete):
        letters.compose(OutgoingMail.objects.get(kind="digest"), now=now)


# ---- The partners' list


@pytest.fixture
def member(now):
    return PartnerMemberFactory(user__language="en")


@pytest.fixture
def shared(member, now):
    """A seat in a webinar of the member's organisation, whose person shares her data with it."""
    webinar = WebinarFactory(hosts=[member.organisation])
    person = ParticipantFactory(name="Ina Contoh")
    ConsentFactory(participant=person, partner=member.organisation)
    return RegistrationFactory(webinar=webinar, participant=person)


def test_hosts_hear_of_it_a_day_before_and_a_day_after(member, shared):
    starts_at, ends_at = shared.webinar.starts_at, shared.webinar.expected_end
    assert partners.tell_of_lists(now=starts_at - DAY - MINUTE) == 0
    assert [partners.tell_of_lists(now=starts_at - at) for at in (DAY, HOUR)] == [1, 0]
    assert partners.tell_of_lists(now=ends_at + DAY - MINUTE) == 0
    assert [partners.tell_of_lists(now=ends_at + at) for at in (DAY, 2 * DAY)] == [1, 0]
    assert to("partner_list") == [member.user.email] * 2


def test_after_a_week_it_is_no_news(member, shared):
    assert partners.tell_of_lists(now=shared.webinar.expected_end + 7 * DAY) == 0


def test_an_empty_list_and_a_webinar_that_is_off_are_not_told(member, now):
    empty = WebinarFactory(hosts=[member.organisation])
    RegistrationFactory(webinar=empty)
    assert partners.tell_of_lists(now=empty.starts_at - HOUR) == 0


@pytest.mark.parametrize("state", ["draft", "cancelled"])
def test_nor_one_that_does_not_take_place(state, member, shared):
    type(shared.webinar).objects.update(status=state)
    assert partners.tell_of_lists(now=shared.webinar.starts_at - HOUR) == 0


def test_other_organisations_hear_nothing(shared):
    PartnerMemberFactory()
    partners.tell_of_lists(now=shared.webinar.starts_at - HOUR)
    assert len(to("partner_list")) == 1


def test_it_says_how_many_and_not_who(member, shared):
    now = shared.webinar.starts_at - HOUR
    partners.tell_of_lists(now=now)
    letter = letters.compose(OutgoingMail.objects.get(kind="partner_list"), now=now)
    assert "In it is 1 person" in letter.body
    assert "/ruang-mitra/" in letter.body
    assert "Ina" not in letter.body
    member.delete()
    with pytest.raises(letters.Obsolete):
        letters.compose(OutgoingMail.objects.get(kind="partner_list"), now=now)
