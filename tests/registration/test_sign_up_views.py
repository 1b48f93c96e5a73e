"""The sign-up as a browser does it: form, code, personal page, join page."""

import re

import pytest
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from registration import links, mail, signup
from registration.limits import CODES
from registration.models import Attendance, Consent, OutgoingMail, Participant, Registration, Session
from tests.factories import (
    ConsentFactory,
    EditionFactory,
    OrganisationFactory,
    ParticipantFactory,
    RegistrationFactory,
    WebinarFactory,
)
from tests.registration.forms import filled_in

pytestmark = pytest.mark.django_db

KODE = "/akun/kode/"
ZOOM = "https://zoom.example.org/j/99900000001"


def code_sent_to(address):
    return OutgoingMail.objects.filter(kind="code", to=address).latest("pk").context["code"]


def test_form_code_and_personal_page(client, now):
    webinar = WebinarFactory()
    response = client.post("/daftar/", filled_in(webinar))
    assert (response.status_code, response["Location"]) == (302, KODE)
    response = client.post(KODE, {"code": code_sent_to("maria@example.org")})
    assert (response.status_code, response["Location"]) == (302, "/saya/")
    assert Registration.objects.get().status == "CONFIRMED"
    page = client.get("/saya/").content.decode()
    assert webinar.title in page
    assert links.join(Registration.objects.get()).partition("/gabung")[2] in page


def test_english_path_keeps_english_for_mail_and_pages(client, now):
    response = client.post("/en/daftar/", filled_in(WebinarFactory()))
    assert response["Location"] == "/en/akun/kode/"
    response = client.post(response["Location"], {"code": code_sent_to("maria@example.org")})
    assert response["Location"] == "/en/saya/"
    assert Participant.objects.get().language == "en"
    assert set(OutgoingMail.objects.values_list("language", flat=True)) == {"en"}


def test_known_and_unknown_addresses_get_the_same_answer(client, now):
    webinar, known = WebinarFactory(), ParticipantFactory(email="known@example.org")
    answers = []
    for address in ("known@example.org", "unknown@example.org"):
        client.cookies.clear()
        response = client.post("/daftar/", filled_in(webinar, email=address))
        page = client.get(response["Location"]).content.decode().replace(address, "ADDRESS")
        answers.append((response.status_code, response["Location"], re.sub(r'value="\w{64}"', "", page)))
    assert answers[0] == answers[1]
    known.refresh_from_db()
    assert known.name != "Contoh Maria"


@pytest.mark.parametrize("which", [0, 1])
def test_a_double_submission_sends_one_code_that_opens_either_browser_once(client, now, which):
    webinar, cookies = WebinarFactory(), []
    for _click in range(2):
        client.post("/daftar/", filled_in(webinar))
        cookies.append(client.cookies.pop("sessionid").value)
    assert OutgoingMail.objects.filter(kind="code").count() == 1
    code = code_sent_to("maria@example.org")
    client.cookies["sessionid"] = cookies[which]
    assert client.post(KODE, {"code": code})["Location"] == "/saya/"
    client.cookies["sessionid"] = cookies[1 - which]
    assert client.post(KODE, {"code": code})["Location"] == "/akun/masuk/"
    assert "sudah dipakai" in client.get("/akun/masuk/").content.decode()
    assert client.get("/saya/").status_code == 302
    assert Registration.objects.count() == Participant.objects.count() == 1
    assert OutgoingMail.objects.filter(kind="confirmation").count() == 1


def test_a_double_click_on_the_code_is_one_use(client, now):
    client.post("/daftar/", filled_in(WebinarFactory()))
    session, code = client.cookies["sessionid"].value, code_sent_to("maria@example.org")
    row = Session.objects.get(session_key=session)
    assert client.post(KODE, {"code": code})["Location"] == "/saya/"
    row.save(force_insert=True)  # the second click was on its way with the session of the first
    client.cookies["sessionid"] = session
    assert client.post(KODE, {"code": code})["Location"] == "/saya/"
    assert client.get("/saya/").status_code == 200
    assert OutgoingMail.objects.filter(kind="confirmation").count() == 1


def test_a_code_that_was_used_is_not_given_to_another_browser(client, now):
    client.post("/daftar/", filled_in(WebinarFactory()))
    used = code_sent_to("maria@example.org")
    client.post(KODE, {"code": used})
    client.cookies.clear()
    client.post("/akun/masuk/", {"email": "maria@example.org"})
    if code_sent_to("maria@example.org") != used:
        assert client.post(KODE, {"code": used}).status_code == 200
    assert client.get("/saya/").status_code == 302


def test_a_mailbox_is_not_flooded_from_many_networks(client, now, time_machine):
    webinar = WebinarFactory()
    answers = []
    for minute in range(CODES + 2):
        time_machine.move_to(now + timezone.timedelta(minutes=2 * minute))
        client.cookies.clear()
        client.get("/", REMOTE_ADDR=f"198.51.100.{minute}")
        answers.append(client.post("/daftar/", filled_in(webinar), REMOTE_ADDR=f"198.51.100.{minute}").status_code)
    assert answers == [302] * CODES + [429] * 2
    assert OutgoingMail.objects.filter(kind="code").count() == CODES
    assert client.post("/daftar/", filled_in(webinar, email="rut@example.org")).status_code == 302


def test_a_wrong_code_is_said_and_counted(client, now):
    client.post("/daftar/", filled_in(WebinarFactory()))
    right = code_sent_to("maria@example.org")
    wrong = "000000" if right != "000000" else "111111"
    response = client.post(KODE, {"code": wrong})
    assert response.status_code == 200
    [error] = response.context["form"].errors.as_data()["code"]
    assert error.code == "incorrect"
    for _try in range(4):
        response = client.post(KODE, {"code": wrong})
    assert response.status_code == 302
    assert client.post(KODE, {"code": right}).status_code == 302
    assert Registration.objects.get().status == "PENDING"


def test_an_expired_code_leads_back_to_a_form_that_kept_everything(client, now, time_machine):
    webinar = WebinarFactory()
    client.post("/daftar/", filled_in(webinar, organisation="Contoh Komunitas"))
    code = code_sent_to("maria@example.org")
    time_machine.move_to(now + mail.CODE_LIFE + timezone.timedelta(seconds=1))
    assert client.post(KODE, {"code": code})["Location"] == "/akun/masuk/"
    form = client.get("/daftar/").context["form"]
    assert (form["name"].value(), form["organisation"].value()) == ("Contoh Maria", "Contoh Komunitas")
    assert form["webinars"].value() == [webinar.slug]


def test_a_signed_in_person_needs_no_second_code(signed_in_client, now):
    person, webinar = ParticipantFactory(), WebinarFactory()
    response = signed_in_client(person.account).post("/daftar/", filled_in(webinar, email=person.email))
    assert response["Location"] == "/saya/"
    assert Registration.objects.get().status == "CONFIRMED"


def test_another_person_on_the_same_phone_is_signed_out_first(signed_in_client, now):
    first, webinar = ParticipantFactory(), WebinarFactory()
    browser = signed_in_client(first.account)
    assert browser.post("/daftar/", filled_in(webinar, email="second@example.org"))["Location"] == KODE
    browser.post(KODE, {"code": code_sent_to("second@example.org")})
    assert Registration.objects.get().participant.email == "second@example.org"
    assert first.name not in browser.get("/saya/").content.decode()


def test_partner_consents_go_to_the_hosts_that_were_ticked(client, now):
    ticked, bait = OrganisationFactory(), OrganisationFactory()
    webinar = WebinarFactory(hosts=[ticked, bait])
    client.post("/daftar/", filled_in(webinar, consent_partners=[ticked.slug]))
    client.post(KODE, {"code": code_sent_to("maria@example.org")})
    assert list(Consent.objects.filter(purpose="partner").values_list("organisation", flat=True)) == [ticked.pk]


def test_partner_consent_on_covers_every_host_of_the_chosen_webinars_only(client, now):
    first, second, bait = OrganisationFactory(), OrganisationFactory(), OrganisationFactory()
    chosen = WebinarFactory(hosts=[first, second])
    WebinarFactory(hosts=[bait])
    client.post("/daftar/", filled_in(chosen, consent_partners="on"))
    client.post(KODE, {"code": code_sent_to("maria@example.org")})
    granted = Consent.objects.filter(purpose="partner").values_list("organisation", flat=True)
    assert set(granted) == {first.pk, second.pk}


def test_without_a_tick_no_partner_gets_anything(client, now):
    client.post("/daftar/", filled_in(WebinarFactory(hosts=[OrganisationFactory()])))
    client.post(KODE, {"code": code_sent_to("maria@example.org")})
    assert list(Consent.objects.values_list("purpose", flat=True)) == ["processing"]


@pytest.mark.parametrize(
    ("opens", "closes"), [(None, None), (1, None), (-2, -1)], ids=["no opening", "not yet open", "closed"]
)
def test_a_closed_registration_has_a_page_and_takes_nothing(client, now, opens, closes):
    day = timezone.timedelta(days=1)
    edition = EditionFactory(
        registration_opens_at=opens and now + opens * day, registration_closes_at=closes and now + closes * day
    )
    webinar = WebinarFactory(edition=edition)
    assert client.get("/daftar/").status_code == 200
    response = client.post("/daftar/", filled_in(webinar))
    assert response.status_code == 200
    assert response.context["webinars"] == []
    assert Registration.objects.count() == 0


def test_no_current_edition_is_a_page_too(client, db):
    assert client.get("/daftar/").status_code == 200


def test_drafts_and_unknown_webinars_are_refused_and_what_was_typed_is_kept(client, now):
    WebinarFactory()
    draft = WebinarFactory(draft=True)
    response = client.post("/daftar/", filled_in(draft, name="Wa Ode"))
    form = response.context["form"]
    assert list(form.errors) == ["webinars"]
    assert form["name"].value() == "Wa Ode"
    assert Participant.objects.count() == 0


def test_a_limit_for_one_network_keeps_the_form(client, now, settings):
    settings.SIGNUPS_PER_HOUR_PER_NETWORK = 2
    webinar = WebinarFactory()
    codes = [client.post("/daftar/", filled_in(webinar, email=f"p{i}@example.org")).status_code for i in range(3)]
    assert codes == [302, 302, 429]
    client.cookies.clear()
    response = client.post("/daftar/", filled_in(webinar, email="p4@example.org"), REMOTE_ADDR="192.0.2.7")
    assert response.status_code == 302


def test_a_filled_honeypot_writes_nothing_and_says_so(client, now):
    response = client.post("/daftar/", filled_in(WebinarFactory(), website="http://example.org"))
    assert list(response.context["form"].errors) == ["website"]
    assert Participant.objects.count() == 0


def test_the_webinar_she_comes_from_is_ticked(client, now):
    WebinarFactory()
    webinar = WebinarFactory()
    assert client.get(f"/daftar/?webinars={webinar.slug}").context["form"]["webinars"].value() == [webinar.slug]


def test_signing_in_without_an_account_sends_a_mail_that_says_so(client, db):
    response = client.post("/akun/masuk/", {"email": "nobody@example.org"})
    assert response["Location"] == KODE
    assert list(OutgoingMail.objects.values_list("kind", "to")) == [("unknown_account", "nobody@example.org")]


def test_after_a_lost_session_signing_in_leads_to_the_form_once_more(client, now):
    webinar = WebinarFactory()
    client.post("/daftar/", filled_in(webinar))
    client.cookies.clear()
    client.post("/akun/masuk/", {"email": "maria@example.org"})
    response = client.post(KODE, {"code": code_sent_to("maria@example.org")})
    assert response["Location"] == f"/daftar/?webinars={webinar.slug}"
    assert Registration.objects.get().status == "PENDING"
    assert client.get(response["Location"]).context["form"]["webinars"].value() == [webinar.slug]


def test_a_revoked_link_ends(client, now):
    seat = RegistrationFactory()
    token = links.join_token(seat)
    Registration.objects.filter(pk=seat.pk).update(link_version=2)
    assert client.get(reverse("registration:join", args=[token])).status_code == 404
    seat.refresh_from_db()
    assert links.read_join(links.join_token(seat)) == seat


def test_a_resent_code_has_its_whole_time(client, now, time_machine):
    client.post("/daftar/", filled_in(WebinarFactory()))
    time_machine.move_to(now + mail.CODE_LIFE - timezone.timedelta(minutes=1))
    client.post(KODE, {"action": "resend"})
    time_machine.move_to(now + mail.CODE_LIFE + timezone.timedelta(minutes=10))
    response = client.post(KODE, {"code": code_sent_to("maria@example.org")})
    assert response["Location"] == "/saya/"
    assert Registration.objects.get().status == "CONFIRMED"


# ---- The personal page


def test_mine_asks_for_a_sign_in(client, db):
    assert client.get("/saya/")["Location"] == "/akun/masuk/?next=/saya/"


def test_cancelling_acts_on_post_only_and_never_for_another(signed_in_client, now):
    mine, foreign = RegistrationFactory(), RegistrationFactory()
    browser = signed_in_client(mine.participant.account)
    address = reverse("registration:cancel", args=[mine.code])
    assert browser.get(address).status_code == 200
    mine.refresh_from_db()
    assert mine.status == "CONFIRMED"
    assert browser.post(reverse("registration:cancel", args=[foreign.code])).status_code == 404
    foreign.refresh_from_db()
    assert foreign.status == "CONFIRMED"
    assert browser.post(address)["Location"] == "/saya/"
    mine.refresh_from_db()
    assert mine.status == "CANCELLED"


@pytest.mark.parametrize("count", [1, 3])
def test_mine_costs_the_same_queries_for_one_and_three(signed_in_client, now, django_assert_num_queries, count):
    person = ParticipantFactory()
    RegistrationFactory.create_batch(count, participant=person)
    browser = signed_in_client(person.account)
    with django_assert_num_queries(8):
        browser.get("/saya/")


@pytest.mark.parametrize(
    ("webinar", "seat", "words"),
    [
        ({}, {}, "Terkonfirmasi"),
        ({"running": True}, {}, "Ruang sudah dibuka"),
        ({"over": True}, {}, "Webinar ini sudah selesai"),
        ({"cancelled": True}, {}, "Webinar ini dibatalkan"),
        ({}, {"waitlisted": True}, "Di daftar tunggu, urutan 1"),
    ],
    ids=["confirmed", "open", "over", "cancelled", "waiting"],
)
def test_a_ticket_says_where_she_stands(signed_in_client, now, webinar, seat, words):
    row = RegistrationFactory(webinar=WebinarFactory(zoom_url=ZOOM, **webinar), **seat)
    assert words in " ".join(signed_in_client(row.participant.account).get("/saya/").content.decode().split())


@pytest.mark.parametrize(
    ("capacity", "words"), [(1, "Semua tempat sudah terisi"), (3, "Sisa 2 tempat"), (None, None)], ids=str
)
def test_the_webinars_page_says_what_seats_are_left(client, now, capacity, words):
    webinar = WebinarFactory(capacity=capacity)
    RegistrationFactory(webinar=webinar)
    page = " ".join(client.get(webinar.get_absolute_url()).content.decode().split())
    assert ("tempat sudah terisi" in page or "Sisa" in page) == bool(words)
    assert (words or "") in page


def test_going_back_keeps_the_consents_that_were_given(client, now):
    host = OrganisationFactory()
    webinar = WebinarFactory(hosts=[host])
    client.post("/daftar/", filled_in(webinar, consent_partners=[host.slug]))
    form = client.get("/daftar/").context["form"]
    assert (form["consent_processing"].value(), form["consent_partners"].value()) == (True, [host.slug])


# ---- The join page


def join_page(client, registration, **extra):
    return client.get(reverse("registration:join", args=[links.join_token(registration)]), **extra)


@pytest.fixture
def seat(now):
    return RegistrationFactory(webinar=WebinarFactory(zoom_url=ZOOM))


def test_too_early_there_is_a_waiting_room_and_no_way_in(client, seat):
    response = join_page(client, seat)
    assert (response.status_code, response.context["state"]) == (200, "early")
    response = client.post(response.request["PATH_INFO"])
    assert response.status_code == 409
    assert ZOOM not in response.content.decode()
    assert Attendance.objects.count() == 0


def test_in_the_window_post_leads_to_zoom_and_records_one_attendance(client, seat, time_machine):
    time_machine.move_to(seat.webinar.join_opens_at)
    response = join_page(client, seat)
    assert response.context["state"] == "open"
    assert "zoom.example.org" not in response.content.decode()
    assert Attendance.objects.count() == 0
    for _click in range(2):
        answer = client.post(response.request["PATH_INFO"])
        assert (answer.status_code, answer["Location"]) == (303, ZOOM)
    attendance = Attendance.objects.get()
    assert (attendance.registration, attendance.source, attendance.joined_at) == (
        seat,
        "link",
        seat.webinar.join_opens_at,
    )


def test_her_own_zoom_address_wins(client, seat, time_machine):
    seat.zoom_join_url = "https://zoom.example.org/w/hers"
    seat.save()
    time_machine.move_to(seat.webinar.starts_at)
    answer = client.post(reverse("registration:join", args=[links.join_token(seat)]))
    assert answer["Location"] == "https://zoom.example.org/w/hers"


@pytest.mark.parametrize(
    ("traits", "webinar", "state"),
    [
        ({}, {"over": True}, "over"),
        ({"waitlisted": True}, {}, "waiting"),
        ({"cancelled": True}, {}, "cancelled"),
        ({}, {"cancelled": True}, "webinar_cancelled"),
        ({}, {"unknown_hour": True}, "no_hour"),
        ({}, {"running": True, "zoom_url": "", "backup_stream_url": ""}, "no_room"),
        ({"pending": True}, {"running": True}, "cancelled"),
    ],
)
def test_every_other_state_has_its_answer_and_no_way_in(client, now, traits, webinar, state):
    seat = RegistrationFactory(webinar=WebinarFactory(**({"zoom_url": ZOOM} | webinar)), **traits)
    response = join_page(client, seat)
    assert (response.status_code, response.context["state"]) == (200, state)
    assert client.post(response.request["PATH_INFO"]).status_code == 409
    assert ZOOM not in response.content.decode()


def test_the_backup_stream_stands_in_for_a_missing_zoom_address(client, now):
    stream = "https://stream.example.org/kpt"
    seat = RegistrationFactory(webinar=WebinarFactory(running=True, zoom_url="", backup_stream_url=stream))
    assert client.post(reverse("registration:join", args=[links.join_token(seat)]))["Location"] == stream


@pytest.mark.parametrize(
    "token", ["x", "MQ:1abc:forged", signing.dumps(1, salt="another.salt")], ids=["short", "forged", "of another salt"]
)
def test_a_forged_link_is_a_plain_answer(client, db, token):
    RegistrationFactory(pk=1)
    for name in ("join", "leave"):
        response = client.get(reverse(f"registration:{name}", args=[token]))
        assert response.status_code == 404
        assert "registration/join_unknown.html" in [t.name for t in response.templates]


def test_the_join_page_shows_no_more_than_the_first_name(client, now):
    person = ParticipantFactory(name="Contoh Adelheid Rahasia", phone="+6281234567890")
    page = join_page(client, RegistrationFactory(participant=person)).content.decode()
    assert "Contoh" in page
    for bait in ("Rahasia", person.phone, person.email):
        assert bait not in page


def test_leaving_by_the_mail_link_needs_no_sign_in_and_a_post(client, seat):
    address = reverse("registration:leave", args=[links.join_token(seat)])
    assert client.get(address).status_code == 200
    seat.refresh_from_db()
    assert seat.status == "CONFIRMED"
    assert client.post(address).status_code == 200
    seat.refresh_from_db()
    assert seat.status == "CANCELLED"


def test_an_old_cancel_link_leads_to_what_comes_after_the_webinar(client, now):
    seat = RegistrationFactory(webinar=WebinarFactory(over=True))
    token = links.join_token(seat)
    response = client.post(reverse("registration:leave", args=[token]))
    assert response["Location"] == reverse("registration:join", args=[token])
    seat.refresh_from_db()
    assert seat.status == "CONFIRMED"


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Siti", "Siti"),
        ("Wa Ode Sitti", "Wa Ode"),
        ("I Gusti Ayu", "I Gusti"),
        ("R. A. Kartini", "R. A. Kartini"),
        ("Mama Teti Bere", "Mama Teti"),
        ("Mama", "Mama"),
        ("Wa", "Wa"),
    ],
)
def test_a_person_is_called_by_what_can_stand_alone(name, called):
    assert Participant(name=name).first_name == called


def test_personal_pages_are_never_cached_and_send_no_referrer(client, seat):
    response = join_page(client, seat)
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"


def test_the_hold_outlasts_the_code():
    assert signup.HOLD > mail.CODE_LIFE


def test_the_chosen_regency_stays_chosen(client, now):
    response = client.post("/daftar/", filled_in(WebinarFactory(), province="73", regency="7371", name=""))
    page = response.content.decode()
    assert "<option value=7371 selected>Kota Makassar<" in page
    assert len(re.findall(r"<option value=\d{4}[ >]", page)) == 514


def test_who_signed_up_by_code_stays_signed_in_as_long_as_others(client, now, settings):
    client.post("/daftar/", filled_in(WebinarFactory()))
    assert client.session.get_expiry_age() == signup.HOLD.total_seconds()
    client.post(KODE, {"code": code_sent_to("maria@example.org")})
    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


@pytest.mark.parametrize("is_fresh", [True, False])
def test_a_phone_left_signed_in_gives_nobodys_data_to_organisations(is_fresh, signed_in_client):
    """A webinar is added all the same; what she has agreed to before stands."""
    [old, new] = hosts = OrganisationFactory.create_batch(2)
    webinar = WebinarFactory(hosts=hosts)
    person = ParticipantFactory(proven_at=timezone.now())
    ConsentFactory(participant=person, partner=old)
    browser = signed_in_client(person.account, fresh=is_fresh)
    answers = filled_in(webinar, email=person.email, consent_partners=[old.slug, new.slug])
    page = browser.post("/en/daftar/", answers, follow=True).content.decode()
    assert person.registrations.get().webinar == webinar
    shared = person.consents.in_force().filter(purpose="partner").values_list("organisation", flat=True)
    assert sorted(shared) == ([old.pk, new.pk] if is_fresh else [old.pk])
    assert ("The organisations that you ticked receive nothing yet" in page) is not is_fresh


def test_what_was_shared_before_is_no_new_consent(signed_in_client):
    organisation = OrganisationFactory()
    person = ParticipantFactory(proven_at=timezone.now())
    ConsentFactory(participant=person, partner=organisation)
    answers = filled_in(WebinarFactory(hosts=[organisation]), email=person.email, consent_partners=[organisation.slug])
    page = signed_in_client(person.account).post("/en/daftar/", answers, follow=True).content.decode()
    assert "receive nothing yet" not in page
