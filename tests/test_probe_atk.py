import json
from datetime import timedelta
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from registration import links, limits, merging, rights, signup, care, handover, erasure
from registration.models import *
from conference.models import Webinar
from tests.factories import *
from tests.registration.forms import filled_in

pytestmark = pytest.mark.django_db
FILE = "/en/saya/rombongan/berkas/"

@pytest.fixture
def carer():
    return ParticipantFactory(email="carer@example.org", name="Contoh Maria", province="53")

@pytest.mark.parametrize("rows", [
    '{"numbers": [1], "rows": ' + "[" * 100000 + "]" * 100000 + "}",
    '{"numbers": [Infinity], "rows": [{"name": "A"}]}',
    '{"numbers": [NaN], "rows": [{"name": "A"}]}',
    '{"numbers": [1], "rows": [{"name": "\\ud800"}]}',
    '{"numbers": [1], "rows": [{"name": "a\\u0000b", "gender": "a\\u0000b", "province": "\\u0000"}]}',
    '{"numbers": [1e308], "rows": [{"name": "A"}]}',
    '{"numbers": "12", "rows": "ab"}', '{"numbers": [1], "rows": {"a": 1}}', '5', 'null', '{"numbers": {"1":2}, "rows":[{}]}',
])
def test_rows(signed_in_client, carer, rows):
    WebinarFactory()
    c = signed_in_client(carer.account, fresh=True)
    r = c.post(FILE, {"rows": rows, "action": "write"})
    assert r.status_code == 200

def test_invitation_without_consent(signed_in_client, carer):
    now = timezone.now()
    rights_consent = ConsentFactory(participant=carer)
    rights.take_back(rights_consent, actor=carer.account, now=now)
    inv = InvitationFactory()
    c = signed_in_client(carer.account)
    c.post(f"/undangan/{links.invitation_token(inv)}/", {"accept": "1"})
    assert not Registration.objects.live().filter(participant=carer).exists()

def test_invitation_csrf(carer):
    inv = InvitationFactory()
    c = Client(enforce_csrf_checks=True)
    c.force_login(carer.account, backend="allauth.account.auth_backends.AuthenticationBackend")
    r = c.post(f"/undangan/{links.invitation_token(inv)}/", {"accept": "1"})
    assert not Registration.objects.live().filter(participant=carer).exists()

def test_double_delete(signed_in_client):
    user = UserFactory()
    lina = ParticipantFactory(email="", account=user, name="Lina")
    c = signed_in_client(user, fresh=True)
    c.post(f"/saya/data/{lina.pk}/hapus/")
    c.post(f"/saya/data/{lina.pk}/hapus/")
    assert User.objects.filter(pk=user.pk).exists()

def test_delete_foreign(signed_in_client):
    user = UserFactory()
    lina = ParticipantFactory(email="")
    c = signed_in_client(user, fresh=True)
    c.post(f"/saya/data/{lina.pk}/hapus/")
    assert User.objects.filter(pk=user.pk).exists()

def test_phones_by_data(signed_in_client, carer):
    lina = ParticipantFactory(email="", account=carer.account, name="Lina", province="53")
    ParticipantFactory(email="", phone="+6281234567890")
    c = signed_in_client(carer.account, fresh=True)
    said = []
    for n in range(limits.REFUSED_PHONES + 3):
        r = c.post(f"/en/saya/data/{lina.pk}/ubah/", {"name": "Lina", "province": "53", "phone": "081234567890"})
        said.append(b"can&#x27;t be used here" in r.content)
    assert not said[-1]

def test_phones_by_group_correct(signed_in_client, carer):
    lina = ParticipantFactory(email="", account=carer.account, name="Lina", province="53")
    ParticipantFactory(email="", phone="+6281234567890")
    w = WebinarFactory()
    c = signed_in_client(carer.account, fresh=True)
    said = []
    for n in range(limits.REFUSED_PHONES + 3):
        r = c.post(f"/en/saya/rombongan/{lina.pk}/", {"name": "Lina", "province": "53", "phone": "081234567890"})
        said.append(b"can&#x27;t be entered here" in r.content)
    assert not said[-1], said

def test_phones_by_file(signed_in_client, carer):
    ParticipantFactory(email="", phone="+6281234567890")
    w = WebinarFactory()
    c = signed_in_client(carer.account, fresh=True)
    said = []
    for n in range(limits.REFUSED_PHONES + 3):
        text = f"Name;Province;Phone;Agrees to take part\nLina {n};Papua;081234567890;yes"
        r = c.post(FILE, {"file": SimpleUploadedFile("a.csv", text.encode()), "webinars": [w.slug]})
        said.append(b"can&#x27;t be entered here" in r.content)
    assert not said[-1], said

def test_merge_ends_carers_links(carer):
    lina = ParticipantFactory(email="", account=carer.account, name="Lina")
    reg = RegistrationFactory(participant=lina)
    token = links.join_token(reg)
    own = ParticipantFactory(email="lina@example.org", name="Lina")
    merging.merge(own, lina, actor=None, now=timezone.now())
    assert links.read_join(token) is None

def test_deletion_leaves_no_variant_invitation(carer):
    p = ParticipantFactory(email="maria@example.org", name="Maria")
    inv = InvitationFactory(email="maria+kpt@example.org", name="Maria Rumbiak")
    ho = Handover.objects.create(participant=ParticipantFactory(email="", account=carer.account), email="maria+kpt@example.org", created_by=carer.account)
    erasure.erase(p, now=timezone.now(), actor=p.account)
    assert not Invitation.objects.exists()
    assert not Handover.objects.exists()

def test_name_as_link_by_data(signed_in_client, carer):
    lina = ParticipantFactory(email="", account=carer.account, name="Lina", province="53")
    c = signed_in_client(carer.account, fresh=True)
    c.post(f"/en/saya/data/{lina.pk}/ubah/", {"name": "https://evil.example", "province": "53"})
    lina.refresh_from_db()
    assert lina.name == "Lina"

def test_big_upload(signed_in_client, carer):
    c = signed_in_client(carer.account, fresh=True)
    r = c.post(FILE, {"file": SimpleUploadedFile("a.csv", b"a;b\n" * 10_000_000)})
    assert r.status_code == 200 and b"too large" in r.content

def test_many_webinars(client):
    w = WebinarFactory()
    r = client.post("/daftar/", filled_in(w) | {"webinars": [w.slug] * 990})
    assert r.status_code in (302, 200, 400), r.status_code
    r = client.post("/daftar/", filled_in(w) | {"webinars": [w.slug] * 100000})
    assert r.status_code == 400
    for f in ("name","email","phone","organisation","website","province","regency","gender","age_group","guardian_name","email_asked","email_meant","webinars","consent_partners","organisation_kind"):
        for bad in ("\0", "a\0b", "x"*100000, "\ud7ff\uffff\U000e0001", "9"*5000, "१२३"):
            r = client.post("/daftar/", filled_in(w, age_group="under_18") | {f: bad})
            assert r.status_code in (200, 302), (f, bad[:5], r.status_code)

def test_group_form_bad(signed_in_client, carer):
    lina = ParticipantFactory(email="", account=carer.account, name="Lina", province="53")
    w = WebinarFactory()
    c = signed_in_client(carer.account, fresh=True)
    base = {"name": "Lina", "province": "53", "webinars": [w.slug], "consent_processing": "on", "age_group": "under_18"}
    for url in ("/saya/rombongan/tambah/", f"/saya/rombongan/{lina.pk}/", f"/saya/data/{lina.pk}/ubah/", f"/saya/data/{lina.pk}/kebutuhan/", f"/saya/rombongan/{lina.pk}/serahkan/", "/saya/data/email/", f"/saya/data/{lina.pk}/setuju/", f"/saya/data/{lina.pk}/batasi/"):
        for f in ("name","email","contact_email","phone","province","regency","gender","guardian_name","webinars","consent_partners","needs","access_needs","seeing","purpose","organisation","action"):
            for bad in ("a\0b", "x"*100000, "9"*5000, "\udcff".encode("utf-8","surrogatepass").decode("utf-8","replace")):
                r = c.post(url, base | {f: bad})
                assert r.status_code in (200, 302), (url, f, bad[:5], r.status_code)
