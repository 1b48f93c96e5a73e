from datetime import timedelta

import icalendar
import pytest
import vobject
from django.conf import settings
from django.urls import reverse

from conference import changes
from conference.models import Webinar
from kpt.logs import redact
from registration import letters, links, signup
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, WebinarFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(now):
    """In Papua, an hour ahead of the organisers."""
    return ParticipantFactory(name="Maria Contoh", province="94")


def path(participant):
    return reverse("registration:calendar", args=[links.calendar_token(participant)])


def events(content):
    assert vobject.readOne(content.decode()).validate(raiseException=True)
    return icalendar.Calendar.from_ical(content).walk("VEVENT")


def test_it_holds_her_webinars_with_her_own_links_and_her_hours_first(client, maria):
    seat = RegistrationFactory(participant=maria, webinar=WebinarFactory(title="Satu", slug="satu"))
    RegistrationFactory(webinar=seat.webinar)  # another's
    RegistrationFactory(participant=maria, cancelled=True)
    RegistrationFactory(participant=maria, pending=True)
    RegistrationFactory(participant=maria, webinar=WebinarFactory(draft=True))
    response = client.get(path(maria))
    [event] = events(response.content)
    assert (event["uid"], event["summary"]) == (f"{seat.code}@{settings.SITE_HOST}", "Satu")
    assert event["description"].splitlines()[1].endswith("10.00–13.00 WIT")
    token = event["url"].removeprefix(f"{settings.SITE_URL}/gabung/").rstrip("/")
    assert links.read_join(token) == seat
    assert b"zoom" not in response.content
    calendar = icalendar.Calendar.from_ical(response.content)
    assert calendar["x-wr-calname"] == "Webinar KPT Maria"


def test_nothing_in_between_keeps_or_lists_it_and_it_needs_no_cookie(client, maria):
    response = client.get(path(maria))
    assert "no-store" in response["Cache-Control"]
    assert (response["X-Robots-Tag"], response["Referrer-Policy"]) == ("noindex", "no-referrer")
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
    assert client.post(path(maria)).status_code == 405


def test_on_the_waiting_list_it_is_tentative_and_says_so(client, maria):
    RegistrationFactory(participant=maria, waitlisted=True)
    [event] = events(client.get("/en" + path(maria)).content)
    assert (event["status"], event["transp"]) == ("TENTATIVE", "TRANSPARENT")
    assert event["description"].startswith("You are on the waiting list.")


def test_it_has_the_same_bytes_until_something_changes(client, maria, now, time_machine):
    RegistrationFactory(participant=maria)
    before = client.get(path(maria)).content
    time_machine.move_to(now + timedelta(days=1))
    assert client.get(path(maria)).content == before


def test_every_step_of_hers_and_of_the_programme_raises_the_sequence(client, maria, now):
    webinar = WebinarFactory(capacity=1)
    other = RegistrationFactory(webinar=webinar)
    changes.record(webinar.edition, now=now)
    waiting = RegistrationFactory(participant=maria, webinar=webinar, waitlisted=True)
    seen = [events(client.get(path(maria)).content)[0]]
    signup.cancel(other, now=now + timedelta(minutes=1))
    seen += events(client.get(path(maria)).content)
    Webinar.objects.filter(pk=webinar.pk).update(status="cancelled")
    changes.record(webinar.edition, now=now + timedelta(minutes=2))
    seen += events(client.get(path(maria)).content)
    assert [event["status"] for event in seen] == ["TENTATIVE", "CONFIRMED", "CANCELLED"]
    numbers = [event["sequence"] for event in seen]
    assert numbers == sorted(set(numbers))
    assert {event["uid"] for event in seen} == {f"{waiting.code}@{settings.SITE_HOST}"}
    stamps = [event["last-modified"].dt - now for event in seen]
    assert stamps == [timedelta(minutes=minutes) for minutes in (0, 1, 2)]


def test_without_a_webinar_it_is_still_a_calendar(client, maria):
    assert events(client.get(path(maria)).content) == []


@pytest.mark.parametrize("change", [lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"), lambda token: "1-1", lambda token: "x"])  # fmt: skip
def test_a_forged_address_is_unknown(client, maria, change):
    address = reverse("registration:calendar", args=[change(links.calendar_token(maria))])
    assert client.get(address).status_code == 404


def test_one_kind_of_link_is_no_key_for_another(client, maria):
    seat = RegistrationFactory(participant=maria)
    assert links.read_calendar(links.join_token(seat)) is None
    assert links.read_join(links.calendar_token(maria)) is None


def test_an_unproven_person_has_none(client, now):
    assert client.get(path(ParticipantFactory(unproven=True))).status_code == 404


def test_her_page_shows_the_address_of_each_person_and_a_new_one_ends_the_old(signed_in_client, client, maria):
    child = ParticipantFactory(account=maria.account, email="", name="Anak Contoh")
    hers = signed_in_client(maria.account)
    page = hers.get("/saya/").content.decode()
    for person in (maria, child):
        assert f'href="{settings.SITE_URL}{path(person)}"' in page
        assert f'href="webcal://{settings.SITE_URL.partition("://")[2]}{path(person)}"' in page
    old = path(maria)
    assert hers.get(reverse("registration:renew_calendar", args=[maria.pk])).status_code == 405
    assert hers.post(reverse("registration:renew_calendar", args=[maria.pk]))["Location"] == "/saya/"
    maria.refresh_from_db()
    assert (client.get(old).status_code, client.get(path(maria)).status_code) == (404, 200)
    assert client.get(path(child)).status_code == 200


def test_nobody_renews_another_persons_address(signed_in_client, client, maria):
    stranger = signed_in_client(ParticipantFactory().account)
    address = reverse("registration:renew_calendar", args=[maria.pk])
    assert stranger.post(address).status_code == 404
    assert client.post(address).status_code == 302
    maria.refresh_from_db()
    assert maria.calendar_version == 1


def test_no_log_shows_the_address(maria):
    token = links.calendar_token(maria)
    assert token not in redact(f"GET {path(maria)}")


def test_the_file_in_a_mail_and_the_calendar_are_copies_of_the_same_event(client, maria, now):
    mail = OutgoingMailFactory(participant=RegistrationFactory(participant=maria).participant)
    [*_texts, (_name, attachment, kind)] = letters.compose(mail, now=now).attachments
    assert kind == "text/calendar; method=PUBLISH; charset=utf-8"
    assert events(client.get(path(maria)).content) == events(
        attachment.encode() if isinstance(attachment, str) else attachment
    )
