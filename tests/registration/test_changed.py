"""A webinar whose hour, day or room changed: told once, after things have come to rest, to all who are in it."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from conference.models import Webinar
from registration import cancelled, changed, letters
from registration.models import OutgoingMail, WebinarNotice
from tests.factories import InvitationFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory
from tests.registration.test_admin import save

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def webinar(now):
    """A week from now at nine, and people know it."""
    webinar = WebinarFactory()
    changed.look_everywhere(now=now)
    return webinar


@pytest.fixture
def seat(webinar, now):
    return RegistrationFactory(webinar=webinar)


def put(webinar, **fields):
    Webinar.objects.filter(pk=webinar.pk).update(**fields)


def move(webinar, by):
    starts_at = webinar.starts_at + by
    put(webinar, starts_at=starts_at, ends_at=starts_at + 3 * HOUR, date=starts_at.date())


def told():
    return sorted(OutgoingMail.objects.filter(kind="webinar_changed").values_list("to", flat=True))


def said(*, now, to=None):
    mails = OutgoingMail.objects.filter(kind="webinar_changed")
    return letters.compose(mails.filter(to=to).get() if to else mails.get(), now=now)


def tell(webinar, now):
    changed.look(webinar.pk, now=now)
    return changed.look(webinar.pk, now=now, at_once=True)


# ---- When


def test_a_change_is_told_when_it_has_rested_for_ten_minutes(webinar, seat, now):
    move(webinar, HOUR)
    assert changed.look_everywhere(now=now) == 0
    assert changed.look_everywhere(now=now + 10 * MINUTE - timedelta(seconds=1)) == 0
    assert changed.look_everywhere(now=now + 10 * MINUTE) == 1
    assert changed.look_everywhere(now=now + 11 * MINUTE) == 0
    assert told() == [seat.participant.email]


def test_three_saves_are_one_mail_with_the_first_and_the_last_hour(webinar, seat, now):
    for minute in (0, 4, 8):
        move(webinar, timedelta(hours=1 + minute))
        assert changed.look_everywhere(now=now + minute * MINUTE) == 0
    assert changed.look_everywhere(now=now + 17 * MINUTE) == 0
    assert changed.look_everywhere(now=now + 18 * MINUTE) == 1
    text = said(now=now + 18 * MINUTE).body
    assert "Sebelumnya: Selasa, 8 Juni 2027, 09.00–12.00 WITA" in text
    assert "18.00–21.00 WITA" in text
    assert "14.00" not in text


def test_what_is_put_back_in_time_is_told_to_nobody(webinar, seat, now):
    move(webinar, HOUR)
    changed.look_everywhere(now=now)
    move(webinar, timedelta(0))
    assert [changed.look_everywhere(now=now + minute * MINUTE) for minute in (5, 15, 30)] == [0, 0, 0]
    assert changed.pending(webinar) is None


@pytest.mark.parametrize(
    ("left", "new_start", "waits"),
    [
        (20 * MINUTE, 2 * HOUR, 5 * MINUTE),  # close to the hour that people know
        (2 * HOUR, -HOUR - 40 * MINUTE, 5 * MINUTE),  # close to the new one
        (2 * MINUTE, HOUR, MINUTE),
        (-5 * MINUTE, HOUR, MINUTE),
    ],
)
def test_close_to_the_start_it_rests_shorter(left, new_start, waits, webinar, seat):
    now = webinar.starts_at - left
    move(webinar, new_start)
    assert changed.look_everywhere(now=now) == 0
    assert changed.look_everywhere(now=now + waits - timedelta(seconds=1)) == 0
    assert changed.look_everywhere(now=now + waits) == 1


def test_one_webinar_that_fails_does_not_keep_the_others(webinar, seat, now, monkeypatch):
    broken = WebinarFactory()
    changed.look_everywhere(now=now)
    for one in (webinar, broken):
        move(one, HOUR)
    changed.look_everywhere(now=now)
    tell_one = changed.tell

    def fail(about, *args, **kwargs):
        if about == broken:
            raise ValueError
        return tell_one(about, *args, **kwargs)

    monkeypatch.setattr(changed, "tell", fail)
    assert changed.look_everywhere(now=now + 10 * MINUTE) == 1


# ---- What is news


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"zoom_url": "https://zoom.example.org/w/other"}, "Another room"),
        ({"starts_at": None, "ends_at": None}, "The hour is open again"),
    ],
)
def test_room_and_open_hour_are_told(fields, subject, webinar, now):
    RegistrationFactory(webinar=webinar, participant__language="en")
    put(webinar, **fields)
    assert tell(webinar, now + MINUTE) == 1
    assert said(now=now + MINUTE).subject.startswith(subject)


def test_an_hour_that_is_set_is_told(now):
    webinar = WebinarFactory(unknown_hour=True)
    seat = RegistrationFactory(webinar=webinar, participant__language="en", participant__province="91")
    changed.look_everywhere(now=now)
    put(webinar, starts_at=now + 7 * DAY, ends_at=now + 7 * DAY + HOUR)
    assert tell(webinar, now + MINUTE) == 1
    letter = said(now=now + MINUTE, to=seat.participant.email)
    assert letter.subject.startswith("The hour is set: Example Webinar")
    assert "10:00–11:00 WIT · 08:00–09:00 WIB · 09:00–10:00 WITA" in letter.body
    assert "Before:" not in letter.body


def test_a_day_without_an_hour_that_moves_is_told(now):
    webinar = WebinarFactory(unknown_hour=True)
    RegistrationFactory(webinar=webinar)
    changed.look_everywhere(now=now)
    put(webinar, date=webinar.date + DAY)
    assert tell(webinar, now + MINUTE) == 1
    text = said(now=now + MINUTE).body
    assert "Sebelumnya: Selasa, 8 Juni 2027\n" in text
    assert "Rabu, 9 Juni 2027" in text


@pytest.mark.parametrize(
    "fields",
    [
        {"title_ind": "Judul lain"},
        {"capacity": 500},
        {"zoom_url": ""},
        {"zoom_passcode": "123"},
        {"ends_at": None},
        {"status": "draft"},
    ],
)
def test_other_things_are_no_news(fields, webinar, seat, now):
    put(webinar, **fields)
    assert tell(webinar, now + MINUTE) == 0
    assert told() == []


def test_the_first_room_is_no_news(now):
    webinar = WebinarFactory(zoom_url="")
    RegistrationFactory(webinar=webinar)
    changed.look_everywhere(now=now)
    put(webinar, zoom_url="https://zoom.example.org/w/1")
    assert tell(webinar, now + MINUTE) == 0


def test_moved_dates_of_a_rehearsal_are_no_news(webinar, seat, now):
    webinar.edition.is_rehearsal = True
    webinar.edition.save()
    move(webinar, DAY)
    assert tell(webinar, now + MINUTE) == 0


def test_a_slip_that_puts_it_into_the_past_for_a_while_is_told_to_nobody(webinar, seat, now):
    move(webinar, -365 * DAY)
    assert changed.look_everywhere(now=now) == 0
    move(webinar, timedelta(0))
    assert changed.look_everywhere(now=now + HOUR) == 0
    assert changed.pending(webinar) is None


def test_a_webinar_that_is_on_again_is_told(webinar, now):
    RegistrationFactory(webinar=webinar, participant__language="en")
    put(webinar, status="cancelled")
    cancelled.tell_everywhere(now=now)
    assert changed.look_everywhere(now=now) == 0
    put(webinar, status="published")
    cancelled.tell_everywhere(now=now)
    assert tell(webinar, now + HOUR) == 1
    assert said(now=now + HOUR).subject.startswith("Takes place after all: Example Webinar")


# ---- Whom


def test_all_who_are_in_it_wait_or_are_invited(webinar, now):
    live = [RegistrationFactory(webinar=webinar, **{state: True}) for state in ("waitlisted", "offered")]
    live.append(RegistrationFactory(webinar=webinar))
    for state in ("pending", "cancelled"):
        RegistrationFactory(webinar=webinar, **{state: True})
    RegistrationFactory()
    guest = InvitationFactory(webinar=webinar)
    declined = InvitationFactory(webinar=webinar, status="declined")
    move(webinar, HOUR)
    assert tell(webinar, now + MINUTE) == 4
    assert told() == sorted([guest.email, *(one.participant.email for one in live)])
    assert declined.email not in told()
    assert "/undangan/" in said(now=now + MINUTE, to=guest.email).body
    waiting = said(now=now + MINUTE, to=live[0].participant.email).body
    assert "daftar tunggu" in waiting


def test_who_signed_up_after_the_change_knows_it(webinar, now):
    early = RegistrationFactory(webinar=webinar)
    move(webinar, HOUR)
    changed.look_everywhere(now=now + MINUTE)
    RegistrationFactory(webinar=webinar, confirmed_at=now + 2 * MINUTE)
    assert changed.look_everywhere(now=now + HOUR) == 1
    assert told() == [early.participant.email]


def test_a_carer_gets_one_mail_for_all_in_her_care(webinar, now):
    carer = ParticipantFactory(name="Pengurus Contoh")
    for name in ("Ina Contoh", "Ani Contoh"):
        RegistrationFactory(webinar=webinar, participant=ParticipantFactory(account=carer.account, email="", name=name))
    move(webinar, HOUR)
    assert tell(webinar, now + MINUTE) == 1
    [mail] = OutgoingMail.objects.all()
    assert (mail.to, mail.participant, mail.registration) == (carer.email, carer, None)
    text = said(now=now + MINUTE).body
    for words in ("Pengurus Contoh", "Ina Contoh", "Ani Contoh"):
        assert words in text


def test_the_mail_brings_her_calendar_up_to_date(webinar, seat, now):
    move(webinar, HOUR)
    tell(webinar, now + MINUTE)
    attached = [part for part in said(now=now + MINUTE).message().walk() if part.get_filename() == "kpt.ics"]
    assert b"DTSTART:20270608T020000Z" in attached[0].get_payload(decode=True)


# ---- When the mail goes


def test_what_is_back_as_it_was_or_off_is_not_sent(webinar, seat, now):
    move(webinar, HOUR)
    tell(webinar, now + MINUTE)
    move(webinar, timedelta(0))
    with pytest.raises(letters.Obsolete):
        said(now=now + MINUTE)
    move(webinar, HOUR)
    put(webinar, status="cancelled")
    with pytest.raises(letters.Obsolete):
        said(now=now + MINUTE)
    put(webinar, status="published")
    seat.set_status("CANCELLED", now=now)
    with pytest.raises(letters.Obsolete):
        said(now=now + MINUTE)


# ---- The organiser's hand


@pytest.fixture
def client(now, signed_in_client):
    return signed_in_client(UserFactory(organiser=True))


def act(client, action, webinar):
    data = {"action": action, "_selected_action": [webinar.pk]}
    return client.post("/en/admin/conference/webinar/", data, follow=True).content.decode()


def test_an_organiser_is_told_when_the_mails_go(client, seat, webinar, now):
    WebinarNotice.objects.all().delete()
    save(client, webinar, starts_at_1="10:00")
    page = client.get("/en/admin/conference/webinar/").content.decode()
    assert "1 email mengabarkan perubahan ini pukul 09.10 WITA." in page
    assert changed.look_everywhere(now=now + 10 * MINUTE) == 1


def test_nothing_is_said_where_nobody_is_or_nothing_changed(client, webinar, now):
    save(client, webinar, starts_at_1="10:00")
    save(client, webinar, title_ind="Judul lain")
    assert "mengabarkan perubahan" not in client.get("/en/admin/conference/webinar/").content.decode()


def test_an_organiser_may_tell_at_once_or_nobody(client, webinar, seat, now):
    move(webinar, HOUR)
    changed.look_everywhere(now=now)
    assert "1 change is told to nobody." in act(client, "keep_quiet", webinar)
    assert changed.look_everywhere(now=now + HOUR) == 0
    move(webinar, 2 * HOUR)
    assert "1 mail tells of the change." in act(client, "tell_now", webinar)
    assert "0 mails tell of the change." in act(client, "tell_now", webinar)


def test_the_webinars_page_shows_its_reminders(client, webinar, seat):
    page = client.get(f"/en/admin/conference/webinar/{webinar.pk}/change/").content.decode()
    assert "1 day before: Monday, 7 June 2027, 09:00 WITA · to come" in page
    assert "10 minutes before: Tuesday, 8 June 2027, 08:50 WITA · to come" in page


# ---- Cost


def test_a_look_costs_the_same_for_three(webinar, seat, now, django_assert_num_queries):
    WebinarFactory.create_batch(2)
    changed.look_everywhere(now=now)
    with django_assert_num_queries(1):
        changed.look_everywhere(now=now)
    RegistrationFactory.create_batch(2, webinar=webinar)
    move(webinar, HOUR)
    changed.look(webinar.pk, now=now + MINUTE)
    with django_assert_num_queries(8):
        assert changed.look(webinar.pk, now=now + HOUR) == 3


def test_two_looks_at_once_tell_once(transactional_db, now):
    webinar = WebinarFactory()
    RegistrationFactory.create_batch(5, webinar=webinar)
    changed.look_everywhere(now=now)
    move(webinar, HOUR)
    changed.look_everywhere(now=now)
    counts, gate = [], threading.Barrier(2)

    def tick():
        gate.wait()
        try:
            counts.append(changed.look_everywhere(now=now + HOUR))
        finally:
            connections.close_all()

    ticks = [threading.Thread(target=tick) for _beat in range(2)]
    for one in ticks:
        one.start()
    for one in ticks:
        one.join()
    assert sorted(counts) == [0, 5]
