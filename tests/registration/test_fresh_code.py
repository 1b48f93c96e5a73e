"""Pages with personal data: a code that was typed a short while ago, however long she has been signed in."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from registration.limits import CODES
from registration.models import OutgoingMail
from tests.factories import TOTP_SECRET, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/saya/kode/"


@pytest.fixture
def guarded(settings):
    """A view of personal data, at an address of its own."""
    settings.ROOT_URLCONF = "tests.registration.guarded_urls"
    return "/dijaga/"


def code_in_mail() -> str:
    return OutgoingMail.objects.filter(kind=OutgoingMail.Kind.CODE).latest("pk").context["code"]


def wrong(code: str) -> str:
    return "000000" if code != "000000" else "111111"


def sign_in(client, user, **data):
    client.post("/akun/masuk/", {"email": user.email})
    return client.post("/akun/kode/", {"code": code_in_mail(), **data})


def test_a_code_at_sign_in_opens_the_page_for_a_quarter_of_an_hour(client, guarded, now, time_machine):
    sign_in(client, UserFactory())
    assert client.get(guarded).content == b"personal"
    time_machine.move_to(now + timedelta(minutes=15))
    assert client.get(guarded).content == b"personal"
    time_machine.move_to(now + timedelta(minutes=15, seconds=1))
    answer = client.get(f"{guarded}?a=1")
    assert answer.status_code == 302
    assert answer["Location"] == f"{PAGE}?next=%2Fdijaga%2F%3Fa%3D1"


def test_the_page_sends_a_code_on_a_button_and_leads_back(signed_in_client, guarded, now):
    user = UserFactory(email="ani@example.org")
    client = signed_in_client(user)
    page = client.get(client.get(guarded)["Location"])
    assert "ani@example.org" in page.content.decode()
    assert not OutgoingMail.objects.exists()  # looking at a page sends nothing
    sent = client.post(PAGE, {"action": "send", "next": guarded})
    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.kind, mail.priority) == ("ani@example.org", "code", OutgoingMail.Priority.URGENT)
    assert 'name="code"' in client.get(sent["Location"]).content.decode()
    back = client.post(PAGE, {"code": code_in_mail(), "next": guarded})
    assert back["Location"] == guarded
    assert client.get(guarded).content == b"personal"


def test_a_visitor_signs_in_and_comes_back(client, guarded, now):
    answer = client.get(guarded)
    assert answer["Location"] == "/akun/masuk/?next=/dijaga/"
    assert sign_in(client, UserFactory(), next=guarded)["Location"] == guarded
    assert client.get(guarded).content == b"personal"


def test_a_sent_form_is_not_lost_in_silence(signed_in_client, guarded, now):
    client = signed_in_client(UserFactory())
    answer = client.post(guarded, {"name": "Ani"}, headers={"referer": f"http://testserver{guarded}?x=1#y"})
    assert answer["Location"] == f"{PAGE}?next=%2Fdijaga%2F%3Fx%3D1"
    assert "Belum ada yang diubah" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("came_from", ["", "https://evil.example/dijaga/", "http://testserver.evil.example/"])
def test_a_form_from_elsewhere_leads_to_the_own_page(signed_in_client, guarded, now, came_from):
    answer = signed_in_client(UserFactory()).post(guarded, headers={"referer": came_from})
    assert answer["Location"] == f"{PAGE}?next=%2Fsaya%2F"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "", r"/\evil.example"]
)
def test_it_never_leads_to_another_site(signed_in_client, target):
    client = signed_in_client(UserFactory(), fresh=True)
    assert client.get(PAGE, {"next": target})["Location"] == "/saya/"
    client = signed_in_client(UserFactory())
    client.post(PAGE, {"action": "send", "next": target})
    assert client.post(PAGE, {"code": code_in_mail(), "next": target})["Location"] == "/saya/"


def test_a_code_works_once(signed_in_client, guarded, now, time_machine):
    client = signed_in_client(UserFactory())
    client.post(PAGE, {"action": "send"})
    code = code_in_mail()
    client.post(PAGE, {"code": code})
    time_machine.move_to(now + timedelta(minutes=16))
    assert client.post(PAGE, {"code": code, "next": guarded}).status_code == 200
    assert client.get(guarded).status_code == 302


def test_a_code_grows_old(signed_in_client, guarded, now, time_machine):
    client = signed_in_client(UserFactory())
    client.post(PAGE, {"action": "send"})
    time_machine.move_to(now + timedelta(minutes=15, seconds=1))
    client.post(PAGE, {"code": code_in_mail()})
    assert client.get(guarded).status_code == 302


def test_only_the_newest_code_works(signed_in_client, guarded, now):
    client = signed_in_client(UserFactory())
    client.post(PAGE, {"action": "send"})
    first = code_in_mail()
    client.post(PAGE, {"action": "send"})
    if first != code_in_mail():
        assert client.post(PAGE, {"code": first}).status_code == 200
    assert client.post(PAGE, {"code": code_in_mail()}).status_code == 302


def test_five_wrong_tries_end_a_code(signed_in_client, guarded, now):
    client = signed_in_client(UserFactory())
    client.post(PAGE, {"action": "send"})
    code = code_in_mail()
    for _try in range(4):
        assert client.post(PAGE, {"code": wrong(code)}).status_code == 200
    assert client.post(PAGE, {"code": wrong(code)}).status_code == 302
    client.post(PAGE, {"code": code})  # the right one comes too late
    assert client.get(guarded).status_code == 302


def test_the_code_of_another_browser_does_not_work(signed_in_client, guarded, now):
    user = UserFactory()
    one, other = signed_in_client(user), signed_in_client(user)
    one.post(PAGE, {"action": "send"})
    other.post(PAGE, {"code": code_in_mail()})
    assert other.get(guarded).status_code == 302


def test_a_mailbox_is_not_flooded(signed_in_client, now):
    client = signed_in_client(UserFactory())
    for _try in range(CODES + 2):
        answer = client.post(PAGE, {"action": "send"}, follow=True)
    assert OutgoingMail.objects.count() == CODES
    assert "atau coba lagi satu jam lagi" in answer.content.decode()


def test_staff_type_a_fresh_code_in_a_session_with_second_factor(client, guarded, now, time_machine):
    user = UserFactory(organiser=True)
    sign_in(client, user)
    assert client.get(guarded).status_code == 302  # the second factor is missing still
    client.post("/akun/2fa/authenticate/", {"code": totp(now)})
    assert client.get(guarded).content == b"personal"
    time_machine.move_to(now + timedelta(minutes=16))
    assert client.get(guarded)["Location"].startswith(PAGE)
    client.post(PAGE, {"action": "send"})
    assert client.post(PAGE, {"code": code_in_mail(), "next": guarded})["Location"] == guarded
    assert client.get(guarded).content == b"personal"


def totp(now) -> str:
    return format_hotp_value(hotp_value(TOTP_SECRET, int(now.timestamp()) // 30))
