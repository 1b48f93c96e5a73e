"""A slip in a common domain, or a mailbox that soon ends: one friendly question, never a refusal."""

import pytest

from registration import addresses
from registration.models import Consent, OutgoingMail, Registration
from tests.factories import ParticipantFactory, WebinarFactory
from tests.registration.forms import filled_in

pytestmark = pytest.mark.django_db
KODE = "/akun/kode/"


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_a_slip_is_asked_about_once_and_nothing_is_lost(client, now):
    webinar = WebinarFactory()
    form = filled_in(webinar, email="maria@gmial.com", name="Maria Wenda", regency="5371")
    response = client.post("/daftar/", form)
    page = text_of(response)
    assert response.status_code == 200
    assert "Maksud Anda maria@gmail.com?" in page
    assert 'name="email_meant" value="maria@gmail.com"' in page
    assert 'value="Maria Wenda"' in page
    assert "<option value=5371 selected>" in page
    assert not OutgoingMail.objects.exists()
    again = client.post("/daftar/", form | {"email_asked": "maria@gmial.com"})
    assert again["Location"] == KODE
    assert OutgoingMail.objects.get().to == "maria@gmial.com"


def test_one_tick_corrects_it(client, now):
    form = filled_in(WebinarFactory(), email="maria@gmial.com")
    answer = client.post("/daftar/", form | {"email_asked": "maria@gmial.com", "email_meant": "maria@gmail.com"})
    assert answer["Location"] == KODE
    assert OutgoingMail.objects.get().to == "maria@gmail.com"
    assert "maria@gmail.com" in text_of(client.get(KODE))


def test_a_tick_stays_while_other_answers_are_missing(client, now):
    form = filled_in(WebinarFactory(), email="maria@gmial.com", name="")
    page = text_of(client.post("/daftar/", form | {"email_asked": "maria@gmial.com", "email_meant": "maria@gmail.com"}))
    assert "Maksud Anda" not in page
    assert 'value="maria@gmail.com"' in page
    assert 'id="id_email_meant" checked' in page


def test_only_the_suggestion_can_be_ticked(client, now):
    form = filled_in(WebinarFactory(), email="maria@gmial.com")
    client.post("/daftar/", form | {"email_asked": "maria@gmial.com", "email_meant": "thief@example.org"})
    assert OutgoingMail.objects.get().to == "maria@gmial.com"
    client.post("/daftar/", filled_in(WebinarFactory(), email="rut@example.org", email_meant="thief@example.org"))
    assert not OutgoingMail.objects.filter(to="thief@example.org").exists()


def test_another_address_is_asked_about_anew(client, now):
    form = filled_in(WebinarFactory(), email="maria@gmial.com", email_asked="maria@yaho.com")
    assert "Maksud Anda maria@gmail.com?" in text_of(client.post("/daftar/", form))


def test_a_mailbox_that_soon_ends_is_asked_about_and_taken(client, now):
    form = filled_in(WebinarFactory(), email="maria@mailinator.com")
    page = text_of(client.post("/daftar/", form))
    assert "Kotak email di mailinator.com" in page
    assert "email_meant" not in page
    assert client.post("/daftar/", form | {"email_asked": "maria@mailinator.com"})["Location"] == KODE


def test_an_address_that_is_proven_already_is_not_asked_about(signed_in_client, now):
    maria = ParticipantFactory(email="maria@gmial.com")
    webinar = WebinarFactory()
    client = signed_in_client(maria.account)
    assert client.post("/daftar/", filled_in(webinar, email="maria@gmial.com"))["Location"] == "/saya/"
    assert Registration.objects.confirmed().get().participant == maria
    assert Consent.objects.filter(participant=maria, purpose="processing").count() == 1


def test_the_question_does_not_depend_on_who_is_known(client, now):
    webinar = WebinarFactory()
    ParticipantFactory(email="known@gmial.com")
    pages = [
        text_of(client.post("/daftar/", filled_in(webinar, email=f"{name}@gmial.com"))) for name in ("known", "other")
    ]
    assert (
        pages[0].replace("known", "other").split("csrfmiddlewaretoken")[0] == pages[1].split("csrfmiddlewaretoken")[0]
    )


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co.id", "gmail.com"),
        ("yaho.co.id", "yahoo.co.id"),
        ("yahoo.id", "yahoo.co.id"),
        ("hotmai.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
    ],
)
def test_common_slips(domain, meant):
    assert addresses.likely_meant(f"a.b@{domain}") == f"a.b@{meant}"


@pytest.mark.parametrize(
    "domain", ["gmail.com", "mail.com", "gmx.de", "yahoo.co.uk", "proton.me", "uncen.ac.id", "papua.go.id", "kpt.org"]
)
def test_domains_that_are_right(domain):
    assert addresses.likely_meant(f"a@{domain}") is None
    assert not addresses.is_disposable(f"a@{domain}")


@pytest.mark.parametrize("domain", ["mailinator.com", "a.b.mailinator.com", "yopmail.com"])
def test_mailboxes_that_soon_end(domain):
    assert addresses.is_disposable(f"a@{domain}")


@pytest.mark.parametrize("domain", ["example.org", "com", "mailinator.example", "mailinator.com.example.org"])
def test_mailboxes_that_last(domain):
    assert not addresses.is_disposable(f"a@{domain}")
