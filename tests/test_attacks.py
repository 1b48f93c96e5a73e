"""What a stranger or a curious insider tries. Each was possible once."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conference.models import Webinar
from kpt import embedded
from kpt.logs import redact
from registration import (
    cancelled,
    delivery,
    erasure,
    handover,
    letters,
    limits,
    links,
    mail,
    merging,
    newaddress,
    rights,
    signup,
)
from registration.forms import PhoneField, SignInForm
from registration.limits import TRIES_FROM_NETWORK
from registration.models import Handover, Invitation, OutgoingMail, Participant, Registration, User
from tests.factories import (
    ConsentFactory,
    EditionFactory,
    InvitationFactory,
    ParticipantFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)
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
    page = reverse("admin:registration_outgoingmail_changelist")
    response = organiser.get(f"{page}?{question}")
    assert (response.status_code, response.url) == (302, page)  # the whole list, whether or not it was right


def test_no_filter_of_the_registrations_tells_a_zoom_address(organiser):
    RegistrationFactory()
    page = reverse("admin:registration_registration_changelist")
    response = organiser.get(f"{page}?zoom_join_url__startswith=https")
    assert (response.status_code, response.url) == (302, page)


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


# ---- A carer and her group

LIST = "/en/saya/rombongan/berkas/"
STRANGERS_PHONE = "+6281234567890"


@pytest.fixture
def carer():
    """With Lina in her care, and a stranger whose phone is known."""
    own = ConsentFactory(participant__email="carer@example.org", participant__name="Contoh Maria").participant
    ParticipantFactory(email="", account=own.account, name="Lina", phone="", province="53")
    ParticipantFactory(email="", phone=STRANGERS_PHONE)
    return own


@pytest.fixture
def lina(carer):
    return Participant.objects.get(name="Lina")


@pytest.mark.parametrize(
    "rows",
    [
        '{"numbers": [1], "rows": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"numbers": [Infinity], "rows": [{"name": "Lina"}]}',
        r'{"numbers": [1], "rows": [{"name": "\ud800"}]}',
    ],
)
def test_rows_that_no_preview_has_sent_are_told_to_be_broken(signed_in_client, carer, rows):
    response = signed_in_client(carer.account, fresh=True).post(LIST, {"rows": rows})
    assert b"The list did not arrive whole." in response.content


def correct_by_group(client, person):
    return client.post(f"/en/saya/rombongan/{person.pk}/", {"name": "Lina", "province": "53", "phone": STRANGERS_PHONE})


def correct_by_data(client, person):
    return client.post(f"/en/saya/data/{person.pk}/ubah/", {"name": "Lina", "province": "53", "phone": STRANGERS_PHONE})


def preview_list(client, person):
    text = f"Name;Province;Phone;Agrees to take part\nSiti;Papua;{STRANGERS_PHONE};yes"
    chosen = [webinar.slug for webinar in Webinar.objects.all()]
    return client.post(LIST, {"file": SimpleUploadedFile("list.csv", text.encode()), "webinars": chosen})


@pytest.mark.parametrize("ask", [correct_by_group, correct_by_data, preview_list])
def test_every_page_that_refuses_a_phone_does_so_a_few_times_only(signed_in_client, carer, lina, ask):
    WebinarFactory()
    client = signed_in_client(carer.account, fresh=True)
    for _try in range(limits.REFUSED_PHONES):
        assert b"be entered here" in (page := ask(client, lina).content) or b"be used here" in page
    page = ask(client, lina).content
    assert b"That is very much for one hour." in page
    assert b"be entered here" not in page
    assert b"be used here" not in page


def test_a_list_of_phones_is_no_question_about_each(signed_in_client, carer):
    webinar = WebinarFactory()
    phones = [f"+62813{number:08d}" for number in range(limits.REFUSED_PHONES + 1)]
    for phone in phones:
        ParticipantFactory(email="", phone=phone)
    rows = [f"Siti {number};Papua;{phone};yes" for number, phone in enumerate([*phones, "+6281999999999"])]
    text = "\n".join(["Name;Province;Phone;Agrees to take part", *rows])
    client = signed_in_client(carer.account, fresh=True)
    response = client.post(LIST, {"file": SimpleUploadedFile("list.csv", text.encode()), "webinars": [webinar.slug]})
    assert not response.context["wrong"]
    assert not response.context["is_sound"]
    assert b"Many of these numbers can&#x27;t be entered here." in response.content


def test_no_link_comes_into_a_mail_to_a_stranger_as_a_name(signed_in_client, carer, lina):
    client = signed_in_client(carer.account, fresh=True)
    page = client.post(f"/en/saya/data/{lina.pk}/ubah/", {"name": "https://x.example", "province": "53"}).content
    assert b"Write only the name here." in page
    User.objects.filter(pk=carer.account_id).update(name="www.x.example")
    offer = handover.offer(lina, "lina@example.org", actor=carer.account, now=timezone.now())
    letter = letters.compose(OutgoingMail.objects.get(kind="handover"), now=timezone.now())
    assert "x.example" not in letter.body
    assert b"x.example" not in client.get(f"/en/serah-terima/{links.handover_token(offer)}/").content


def test_a_forwarded_handover_shows_first_names_alone(client, carer, lina):
    offer = handover.offer(lina, "lina@example.org", actor=carer.account, now=timezone.now())
    page = client.get(f"/en/serah-terima/{links.handover_token(offer)}/").content
    assert b"Contoh" in page
    assert b"Contoh Maria" not in page


def test_a_second_click_on_deleting_another_leaves_the_carers_account(signed_in_client):
    person = ParticipantFactory(email="", account=UserFactory())
    client = signed_in_client(person.account, fresh=True)
    for _click in range(2):
        assert client.post(f"/saya/data/{person.pk}/hapus/").status_code == 302
    assert not Participant.objects.exists()
    assert User.objects.filter(pk=person.account_id).exists()


def test_what_a_carer_holds_ends_when_organisers_merge_the_person_away(carer, lina):
    seat, own = RegistrationFactory(participant=lina), ParticipantFactory(email="lina@example.org")
    token = links.join_token(seat)
    merging.merge(own, lina, actor=None, now=timezone.now())
    assert own.registrations.get() == seat
    assert links.read_join(token) is None


def test_who_is_handed_over_takes_nothing_of_the_others_along(signed_in_client, carer, lina, mailbox):
    now, webinar = timezone.now(), WebinarFactory(status="cancelled")
    for person in (ParticipantFactory(email="", account=carer.account, name="Yosefa"), lina):
        RegistrationFactory(participant=person, webinar=webinar)
    OutgoingMail.objects.bulk_create(cancelled.letters_to_people(webinar, moment=now))
    delivery.deliver_due()
    assert "Yosefa" in mailbox.messages[0].get_body(("plain",)).get_content()
    handover.accept(handover.offer(lina, "lina@example.org", actor=carer.account, now=now), now=now)
    lina.refresh_from_db()
    file = signed_in_client(lina.account, fresh=True).get(f"/saya/data/{lina.pk}/unduh/data.json").content.decode()
    assert json.loads(file)["person"][0]["name"] == "Lina"
    assert "Yosefa" not in file
    assert "carer@example.org" not in file


def test_no_waiting_mail_tells_her_former_carer_a_new_link(carer, lina, mailbox):
    now, webinar = timezone.now(), WebinarFactory(status="cancelled")
    yosefa = ParticipantFactory(email="", account=carer.account, name="Yosefa")
    for person in (yosefa, lina):
        RegistrationFactory(participant=person, webinar=webinar)
    offer = handover.offer(lina, "lina@example.org", actor=carer.account, now=now)
    signup.cancel(RegistrationFactory(participant=lina), now=now)
    OutgoingMail.objects.bulk_create(cancelled.letters_to_people(webinar, moment=now))
    handover.accept(offer, now=now)
    delivery.deliver_due()
    [message] = mailbox.to("carer@example.org")
    text = message.get_body(("plain",)).get_content()
    assert "Yosefa" in text
    assert "/lainnya/" in text
    assert "Lina" not in text


# ---- Consent, deletion, a session that is left open


def test_who_took_her_consent_back_is_asked_anew_before_an_invitation_seats_her(signed_in_client, carer):
    rights.take_back(carer.consents.get(), actor=carer.account, now=timezone.now())
    invitation = InvitationFactory()
    client, page = signed_in_client(carer.account), f"/undangan/{links.invitation_token(invitation)}/"
    assert b'name="accept"' not in client.get(page).content
    client.post(page, {"accept": ""})
    assert signup.accept_invitation(invitation, carer, now=timezone.now()) is None
    assert not Registration.objects.exists()


def test_another_site_accepts_no_invitation_for_her(carer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(carer.account, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = f"/undangan/{links.invitation_token(InvitationFactory())}/"
    assert client.post(page, {"accept": ""}).status_code == 403
    assert not Registration.objects.exists()
    client.get(page)
    client.post(page, {"accept": "", "csrfmiddlewaretoken": client.cookies["csrftoken"].value})
    assert Registration.objects.get().participant == carer


def test_deleting_reaches_what_others_wrote_under_a_variant_of_the_address(carer, lina):
    maria = ParticipantFactory(email="maria@example.org")
    for email in ("maria+kpt@example.org", "maria@example.org", "mario@example.org"):
        InvitationFactory(email=email)
    Handover.objects.create(participant=lina, email="maria+kpt@example.org", created_by=carer.account)
    erasure.erase(maria, now=timezone.now(), actor=maria.account)
    assert Invitation.objects.get().email == "mario@example.org"
    assert not Handover.objects.exists()


def test_a_session_left_open_neither_shows_nor_changes_her_data_on_the_sign_up_form(signed_in_client, carer):
    webinar, known = WebinarFactory(), carer.phone
    client = signed_in_client(carer.account)
    page = client.get("/en/daftar/").content
    assert b"carer@example.org" in page
    assert known.encode() not in page
    answers = filled_in(webinar, email=carer.email, name="Another", phone="081299999999")
    assert b"Your details stay as they were." in client.post("/en/daftar/", answers, follow=True).content
    carer.refresh_from_db()
    assert (carer.name, carer.phone) == ("Contoh Maria", known)
    assert carer.registrations.get().webinar == webinar
    fresh = signed_in_client(carer.account, fresh=True)
    assert known.encode() in fresh.get("/en/daftar/").content
    fresh.post("/en/daftar/", answers)
    carer.refresh_from_db()
    assert (carer.name, carer.phone) == ("Another", "+6281299999999")


def test_waiting_mail_follows_her_to_another_address_and_a_code_does_not(carer):
    now = timezone.now()
    mail.queue_confirmation(carer, moment=now)
    mail.queue_code(carer.email, "123456", language="id", now=now)
    assert newaddress.change(carer.account, "new@example.org", now=now)
    assert dict(OutgoingMail.objects.values_list("kind", "to")) == {
        "confirmation": "new@example.org",
        "code": "carer@example.org",
    }


@pytest.mark.parametrize(
    "words",
    [
        'Failing row contains (1, Maria "Mama" Contoh, +6281234567890).\n',
        "Key (phone)=(+6281234567890) already exists.",
    ],
)
def test_a_row_that_the_database_refuses_stays_out_of_the_log(words):
    line = redact(json.dumps({"exc_info": f"IntegrityError: no\nDETAIL:  {words}\nIt was line 5", "level": "ERROR"}))
    assert json.loads(line)["exc_info"].splitlines()[1] == "DETAIL:  [row]"
    assert json.loads(line)["level"] == "ERROR"


@pytest.mark.django_db(transaction=True)
def test_deleting_and_leaving_at_once_is_no_error():
    def at_once(*jobs):
        start = Barrier(len(jobs))

        def run(job):
            start.wait(10)
            try:
                return job()
            finally:
                connection.close()

        with ThreadPoolExecutor(len(jobs)) as pool:
            return list(pool.map(run, jobs))

    for _round in range(4):
        seat = RegistrationFactory()
        again = Registration.objects.select_related("participant__account", "webinar").get(pk=seat.pk)
        person, now = seat.participant, timezone.now()
        deleted, *_left = at_once(
            lambda person=person, now=now: erasure.erase(person, now=now, actor=person.account),
            lambda seat=seat, now=now: signup.cancel(seat, now=now),
            lambda again=again, now=now: signup.cancel(again, now=now),
        )
        assert deleted
    assert not Registration.objects.exists()
