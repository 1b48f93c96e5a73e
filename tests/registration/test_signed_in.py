"""Where somebody is signed in, and ending it."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client
from django.urls import reverse

from registration import sessions
from registration.models import AuditEntry, OutgoingMail, Session
from tests import factories

pytestmark = pytest.mark.django_db

PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
)


def sign_in(user, agent=PHONE):
    client = Client(headers={"user-agent": agent})
    client.post("/akun/masuk/", {"email": user.email})
    code = OutgoingMail.objects.filter(kind="code", to=user.email).latest("pk").context["code"]
    client.post("/akun/kode/", {"code": code})
    return client


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (PHONE, "Chrome · Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0", "Firefox · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", "Safari · iPhone"),
        (
            "Mozilla/5.0 (Linux; Android 13) SamsungBrowser/23.0 Chrome/115.0 Safari/537.36",
            "Samsung Internet · Android",
        ),
        ("", ""),
        ("curl/8", ""),
    ],
)
def test_a_device_is_called_as_its_owner_calls_it(agent, device):
    assert sessions.device_of(agent) == device


def test_a_sign_in_is_listed_with_device_network_and_hour(now):
    user, bait = factories.UserFactory.create_batch(2)
    client = sign_in(user)
    sign_in(bait)
    row = sessions.of(user, now=now).get()
    assert (row.device, row.network, row.signed_in_at, row.seen_at) == ("Chrome · Android", "127.0.0.1", now, now)
    html = client.get(reverse("account_sessions")).content.decode()
    assert "Chrome · Android" in html
    assert row.session_key not in html


def test_last_seen_is_written_once_an_hour(now, time_machine, django_assert_num_queries):
    user = factories.UserFactory()
    client = sign_in(user)
    key = client.cookies["sessionid"].value
    time_machine.move_to(now + timedelta(minutes=59), tick=False)
    client.get("/saya/")
    assert Session.objects.get(session_key=key).seen_at == now
    later = now + timedelta(hours=1)
    time_machine.move_to(later, tick=False)
    client.get("/saya/")
    assert Session.objects.get(session_key=key).seen_at == later
    assert Session.objects.get(session_key=key).signed_in_at == now


def test_one_of_them_is_ended_and_no_other(now):
    user, bait = factories.UserFactory.create_batch(2)
    here, there, third, stranger = sign_in(user), sign_in(user, "Firefox/121 Windows"), sign_in(user), sign_in(bait)
    key = there.cookies["sessionid"].value
    named = sessions.handle(Session.objects.get(session_key=key))
    assert here.post(reverse("account_end_sessions"), {"session": named}).status_code == 302
    assert there.get("/saya/").status_code == 302
    assert [client.get("/saya/").status_code for client in (here, third, stranger)] == [200, 200, 200]


def test_nobody_ends_the_session_of_another(now):
    user, bait = factories.UserFactory.create_batch(2)
    here, stranger = sign_in(user), sign_in(bait)
    named = sessions.handle(Session.objects.get(session_key=stranger.cookies["sessionid"].value))
    here.post(reverse("account_end_sessions"), {"session": named})
    assert stranger.get("/saya/").status_code == 200


def test_all_others_end_and_this_one_stays(now):
    user, bait = factories.UserFactory.create_batch(2)
    here, there, stranger = sign_in(user), sign_in(user), sign_in(bait)
    here.post(reverse("account_end_sessions"))
    assert [client.get("/saya/").status_code for client in (here, there, stranger)] == [200, 302, 200]


def test_an_owner_signs_somebody_out_everywhere(now, signed_in_client):
    owner, user = factories.UserFactory(organiser=True), factories.UserFactory()
    there = sign_in(user)
    organiser = signed_in_client(owner)
    page = reverse("admin:registration_user_change", args=[user.pk])
    assert reverse("admin:registration_user_end_sessions", args=[user.pk]) in organiser.get(page).content.decode()
    assert organiser.post(reverse("admin:registration_user_end_sessions", args=[user.pk]))["Location"] == page
    assert there.get("/saya/").status_code == 302
    assert AuditEntry.objects.filter(action="ended_sessions", object_id=str(user.pk), actor=owner).count() == 1


def test_a_lost_second_factor_leaves_no_recovery_code_and_no_session(now, signed_in_client):
    owner, lost = factories.UserFactory(organiser=True), factories.UserFactory(is_staff=True)
    RecoveryCodes.activate(lost)
    window = signed_in_client(lost)
    factor = Authenticator.objects.get(user=lost, type="totp")
    signed_in_client(owner).post(reverse("admin:mfa_authenticator_delete", args=[factor.pk]), {"post": "yes"})
    assert not Authenticator.objects.filter(user=lost).exists()
    assert window.get("/saya/").status_code == 302
    assert AuditEntry.objects.filter(actor=owner, object_type="mfa.authenticator", action="deleted").exists()


def test_sessions_of_accounts_that_are_gone_go(now):
    user = factories.UserFactory()
    sign_in(user)
    sign_in(factories.UserFactory())
    user.delete()
    assert sessions.end_dead() == 1
    assert Session.objects.count() == 1


def test_pages_about_her_factors_are_in_the_houses_look_and_words(signed_in_client):
    user = factories.UserFactory(second_factor=True)
    client = signed_in_client(user)
    for name, words in (("mfa_reauthenticate", "Apakah ini Anda?"), ("mfa_list_webauthn", "Kunci Anda")):
        html = client.get(reverse(name)).content.decode()
        assert f"<h1>{words}</h1>" in html
        assert "<table" not in html
