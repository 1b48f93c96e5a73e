"""Nobody learns whether an address is known here: the same walk with a known and an unknown one gives the same bytes.

How long an answer takes is measured by the benchmark.
"""

import re

import pytest
from django.conf import settings
from django.test import Client

from conference.models import Webinar
from registration import links
from registration.models import OutgoingMail, Participant, User
from tests.factories import (
    InvitationFactory,
    OrganisationFactory,
    ParticipantFactory,
    PartnerMemberFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)
from tests.registration.forms import filled_in

pytestmark = pytest.mark.django_db
KODE, MASUK, DAFTAR = "/akun/kode/", "/akun/masuk/", "/daftar/"
UNKNOWN = "nobody@example.org"
# What differs between any two visits: tokens against forgery, and whose page it is.
TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value=")[^"]+')


class Walk:
    """A browser that writes down all that it is answered, with the typed address made unreadable."""

    def __init__(self, email: str, client: Client | None = None) -> None:
        self.email, self.client, self.answers = email, client or Client(), []

    def __call__(self, path: str, data: dict | None = None) -> bytes:
        answer = self.client.get(path) if data is None else self.client.post(path, data)
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
        cookies = {name: dict(morsel) | {"value": bool(morsel.value)} for name, morsel in answer.cookies.items()}
        body = TOKEN.sub(rb"\1", answer.content)
        for typed, masked in (
            (self.email, "#"),
            (self.email.replace("@", "%40"), "#"),
            (self.email.partition("@")[0], "~"),
        ):
            body = body.replace(typed.encode(), masked.encode())
        for cookie in cookies.values():
            cookie.pop("expires")
        self.answers.append((path, answer.status_code, headers, cookies, body))
        return body


@pytest.fixture
def webinars(now):
    """With few seats, so that a seat too many would show."""
    return [
        WebinarFactory(slug="satu", capacity=7, hosts=[OrganisationFactory()]),
        WebinarFactory(slug="dua", capacity=1),
    ]


def unknown():
    return UNKNOWN


def registered():
    person = ParticipantFactory(email="known1@example.org", name="Rahasia Sekali")
    for row in Webinar.objects.all():
        RegistrationFactory(participant=person, webinar=row)
    return person.email


def cancelled():
    person = ParticipantFactory(email="known2@example.org")
    RegistrationFactory(participant=person, webinar=Webinar.objects.all()[0], cancelled=True)
    return person.email


def other_spelling():
    return registered().replace("@", "+kpt@")


def plain_spelling():
    return ParticipantFactory(email="known3+kpt@example.org").email.replace("+kpt", "")


def unproven():
    return ParticipantFactory(email="known4@example.org", unproven=True).email


def organiser():
    return UserFactory(email="known5@example.org", organiser=True).email


def partner():
    return PartnerMemberFactory(user__email="known6@example.org").user.email


def closed():
    return UserFactory(email="known7@example.org", is_active=False).email


def asked_for_a_code():
    email = registered()
    Client().post(MASUK, {"email": email})
    return email


EVERYBODY = [
    registered,
    cancelled,
    other_spelling,
    plain_spelling,
    unproven,
    organiser,
    partner,
    closed,
    asked_for_a_code,
]


def sign_up(email):
    walk = Walk(email)
    walk(f"{DAFTAR}?webinars=satu")
    answers = filled_in(name="Contoh Maria", email=email) | {"webinars": ["satu", "dua"]}
    walk(DAFTAR, answers | {"name": ""})
    walk(DAFTAR, answers)
    walk(KODE)
    walk(DAFTAR)  # back to what was typed
    walk(DAFTAR, answers)  # and again
    resend_and_guess(walk)
    visitor = Walk(email)
    for path in (DAFTAR, "/webinar/satu/", "/webinar/dua/", "/agenda/", "/saya/"):
        visitor(path)  # the seats that are left tell nothing either
    return walk.answers + visitor.answers


def sign_in(email):
    walk = Walk(email)
    walk(MASUK)
    walk(MASUK, {"email": email})
    walk(KODE)
    resend_and_guess(walk)
    walk(MASUK, {"email": email})
    walk("/saya/")
    return walk.answers


def sign_in_too_often(email):
    walk = Walk(email)
    for _time in range(14):
        walk.client.cookies.clear()
        walk(MASUK, {"email": email})
    return walk.answers


def resend_and_guess(walk):
    for _time in range(4):
        walk(KODE, {"action": "resend"})
        walk(KODE)
    for guess in ("", "abc", "12345", "x", "y", "z"):
        walk(KODE, {"code": guess})
    walk(MASUK)


def sign_up_too_often(email):
    walk = Walk(email)
    for _time in range(22):
        walk.client.cookies.clear()
        walk(DAFTAR, filled_in(name="Contoh Maria", email=email) | {"webinars": ["satu"]})
    return walk.answers


@pytest.mark.parametrize("walk", [sign_up, sign_in])
@pytest.mark.parametrize("known", EVERYBODY)
def test_sign_up_and_sign_in_answer_alike(webinars, known, walk):
    email = known()
    assert_alike(walk(UNKNOWN), walk(email))


@pytest.mark.parametrize("walk", [sign_in_too_often, sign_up_too_often])
@pytest.mark.parametrize("known", [registered, other_spelling])
def test_the_limits_answer_alike(webinars, known, walk):
    email = known()
    assert_alike(walk(UNKNOWN), walk(email))


def test_the_comparison_sees_a_difference(webinars):
    """Else the test above would prove nothing."""
    email = registered()
    one, other = Walk(UNKNOWN), Walk(email)
    one(MASUK, {"email": UNKNOWN})
    other.client.force_login(User.objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
    other(MASUK, {"email": email})
    with pytest.raises(AssertionError):
        assert_alike(one.answers, other.answers)


@pytest.mark.parametrize("known", [registered, other_spelling, unproven, organiser, partner, closed])
def test_a_carer_learns_nothing_of_the_addresses_that_she_writes(webinars, signed_in_client, known):
    email = known()
    assert_alike(*(group_walk(signed_in_client, address) for address in (UNKNOWN, email)))


def group_walk(signed_in_client, email):
    """Somebody in her care with that address, corrected, handed over, taken back."""
    Participant.objects.filter(name="Contoh Rut").delete()
    carer = User.objects.filter(email="carer@example.org").first()
    carer = carer or ParticipantFactory(email="carer@example.org").account
    walk = Walk(email, signed_in_client(carer, fresh=True))
    answers = {"name": "Contoh Rut", "contact_email": email, "province": "53", "webinars": ["satu"]}
    walk("/saya/rombongan/tambah/", answers | {"consent_processing": "on"})
    person = Participant.objects.filter(name="Contoh Rut").first()
    assert person, walk.answers[-1]
    for step, data in [("serahkan/", {"email": email}), ("serahkan/", None), ("serahkan/batal/", {}), ("", answers)]:
        walk(f"/saya/rombongan/{person.pk}/{step}", data)
        walk("/saya/rombongan/")
    numbers = re.compile(rf"(?<=rombongan/){person.pk}(?=/)|(?<=[\"#]p){person.pk}(?=\")|(?<=/gabung/)[^/]+".encode())
    return [(path.replace(str(person.pk), "N"), *rest, numbers.sub(b"N", body)) for path, *rest, body in walk.answers]


@pytest.mark.parametrize("known", [registered, other_spelling, unproven, organiser, partner, closed])
def test_moving_to_another_address_tells_nothing_before_the_code(webinars, signed_in_client, known):
    email, carer, walks = known(), ParticipantFactory(email="carer@example.org").account, []
    for address in (UNKNOWN, email):
        walk = Walk(address, signed_in_client(carer, fresh=True))
        walk("/saya/data/email/", {"action": "send", "email": address})
        walk("/saya/data/email/")
        for guess in ("", "abc", "x", "y", "z", "zz"):
            walk("/saya/data/email/", {"action": "verify", "code": guess})
        walk("/saya/data/email/", {"action": "send", "email": address})
        walk("/saya/data/email/", {"action": "again"})
        walk("/saya/data/email/")
        walk("/saya/data/")
        walks.append(walk.answers)
    assert_alike(*walks)
    assert OutgoingMail.objects.filter(kind="code").count() == 4


@pytest.mark.parametrize("known", [registered, other_spelling, unproven, organiser, closed])
def test_an_invitation_opens_alike_for_known_and_unknown_people(webinars, known):
    email, walks = known(), []
    for address in (UNKNOWN, email):
        guest = InvitationFactory(webinar=webinars[0], email=address, name="Contoh Tamu")
        token, walk = links.invitation(guest).partition("/undangan/")[2].strip("/"), Walk(address)
        walk(f"/undangan/{token}/")
        walk(f"/undangan/{token}/", {"accept": "on"})
        walk(f"{DAFTAR}?webinars=satu&undangan={token}")
        answers = filled_in(name="Contoh Tamu", email=address) | {"webinars": ["satu"]}
        walk(f"{DAFTAR}?webinars=satu&undangan={token}", answers)
        walk(KODE)
        walks.append(
            [
                (path.replace(token, "T"), *rest, body.replace(token.encode(), b"T"))
                for path, *rest, body in walk.answers
            ]
        )
    assert_alike(*walks)


def assert_alike(one, other):
    assert [step[:4] for step in one] == [step[:4] for step in other]
    for (path, *_rest, body), (_path, *_others, other_body) in zip(one, other, strict=True):
        assert body.decode().splitlines() == other_body.decode().splitlines(), path


def test_no_mail_goes_to_an_address_that_was_only_typed_but_for_the_code(webinars):
    """What differs goes to the mailbox alone."""
    email = registered()
    sign_in(UNKNOWN)
    sign_in(email)
    kinds = OutgoingMail.objects.values_list("to", "kind").distinct()
    assert sorted(kinds) == [(email, "code"), (UNKNOWN, "unknown_account")]
    assert settings.ACCOUNT_PREVENT_ENUMERATION is True
