"""What a person sees whose mail comes back, how she mends it, and what organisers see and do."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from registration import bounces, links
from registration.models import BouncedAddress, BounceReport, OutgoingMail
from tests.factories import (
    OutgoingMailFactory,
    ParticipantFactory,
    PartnerMemberFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

LINK = "/saya/data/email/"


@pytest.fixture
def maria(now):
    person = RegistrationFactory(webinar=WebinarFactory()).participant
    dead(person.email)
    return person


def dead(email):
    bounces.mark(email, "550 5.1.1 User unknown", sent_at=timezone.now(), now=timezone.now())


def code_to(email):
    return OutgoingMail.objects.filter(kind="code", to=email).latest("pk").context["code"]


# ---- Her


def test_her_own_page_asks_her_to_correct_the_address(maria, signed_in_client):
    page = signed_in_client(maria.account).get("/en/saya/").content.decode()
    assert "Our mail to you comes back" in page
    assert f'href="/en{LINK}"' in page
    bounces.clear(maria.email, now=timezone.now())
    page = signed_in_client(maria.account).get("/en/saya/").content.decode()
    assert "Our mail to you comes back" not in page
    assert f'href="/en{LINK}"' not in page


def linked_page(client, person):
    return client.get(f"/en/tautan/{links.page(person).rstrip('/').rpartition('/')[2]}/").content.decode()


def test_her_linked_page_does_too_and_names_no_address_of_hers(maria, client):
    page = linked_page(client, maria)
    assert "Our mail to you comes back" in page
    assert "kpt@example.org" in page, "whom she can write to when no code arrives"
    assert maria.email not in page


def test_the_page_of_somebody_in_care_tells_of_her_carers_address(maria, client):
    assert "Our mail to you comes back" in linked_page(client, ParticipantFactory(email="", account=maria.account))


def test_nobody_else_is_asked(maria, signed_in_client):
    other = RegistrationFactory().participant
    assert "Our mail to you comes back" not in signed_in_client(other.account).get("/en/saya/").content.decode()


def test_she_names_a_better_address_without_a_code_to_the_dead_one(maria, signed_in_client):
    missed = OutgoingMailFactory(participant=maria, registration=maria.registrations.get(), status="BOUNCED")
    client = signed_in_client(maria.account)
    assert client.get(LINK).status_code == 200
    client.post(LINK, {"action": "send", "email": "baru@example.com"})
    answer = client.post(LINK, {"action": "verify", "code": code_to("baru@example.com")})
    assert (answer.status_code, answer["Location"]) == (302, "/saya/")
    maria.refresh_from_db()
    missed.refresh_from_db()
    assert maria.email == maria.account.email == "baru@example.com"
    assert (missed.to, missed.status) == ("baru@example.com", "QUEUED")
    assert BouncedAddress.objects.count() == 0


def test_a_wrong_code_changes_nothing(maria, signed_in_client):
    client = signed_in_client(maria.account)
    client.post(LINK, {"action": "send", "email": "baru@example.com"})
    code = code_to("baru@example.com")
    client.post(LINK, {"action": "verify", "code": "000000" if code != "000000" else "111111"})
    maria.account.refresh_from_db()
    assert maria.account.email == maria.email


def test_where_mail_arrives_a_fresh_code_is_asked_for_as_before(now, signed_in_client, client):
    person = ParticipantFactory()
    answer = signed_in_client(person.account).get(LINK)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/saya/kode/")
    assert client.get(LINK)["Location"].startswith("/akun/masuk/")


@pytest.mark.parametrize("kind", ["staff", "partner"])
def test_whoever_sees_other_peoples_data_is_not_let_through(kind, now, signed_in_client):
    user = UserFactory(organiser=True) if kind == "staff" else PartnerMemberFactory().user
    dead(user.email)
    answer = signed_in_client(user).get(LINK)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/saya/kode/")


def test_a_code_that_came_to_the_address_all_the_same_clears_it(maria, client):
    client.post("/akun/masuk/", {"email": maria.email})
    client.post("/akun/kode/", {"code": code_to(maria.email), "action": "verify"})
    assert client.session.get("_auth_user_id") == str(maria.account_id)
    assert bounces.of(maria.email) is None


# ---- Organisers


@pytest.fixture
def organiser(signed_in_client, now):
    user = UserFactory(is_staff=True, second_factor=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return signed_in_client(user)


def admin(name, *args):
    return "/en" + reverse(f"admin:registration_{name}", args=args).removeprefix("/en")


def act(client, model, action, rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(admin(f"{model}_changelist"), data, follow=True).content.decode()


def test_organisers_see_the_address_on_the_participant(maria, organiser):
    RegistrationFactory()
    page = organiser.get(admin("participant_changelist") + "?address=bounces").content.decode()
    assert maria.email in page
    assert page.count(">bounces</strong>") == 1
    page = organiser.get(admin("participant_change", maria.pk)).content.decode()
    assert "550 5.1.1 User unknown" in page


def test_put_off_mails_are_counted_on_the_participant(now, organiser):
    person = ParticipantFactory()
    for key in "ab":
        BounceReport.objects.create(key=key, source="mail", email=person.email, is_final=False, words="552 5.2.2 Full")
    page = organiser.get(admin("participant_change", person.pk)).content.decode()
    assert "2 mails were not delivered for a passing reason." in page


@pytest.mark.parametrize("people", [1, 3])
def test_the_list_of_participants_costs_the_same_for_one_and_for_many(people, organiser, django_assert_max_num_queries):
    for _person in range(people):
        dead(ParticipantFactory().email)
    organiser.get(admin("participant_changelist"))
    with django_assert_max_num_queries(12):
        organiser.get(admin("participant_changelist"))


def test_an_address_is_cleared_by_hand(maria, organiser):
    row = BouncedAddress.objects.get()
    assert "1 address is in use again" in act(organiser, "bouncedaddress", "use_again", [row])
    assert bounces.of(maria.email) is None
    assert "0 addresses are in use again" in act(organiser, "bouncedaddress", "use_again", [row])


@pytest.mark.django_db(transaction=True)  # as in the admin, where nothing is around an action
def test_mail_is_stopped_by_hand_for_a_report_that_proves_nothing(now, organiser):
    person = ParticipantFactory()
    row = BounceReport.objects.create(key="a", source="mail", email=person.email, is_final=False, words="550 gone")
    act(organiser, "bouncereport", "stop_mail", [row])
    assert bounces.of(person.email).words == "550 gone"


def test_an_organiser_corrects_the_address_for_her(maria, organiser):
    row = BouncedAddress.objects.get()
    url = admin("bouncedaddress_correct", row.pk)
    assert maria.email in organiser.get(url).content.decode()
    assert organiser.post(url, {"email": "Baru@Example.com"}).status_code == 302
    maria.refresh_from_db()
    assert maria.email == maria.account.email == "baru@example.com"
    step = maria.events.get(kind="corrected")
    assert (step.note, step.actor.is_staff) == ("email", True)


def test_an_address_that_somebody_has_is_not_taken(maria, organiser):
    other = ParticipantFactory()
    url = admin("bouncedaddress_correct", BouncedAddress.objects.get().pk)
    for wrong, words in ((other.email, "Another account has this address"), ("no", "valid email")):
        assert words in organiser.post(url, {"email": wrong}).content.decode()
    maria.account.refresh_from_db()
    assert maria.account.email == maria.email


def test_only_the_owner_changes_the_address_of_staff(now, organiser, signed_in_client):
    colleague = UserFactory(is_staff=True)
    dead(colleague.email)
    url = admin("bouncedaddress_correct", BouncedAddress.objects.get().pk)
    assert "site&#x27;s owner" in organiser.post(url, {"email": "baru@example.com"}).content.decode()
    colleague.refresh_from_db()
    assert colleague.email != "baru@example.com"
    owner = signed_in_client(UserFactory(organiser=True))
    assert owner.post(url, {"email": "baru@example.com"}).status_code == 302


def test_editors_see_nothing_of_it(maria, signed_in_client):
    editor = UserFactory(is_staff=True, second_factor=True)
    editor.groups.add(Group.objects.get(name="Editors"))
    client = signed_in_client(editor)
    for page in ("bouncedaddress_changelist", "bouncereport_changelist"):
        assert client.get(admin(page)).status_code == 403
    assert client.post(admin("bouncedaddress_correct", BouncedAddress.objects.get().pk)).status_code == 403
