"""No more announcements: one click in a mail program, one button on a page, and the way back."""

import pytest
from django.test import Client

from registration import consents, handover, links, merging, subscriptions
from registration.models import Consent, Event, Handover, Participant
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(now):
    return factories.ParticipantFactory(name="Maria Contoh")


def path_of(person):
    return f"/berhenti/{links.unsubscribe_token(person.account_id)}/"


def refuses(person):
    return Participant.objects.get(pk=person.pk).unsubscribed_at is not None


def steps(person):
    return list(person.events.order_by("pk").values_list("kind", flat=True))


# ---- The mail program's click


@pytest.mark.parametrize("language", ["", "/en"])
def test_one_click_without_cookie_and_form(maria, language):
    mail_program = Client(enforce_csrf_checks=True)
    answer = mail_program.post(
        language + path_of(maria), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    assert not answer.cookies
    assert refuses(maria)
    assert steps(maria) == ["unsubscribed"]
    assert maria.events.get().actor is None


def test_some_programs_send_it_as_a_form_with_parts(maria):
    assert Client(enforce_csrf_checks=True).post(path_of(maria), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert refuses(maria)


def test_twice_is_once(maria, now):
    other = factories.ParticipantFactory()
    for _click in range(2):
        assert Client().post(path_of(maria)).status_code == 200
    assert steps(maria) == ["unsubscribed"]
    assert not refuses(other)


def test_looking_at_it_changes_nothing_and_names_nobody(client, maria):
    page = client.get(path_of(maria))
    assert page.status_code == 200
    assert client.head(path_of(maria)).status_code == 200
    assert not refuses(maria)
    html = page.content.decode()
    assert html.count("<button") == 1
    assert "Maria" not in html
    assert maria.email not in html
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["X-Robots-Tag"] == "noindex"
    assert "no-store" in page["Cache-Control"]


def test_a_link_of_another_kind_or_with_a_slip_opens_nothing(client, maria):
    seated = factories.RegistrationFactory(participant=maria)
    for token in (
        links.page_token(maria),
        links.join_token(seated),
        links.calendar_token(maria),
        links.unsubscribe_token(maria.account_id)[:-1],
        f"{maria.account_id}",
    ):
        assert client.post(f"/berhenti/{token}/").status_code == 404
    assert not refuses(maria)
    token = links.unsubscribe_token(maria.account_id)
    assert client.get(f"/tautan/{token}/").status_code == 404
    assert client.get(f"/saya/kalender/{token}.ics").status_code == 404


def test_the_link_outlives_renewed_links_and_the_account_itself(client, maria):
    path = path_of(maria)
    Participant.objects.filter(pk=maria.pk).update(link_version=7)
    assert client.post(path).status_code == 200
    assert refuses(maria)
    maria.account.delete()
    assert client.post(path).status_code == 200


# ---- A carer's mailbox


def test_a_carer_answers_for_her_mailbox(client, maria):
    in_care = factories.ParticipantFactory(email="", phone="", account=maria.account)
    assert client.post(path_of(maria)).status_code == 200
    assert refuses(maria)
    assert refuses(in_care)
    assert subscriptions.subscribe(maria.account_id, now=maria.created_at) == 2
    assert not refuses(in_care)


@pytest.mark.parametrize("has_entry", [False, True])
def test_who_leaves_her_care_decides_for_herself(maria, now, has_entry):
    in_care = factories.ParticipantFactory(email="", phone="", account=maria.account)
    if has_entry:
        factories.ParticipantFactory(email="ani@example.org")
    subscriptions.unsubscribe(maria.account_id, now=now)
    offer = Handover.objects.create(participant=in_care, email="ani@example.org", created_by=maria.account)
    assert handover.accept(offer, now=now)
    assert not refuses(Participant.objects.get(email="ani@example.org"))
    assert refuses(maria)


def test_of_two_entries_of_one_person_either_wish_counts(maria, now):
    other = factories.ParticipantFactory()
    subscriptions.unsubscribe(other.account_id, now=now)
    merging.merge(maria, other, actor=factories.UserFactory(organiser=True), now=now)
    assert refuses(maria)


# ---- The way back


def test_her_page_says_it_and_takes_it_back(signed_in_client, maria):
    client = signed_in_client(maria.account, fresh=True)
    page, button = f"/saya/data/{maria.pk}/", f"/saya/data/{maria.pk}/pengumuman/"
    assert client.post(button, {"action": "refuse"}).status_code == 302
    assert refuses(maria)
    assert 'value="want"' in client.get(page).content.decode()
    assert client.post(button, {"action": "want"}).status_code == 302
    assert not refuses(maria)
    assert 'value="refuse"' in client.get(page).content.decode()
    assert steps(maria) == ["unsubscribed", "subscribed"]
    assert {event.actor for event in maria.events.select_related("actor")} == {maria.account}
    assert "Tidak mau menerima pengumuman lagi" in client.get(f"{page}catatan/").content.decode()


def test_nobody_else_can(signed_in_client, client, maria):
    button = f"/saya/data/{maria.pk}/pengumuman/"
    stranger = signed_in_client(factories.ParticipantFactory().account, fresh=True)
    assert stranger.post(button, {"action": "refuse"}).status_code == 404
    assert client.post(button, {"action": "refuse"}).status_code == 302
    assert signed_in_client(maria.account).post(button, {"action": "refuse"}).status_code == 302
    assert not refuses(maria)


def test_asking_for_news_anew_is_her_latest_word(maria, now):
    subscriptions.unsubscribe(maria.account_id, now=now)
    consents.grant(maria, Consent.Purpose.PROCESSING, language="id", now=now)
    assert refuses(maria)
    consents.grant(maria, Consent.Purpose.NEWS, language="id", now=now)
    assert not refuses(maria)
    assert Event.objects.filter(kind="subscribed").count() == 1


@pytest.mark.parametrize("number", [1, 3])
def test_as_many_queries_for_three_people_as_for_one(maria, now, number, django_assert_num_queries):
    for _person in range(number - 1):
        factories.ParticipantFactory(email="", phone="", account=maria.account)
    with django_assert_num_queries(5):  # a savepoint and its end among them
        assert subscriptions.unsubscribe(maria.account_id, now=now) == number
