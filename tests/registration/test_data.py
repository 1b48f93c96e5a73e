"""The person's own data page: what it shows, to whom, and what she may do there."""

import re
from datetime import date, timedelta
from html import unescape

import pytest

from registration import history, limits, needs, records, rights
from registration.models import Consent, Download, Event, OutgoingMail, Participant, SensitiveAnswers
from tests.factories import (
    ConsentFactory,
    EditionFactory,
    OrganisationFactory,
    OutgoingMailFactory,
    ParticipantFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)
from tests.registration.forms import filled_in

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
SIX = ("seeing", "hearing", "walking", "remembering", "self_care", "communicating")


@pytest.fixture
def maria(now):
    return ParticipantFactory(
        name="Maria Contoh", email="maria@example.org", phone="+6281234567890", province="53", regency="5371"
    )


@pytest.fixture
def yosefa(maria):
    """In Maria's care."""
    return ParticipantFactory(name="Yosefa Contoh", email="", account=maria.account, phone="")


@pytest.fixture
def browser(maria, signed_in_client):
    return signed_in_client(maria.account, fresh=True)


def address(person, page=""):
    return f"/saya/data/{person.pk}/{page}"


def text_of(response):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def typed(person, **changes):
    return {name: getattr(person, name) for name in rights.CORRECTABLE} | changes


PAGES = ("", "ubah/", "kebutuhan/", "catatan/")


# ---- Who gets in


@pytest.mark.parametrize("page", PAGES)
def test_only_the_managing_account_with_a_fresh_code_gets_in(signed_in_client, maria, browser, client, page):
    there = address(maria, page)
    assert browser.get(there).status_code == 200
    assert browser.get(f"/en{there}").status_code == 200
    assert client.get(there).status_code == 302
    assert signed_in_client(maria.account).get(there)["Location"].startswith("/saya/kode/?next=")
    stranger = signed_in_client(ParticipantFactory().account, fresh=True)
    organiser = signed_in_client(UserFactory(organiser=True), fresh=True)
    assert stranger.get(there).status_code == organiser.get(there).status_code == 404


def test_strangers_change_nothing(signed_in_client, maria):
    consent = ConsentFactory(participant=maria, partner=OrganisationFactory())
    stranger = signed_in_client(ParticipantFactory().account, fresh=True)
    for page in ("ubah/", "kebutuhan/", "setuju/", "batasi/", f"tarik/{consent.pk}/"):
        sent = {"purpose": "news", "consent_sensitive": "on", "seeing": "some", **typed(maria, name="Mallory")}
        assert stranger.post(address(maria, page), sent).status_code == 404
    own = Participant.objects.exclude(pk=maria.pk).get()
    assert (
        stranger.post(address(own, f"tarik/{consent.pk}/")).status_code == 404
    )  # another's consent at her own address
    maria.refresh_from_db()
    assert (maria.name, maria.restricted_at, maria.consents.count()) == ("Maria Contoh", None, 1)
    assert not SensitiveAnswers.objects.exists()
    assert maria.consents.in_force().exists()


def test_without_a_fresh_code_nothing_changes(signed_in_client, maria):
    client = signed_in_client(maria.account)
    assert client.post(address(maria, "batasi/")).status_code == 302
    maria.refresh_from_db()
    assert maria.restricted_at is None


def test_data_of_one_person_is_shown_at_once_and_of_several_offered(browser, maria):
    assert browser.get("/saya/data/")["Location"] == address(maria)
    yosefa = ParticipantFactory(name="Yosefa Contoh", email="", account=maria.account)
    stranger = ParticipantFactory(name="Rosa Contoh")
    page = browser.get("/saya/data/").content.decode()
    assert address(maria) in page
    assert address(yosefa) in page
    assert stranger.name not in page


def test_an_account_without_a_person_sees_its_address(signed_in_client):
    user = UserFactory(email="kosong@example.org")
    assert "kosong@example.org" in text_of(signed_in_client(user, fresh=True).get("/saya/data/"))


# ---- What is shown


def test_everything_held_is_shown_in_words(browser, maria, now):
    seat = RegistrationFactory(participant=maria)
    seat.attendances.create(source="webhook", joined_at=now, left_at=now + HOUR)
    foreign = RegistrationFactory(participant__name="Rosa Contoh")
    page = text_of(browser.get(f"/en{address(maria)}"))
    words = [
        "Maria Contoh",
        "maria@example.org",
        "+6281234567890",
        "Woman",
        "25 to 34",
        "Nusa Tenggara Timur",
        "Kupang",
    ]
    for word in [
        *words,
        seat.code,
        seat.webinar.title_en,
        "Confirmed",
        "Kelompok Contoh",
        "until 1 June 2027, 10:00 WITA",
    ]:
        assert word in page, word
    assert foreign.code not in page
    assert foreign.participant.name not in page


def test_a_person_in_care_is_shown_to_her_carer(browser, yosefa):
    assert "Yosefa Contoh" in text_of(browser.get(address(yosefa)))


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_queries_for_one_and_three(browser, maria, count, django_assert_num_queries):
    for _number in range(count):
        host = OrganisationFactory()
        RegistrationFactory(participant=maria, webinar=WebinarFactory(hosts=[host, OrganisationFactory()]))
        ConsentFactory(participant=maria, partner=host)
    # session, account, participant, consents, answers, registrations, attendances, hosts; the frame: edition, menu
    with django_assert_num_queries(11):
        browser.get(address(maria))


@pytest.mark.parametrize("count", [1, 3])
def test_the_record_costs_the_same_queries_for_one_and_three(browser, maria, now, count, django_assert_num_queries):
    for number in range(count):
        host = OrganisationFactory()
        RegistrationFactory(participant=maria, webinar=WebinarFactory(hosts=[host]), created_at=now)
        ConsentFactory(participant=maria, partner=host)
        OutgoingMailFactory(participant=maria, sent=True)
        rights.correct(maria, {"name": f"Maria {number}"}, actor=maria.account, language="id", now=now)
    with django_assert_num_queries(18):
        browser.get(address(maria, "catatan/"))


# ---- Correcting


def test_a_correction_is_noted_by_its_fields_and_no_values(browser, maria):
    response = browser.post(address(maria, "ubah/"), typed(maria, name="Maria Goretti", organisation="Oase"))
    assert response["Location"] == address(maria)
    maria.refresh_from_db()
    assert (maria.name, maria.organisation, maria.email) == ("Maria Goretti", "Oase", "maria@example.org")
    event = Event.objects.get()
    assert (event.kind, event.actor, event.note) == ("corrected", maria.account, "name, organisation")
    assert "Maria Goretti" not in event.note


def test_a_correction_that_changes_nothing_is_no_step(browser, maria):
    browser.post(address(maria, "ubah/"), typed(maria))
    assert not Event.objects.exists()


def test_a_wrong_correction_is_said_and_changes_nothing(browser, maria):
    response = browser.post(address(maria, "ubah/"), typed(maria, name="", regency="7371"))
    assert response.status_code == 200
    assert {"name", "regency"} <= set(response.context["form"].errors)
    maria.refresh_from_db()
    assert maria.name == "Maria Contoh"


def test_an_address_can_not_be_slipped_in(browser, maria):
    browser.post(
        address(maria, "ubah/"), typed(maria, email="mallory@example.org", restricted_at="2020-01-01", proven_at="")
    )
    maria.refresh_from_db()
    assert (maria.email, maria.restricted_at) == ("maria@example.org", None)


def test_a_phone_of_another_person_in_care_is_refused_without_saying_whose(browser, maria, yosefa):
    ParticipantFactory(name="Rosa Contoh", email="", phone="+6281111111111")
    response = browser.post(f"/en{address(yosefa, 'ubah/')}", typed(yosefa, phone="+6281111111111"))
    assert "This number can't be used here." in text_of(response)
    assert "Rosa" not in text_of(response)
    # Who has an address is known by it: several may share a phone.
    assert browser.post(address(maria, "ubah/"), typed(maria, phone="+6281111111111")).status_code == 302


def test_a_child_needs_her_guardians_consent_and_another_guardian_another_one(browser, maria, now):
    young = typed(maria, age_group="under_18", guardian_name="Ibu Contoh")
    assert "guardian_consent" in browser.post(address(maria, "ubah/"), young).context["form"].errors
    browser.post(address(maria, "ubah/"), young | {"guardian_consent": "on"})
    first = maria.consents.in_force().get(purpose="guardian")
    assert browser.post(address(maria, "ubah/"), young | {"name": "Maria G"}).status_code == 302  # the same guardian
    assert maria.consents.in_force().get(purpose="guardian") == first
    other = young | {"guardian_name": "Bapak Contoh"}
    assert "guardian_consent" in browser.post(address(maria, "ubah/"), other).context["form"].errors
    browser.post(address(maria, "ubah/"), other | {"guardian_consent": "on"})
    assert maria.consents.in_force().get(purpose="guardian") != first
    browser.post(address(maria, "ubah/"), other | {"age_group": "18_24"})
    assert not maria.consents.in_force().filter(purpose="guardian").exists()
    maria.refresh_from_db()
    assert maria.guardian_name == ""


# ---- Difficulties and needs


def test_all_six_questions_are_asked_with_four_answers_and_rather_not_say(browser, maria):
    page = browser.get(f"/en{address(maria, 'kebutuhan/')}").content.decode()
    for name in SIX:
        assert re.findall(rf'type="radio" name="{name}" value="(\w+)"', page) == [
            "none", "some", "a_lot", "cannot", "undisclosed",
        ]  # fmt: skip
    places = [page.index(f'name="{name}"') for name in SIX]
    assert places == sorted(places)
    assert "checked" not in page
    assert "disab" not in page.lower()


def test_no_heading_speaks_of_disability_in_indonesian(browser, maria):
    assert "disabilitas" not in browser.get(address(maria, "kebutuhan/")).content.decode().lower()


def test_answers_are_kept_under_their_own_consent_until_their_own_day(browser, maria, now):
    webinar = WebinarFactory()
    RegistrationFactory(participant=maria, webinar=webinar)
    sent = {"seeing": "a_lot", "hearing": "undisclosed", "needs": ["captions"], "access_needs": "Huruf besar\nya"}
    response = browser.post(address(maria, "kebutuhan/"), sent)
    assert "consent_sensitive" in response.context["form"].errors
    assert not SensitiveAnswers.objects.exists()
    response = browser.post(address(maria, "kebutuhan/"), sent | {"consent_sensitive": "on"})
    assert response["Location"] == address(maria)
    answers = SensitiveAnswers.objects.get()
    assert [getattr(answers, name) for name in SIX] == ["a_lot", "undisclosed", "", "", "", ""]
    assert (answers.needs, answers.access_needs) == (["captions"], "Huruf besar ya")
    assert answers.delete_on == webinar.edition.ends_on + timedelta(days=60)
    consent = maria.consents.get()
    assert (consent.purpose, consent.granted_at) == ("sensitive", now)
    notes = " ".join(Event.objects.values_list("note", flat=True))
    assert "a_lot" not in notes
    page = text_of(browser.get(f"/en{address(maria)}"))
    assert "Yes, a lot of difficulty" in page
    assert "Huruf besar ya" in page


def test_answers_are_removed_at_once_with_their_consent(browser, maria, now):
    bait = SensitiveAnswers.objects.create(participant=ParticipantFactory(), seeing="some", delete_on=now.date())
    browser.post(address(maria, "kebutuhan/"), {"seeing": "some", "consent_sensitive": "on"})
    browser.post(address(maria, "kebutuhan/"), {"action": "remove"})
    assert list(SensitiveAnswers.objects.all()) == [bait]
    assert not maria.consents.in_force().exists()
    assert maria.consents.get().withdrawn_at == now


def test_emptied_answers_are_removed_too(browser, maria):
    browser.post(address(maria, "kebutuhan/"), {"seeing": "some", "consent_sensitive": "on"})
    browser.post(address(maria, "kebutuhan/"), {})
    assert not SensitiveAnswers.objects.exists()
    assert not maria.consents.in_force().exists()


def test_answers_without_a_consent_in_force_are_nobodys_to_read(maria, now):
    SensitiveAnswers.objects.create(participant=maria, seeing="some", delete_on=now.date())
    ConsentFactory(participant=maria, purpose="sensitive", withdrawn=True)
    assert needs.answers_of(maria) is None


def test_answers_after_the_conference_are_kept_no_shorter_than_promised(maria, now):
    EditionFactory(starts_on=date(2027, 1, 1), ends_on=date(2027, 1, 2))
    needs.save(maria, answers(seeing="some"), actor=maria.account, language="id", now=now)
    assert SensitiveAnswers.objects.get().delete_on == now.date() + timedelta(days=60)


def answers(**given):
    return dict.fromkeys((*SIX, "access_needs"), "") | {"needs": []} | given


def test_the_personal_page_offers_the_questions_until_they_are_answered(browser, maria, yosefa):
    hers, others = address(maria, "kebutuhan/"), address(yosefa, "kebutuhan/")
    page = browser.get("/saya/").content.decode()
    assert hers in page
    assert others in page
    browser.post(hers, {"seeing": "none", "consent_sensitive": "on"})
    page = browser.get("/saya/").content.decode()
    assert hers not in page
    assert others in page


# ---- Consents and restriction


def test_consents_are_given_and_taken_back(browser, maria, now):
    host, bait = OrganisationFactory(), OrganisationFactory()
    RegistrationFactory(participant=maria, webinar=WebinarFactory(hosts=[host]))
    page = browser.get(address(maria)).content.decode()
    assert host.name in page
    assert bait.name not in page
    browser.post(address(maria, "setuju/"), {"purpose": "partner", "organisation": host.slug})
    browser.post(address(maria, "setuju/"), {"purpose": "news"})
    browser.post(address(maria, "setuju/"), {"purpose": "partner", "organisation": bait.slug})  # hosts nothing of hers
    browser.post(address(maria, "setuju/"), {"purpose": "processing"})
    assert set(maria.consents.values_list("purpose", "organisation")) == {("partner", host.pk), ("news", None)}
    consent = maria.consents.get(purpose="partner")
    assert consent.text.text.startswith(consent.text.text.splitlines()[0])
    browser.post(address(maria, f"tarik/{consent.pk}/"))
    consent.refresh_from_db()
    assert consent.withdrawn_at == now
    assert list(maria.consents.in_force().values_list("purpose", flat=True)) == ["news"]
    assert set(Event.objects.values_list("kind", "note", "actor")) == {
        ("consented", f"partner: {host.slug}", maria.account.pk),
        ("consented", "news", maria.account.pk),
        ("withdrawn", f"partner: {host.slug}", maria.account.pk),
    }


def test_a_carer_reads_and_gives_consents_about_another_person(browser, maria, yosefa, now):
    host = OrganisationFactory(name_en="The host")
    for person in (maria, yosefa):
        RegistrationFactory(participant=person, webinar=WebinarFactory(hosts=[host]))
    own, others = (text_of(browser.get(f"/en{address(person)}")) for person in (maria, yosefa))
    spoken = "This person agrees that these organisations receive the data: The host"
    assert "I agree that these organisations receive my data: The host" in own
    assert spoken not in own
    assert spoken in others
    assert "I agree that these" not in others
    assert "receives your" not in others
    browser.post(f"/en{address(yosefa, 'setuju/')}", {"purpose": "partner", "organisation": host.slug})
    consent = yosefa.consents.get()
    assert consent.text.text.startswith(spoken)
    for page in (f"tarik/{consent.pk}/", "catatan/"):
        assert spoken in text_of(browser.get(f"/en{address(yosefa, page)}"))


@pytest.mark.parametrize("person", ["maria", "yosefa"])
def test_the_consent_to_answers_is_kept_as_it_was_shown(browser, request, person):
    person = request.getfixturevalue(person)
    shown = text_of(browser.get(f"/en{address(person, 'kebutuhan/')}"))
    browser.post(f"/en{address(person, 'kebutuhan/')}", {"seeing": "some", "consent_sensitive": "on"})
    for paragraph in person.consents.get().text.text.split("\n\n"):
        assert paragraph in shown


def test_a_get_shows_what_taking_back_means_and_does_nothing(browser, maria):
    seat, consent = RegistrationFactory(participant=maria), ConsentFactory(participant=maria)
    page = text_of(browser.get(f"/en{address(maria, f'tarik/{consent.pk}/')}"))
    assert "registered for no webinar any more" in page
    assert maria.consents.in_force().exists()
    browser.post(address(maria, f"tarik/{consent.pk}/"))
    seat.refresh_from_db()
    assert seat.status == "CANCELLED"
    assert browser.get(address(maria, f"tarik/{consent.pk}/")).status_code == 404


def test_restricting_and_lifting(browser, maria, now):
    browser.post(address(maria, "batasi/"), {"action": "restrict"})
    maria.refresh_from_db()
    assert maria.restricted_at == now
    browser.post(address(maria, "batasi/"), {"action": "restrict"})
    browser.post(address(maria, "batasi/"), {"action": "lift"})
    maria.refresh_from_db()
    assert maria.restricted_at is None
    assert list(Event.objects.values_list("kind", flat=True)) == ["restricted", "unrestricted"]


# ---- The record of processing


def test_the_record_tells_who_looked_corrected_downloaded_and_wrote(browser, maria, now):
    host, other = OrganisationFactory(name_en="Host of hers"), OrganisationFactory(name_en="Other host")
    webinar = WebinarFactory(hosts=[host, other])
    RegistrationFactory(participant=maria, webinar=webinar, created_at=now)
    ConsentFactory(participant=maria, partner=host)
    for organisation in (host, other):
        Download.objects.create(
            organisation=organisation, webinar=webinar, format="csv", rows=1, columns="name, email", downloaded_at=now
        )
    organiser = UserFactory(organiser=True, name="Nama Penyelenggara")
    history.look(maria, actor=organiser, now=now)
    rights.correct(maria, {"name": "Maria Goretti"}, actor=maria.account, language="id", now=now)
    OutgoingMailFactory(participant=maria, sent=True, subject="Your seat")
    OutgoingMailFactory(subject="Of somebody else")
    page = text_of(browser.get(f"/en{address(maria, 'catatan/')}"))
    for word in (
        "An organiser · looked at: participant",
        "Data corrected · name",
        "You",
        "Host of hers",
        "name, email",
        "Your seat",
    ):
        assert word in page, word
    for word in ("Other host", "Nama Penyelenggara", "Of somebody else"):
        assert word not in page, word


def test_the_record_names_a_webinar_once_and_in_the_readers_language(browser, maria, now):
    webinar = WebinarFactory(title="Hutan", title_en="Forest")
    seat = RegistrationFactory(participant=maria, webinar=webinar)
    held, gone = Event.Kind.HELD, Event.Kind.HOLD_EXPIRED
    Event.objects.create(kind=held, participant=maria, registration=seat, note="Hutan")
    Event.objects.create(kind=gone, participant=maria, note="Laut")  # the registration went with its hold
    Event.objects.create(kind=Event.Kind.MOVED, participant=maria, registration=seat, note="Danau")
    words = [step.words for step in records.steps(maria, maria.account)]
    assert words == ["Hutan · dari “Danau”", "Laut", "Hutan"]


def test_the_record_holds_the_text_that_was_shown_in_its_language(browser, maria):
    browser.post(address(maria, "setuju/"), {"purpose": "news"})
    text = maria.consents.get().text
    page = browser.get(f"/en{address(maria, 'catatan/')}").content.decode()
    assert '<div lang="id">' in page
    assert text.text.splitlines()[-1] in page
    assert text.version in page


def test_downloads_count_only_while_the_consent_stood(maria, now):
    host = OrganisationFactory()
    seat = RegistrationFactory(participant=maria, webinar=WebinarFactory(hosts=[host]), created_at=now)
    ConsentFactory(participant=maria, partner=host, granted_at=now, withdrawn_at=now + 2 * HOUR)
    rows = [
        Download.objects.create(
            organisation=host, webinar=seat.webinar, format="csv", rows=1, columns="name", downloaded_at=now + at * HOUR
        )
        for at in (-1, 1, 3)
    ]
    assert records.downloads_with(maria) == [rows[1]]


def test_until_when_each_kind_is_kept_is_told(browser, maria):
    webinar = WebinarFactory()
    RegistrationFactory(participant=maria, webinar=webinar)
    kept = {kind.what: (kind.until, kind.days) for kind in records.kept(maria, now=webinar.starts_at)}
    assert (webinar.edition.ends_on + timedelta(days=730), 730) in kept.values()
    assert (None, 90) in kept.values()
    assert "90 days after it was sent" in text_of(browser.get(f"/en{address(maria, 'catatan/')}"))


# ---- The sign-up form


def test_every_box_of_the_form_is_unticked_and_each_partner_is_named(client, now):
    hosts = OrganisationFactory.create_batch(2)
    WebinarFactory(hosts=hosts)
    page = client.get("/daftar/").content.decode()
    boxes = re.findall(r'<input type="checkbox"[^>]*name="(consent_\w+)"[^>]*>', page)
    assert sorted(boxes) == ["consent_news", "consent_partners", "consent_partners", "consent_processing"]
    assert not re.search(r"<input type=\"checkbox\"[^>]*checked", page)
    for host in hosts:
        assert host.name in page


def test_news_are_a_consent_of_their_own(client, now):

    webinar = WebinarFactory()
    for email, news in (("maria@example.org", {"consent_news": "on"}), ("rosa@example.org", {})):
        client.cookies.clear()
        client.post("/daftar/", filled_in(webinar, email=email, **news))
        code = OutgoingMail.objects.filter(kind="code", to=email).latest("pk").context["code"]
        client.post("/akun/kode/", {"code": code})
    assert [c.participant.email for c in Consent.objects.filter(purpose="news")] == ["maria@example.org"]


# ---- Organisers who look


def test_an_organisers_look_is_told_to_the_person_once_an_hour(signed_in_client, maria, now, time_machine):
    organiser = UserFactory(organiser=True)
    desk = signed_in_client(organiser)
    there = f"/admin/registration/participant/{maria.pk}/change/"
    for minutes in (0, 30, 61):
        time_machine.move_to(now + timedelta(minutes=minutes))
        assert desk.get(there).status_code == 200
    looks = Event.objects.filter(kind="looked_at", participant=maria, actor=organiser)
    assert list(looks.values_list("at", flat=True)) == [now, now + timedelta(minutes=61)]


def test_an_organiser_who_mends_a_guardians_name_gives_no_consent_for_her(maria, now):
    ConsentFactory(participant=maria, purpose="guardian", granted_at=now)
    given = maria.consents.get()
    rights.correct(maria, {"guardian_name": "Ibu"}, actor=UserFactory(organiser=True), language="id", now=now)
    assert list(maria.consents.in_force()) == [given]


# ---- Another address

EMAIL = "/saya/data/email/"


def code_sent_to(email):
    return OutgoingMail.objects.filter(kind="code", to=email).latest("pk").context["code"]


def test_an_address_changes_after_its_own_code_only(browser, maria):
    browser.post(EMAIL, {"action": "send", "email": "Baru@Example.org"})
    maria.refresh_from_db()
    assert maria.email == "maria@example.org"
    wrong = {"action": "verify", "code": "000000" if code_sent_to("baru@example.org") != "000000" else "111111"}
    assert "code" in browser.post(EMAIL, wrong).context["form"].errors
    browser.post(EMAIL, {"action": "verify", "code": code_sent_to("baru@example.org")})
    maria.refresh_from_db()
    maria.account.refresh_from_db()
    assert maria.email == maria.account.email == "baru@example.org"
    assert list(maria.account.emailaddress_set.values_list("email", "verified")) == [("baru@example.org", True)]
    steps = list(Event.objects.order_by("kind").values_list("kind", "note"))
    assert steps == [("corrected", "email"), ("links_renewed", "")]
    assert browser.get(address(maria)).status_code == 200


def test_a_known_address_is_answered_like_an_unknown_one_until_its_code_is_typed(browser, maria):
    known = ParticipantFactory(email="rosa@example.org")
    pages = []
    for email in ("rosa@example.org", "tak.dikenal@example.org"):
        assert browser.post(EMAIL, {"action": "send", "email": email})["Location"] == EMAIL
        page = browser.get(EMAIL).content.decode()
        pages.append(re.sub(r'value="\w{64}"', "", page.replace(email, "ADDRESS")))
        if email.startswith("rosa"):
            code = code_sent_to(email)
            browser.post(EMAIL, {"action": "again"})
    assert pages[0] == pages[1]
    browser.post(EMAIL, {"action": "again"})
    browser.post(EMAIL, {"action": "verify", "code": code})  # of a code that was given up
    browser.post(EMAIL, {"action": "send", "email": "rosa@example.org"})
    browser.post(EMAIL, {"action": "verify", "code": code_sent_to("rosa@example.org")})
    maria.refresh_from_db()
    known.refresh_from_db()
    assert (maria.email, known.email) == ("maria@example.org", "rosa@example.org")


def test_a_plus_tag_of_ones_own_address_is_no_other_account(browser, maria):
    browser.post(EMAIL, {"action": "send", "email": "maria+kpt@example.org"})
    browser.post(EMAIL, {"action": "verify", "code": code_sent_to("maria+kpt@example.org")})
    maria.refresh_from_db()
    assert maria.email == "maria+kpt@example.org"


def test_the_address_page_wants_a_fresh_code_and_limits_what_it_sends(signed_in_client, maria, browser):
    assert signed_in_client(maria.account).get(EMAIL)["Location"].startswith("/saya/kode/")
    for number in range(40):
        browser.post(EMAIL, {"action": "send", "email": f"orang{number}@example.org"})
    assert OutgoingMail.objects.filter(kind="code").count() == limits.CODES
