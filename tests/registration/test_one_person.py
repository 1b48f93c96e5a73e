"""A person is one, however she writes her address, and however often she presses the button."""

from datetime import timedelta

import pytest

from registration import addresses, newcomers
from registration.models import OutgoingMail, Participant, Registration, User
from tests.factories import ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory
from tests.registration.forms import filled_in

pytestmark = pytest.mark.django_db

KODE, MASUK = "/akun/kode/", "/akun/masuk/"


def codes_to(address):
    return OutgoingMail.objects.filter(kind="code", to=address)


def code_to(address):
    return codes_to(address).latest("pk").context["code"]


@pytest.mark.parametrize(
    ("email", "key"),
    [
        ("maria@example.org", "maria@example.org"),
        ("Maria+KPT@Example.org", "maria@example.org"),
        ("maria+a+b@example.org", "maria@example.org"),
        ("maria.x@example.org", "maria.x@example.org"),
    ],
)
def test_the_key_is_the_databases(email, key):
    assert addresses.key(email) == key
    assert User.objects.create_user(email).email_key == key


def test_a_variant_of_a_known_address_is_the_known_person(client, now):
    first, second = WebinarFactory(), WebinarFactory()
    known = ParticipantFactory(email="maria@example.org", name="Contoh Maria", proven_at=now)
    RegistrationFactory(participant=known, webinar=first)
    answer = client.post("/daftar/", filled_in(first, second, email="MARIA+kpt@example.org"))
    assert answer["Location"] == KODE
    page = client.get(KODE).content.decode()
    assert "<strong>maria+kpt@example.org</strong>" in page  # what was typed: whether it is known is not told
    assert not codes_to("maria+kpt@example.org").exists()
    assert client.post(KODE, {"code": code_to("maria@example.org")})["Location"] == "/saya/"
    assert Participant.objects.get().email == User.objects.get().email == "maria@example.org"
    assert set(Registration.objects.values_list("webinar", "status")) == {
        (first.pk, "CONFIRMED"),
        (second.pk, "CONFIRMED"),
    }
    assert OutgoingMail.objects.filter(kind="confirmation").count() == 1


def test_signing_in_with_a_variant_works_and_counts_as_one_address(client, now):
    user = UserFactory(email="maria@example.org")
    UserFactory(email="mar@example.org")
    assert client.post(MASUK, {"email": "maria+x@example.org"})["Location"] == KODE
    assert client.post(KODE, {"code": code_to("maria@example.org")})["Location"] == "/saya/"
    assert client.session["_auth_user_id"] == str(user.pk)
    for tag in "ab":
        client.cookies.clear()
        client.post(MASUK, {"email": f"maria+{tag}@example.org"})
    client.cookies.clear()
    answer = client.post(MASUK, {"email": "maria+c@example.org"})
    assert answer.status_code == 200  # the fourth in a minute
    assert codes_to("maria@example.org").count() == 3
    assert client.post(MASUK, {"email": "mar@example.org"})["Location"] == KODE


def test_an_unknown_address_gets_one_mail_an_hour_whatever_its_tag(client, now):
    for tag in ("", "+a", "+b"):
        client.cookies.clear()
        client.post(MASUK, {"email": f"nobody{tag}@example.org"})
    assert OutgoingMail.objects.filter(kind="unknown_account").count() == 1


def test_who_is_signed_in_adds_webinars_under_a_variant(signed_in_client, now):
    webinar, known = WebinarFactory(), ParticipantFactory(email="maria@example.org", proven_at=now)
    answer = signed_in_client(known.account).post("/daftar/", filled_in(webinar, email="maria+kpt@example.org"))
    assert answer["Location"] == "/saya/"
    assert Registration.objects.get().participant == known
    known.refresh_from_db()
    assert known.email == "maria@example.org"


def test_an_address_that_nobody_proved_keeps_nobody_out(client, now, time_machine):
    """Somebody claims name@ by way of name+tag@, which some servers deliver elsewhere."""
    webinar = WebinarFactory(capacity=5)
    client.post("/daftar/", filled_in(webinar, email="maria+evil@example.org", name="Contoh Eva"))
    evil_code, evil_cookie = code_to("maria+evil@example.org"), client.cookies.pop("sessionid")
    time_machine.move_to(now + timedelta(minutes=2))
    client.post("/daftar/", filled_in(webinar, email="maria@example.org"))
    marias_code, marias_cookie = code_to("maria@example.org"), client.cookies.pop("sessionid")
    assert Registration.objects.count() == 1

    client.cookies["sessionid"] = evil_cookie
    answer = client.post(KODE, {"code": evil_code})
    assert answer["Location"] == MASUK
    assert "_auth_user_id" not in client.session
    client.cookies["sessionid"] = marias_cookie
    assert client.post(KODE, {"code": marias_code})["Location"] == "/saya/"
    participant = Participant.objects.get()
    assert (participant.name, participant.email) == ("Contoh Maria", "maria@example.org")
    assert User.objects.get() == participant.account


def test_a_proven_account_does_not_yield_to_a_variant(now):
    known = ParticipantFactory(email="maria@example.org", proven_at=now)
    organiser = UserFactory(email="rut@example.org", is_staff=True)
    bare = UserFactory(email="ana@example.org")
    for user in (known.account, organiser, bare):
        variant = user.email.replace("@", "+x@")
        assert newcomers.account_of(variant, language="id", now=now) == user


def test_two_variants_in_two_tabs_are_one_person(client, now):
    webinar = WebinarFactory()
    client.post("/daftar/", filled_in(webinar, email="maria@example.org"))
    client.cookies.clear()
    client.post("/daftar/", filled_in(webinar, email="maria+kpt@example.org"))
    assert User.objects.count() == Participant.objects.count() == Registration.objects.count() == 1
    assert client.post(KODE, {"code": code_to("maria+kpt@example.org")})["Location"] == "/saya/"
    assert OutgoingMail.objects.filter(kind="confirmation").count() == 1
