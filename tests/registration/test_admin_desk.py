"""What organisers do by hand, each on its own page."""

import html
import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registration.models import Consent, Event, OutgoingMail, Participant, Registration
from tests import factories
from tests.registration.test_admin import details

pytestmark = pytest.mark.django_db


def in_group(group, **facts):
    user = factories.UserFactory(is_staff=True, **facts)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def organiser(now):
    return in_group("Organisers", name="Ibu Pengurus")


@pytest.fixture
def desk(organiser, signed_in_client):
    return signed_in_client(organiser)


def url(model, page, *args, **query):
    return "/en" + reverse(f"admin:registration_{model}_{page}", args=args, query=query or None)


def words(client, address):
    return html.unescape(client.get(address).content.decode())


def form(*webinars, **changes):
    data = {
        "name": "Maria Contoh",
        "email": "maria@example.org",
        "province": "53",
        "gender": "female",
        "age_group": "25_34",
        "language": "id",
        "webinars": [webinar.pk for webinar in webinars],
        "consent_processing": "on",
        "note": "Paper form, folder Kupang",
    }
    return {name: value for name, value in (data | changes).items() if value is not None}


def sign_up(client, *webinars, **changes):
    return client.post(url("registration", "add"), form(*webinars, **changes), follow=True)


# ---- Signing a person up


def test_an_organiser_signs_a_person_up(desk, organiser):
    webinar = factories.WebinarFactory(hosts=[factories.OrganisationFactory()])
    host = webinar.hosts.get()
    response = sign_up(desk, webinar, consent_partners=[host.pk])
    participant = Participant.objects.get()
    assert response.redirect_chain[-1][0] == url("participant", "change", participant.pk)
    assert Registration.objects.get().is_confirmed
    assert set(Consent.objects.values_list("purpose", flat=True)) == {"processing", "partner"}
    assert set(Event.objects.values_list("actor", flat=True)) == {organiser.pk}
    assert OutgoingMail.objects.get().to == "maria@example.org"


def test_a_full_webinar_gives_her_a_place_in_line(desk):
    webinar = factories.WebinarFactory(capacity=1)
    factories.RegistrationFactory(webinar=webinar)
    sign_up(desk, webinar)
    assert Registration.objects.get(participant__name="Maria Contoh").is_waitlisted
    assert webinar.registrations.confirmed().count() == 1


def test_without_an_address_her_mail_goes_to_the_account_that_was_chosen(desk):
    carer = factories.UserFactory(email="pendamping@example.org")
    sign_up(desk, factories.WebinarFactory(), email="", carer="Pendamping+kpt@example.org", phone="0812 3456 7890")
    participant = Participant.objects.get()
    assert (participant.account, participant.email, participant.phone) == (carer, "", "+6281234567890")
    assert OutgoingMail.objects.get().to == "pendamping@example.org"


def test_without_address_and_account_she_is_in_the_organisers_own_care(desk, organiser):
    sign_up(desk, factories.WebinarFactory(), email="", phone="0812 3456 7890")
    assert Participant.objects.get().account == organiser


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"province": ""}, "province"),
        ({"webinars": None}, "webinars"),
        ({"consent_processing": None}, "consent_processing"),
        ({"note": ""}, "note"),
        ({"carer": "pendamping@example.org"}, "carer"),
        ({"email": "", "carer": "tidakada@example.org"}, "carer"),
        ({"age_group": "under_18"}, "guardian_name"),
        ({"age_group": "under_18", "guardian_name": "Ibu"}, "guardian_consent"),
        ({"email": "", "phone": "0812 0000 0000"}, "phone"),
    ],
)
def test_what_is_missing_is_answered_and_nothing_is_written(changes, field, desk):
    factories.UserFactory(email="pendamping@example.org")
    factories.ParticipantFactory(email="", phone="+6281200000000")
    response = sign_up(desk, factories.WebinarFactory(), **changes)
    assert field in response.context["form"].errors
    assert not Registration.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_the_address_of_another_name_is_asked_about_first(desk):
    known = factories.ParticipantFactory(email="maria@example.org", name="Marlina Contoh")
    webinar = factories.WebinarFactory()
    response = sign_up(desk, webinar)
    assert "This address belongs to Marlina Contoh." in response.content.decode()
    assert not Registration.objects.exists()
    sign_up(desk, webinar, same_person="on")
    assert Registration.objects.get().participant == known
    assert Participant.objects.get().name == "Marlina Contoh"


def test_only_open_webinars_can_be_chosen(desk):
    closed = factories.WebinarFactory(draft=True)
    assert "webinars" in sign_up(desk, closed).context["form"].errors
    assert "No webinar is open for registration now." in words(desk, url("registration", "add"))


# ---- One registration


def act(client, action, registration, **data):
    return client.post(url("registration", action, registration.pk), data, follow=True)


def test_a_person_who_waits_gets_a_free_seat_out_of_turn(desk, organiser):
    webinar = factories.WebinarFactory(capacity=2)
    factories.RegistrationFactory(webinar=webinar)
    factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    chosen = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    desk.get(url("registration", "give_seat", chosen.pk))
    assert Registration.objects.get(pk=chosen.pk).is_waitlisted
    assert "She has a seat now and gets a mail." in act(desk, "give_seat", chosen).content.decode()
    assert Registration.objects.get(pk=chosen.pk).is_confirmed
    assert Event.objects.get(kind="promoted").actor == organiser
    assert OutgoingMail.objects.get().kind == "promoted"


def test_above_the_capacity_nobody_is_seated_by_hand(desk):
    webinar = factories.WebinarFactory(capacity=1)
    factories.RegistrationFactory(webinar=webinar)
    waiting = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    assert "No seat is left, or she does not wait." in act(desk, "give_seat", waiting).content.decode()
    assert Registration.objects.get(pk=waiting.pk).is_waitlisted


def test_moving_asks_where_to_and_moves(desk, organiser):
    moving = factories.RegistrationFactory()
    target = factories.WebinarFactory(title_en="Forest")
    page = words(desk, url("registration", "move", moving.pk))
    assert "Forest" in page
    assert (
        "She has a seat in “Forest” and gets one mail." in act(desk, "move", moving, webinar=target.pk).content.decode()
    )
    assert Registration.objects.get(webinar=target).is_confirmed
    assert Registration.objects.get(pk=moving.pk).status == "CANCELLED"
    assert Event.objects.get(kind="moved").actor == organiser


def test_a_move_into_a_full_webinar_is_refused_in_words(desk):
    moving = factories.RegistrationFactory()
    target = factories.WebinarFactory(capacity=1, title_en="Forest")
    factories.RegistrationFactory(webinar=target)
    assert (
        "“Forest” has no seat left. Nothing has been changed."
        in act(desk, "move", moving, webinar=target.pk).content.decode()
    )
    assert Registration.objects.get(pk=moving.pk).is_confirmed


def test_cancelling_asks_first_and_carries_the_reason(desk, organiser):
    seat = factories.RegistrationFactory()
    assert seat.participant.name in words(desk, url("registration", "cancel", seat.pk))
    assert Registration.objects.get(pk=seat.pk).is_confirmed
    act(desk, "cancel", seat, reason="Entered twice")
    seat.refresh_from_db()
    assert (seat.status, seat.cancel_reason) == ("CANCELLED", "Entered twice")
    assert list(Event.objects.values_list("kind", "actor", "note")) == [("cancelled", organiser.pk, "Entered twice")]


def test_cancelling_several_names_each_of_them_first(desk):
    seats = factories.RegistrationFactory.create_batch(2)
    chosen = {"action": "cancel_registrations", "_selected_action": [seat.pk for seat in seats]}
    page = desk.post(url("registration", "changelist"), chosen).content.decode()
    assert all(seat.participant.name in page for seat in seats)
    assert Registration.objects.confirmed().count() == 2
    desk.post(url("registration", "changelist"), chosen | {"is_sent": "yes", "reason": "Double"})
    assert set(Registration.objects.values_list("status", "cancel_reason")) == {("CANCELLED", "Double")}


# ---- Two entries of one person


@pytest.fixture
def twins(now):
    """One name and one phone: an entry of her own, and one in another's care."""
    own = factories.ParticipantFactory(name="Siti Aminah", phone="+6281234567890")
    in_care = factories.ParticipantFactory(name="siti aminah", phone="+6281234567890", email="")
    return own, in_care


def duplicates(client):
    return list(client.get(url("participant", "changelist", twice="perhaps")).context["cl"].result_list)


def test_possible_duplicates_are_found(desk, twins):
    own, in_care = twins
    factories.ParticipantFactory(name="Siti Aminah")  # of this name alone
    factories.ParticipantFactory(name="Rina", phone=own.phone)  # of this phone alone
    assert set(duplicates(desk)) == {own, in_care}
    page = words(desk, url("participant", "change", own.pk))
    assert reverse("admin:registration_participant_merge", args=[own.pk], query={"other": in_care.pk}) in page


def test_an_address_that_a_carer_gave_makes_a_possible_duplicate(desk):
    own = factories.ParticipantFactory(name="Siti", email="siti@example.org", phone="")
    in_care = factories.ParticipantFactory(name="Siti", email="", phone="", contact_email="Siti+kpt@example.org")
    factories.ParticipantFactory(name="Siti", email="", phone="")
    assert set(duplicates(desk)) == {own, in_care}


def test_two_blanks_are_no_likeness(desk):
    factories.ParticipantFactory.create_batch(2, name="Siti", email="", phone="")
    assert duplicates(desk) == []


def test_merging_shows_first_and_then_does_it(desk, organiser, twins):
    own, in_care = twins
    seat = factories.RegistrationFactory(participant=in_care, webinar__title_en="Forest")
    address = url("participant", "merge", own.pk, other=in_care.pk)
    page = words(desk, address)
    assert "Forest" in page
    assert f"the account {in_care.account.email}" in page
    cells = [re.sub(r"<[^>]+>|\s+", " ", row).split() for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL)]
    assert ["Email", own.email, "-"] in cells
    assert Participant.objects.count() == 2
    assert "The two entries are one now." in desk.post(address, follow=True).content.decode()
    assert Registration.objects.get(pk=seat.pk).participant == own
    assert Event.objects.get(kind="merged").actor == organiser
    assert "One of the two entries has gone before." not in words(desk, url("participant", "change", own.pk))


def test_who_has_an_address_of_her_own_keeps_it(desk, twins):
    own, in_care = twins
    address = url("participant", "merge", in_care.pk, other=own.pk)
    assert "The other entry has an address of its own." in words(desk, address)
    desk.post(address)
    assert Participant.objects.count() == 2


def test_an_unproven_address_does_not_win(desk):
    unproven, proven = factories.ParticipantFactory(unproven=True), factories.ParticipantFactory()
    address = url("participant", "merge", unproven.pk, other=proven.pk)
    assert "Only the other entry's address is proven." in words(desk, address)
    desk.post(address)
    assert Participant.objects.count() == 2


def test_the_other_entry_is_searched_for(desk):
    kept, other = factories.ParticipantFactory(name="Siti"), factories.ParticipantFactory(name="Aminah")
    link = reverse("admin:registration_participant_merge", args=[kept.pk], query={"other": other.pk})
    assert link not in words(desk, url("participant", "merge", kept.pk))
    assert link in words(desk, url("participant", "merge", kept.pk, q="amin"))
    for nonsense in ({"other": kept.pk}, {"other": 0}, {"other": "x"}, {"q": "%'\\"}):
        assert desk.get(url("participant", "merge", kept.pk, **nonsense)).status_code == 200


@pytest.mark.parametrize("number", [1, 2, 3])
def test_exactly_two_are_merged_from_the_list(number, desk):
    people = factories.ParticipantFactory.create_batch(number)
    chosen = {"action": "merge_two", "_selected_action": [person.pk for person in people]}
    response = desk.post(url("participant", "changelist"), chosen)
    is_merge = "/merge/" in response.headers["Location"]
    assert is_merge == (number == 2)


# ---- Her page


def test_her_page_tells_her_history(desk):
    seat = factories.RegistrationFactory(webinar__title_en="Forest")
    Event.objects.create(participant=seat.participant, registration=seat, kind="promoted")
    factories.OutgoingMailFactory(participant=seat.participant, registration=seat, failed=True)
    page = words(desk, url("participant", "change", seat.participant.pk))
    for part in ("Moved up from the waiting list", "By: the site, by its rules", "550 5.1.1 No such person here"):
        assert part in page


def test_a_correction_stands_in_her_history(desk, organiser):
    participant = factories.ParticipantFactory()
    data = details(participant, organisation="Baru", organisation_kind="media", language="en")
    assert desk.post(url("participant", "change", participant.pk), data).status_code == 302
    participant.refresh_from_db()
    assert (participant.organisation, participant.language) == ("Baru", "en")
    assert list(Event.objects.values_list("kind", "actor", "note")) == [
        ("corrected", organiser.pk, "organisation, organisation_kind")
    ]


# ---- Who may

PAGES = [
    ("registration", "add", None),
    ("registration", "give_seat", "seat"),
    ("registration", "move", "seat"),
    ("registration", "cancel", "seat"),
    ("participant", "merge", "person"),
    ("participant", "change", "person"),
    ("event", "changelist", None),
    ("consenttext", "changelist", None),
    ("withdrawal", "changelist", None),
    ("handover", "changelist", None),
]


def address_of(page, seat):
    model, name, about = page
    args = {"seat": [seat.pk], "person": [seat.participant_id]}.get(about, [])
    return url(model, name, *args)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_editors_have_none_of_it_and_organisers_all(page, desk, signed_in_client):
    seat = factories.RegistrationFactory()
    assert signed_in_client(in_group("Editors")).get(address_of(page, seat)).status_code == 403
    assert desk.get(address_of(page, seat)).status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", PAGES[:5], ids=str)
def test_observers_look_and_do_nothing(method, page, signed_in_client, now):
    observer = factories.UserFactory(is_staff=True)
    observer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    seat = factories.RegistrationFactory()
    assert getattr(signed_in_client(observer), method)(address_of(page, seat)).status_code == 403
    assert Registration.objects.get().is_confirmed


def test_an_observer_sees_no_button(signed_in_client, now):
    observer = factories.UserFactory(is_staff=True)
    observer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    seat = factories.RegistrationFactory()
    client = signed_in_client(observer)
    assert f"/registration/{seat.pk}/move" not in words(client, url("registration", "change", seat.pk))
    assert f"/participant/{seat.participant_id}/merge" not in words(
        client, url("participant", "change", seat.participant_id)
    )


# ---- Queries


@pytest.mark.parametrize("page", ["person", "merge", "duplicates", "sign_up", "cancel"])
def test_queries_do_not_grow_with_rows(page, desk):
    counts = []
    for rows in (1, 3):
        people = factories.ParticipantFactory.create_batch(2, name=f"Siti {rows}")
        seats = []
        for person in people:
            for _number in range(rows):
                webinar = factories.WebinarFactory(hosts=[factories.OrganisationFactory()])
                seats.append(factories.RegistrationFactory(participant=person, webinar=webinar))
                factories.OutgoingMailFactory(participant=person, registration=seats[-1])
                factories.ConsentFactory(participant=person, partner=webinar.hosts.get())
                actor = factories.UserFactory()
                Event.objects.create(participant=person, registration=seats[-1], kind="moved", actor=actor)
        factories.ParticipantFactory.create_batch(rows, name=f"Siti {rows}", account=people[0].account, email="")
        addresses = {
            "person": url("participant", "change", people[0].pk),
            "merge": url("participant", "merge", people[0].pk, other=people[1].pk),
            "duplicates": url("participant", "changelist", twice="perhaps"),
            "sign_up": url("registration", "add"),
        }
        chosen = {"action": "cancel_registrations", "_selected_action": [seat.pk for seat in seats]}
        with CaptureQueriesContext(connection) as queries:
            if page == "cancel":
                assert desk.post(url("registration", "changelist"), chosen).status_code == 200
            else:
                assert desk.get(addresses[page]).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("facts", "is_offered"), [({"waitlisted": True}, True), ({}, False), ({"cancelled": True}, False)]
)
def test_a_seat_is_given_only_to_who_waits(desk, facts, is_offered):
    row = factories.RegistrationFactory(**facts)
    address = url("registration", "give_seat", row.pk)
    assert (f'href="{address}"' in desk.get(url("registration", "change", row.pk)).content.decode()) is is_offered
