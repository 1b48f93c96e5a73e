"""Every page against WCAG 2.2 AA and good practice, by day and by night, and on the narrowest phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from conference.models import Webinar
from registration import links
from tests import factories
from tests.journeys.steps import fill_in, prefix, send

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = Axe()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERYTHING = {"runOnly": TAGS, "resultTypes": ["violations"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}, "resultTypes": ["violations"]}
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 320, "height": 640}


@pytest.fixture(params=["id", "en"])
def language(request):
    return request.param


@pytest.fixture
def checked(new_page, language):
    """`page.check()` looks at the page as it stands, `page.visit(path)` goes there first; what is wrong fails the test."""
    page = new_page(bypass_csp=True, viewport=WIDE)
    wrong = []

    def check():
        page.set_viewport_size(WIDE)
        found = violations(page, EVERYTHING)
        page.set_viewport_size(NARROW)
        found |= violations(page, EVERYTHING)
        page.emulate_media(color_scheme="dark")
        found |= violations(page, COLOURS)
        page.emulate_media(color_scheme="light")
        width = page.evaluate("document.scrollingElement.scrollWidth")
        found |= {f"{width} px wide"} if width > NARROW["width"] else set()
        wrong.extend(f"{page.url}: {problem}" for problem in sorted(found))

    def visit(*paths, status=200):
        for path in paths:
            assert page.goto(prefix(language) + path).status == status, path
            check()

    page.check, page.visit = check, visit
    yield page
    assert wrong == []


def violations(page, options):
    found = AXE.run(page, options=options).response["violations"]
    return {f"{rule['id']} at {' '.join(map(str, node['target']))}" for rule in found for node in rule["nodes"]}


def test_public_pages(checked, programme):
    violence = factories.WebinarFactory(
        edition=programme.edition, title="Menghapus kekerasan", title_en="Ending violence", slug="kekerasan"
    )
    factories.WebinarFactory(edition=programme.edition, cancelled=True, slug="batal", unknown_hour=True)
    over = factories.WebinarFactory(edition=programme.edition, over=True, slug="selesai", has_captions=True, capacity=40)
    factories.MaterialFactory(webinar=over)
    factories.WebinarFactory(edition=programme.edition, running=True, slug="kini")
    factories.PageFactory(slug="bantuan", title="Bantuan", title_en="Help", menu_order=2)
    webinars = [programme.first.slug, violence.slug, "batal", "selesai", "kini"]
    checked.visit("/", "/agenda/", *(f"/webinar/{slug}/" for slug in webinars))
    checked.visit("/pembicara/", "/pembicara/yosefina/", "/mitra/", "/mitra/yc/", "/edisi/")
    checked.visit(f"/edisi/{programme.edition.year}/", f"/edisi/{programme.earlier.year}/", "/halaman/tentang/")
    checked.visit("/tidak-ada/", status=404)


def test_public_pages_before_there_is_any_content(checked):
    checked.visit("/", "/agenda/", "/pembicara/", "/mitra/", "/edisi/", "/daftar/")


def test_the_way_through_the_sign_up(checked, programme):
    programme.second.capacity = 1
    programme.second.save()
    factories.RegistrationFactory(webinar=programme.second)
    checked.visit("/daftar/")
    send(checked)
    checked.check()
    fill_in(checked, programme.first, name="Contoh Maria", email="contoh.maria@example.org")
    send(checked)
    checked.check()
    checked.fill("[name=code]", "000000")
    send(checked)
    checked.check()
    checked.visit("/akun/masuk/")
    send(checked)
    checked.check()


def test_the_personal_pages(checked, programme, sign_in_page):
    person = factories.ParticipantFactory(province="81")
    seat = factories.RegistrationFactory(participant=person, webinar=programme.first)
    factories.RegistrationFactory(participant=person, webinar=programme.second, waitlisted=True)
    factories.RegistrationFactory(
        participant=person, webinar=factories.WebinarFactory(edition=programme.edition, cancelled=True)
    )
    sign_in_page(checked, person.account)
    checked.visit("/saya/", f"/saya/{seat.code}/batal/", "/akun/keluar/")


def test_the_personal_pages_of_somebody_without_registrations(checked, programme, sign_in_page):
    sign_in_page(checked, factories.UserFactory())
    checked.visit("/saya/")


def test_every_face_of_the_join_page(checked, programme):
    def seat(**facts):
        return factories.RegistrationFactory(webinar=factories.WebinarFactory(edition=programme.edition, **facts))

    early, cancelled = seat(), factories.RegistrationFactory(webinar=programme.first, cancelled=True)
    waiting = factories.RegistrationFactory(webinar=programme.first, waitlisted=True)
    faces = [seat(running=True), seat(running=True, zoom_url=""), seat(unknown_hour=True), seat(over=True)]
    for registration in [early, cancelled, waiting, *faces, seat(status=Webinar.Status.CANCELLED)]:
        checked.visit(f"/gabung/{links.join_token(registration)}/")
    checked.visit(f"/gabung/{links.join_token(early)}/batal/")
    send(checked)
    checked.check()
    checked.visit("/gabung/1.x.y/", status=404)


def test_the_partners_room(checked, programme, sign_in_page):
    member = factories.PartnerMemberFactory(organisation=programme.host)
    seat = factories.RegistrationFactory(webinar=programme.first)
    factories.ConsentFactory(participant=seat.participant, partner=programme.host)
    sign_in_page(checked, member.user)
    checked.visit("/ruang-mitra/")


def test_setting_up_a_second_factor(checked, programme, sign_in_page):
    sign_in_page(checked, factories.UserFactory(is_staff=True, second_factor=False))
    checked.visit("/akun/2fa/", "/akun/2fa/totp/activate/")
