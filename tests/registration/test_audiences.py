"""Whom an announcement means: each filter with somebody beside it whom it must not take."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from registration import audiences
from registration.models import Attendance, BouncedAddress, Consent, Participant
from tests import factories

pytestmark = pytest.mark.django_db

OWN = "own_webinars"


@pytest.fixture
def webinar(now):
    return factories.WebinarFactory()


def seat(webinar, name, **fields):
    person = {key: fields.pop(key) for key in list(fields) if hasattr(Participant, key) and key != "status"}
    participant = factories.ParticipantFactory(name=name, **person)
    return factories.RegistrationFactory(participant=participant, webinar=webinar, **fields)


def asks_for_news(person):
    return factories.ConsentFactory(participant=person, purpose="news", organisation=None)


def names(**filters):
    people = audiences.people(audiences.read(filters))
    return sorted(people.values_list("name", flat=True))


def about(webinar, **filters):
    return names(about=OWN, webinars=[webinar.pk], **filters)


# ---- The filters


def test_the_people_of_the_chosen_webinars_and_no_others(webinar):
    seat(webinar, "Maria")
    seat(factories.WebinarFactory(), "Bait")
    factories.ParticipantFactory(name="Bait without a webinar")
    assert about(webinar) == ["Maria"]


def test_an_edition_is_its_own_webinars(webinar):
    for registered in (seat(webinar, "Maria"), seat(factories.WebinarFactory(edition__earlier=True), "Bait")):
        asks_for_news(registered.participant)
    asks_for_news(factories.ParticipantFactory(name="Bait without a webinar"))
    assert names(editions=[webinar.edition_id]) == ["Maria"]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], ["Line", "Offer", "Seat"]),
        (["CONFIRMED"], ["Seat"]),
        (["WAITLISTED"], ["Line", "Offer"]),
        (["CONFIRMED", "CANCELLED"], ["Left", "Seat"]),
    ],
)
def test_statuses(webinar, statuses, expected):
    rows = [
        seat(webinar, "Seat"),
        seat(webinar, "Line", waitlisted=True),
        seat(webinar, "Offer", offered=True),
        seat(webinar, "Left", cancelled=True),
        seat(webinar, "Bait, held", pending=True),
    ]
    for row in rows:
        asks_for_news(row.participant)
    assert names(webinars=[webinar.pk], statuses=statuses) == expected


def test_who_was_there_and_who_was_not(webinar):
    other = factories.WebinarFactory()
    was_there, _was_not, elsewhere = (seat(webinar, name) for name in ("There", "Not there", "Elsewhere"))
    Attendance.objects.create(registration=was_there, source="link", joined_at=timezone.now())
    Attendance.objects.create(registration=was_there, source="hand", joined_at=timezone.now())
    there_too = factories.RegistrationFactory(participant=elsewhere.participant, webinar=other)
    Attendance.objects.create(registration=there_too, source="zoom", joined_at=timezone.now())
    assert about(webinar, attended="yes") == ["There"]
    assert about(webinar, attended="no") == ["Elsewhere", "Not there"]
    assert names(about=OWN, webinars=[webinar.pk, other.pk], attended="no") == ["Not there"]


@pytest.mark.parametrize(
    ("field", "values", "bait"),
    [
        ("province", ["53", "91"], "73"),
        ("language", ["en"], "id"),
        ("organisation_kind", ["media", "cso"], "community"),
    ],
)
def test_what_people_say_of_themselves(webinar, field, values, bait):
    for number, value in enumerate(values):
        seat(webinar, f"Maria {number}", **{field: value})
    seat(webinar, "Bait", **{field: bait})
    assert about(webinar, **{f"{field}s": values}) == [f"Maria {number}" for number in range(len(values))]


def test_filters_narrow_each_other(webinar):
    seat(webinar, "Maria", province="53", language="en")
    seat(webinar, "Bait of Makassar", province="73", language="en")
    seat(webinar, "Bait in Indonesian", province="53", language="id")
    assert about(webinar, provinces=["53"], languages=["en"]) == ["Maria"]


def test_a_consent_in_force(webinar):
    host = factories.OrganisationFactory()
    shares, took_back, _none = (seat(webinar, name).participant for name in ("Shares", "Bait", "Bait two"))
    factories.ConsentFactory(participant=shares, partner=host)
    factories.ConsentFactory(participant=took_back, partner=host, withdrawn=True)
    assert about(webinar, consents=["partner"]) == ["Shares"]


# ---- The rule


def test_news_goes_only_to_who_has_asked_for_it(webinar):
    asked, took_back, _never = (seat(webinar, name).participant for name in ("Asked", "Bait", "Bait two"))
    asks_for_news(asked)
    Consent.objects.filter(pk=asks_for_news(took_back).pk).update(withdrawn_at=timezone.now())
    assert names() == names(webinars=[webinar.pk]) == names(editions=[webinar.edition_id]) == ["Asked"]


@pytest.mark.parametrize(
    ("filters", "needs"),
    [
        ({}, True),
        ({"about": "news", "webinars": [1]}, True),
        ({"about": OWN}, True),
        ({"about": OWN, "editions": [1]}, True),
        ({"about": OWN, "webinars": [1], "statuses": ["CONFIRMED", "CANCELLED"]}, True),
        ({"about": OWN, "webinars": [1]}, False),
        ({"about": OWN, "webinars": [1], "statuses": ["CONFIRMED", "WAITLISTED"], "attended": "no"}, False),
    ],
)
def test_only_the_own_webinars_of_live_registrations_need_no_consent(filters, needs):
    assert audiences.read(filters).needs_news_consent is needs


def test_who_may_not_be_written_to(webinar, now, settings):
    seat(webinar, "Maria")
    seat(webinar, "Unproven", proven_at=None)
    seat(webinar, "Restricted", restricted_at=now)
    seat(webinar, "Unsubscribed", unsubscribed_at=now)
    seat(webinar, "Made up", is_made_up=True)
    BouncedAddress.objects.create(email=seat(webinar, "Bounced").participant.email)
    mended = BouncedAddress.objects.create(email=seat(webinar, "Mended").participant.email, cleared_at=now)
    closed = seat(webinar, "Closed account").participant.account
    type(closed).objects.filter(pk=closed.pk).update(is_active=False)
    assert mended.cleared_at
    assert about(webinar) == ["Maria", "Mended"]
    settings.DEMO = True
    assert about(webinar) == ["Made up", "Maria", "Mended"]


# ---- One person, one mail


def test_somebody_in_two_webinars_and_three_filters_is_one(webinar):
    maria = seat(webinar, "Maria", province="53")
    other = factories.WebinarFactory()
    factories.RegistrationFactory(participant=maria.participant, webinar=other)
    audience = audiences.read({"about": OWN, "webinars": [webinar.pk, other.pk], "provinces": ["53", "73"]})
    assert [person.name for person in audiences.recipients(audience)] == ["Maria"]
    assert audiences.count(audience) == {"mailboxes": 1, "people": 1, "in_care": 0}


def test_a_carer_gets_one_for_all_in_her_care(webinar):
    carer = seat(webinar, "Carer").participant
    for name in ("Ani", "Rut"):
        seat(webinar, name, email="", account=carer.account, phone="")
    alone = factories.UserFactory()
    for name in ("Siti", "Wa Ode"):
        seat(webinar, name, email="", account=alone, phone="")
    audience = audiences.read({"about": OWN, "webinars": [webinar.pk]})
    assert [(p.name, p.address_now) for p in audiences.recipients(audience)] in (
        [("Carer", carer.email), ("Siti", alone.email)],
        [("Siti", alone.email), ("Carer", carer.email)],
    )
    assert audiences.count(audience) == {"mailboxes": 2, "people": 5, "in_care": 4}


def test_a_mailbox_that_wants_none_gets_none_for_people_who_came_into_its_care_later(webinar, now):
    carer = factories.ParticipantFactory(name="Carer", unsubscribed_at=now)
    seat(webinar, "Ani", email="", account=carer.account, phone="")
    BouncedAddress.objects.create(email=(bounced := factories.UserFactory()).email)
    seat(webinar, "Rut", email="", account=bounced, phone="")
    assert about(webinar) == []


def test_ten_people_from_all_over_the_list_and_the_same_again(webinar, django_assert_num_queries):
    for number in range(12):
        seat(webinar, f"Maria {number}")
    seat(factories.WebinarFactory(), "Bait")
    audience = audiences.read({"about": OWN, "webinars": [webinar.pk]})
    with django_assert_num_queries(1):
        shown = [(person.name, person.address) for person in audiences.sample(audience)]
    assert len(shown) == len(set(shown)) == 10
    assert shown == [(person.name, person.address) for person in audiences.sample(audience)]
    assert all(name.startswith("Maria") for name, _address in shown)


# ---- What can't be read


@pytest.mark.parametrize(
    "data",
    [
        [],
        None,
        "news",
        {"webinar": [1]},
        {"webinars": 1},
        {"webinars": ["1"]},
        {"webinars": [True]},
        {"webinars": [None]},
        {"statuses": ["PENDING"]},
        {"statuses": "CONFIRMED"},
        {"attended": "perhaps"},
        {"attended": ["yes"]},
        {"provinces": ["Bali"]},
        {"languages": ["fr"]},
        {"organisation_kinds": ["circus"]},
        {"consents": ["processing"]},
        {"about": "everything"},
    ],
)
def test_a_filter_that_cant_be_read_never_widens_the_audience(data):
    with pytest.raises(ValidationError):
        audiences.read(data)


def test_written_and_read_again_it_is_the_same():
    data = {"about": OWN, "webinars": [3, 4], "statuses": ["CONFIRMED"], "attended": "no", "provinces": ["53"]}
    assert audiences.read(data).as_json() == data
    assert audiences.read({}).as_json() == {"about": "news"}


def test_objections(webinar):
    other = factories.WebinarFactory(edition__earlier=True)

    def fields(**filters):
        return set(audiences.objections(audiences.read(filters)))

    assert fields(about=OWN, webinars=[webinar.pk], editions=[webinar.edition_id]) == set()
    assert fields(about=OWN) == {"webinars"}
    assert fields(about=OWN, webinars=[webinar.pk], statuses=["CANCELLED"]) == {"statuses"}
    assert fields(webinars=[webinar.pk, webinar.pk + 999]) == {"webinars"}
    assert fields(webinars=[other.pk], editions=[webinar.edition_id]) == {"webinars"}
    assert fields(editions=[webinar.edition_id + 999]) == {"editions"}
