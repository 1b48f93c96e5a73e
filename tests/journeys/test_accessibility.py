"""Every page against WCAG 2.2 AA and good practice: by day, by night, in the system's own colours, on the narrowest
phone and enlarged to twice its size, with motion turned off."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from conference.models import Webinar
from registration import links
from registration.models import OutgoingMail, SensitiveAnswers
from tests import factories
from tests.journeys.steps import fill_in, prefix, send

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 320, "height": 640}
# 1280 px enlarged to 200 %.
ENLARGED = {"width": 640, "height": 400}
LIGHT, DARK = {"color_scheme": "light", "forced_colors": "none"}, {"color_scheme": "dark", "forced_colors": "none"}
FORCED, FORCED_DARK = LIGHT | {"forced_colors": "active"}, DARK | {"forced_colors": "active"}
# Both languages see each width and each kind of colours; between them they see most pairs of the two.
SIGHTS = {
    "id": [(WIDE, LIGHT), (NARROW, DARK), (ENLARGED, FORCED)],
    "en": [(WIDE, DARK), (NARROW, FORCED_DARK), (ENLARGED, LIGHT)],
}


# Whether the middle of what has the focus is painted on top, or of its first line if it has several.
IS_SEEN = """() => {
    const active = document.activeElement;
    if (active === document.body) return true;
    const box = active.getClientRects()[0];
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return top !== null && (active.contains(top) || top.contains(active));
}"""
# The least that WCAG 1.4.12 asks for.
WIDER = "* { line-height: 1.5; letter-spacing: .12em; word-spacing: .16em } p { margin-bottom: 2em }"


@pytest.fixture(params=["id", "en"])
def language(request):
    return request.param


@pytest.fixture
def audited(new_page, language):
    """`audit()` looks at the page as it stands, `visit(path)` goes there first; what is wrong fails the test."""
    page = new_page(bypass_csp=True, device_scale_factor=2)
    wrong = []

    def audit():
        page.evaluate(AXE_SCRIPT)
        for viewport, colours in SIGHTS[language]:
            look(page, viewport, colours)
            wrong.extend(f"{page.url} {problem}" for problem in problems(page, viewport["width"], colours))

    def visit(*paths, status=200):
        for path in paths:
            assert page.goto(prefix(language) + path).status == status, path
            audit()

    page.audit, page.visit = audit, visit
    yield page
    assert wrong == []


def look(page, viewport, colours):
    page.set_viewport_size(viewport)
    page.emulate_media(reduced_motion="reduce", **colours)


def problems(page, width, colours):
    yield from overflow(page, width)
    # In the system's own colours axe still reads ours from -webkit-text-fill-color, which are not painted.
    seen = RULES["rules"] | {"color-contrast": {"enabled": colours["forced_colors"] == "none"}}
    for rule in page.evaluate("rules => axe.run(rules)", RULES | {"rules": seen})["violations"]:
        for node in rule["nodes"]:
            yield f"{rule['id']} at {' '.join(map(str, node['target']))}"


def overflow(page, width):
    if (needed := page.evaluate("document.scrollingElement.scrollWidth")) > width:
        yield f"needs {needed} px of {width}"


def test_public_pages(audited, programme):
    violence = factories.WebinarFactory(
        edition=programme.edition, title="Menghapus kekerasan", title_en="Ending violence", slug="kekerasan"
    )
    factories.WebinarFactory(edition=programme.edition, cancelled=True, slug="batal", unknown_hour=True)
    over = factories.WebinarFactory(
        edition=programme.edition, over=True, slug="selesai", has_captions=True, capacity=40
    )
    factories.MaterialFactory(webinar=over)
    factories.WebinarFactory(edition=programme.edition, running=True, slug="kini")
    factories.PageFactory(slug="bantuan", title="Bantuan", title_en="Help", menu_order=2)
    webinars = [programme.first.slug, violence.slug, "batal", "selesai", "kini"]
    audited.visit("/", "/agenda/", *(f"/webinar/{slug}/" for slug in webinars))
    audited.visit("/pembicara/", "/pembicara/yosefina/", "/mitra/", "/mitra/yc/", "/edisi/")
    audited.visit(
        f"/edisi/{programme.edition.year}/", f"/edisi/{programme.earlier.year}/", "/halaman/tentang/", "/luring/"
    )
    audited.visit("/tidak-ada/", status=404)


def test_public_pages_before_there_is_any_content(audited):
    audited.visit("/", "/agenda/", "/pembicara/", "/mitra/", "/edisi/", "/daftar/")


def test_the_way_through_the_sign_up(audited, programme):
    programme.second.capacity = 1
    programme.second.save()
    factories.RegistrationFactory(webinar=programme.second)
    audited.visit("/daftar/")
    send(audited)
    audited.audit()
    fill_in(audited, programme.first, name="Contoh Maria", email="contoh.maria@example.org")
    send(audited)
    audited.audit()
    audited.fill("[name=code]", "000000")
    send(audited)
    audited.audit()


def test_the_way_through_the_sign_in(audited, programme):
    audited.visit("/akun/masuk/")
    send(audited)
    audited.audit()
    audited.fill("[name=email]", factories.UserFactory(organiser=True).email)
    send(audited)
    audited.fill("[name=code]", OutgoingMail.objects.get().context["code"])
    send(audited)
    audited.audit()
    audited.fill("[name=code]", "000000")
    send(audited)
    audited.audit()


def test_the_personal_pages(audited, programme, sign_in_page):
    person = factories.ParticipantFactory(province="81")
    seat = factories.RegistrationFactory(participant=person, webinar=programme.first)
    factories.RegistrationFactory(participant=person, webinar=programme.second, waitlisted=True)
    factories.RegistrationFactory(
        participant=person, webinar=factories.WebinarFactory(edition=programme.edition, cancelled=True)
    )
    factories.ConsentFactory(participant=person, partner=programme.host)
    sign_in_page(audited, person.account)
    audited.visit("/saya/", f"/saya/{seat.code}/batal/", "/akun/keluar/", "/saya/kode/")


def test_the_pages_of_deleting(audited, programme, sign_in_page):
    carer = factories.RegistrationFactory(webinar=programme.first).participant
    inside = factories.ParticipantFactory(account=carer.account, email="")
    factories.ConsentFactory(participant=carer, partner=programme.host)
    sign_in_page(audited, carer.account, fresh=True)
    audited.visit("/saya/data/hapus/", f"/saya/data/{inside.pk}/hapus/", "/saya/data/terhapus/")


def test_the_personal_pages_of_somebody_without_registrations(audited, programme, sign_in_page):
    sign_in_page(audited, factories.UserFactory())
    audited.visit("/saya/")


def test_every_face_of_the_join_page(audited, programme):
    def seat(**facts):
        return factories.RegistrationFactory(webinar=factories.WebinarFactory(edition=programme.edition, **facts))

    early, cancelled = seat(), factories.RegistrationFactory(webinar=programme.first, cancelled=True)
    waiting = factories.RegistrationFactory(webinar=programme.first, waitlisted=True)
    faces = [seat(running=True), seat(running=True, zoom_url=""), seat(unknown_hour=True), seat(over=True)]
    for registration in [early, cancelled, waiting, *faces, seat(status=Webinar.Status.CANCELLED)]:
        audited.visit(f"/gabung/{links.join_token(registration)}/")
    audited.visit(f"/gabung/{links.join_token(early)}/batal/")
    send(audited)
    audited.audit()
    audited.visit(
        f"/tautan/{links.page_token(early.participant)}/",
        f"/tautan/{links.page_token(waiting.participant)}/",
        f"/berhenti/{links.unsubscribe_token(early.participant.account_id)}/",
    )
    audited.visit("/gabung/1.x.y/", status=404)


def test_the_partners_room(audited, programme, sign_in_page):
    member = factories.PartnerMemberFactory(organisation=programme.host)
    seat = factories.RegistrationFactory(webinar=programme.first)
    factories.ConsentFactory(participant=seat.participant, partner=programme.host)
    sign_in_page(audited, member.user)
    audited.visit("/ruang-mitra/")


def test_setting_up_a_second_factor(audited, programme, sign_in_page):
    sign_in_page(audited, factories.UserFactory(is_staff=True, second_factor=False))
    audited.visit("/akun/2fa/", "/akun/2fa/totp/activate/", "/akun/2fa/webauthn/add/")


def test_the_focus_is_never_hidden_under_the_way_out(new_page, programme):
    page = new_page(viewport=NARROW)
    factories.WebinarFactory(edition=programme.edition, title="Menghapus kekerasan", slug="kekerasan")
    page.goto("/webinar/kekerasan/")
    seen = set()
    for key in ["Tab"] * 40 + ["Shift+Tab"] * 40:
        page.keyboard.press(key)
        seen.add(page.evaluate("document.activeElement.textContent"))
        assert page.evaluate(IS_SEEN), page.evaluate("document.activeElement.outerHTML")
    assert len(seen) >= 12  # the walk went through the page, not round in one place


def test_wider_letters_words_and_lines_cut_nothing_off(new_page, programme):
    page = new_page(bypass_csp=True, viewport=NARROW)
    for path in ["/", "/agenda/", "/webinar/hutan/", "/pembicara/yosefina/", "/mitra/yc/", "/daftar/"]:
        page.goto(path)
        page.add_style_tag(content=WIDER)
        assert list(overflow(page, NARROW["width"])) == [], path


def test_help_stands_in_the_same_place_on_every_page(client, programme):
    factories.PageFactory(slug="bantuan", title="Bantuan", menu_order=2)
    paths = ["/", "/agenda/", "/webinar/hutan/", "/pembicara/", "/mitra/yc/", "/daftar/", "/akun/masuk/", "/tidak-ada/"]
    feet = {client.get(path).content.decode().partition('<footer class="foot">')[2] for path in paths}
    lists = {foot.partition("</footer>")[0] for foot in feet}
    assert len(lists) == 1
    assert "/halaman/bantuan/" in lists.pop()


def test_pages_of_ones_own_data(audited, programme, sign_in_page):
    seat = factories.RegistrationFactory(webinar=programme.first)
    maria = seat.participant
    factories.ParticipantFactory(email="", phone="", account=maria.account)
    host = programme.first.hosts.first() or factories.OrganisationFactory()
    programme.first.hosts.add(host, factories.OrganisationFactory())
    consent = factories.ConsentFactory(participant=maria)
    factories.ConsentFactory(participant=maria, partner=host)
    factories.OutgoingMailFactory(participant=maria, sent=True, subject="Anda terdaftar")
    SensitiveAnswers.objects.create(participant=maria, seeing="some", delete_on=programme.first.date)
    factories.ConsentFactory(participant=maria, purpose="sensitive")
    sign_in_page(audited, maria.account, fresh=True)
    there = f"/saya/data/{maria.pk}/"
    audited.visit("/saya/data/", there, f"{there}ubah/", f"{there}kebutuhan/", "/saya/data/email/")
    audited.visit(f"{there}tarik/{consent.pk}/", f"{there}catatan/")
    audited.locator("summary").evaluate_all("details => details.forEach(summary => summary.click())")
    audited.audit()


def test_a_partners_room_with_somebody_to_be_removed(audited, programme, sign_in_page):
    member = factories.PartnerMemberFactory()
    programme.first.hosts.add(member.organisation)
    member.organisation.withdrawals.create(
        webinar=programme.first, registration_code="ABCDEFGHJK", withdrawn_at=programme.first.starts_at
    )
    sign_in_page(audited, member.user)
    audited.visit("/ruang-mitra/")
