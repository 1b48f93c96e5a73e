"""Deleting her data on its page, and what an organiser sees of retention."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from registration import audit, letters, retention
from registration.models import Download, OutgoingMail, Participant, RetentionPeriod, RetentionRun, User
from tests import factories

pytestmark = pytest.mark.django_db

LANGUAGES = ["", "/en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_looking_at_the_page_deletes_nothing(signed_in_client, language):
    seat = factories.RegistrationFactory()
    factories.ConsentFactory(
        participant=seat.participant, partner=factories.OrganisationFactory(name="Mitra Satu", name_en="")
    )
    html = signed_in_client(seat.participant.account, fresh=True).get(f"{language}/saya/data/hapus/").content.decode()
    assert seat.webinar.title in html or seat.webinar.title_en in html
    assert "Mitra Satu" in html
    assert Participant.objects.count() == 1


def test_it_asks_for_a_fresh_code(signed_in_client):
    person = factories.ParticipantFactory()
    client = signed_in_client(person.account)
    assert client.post("/saya/data/hapus/").status_code == 302
    assert Participant.objects.count() == 1


def test_a_click_deletes_and_a_second_one_is_harmless(signed_in_client):
    seat = factories.RegistrationFactory()
    client = signed_in_client(seat.participant.account, fresh=True)
    for _click in range(2):
        assert client.post("/saya/data/hapus/").url == "/saya/data/terhapus/"
    assert client.get("/saya/data/terhapus/").status_code == 200
    assert (Participant.objects.count(), User.objects.count()) == (0, 0)
    assert OutgoingMail.objects.count() == 1
    assert client.get("/saya/").status_code == 302


def test_two_browsers_of_hers_are_signed_out(signed_in_client):
    person = factories.ParticipantFactory()
    first, second = (signed_in_client(person.account, fresh=True) for _browser in range(2))
    first.post("/saya/data/hapus/")
    assert second.get("/saya/").status_code == 302
    assert second.post("/saya/data/hapus/").url == "/saya/data/terhapus/"


def test_a_carer_deletes_one_person_in_her_care(signed_in_client):
    carer = factories.ParticipantFactory()
    inside, other = (factories.ParticipantFactory(account=carer.account, email="") for _person in range(2))
    client = signed_in_client(carer.account, fresh=True)
    assert inside.name in client.get(f"/saya/data/{inside.pk}/hapus/").content.decode()
    for _click in range(2):
        assert client.post(f"/saya/data/{inside.pk}/hapus/").url == "/saya/"
    assert set(Participant.objects.all()) == {carer, other}
    assert other.name in client.get("/saya/data/hapus/").content.decode()


def test_nobody_deletes_another_person(signed_in_client):
    stranger, bait = factories.ParticipantFactory(), factories.ParticipantFactory()
    client = signed_in_client(stranger.account, fresh=True)
    assert client.get(f"/saya/data/{bait.pk}/hapus/").status_code == 302
    assert client.post(f"/saya/data/{bait.pk}/hapus/").status_code == 302
    assert set(Participant.objects.all()) == {stranger, bait}
    assert User.objects.count() == 2


def test_an_account_without_a_person_goes_too(signed_in_client):
    user, bait = factories.UserFactory(), factories.UserFactory()
    client = signed_in_client(user, fresh=True)
    assert user.email in client.get("/saya/data/hapus/").content.decode()
    assert client.post("/saya/data/hapus/").url == "/saya/data/terhapus/"
    assert list(User.objects.all()) == [bait]
    assert OutgoingMail.objects.get().to == user.email


@pytest.mark.parametrize("has_person", [True, False])
def test_who_worked_with_peoples_data_is_told_that_the_record_names_her_on(has_person, signed_in_client, now):
    """And it does: what she did must be shown also after she has gone. Of others nothing of the kind is said."""
    user = factories.UserFactory(email="dulu@example.org", language="en")
    if has_person:
        factories.ParticipantFactory(email=user.email, account=user, language="en")
    entry = audit.note(audit.Action.DOWNLOADED, Download, actor=user, now=now)
    client = signed_in_client(user, fresh=True)
    words = "until its time is over"
    assert words in client.get("/en/saya/data/hapus/").content.decode()
    client.post("/en/saya/data/hapus/")
    assert not User.objects.exists()
    entry.refresh_from_db()
    assert entry.actor_name == "dulu@example.org"
    mail = OutgoingMail.objects.get()
    letters.compose(mail, now=now)
    assert words in mail.text
    assert words in mail.html
    other = factories.ParticipantFactory()
    client = signed_in_client(other.account, fresh=True)
    assert words not in client.get("/en/saya/data/hapus/").content.decode()
    client.post("/en/saya/data/hapus/")
    assert OutgoingMail.objects.order_by("pk").last().context["is_recorded"] is False


def test_who_sent_a_list_of_her_group_that_was_not_taken_is_told_of_no_record(signed_in_client, now):
    person = factories.ParticipantFactory(language="en")
    audit.refuse_file(Participant._meta.label_lower, "", "rows", size=10, actor=person.account, now=now)
    client = signed_in_client(person.account, fresh=True)
    assert "until its time is over" not in client.get("/en/saya/data/hapus/").content.decode()
    client.post("/en/saya/data/hapus/")
    assert OutgoingMail.objects.get().context["is_recorded"] is False
    assert audit.AuditEntry.objects.get(action="refused").actor_name == ""


def test_an_organisers_account_does_not_go(signed_in_client):
    user = factories.UserFactory(organiser=True)
    client = signed_in_client(user, fresh=True)
    assert 'class="button danger"' not in client.get("/saya/data/hapus/").content.decode()
    assert client.post("/saya/data/hapus/").url == "/saya/"
    assert User.objects.count() == 1


# ---- Retention in the admin


def organiser(signed_in_client, group="Organisers"):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return signed_in_client(user)


@pytest.fixture
def run(now):
    ended = factories.EditionFactory(
        year=2023, earlier=True, starts_on=now.date() - timedelta(days=900), ends_on=now.date() - timedelta(days=899)
    )
    webinar = factories.WebinarFactory(edition=ended, starts_at=None, ends_at=None, date=ended.ends_on)
    factories.RegistrationFactory(webinar=webinar)
    return retention.announce_all(now=now)[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_start_page_tells_what_goes_next(signed_in_client, run, language):
    page = f"{language}/admin/registration/retentionrun/{run.pk}/change/"
    assert f'href="{page}"' in organiser(signed_in_client).get(f"{language}/admin/").content.decode()
    editor = organiser(signed_in_client, "Editors")
    assert page not in editor.get(f"{language}/admin/").content.decode()


def test_an_organiser_stops_it_by_a_button(signed_in_client, run):
    client = organiser(signed_in_client)
    stop = f"/admin/registration/retentionrun/{run.pk}/stop/"
    assert stop in client.get(f"/admin/registration/retentionrun/{run.pk}/change/").content.decode()
    assert client.get(stop).status_code == 405
    assert RetentionRun.objects.open().count() == 1
    for _click in range(2):
        assert client.post(stop).status_code == 302
    assert RetentionRun.objects.open().count() == 0
    assert stop not in client.get(f"/admin/registration/retentionrun/{run.pk}/change/").content.decode()


def test_an_editor_stops_nothing(signed_in_client, run):
    stop = f"/admin/registration/retentionrun/{run.pk}/stop/"
    assert organiser(signed_in_client, "Editors").post(stop).status_code == 403
    assert RetentionRun.objects.open().count() == 1


def test_periods_are_a_superusers_to_change(signed_in_client):
    period = RetentionPeriod.objects.get(kind="person")
    address = f"/admin/registration/retentionperiod/{period.pk}/change/"
    client = organiser(signed_in_client)
    assert client.get(address).status_code == 200
    assert client.post(address, {"days": "1"}).status_code == 403
    owner = signed_in_client(factories.UserFactory(organiser=True))
    assert owner.post(address, {"days": "800"}).status_code == 302
    period.refresh_from_db()
    assert period.days == 800
