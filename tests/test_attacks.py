"""What a stranger or a curious insider tries. Each was possible once."""

import pytest
from django.contrib.auth.models import Group
from django.db import InterfaceError, OperationalError
from django.urls import reverse
from django.utils import timezone

from kpt import embedded
from kpt.logs import redact
from registration import delivery, mail
from registration.forms import PhoneField, SignInForm
from registration.limits import TRIES_FROM_NETWORK
from registration.models import OutgoingMail, Participant
from tests.factories import EditionFactory, RegistrationFactory, UserFactory, WebinarFactory
from tests.registration.forms import filled_in

pytestmark = pytest.mark.django_db

ENCODED_LINE_END = '"=?utf-8?q?=0abcc:x?="@example.org'


@pytest.fixture
def organiser(signed_in_client):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return signed_in_client(user)


@pytest.mark.parametrize("question", ["context__code=123456", "context__code__startswith=1", "context__has_key=code"])
def test_no_filter_of_the_mail_log_tells_a_code(organiser, question):
    mail.queue_code("owner@example.org", "123456", language="id", now=timezone.now())
    response = organiser.get(reverse("admin:registration_outgoingmail_changelist") + f"?{question}")
    assert response.status_code == 400


def test_no_filter_of_the_registrations_tells_a_zoom_address(organiser):
    RegistrationFactory()
    response = organiser.get(reverse("admin:registration_registration_changelist") + "?zoom_join_url__startswith=https")
    assert response.status_code == 400


@pytest.mark.parametrize(
    "address", ["/saya/%00/batal/", "/admin/registration/outgoingmail/?to=%00", "/%00", "/?q=a%00"]
)
def test_nul_in_an_address_is_a_bad_request(organiser, address):
    assert organiser.get(address).status_code == 400


def test_browsers_without_end_are_no_guesses_without_end(client):
    webinar = WebinarFactory()
    wrong = 0
    for _browser in range(TRIES_FROM_NETWORK):
        client.cookies.clear()
        client.post("/daftar/", filled_in(webinar))
        while client.post("/akun/kode/", {"code": "x"}).status_code == 200:
            wrong += 1
            assert wrong <= TRIES_FROM_NETWORK
    client.cookies.clear()
    client.post("/daftar/", filled_in(webinar))
    code = OutgoingMail.objects.filter(kind="code").latest("pk").context["code"]
    assert client.post("/akun/kode/", {"code": code})["Location"] == "/akun/masuk/"
    assert not Participant.objects.exclude(proven_at=None).exists()
    # Another person in the same network is not hindered.
    client.post("/daftar/", filled_in(webinar, email="siti@example.org"))
    code = OutgoingMail.objects.filter(kind="code").latest("pk").context["code"]
    assert client.post("/akun/kode/", {"code": code})["Location"] == "/saya/"


@pytest.mark.parametrize(
    "address",
    [
        ENCODED_LINE_END,
        '"a@b"@example.org',
        "=?utf-8?q?=41?=@example.org",
        f"a@{'ä' * 60}.org",
        "a@" + ".".join(["İ" * 60] * 4) + ".org",
    ],
)
def test_addresses_that_mail_programs_read_differently_are_refused(client, address):
    response = client.post("/daftar/", filled_in(WebinarFactory(), email=address))
    assert response.status_code == 200
    assert response.context["form"].has_error("email", "invalid") or response.context["form"].has_error(
        "email", "max_length"
    )
    assert not SignInForm({"email": address}).is_valid()


def test_mail_that_cannot_be_written_does_not_stop_those_behind_it(mailbox):
    for address in (ENCODED_LINE_END, "maria@example.org"):
        mail.queue_code(address, "123456", language="id", now=timezone.now())
    delivery.deliver_due()
    assert list(OutgoingMail.objects.order_by("pk").values_list("status", flat=True)) == ["FAILED", "SENT"]


def test_long_unknown_address_may_ask_for_a_code(client):
    address = f"{'a' * 240}@x.id"
    assert client.post("/akun/masuk/", {"email": address}).status_code == 302
    assert OutgoingMail.objects.get().to == address


@pytest.mark.parametrize("number", ["+6211111111111111", "+4901", "+2341111111111111"])
def test_numbers_that_the_database_would_refuse_are_refused_before(client, number):
    response = client.post("/daftar/", filled_in(WebinarFactory(), phone=number))
    assert response.context["form"].has_error("phone", "invalid")
    assert PhoneField().clean("0812 3456 7890") == "+6281234567890"


@pytest.mark.parametrize(
    "address", ["/akun/2fa/", "/akun/2fa/totp/activate/", "/akun/2fa/recovery-codes/generate/", "/saya/"]
)
def test_no_cache_keeps_a_page_of_one_person(signed_in_client, address):
    assert "no-store" in signed_in_client(UserFactory()).get(address)["Cache-Control"]


def test_public_pages_may_be_cached(client):
    response = client.get("/")
    assert response["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert response["Vary"] == "Accept-Encoding"
    assert not response.cookies


def test_registration_codes_stay_out_of_the_log():
    assert redact("Not Found: /en/saya/KW67X3XM4E/batal/") == "Not Found: /en/saya/[code]/batal/"


def test_log_of_the_database_has_no_statements(tmp_path):
    command = embedded.Postgres(tmp_path / "postgres", log=tmp_path / "log").command()
    assert {"log_min_error_statement=panic", "log_error_verbosity=terse"} <= set(command)


@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (InterfaceError, 503), (KeyError, 500)])
def test_database_that_is_away_is_a_503(client, monkeypatch, error, status):
    def fail(*args):
        raise error

    monkeypatch.setattr("conference.views.edition_items", fail)
    client.raise_request_exception = False
    response = client.get(EditionFactory().get_absolute_url())
    assert (response.status_code, response.has_header("Retry-After")) == (status, status == 503)
