"""The page behind the link in every mail: no sign-in, no data but first names, ended at her wish."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import signing
from django.urls import reverse

from kpt.logs import redact
from registration import letters, links, renewal, signup
from registration.models import Event, OutgoingMail, Registration
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(now):
    return ParticipantFactory(
        name="Maria Sulastri Wenda",
        email="maria.wenda@example.org",
        phone="+6281234567890",
        organisation="Yayasan Rahasia",
        province="94",
    )


def in_care(carer, name, **fields):
    return ParticipantFactory(account=carer.account, name=name, email="", contact_email="", **fields)


def path(participant):
    return reverse("registration:page", args=[links.page_token(participant)])


def test_it_shows_her_webinars_hours_and_links_without_a_sign_in(client, maria):
    seat = RegistrationFactory(participant=maria, webinar=WebinarFactory(title="Hutan", slug="hutan"))
    full = WebinarFactory(title="Laut", capacity=1)
    RegistrationFactory(webinar=full)
    RegistrationFactory.create_batch(2, webinar=full, waitlisted=True)
    RegistrationFactory(participant=maria, webinar=full, waitlisted=True)
    RegistrationFactory(participant=maria, webinar=WebinarFactory(title="Rancangan", draft=True))
    RegistrationFactory(participant=maria, webinar=WebinarFactory(title="Ditahan"), pending=True)
    RegistrationFactory(webinar=WebinarFactory(title="Orang lain"))
    page = client.get(path(maria)).content.decode()
    assert "Hutan" in page
    assert "10.00–13.00</time> WIT" in page
    assert f"/gabung/{seat.pk}-1." in page
    assert "Di daftar tunggu, urutan 3" in page
    assert links.calendar(maria) in page
    assert not [word for word in ("Rancangan", "Ditahan", "Orang lain") if word in page]


def test_it_shows_no_data_but_the_first_name(client, maria):
    seat = RegistrationFactory(participant=maria)
    page = client.get(path(maria)).content.decode()
    assert "<h2>Maria</h2>" in page
    shown = ("Sulastri", "Wenda", maria.email, "wenda", "6281234567890", "Rahasia", seat.code, "Papua")
    assert [word for word in shown if word in page] == []


def test_nothing_in_between_keeps_or_lists_it_and_it_needs_no_cookie(client, maria):
    response = client.get(path(maria))
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    assert (response["X-Robots-Tag"], response["Referrer-Policy"]) == ("noindex", "no-referrer")
    assert '<meta name="robots" content="noindex">' in response.content.decode()
    assert not response.cookies
    assert redact(f"GET {path(maria)}?a=1") == "GET /tautan/[token]/?a=1"
    assert "Disallow: /tautan/" in client.get("/robots.txt").content.decode()


def test_looking_changes_nothing(client, maria):
    seat = RegistrationFactory(participant=maria)
    client.get(path(maria), {"step": "leave", "registration": seat.pk})
    client.head(path(maria))
    seat.refresh_from_db()
    assert seat.status == "CONFIRMED"


def test_one_click_gives_a_seat_or_a_place_in_the_line_back(client, maria):
    seat = RegistrationFactory(participant=maria, webinar=WebinarFactory(capacity=1))
    behind = RegistrationFactory(webinar=seat.webinar, waitlisted=True)
    response = client.post(path(maria), {"step": "leave", "registration": seat.pk})
    assert (response.status_code, response["Location"]) == (302, path(maria))
    seat.refresh_from_db()
    behind.refresh_from_db()
    assert (seat.status, behind.status) == ("CANCELLED", "CONFIRMED")
    page = client.get(path(maria)).content.decode()
    assert "Pendaftaran Anda dibatalkan" in page
    assert f"/daftar/?webinars={seat.webinar.slug}" in page
    client.post(path(maria), {"step": "leave", "registration": seat.pk})  # twice is harmless
    assert OutgoingMail.objects.filter(kind="cancellation").count() == 1


def test_an_offered_seat_is_taken_by_one_click(client, maria, now):
    until = now + timedelta(hours=1)
    seat = RegistrationFactory(participant=maria, webinar=WebinarFactory(capacity=1), offered=True, held_until=until)
    page = client.get(path(maria)).content.decode()
    assert "Ada tempat kosong untuk Anda" in page
    assert "11.00</time> WIT" in page
    client.post(path(maria), {"step": "accept", "registration": seat.pk})
    seat.refresh_from_db()
    assert seat.status == "CONFIRMED"
    assert f"/gabung/{seat.pk}-1." in client.get(path(maria)).content.decode()


def test_an_offer_that_has_passed_says_so_and_a_free_seat_may_be_taken(client, maria, now):
    full = WebinarFactory(capacity=1)
    other = RegistrationFactory(webinar=full)
    seat = RegistrationFactory(participant=maria, webinar=full, waitlisted=True, offered_at=now - timedelta(hours=1))
    answer = client.post(path(maria), {"step": "accept", "registration": seat.pk})
    assert answer["Location"] == f"{path(maria)}?terlambat=1"
    assert "Sudah terlambat" in client.get(answer["Location"]).content.decode()
    seat.refresh_from_db()
    assert seat.status == "WAITLISTED"
    signup.cancel(other, now=now)
    client.post(path(maria), {"step": "accept", "registration": seat.pk})
    seat.refresh_from_db()
    assert seat.status == "CONFIRMED"


def test_a_link_acts_on_its_own_people_alone(client, maria):
    foreign, own = RegistrationFactory(), RegistrationFactory(participant=maria)
    for data in (
        {"step": "leave", "registration": foreign.pk},
        {"step": "delete", "registration": own.pk},
        {"step": "leave", "registration": "1 or 1"},
        {"step": "leave", "registration": "9" * 30},
        {"step": "leave"},
        {},
    ):
        assert client.post(path(maria), data).status_code == 404
    assert Registration.objects.confirmed().count() == 2


def test_a_carers_page_shows_the_people_in_her_care_by_first_name(client, maria):
    rut = in_care(maria, "Rut Contoh Yoku")
    seat = RegistrationFactory(participant=rut, webinar=WebinarFactory(title="Hutan"))
    page = client.get(path(maria)).content.decode()
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["Maria", "Rut"]
    assert "Yoku" not in page
    client.post(path(maria), {"step": "leave", "registration": seat.pk})
    seat.refresh_from_db()
    assert seat.status == "CANCELLED"


@pytest.mark.parametrize(("number", "folded"), [(3, False), (4, True)])
def test_a_long_group_is_folded_and_has_its_own_page(client, signed_in_client, maria, number, folded):
    RegistrationFactory(participant=maria)
    for _one in range(number):
        RegistrationFactory(participant=in_care(maria, "Rut"))
    page = client.get("/en" + path(maria)).content.decode()
    assert page.count("<h2>Rut</h2>") == number
    assert ("4 people in your care" in page) is folded
    own = signed_in_client(maria.account).get("/en/saya/").content.decode()
    assert own.count("<h2>Rut</h2>") == (0 if folded else number)
    assert ("See the 4 people in your care" in own) is folded
    assert "<h2>Maria Sulastri Wenda</h2>" in own


def test_somebody_in_care_is_signed_up_again_in_the_group_and_not_as_her_carer(client, maria):
    webinar = WebinarFactory(slug="hutan")
    seats = [
        RegistrationFactory(participant=person, webinar=webinar, cancelled=True)
        for person in (maria, in_care(maria, "Rut"))
    ]
    page = client.get(path(maria)).content.decode()
    assert page.count("/daftar/?webinars=hutan") == 1
    assert page.count(f"/saya/rombongan/{seats[1].participant_id}/") == 1
    own, others = (client.get(reverse("registration:join", args=[links.join_token(seat)])) for seat in seats)
    assert "/daftar/?webinars=hutan" in own.content.decode()
    assert f"/saya/rombongan/{seats[1].participant_id}/" in others.content.decode()
    assert "/daftar/?webinars=hutan" not in others.content.decode()


def test_who_waits_leaves_the_line_and_has_no_seat_to_give_back(client, maria):
    waits = RegistrationFactory(participant=maria, webinar=WebinarFactory(), waitlisted=True)
    seated = RegistrationFactory(participant=maria, webinar=WebinarFactory())
    pages = [
        client.get("/en" + reverse("registration:leave", args=[links.join_token(row)])).content.decode()
        for row in (waits, seated)
    ]
    assert ["Leave the waiting list" in page for page in pages] == [True, False]
    assert ["Cancel registration" in page for page in pages] == [False, True]


def test_the_page_of_somebody_in_care_shows_nobody_else(client, maria):
    rut, own = in_care(maria, "Rut Yoku"), RegistrationFactory(participant=maria)
    in_care(maria, "Sara Yoku")
    page = client.get(path(rut)).content.decode()
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["Rut"]
    assert client.post(path(rut), {"step": "leave", "registration": own.pk}).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_it_costs_the_same_queries_for_one_and_three(client, maria, django_assert_num_queries, count):
    for _one in range(count):
        person = in_care(maria, "Rut")
        webinar = WebinarFactory(capacity=1)
        RegistrationFactory(webinar=webinar)
        RegistrationFactory(participant=person, webinar=webinar, waitlisted=True)
    client.get(path(maria))
    # her, the people in her care, registrations, whether her mail comes back, the site's edition and menu
    with django_assert_num_queries(6):
        client.get(path(maria))


# ---- Links that open nothing


def forged(participant):
    return signing.TimestampSigner(salt=links.PAGE_SALT, sep=".", key="another key").sign(f"{participant.pk}-1")


def another_purpose(participant):
    return links.calendar_token(participant)


@pytest.mark.parametrize("token", [forged, another_purpose, lambda p: links.page_token(p)[:-1], lambda p: f"{p.pk}-1"])
def test_a_forged_or_broken_link_is_unknown_and_says_what_to_do(client, maria, token):
    response = client.get(f"/tautan/{token(maria)}/")
    assert response.status_code == 404
    assert "Tautan ini tidak lengkap" in response.content.decode()
    assert 'href="/saya/"' in response.content.decode()
    assert "Maria" not in response.content.decode()


def test_a_join_link_opens_no_page_and_a_page_link_no_room(client, maria):
    seat = RegistrationFactory(participant=maria)
    assert client.get(f"/tautan/{links.join_token(seat)}/").status_code == 404
    assert client.get(f"/gabung/{links.page_token(maria)}/").status_code == 404


def test_an_aged_link_has_ended_and_says_so(client, maria, now, time_machine):
    address, seat = path(maria), RegistrationFactory(participant=maria)
    time_machine.move_to(now + timedelta(days=400))
    assert client.get(address).status_code == 200
    time_machine.move_to(now + timedelta(days=400, seconds=1))
    response = client.get(address)
    assert response.status_code == 404
    assert "Tautan ini sudah berakhir" in response.content.decode()
    assert client.post(address, {"step": "leave", "registration": seat.pk}).status_code == 404
    seat.refresh_from_db()
    assert seat.status == "CONFIRMED"


# ---- Fresh links


def test_renewing_ends_all_links_and_mails_fresh_ones(client, maria, now):
    rut, other = in_care(maria, "Rut"), RegistrationFactory()
    seat, hers = RegistrationFactory(participant=maria), RegistrationFactory(participant=rut)
    old = [path(maria), path(rut), *(f"/gabung/{links.join_token(row)}/" for row in (seat, hers))]
    old += [f"/saya/kalender/{links.calendar_token(person)}.ics" for person in (maria, rut)]
    foreign = [path(other.participant), f"/gabung/{links.join_token(other)}/"]
    renewal.renew(maria.account, now=now)
    assert {address: client.get(address).status_code for address in old if "kalender" not in address} == dict.fromkeys(
        old[:4], 404
    )
    assert [client.get(address).status_code for address in old[4:]] == [404, 404]
    assert [client.get(address).status_code for address in foreign] == [200, 200]
    for row in (maria, rut, seat, hers):
        row.refresh_from_db()
    assert client.get(path(maria)).status_code == 200
    assert client.get(f"/gabung/{links.join_token(hers)}/").status_code == 200
    [own, group] = OutgoingMail.objects.order_by("kind")
    assert [(mail.kind, mail.to) for mail in (own, group)] == [("confirmation", maria.email), ("group", maria.email)]
    assert links.join(hers) in letters.compose(group, now=now).body
    assert links.page(maria) in letters.compose(group, now=now).body
    steps = Event.objects.filter(kind=Event.Kind.LINKS_RENEWED).order_by("participant")
    assert [(step.participant, step.actor) for step in steps] == [(maria, maria.account), (rut, maria.account)]


def test_renewing_asks_for_a_fresh_code_and_for_a_click(signed_in_client, maria):
    client = signed_in_client(maria.account)
    assert client.post("/saya/tautan/baru/")["Location"].startswith("/saya/kode/")
    client = signed_in_client(maria.account, fresh=True)
    assert client.get("/saya/tautan/baru/").status_code == 200
    maria.refresh_from_db()
    assert maria.link_version == 1
    done = client.post("/saya/tautan/baru/")
    maria.refresh_from_db()
    assert maria.link_version == 2
    assert "sudah diperbarui" in client.get(done["Location"]).content.decode()
    assert 'href="/saya/tautan/baru/"' in client.get("/saya/").content.decode()


# ---- Mails lead here


@pytest.mark.parametrize("kind", ["confirmation", "promoted", "cancellation"])
@pytest.mark.parametrize("language", ["id", "en"])
def test_the_mail_leads_to_her_page(client, maria, now, kind, language):
    seat = RegistrationFactory(participant=maria, cancelled=kind == "cancellation")
    mail = OutgoingMailFactory(kind=kind, participant=maria, registration=seat, to=maria.email, language=language)
    message = letters.compose(mail, now=now)
    text, html = message.body, message.alternatives[0].content
    [link] = set(re.findall(r"https?://\S+/tautan/[^/\s\"]+/", text))
    assert f'href="{link}"' in html
    assert client.get(link.removeprefix(settings.SITE_URL)).status_code == 200
    assert link.startswith(f"{settings.SITE_URL}/en/tautan/" if language == "en" else f"{settings.SITE_URL}/tautan/")


def test_a_mail_to_another_address_does_not_lead_to_her_page(maria, now):
    RegistrationFactory(participant=maria)
    mail = OutgoingMailFactory(kind="confirmation", participant=maria, to="other@example.org")
    assert "/tautan/" not in letters.compose(mail, now=now).body


def test_a_carers_page_is_found_by_her_account(maria, now):
    assert links.page_of(maria.account) == links.page(maria)
    assert links.page_of(UserFactory()) == links.mine()
