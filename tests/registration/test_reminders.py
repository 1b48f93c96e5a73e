"""Reminders: when they are due, for whom, and that none goes twice. Nine o'clock in Makassar is the hour of all webinars."""

import re
import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from conference.models import Webinar
from registration import delivery, erasure, letters, reminders, tasks
from registration.models import Attendance, OutgoingMail, Reminder, User, WebinarNotice
from registration.models.reminders import facts_of
from tests.factories import ParticipantFactory, RegistrationFactory, WebinarFactory

pytestmark = pytest.mark.django_db

DAY, HOUR, TEN = timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)
SECOND = timedelta(seconds=1)


@pytest.fixture
def webinar(now):
    """A week from now at nine."""
    return WebinarFactory()


@pytest.fixture
def seat(webinar):
    return RegistrationFactory(webinar=webinar)


def rows():
    return list(OutgoingMail.objects.filter(kind="reminder").order_by("pk"))


def due(webinar, before):
    return reminders.queue_due(now=webinar.starts_at - before)


def said(mail, *, at):
    return letters.compose(mail, now=at)


# ---- When


@pytest.mark.parametrize("before", [DAY, HOUR, TEN])
def test_each_goes_exactly_at_its_minute(before, webinar, seat):
    others = [minutes for minutes in (DAY, HOUR, TEN) if minutes > before]
    for other in others:
        due(webinar, other)
    OutgoingMail.objects.all().delete()
    assert due(webinar, before + SECOND) == 0
    assert due(webinar, before) == 1
    [mail] = rows()
    minutes = before // timedelta(minutes=1)
    about = Reminder.objects.get(minutes=minutes)
    assert (mail.to, mail.status, mail.participant, mail.registration) == (
        seat.participant.email,
        "QUEUED",
        seat.participant,
        seat,
    )
    assert mail.key == f"reminder:{about.pk}:account-{seat.participant.account_id}"
    assert mail.priority == (9 if before == DAY else 7)
    assert mail.message_id.startswith("<")


def test_one_goes_once_however_often_it_ticks(webinar, seat):
    assert [due(webinar, DAY - timedelta(minutes=minute)) for minute in range(5)] == [1, 0, 0, 0, 0]
    assert len(rows()) == 1


def test_after_an_hour_without_ticks_it_still_goes(webinar, seat):
    due(webinar, DAY + timedelta(minutes=1))
    assert due(webinar, DAY - HOUR) == 1


def test_of_several_that_are_due_the_latest_goes_and_the_others_are_written_down(webinar, seat):
    assert due(webinar, TEN) == 1
    by_minutes = {one.minutes: one for one in Reminder.objects.all()}
    assert {minutes: one.is_late for minutes, one in by_minutes.items()} == {1440: True, 60: True, 10: False}
    found = {int(mail.key.split(":")[1]): (mail.status, mail.error) for mail in rows()}
    assert found == {
        by_minutes[1440].pk: ("CANCELLED", "Too late to be of use."),
        by_minutes[60].pk: ("CANCELLED", "Too late to be of use."),
        by_minutes[10].pk: ("QUEUED", ""),
    }


@pytest.mark.parametrize(("after", "sent"), [(timedelta(0), 1), (timedelta(minutes=14), 1), (timedelta(minutes=15), 0)])
def test_the_last_still_calls_in_a_quarter_of_an_hour_after_the_start(after, sent, webinar, seat):
    assert due(webinar, -after) == sent


def test_one_that_waits_too_long_in_the_queue_is_not_sent(webinar, seat, mailbox, time_machine):
    due(webinar, HOUR)
    [mail] = [mail for mail in rows() if mail.status == "QUEUED"]
    assert mail.not_after == webinar.starts_at - TEN
    time_machine.move_to(webinar.starts_at - TEN + SECOND, tick=False)
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert (mail.status, mailbox.messages) == ("CANCELLED", [])


@pytest.mark.parametrize("minutes", [[], [60, 60], [0]])
def test_organisers_choose_the_minutes(minutes, webinar, seat):
    Webinar.objects.update(reminder_minutes=minutes)
    assert due(webinar, DAY) == 0
    assert due(webinar, timedelta(minutes=min(minutes, default=5))) == len(set(minutes))


@pytest.mark.parametrize("state", ["draft", "cancelled", "unknown_hour", "over", "running"])
def test_no_other_webinar_reminds(state, now):
    RegistrationFactory(webinar=WebinarFactory(**{state: True}))
    assert reminders.queue_due(now=now) == 0
    assert reminders.queue_due(now=now + timedelta(days=6)) == 0
    assert rows() == []


# ---- Moved


def test_a_moved_webinar_moves_its_reminders(webinar, seat):
    due(webinar, DAY)
    later = webinar.starts_at + timedelta(days=3)
    Webinar.objects.filter(pk=webinar.pk).update(starts_at=later, ends_at=later + HOUR, date=later.date())
    assert reminders.queue_due(now=webinar.starts_at - HOUR) == 0
    [stale] = rows()
    with pytest.raises(letters.Obsolete):
        said(stale, at=webinar.starts_at - HOUR)
    assert reminders.queue_due(now=later - DAY) == 1
    assert said(rows()[-1], at=later - DAY).subject.startswith("Besok pukul 09.00 WITA")


def test_one_that_a_change_has_overtaken_is_not_sent(webinar, seat):
    now = webinar.starts_at - HOUR
    facts = {"told": {}, "told_at": now - timedelta(minutes=1)}
    WebinarNotice.objects.create(webinar=webinar, **facts)
    due(webinar, HOUR)
    assert {mail.status for mail in rows()} == {"QUEUED", "CANCELLED"}
    WebinarNotice.objects.update(told_at=webinar.starts_at - TEN)
    assert due(webinar, TEN) == 0


def test_while_a_change_is_about_to_be_told_reminders_wait_but_not_for_ever(webinar, seat):
    WebinarNotice.objects.create(webinar=webinar, told={}, seen={}, seen_at=webinar.starts_at - DAY)
    assert due(webinar, DAY) == 0
    assert due(webinar, DAY - timedelta(minutes=15)) == 0
    assert due(webinar, DAY - timedelta(minutes=16)) == 1


# ---- Whom


def test_only_those_with_a_seat(webinar, seat):
    for state in ("pending", "waitlisted", "cancelled", "offered"):
        RegistrationFactory(webinar=webinar, **{state: True})
    RegistrationFactory(webinar=WebinarFactory(starts_at=webinar.starts_at + timedelta(days=9)))
    assert due(webinar, DAY) == 1
    assert [mail.registration for mail in rows()] == [seat]


def test_who_got_her_seat_after_its_time_has_just_been_written_to(webinar):
    moment = webinar.starts_at - DAY
    RegistrationFactory(webinar=webinar, confirmed_at=moment + SECOND)
    in_time = RegistrationFactory(webinar=webinar, confirmed_at=moment)
    assert due(webinar, DAY - TEN) == 1
    assert [mail.registration for mail in rows()] == [in_time]
    assert due(webinar, HOUR) == 2


def test_who_is_in_the_room_needs_none(webinar, seat):
    door = webinar.join_opens_at
    inside, left, back, early = RegistrationFactory.create_batch(4, webinar=webinar)
    came = {"source": "webhook", "joined_at": door}
    Attendance.objects.create(registration=inside, **came)
    Attendance.objects.create(registration=left, source="link", joined_at=door)
    Attendance.objects.create(registration=left, **came, left_at=door + TEN)
    Attendance.objects.create(registration=back, **came, left_at=door + TEN)
    Attendance.objects.create(registration=back, source="webhook", joined_at=door + TEN + SECOND)
    Attendance.objects.create(registration=early, source="link", joined_at=door - SECOND)
    assert due(webinar, TEN) == 3
    assert {mail.registration for mail in rows() if mail.status == "QUEUED"} == {seat, left, early}


def test_who_comes_in_before_it_is_sent_gets_none_either(webinar, seat):
    due(webinar, TEN)
    mail = rows()[-1]
    Attendance.objects.create(registration=seat, source="link", joined_at=webinar.starts_at - TEN)
    with pytest.raises(letters.Obsolete):
        said(mail, at=webinar.starts_at - TEN)


def test_who_has_left_the_webinar_before_it_is_sent_gets_none(webinar, seat):
    due(webinar, DAY)
    seat.set_status("CANCELLED", now=webinar.starts_at - DAY)
    with pytest.raises(letters.Obsolete):
        said(rows()[0], at=webinar.starts_at - DAY)


def test_a_carer_gets_one_for_all_in_her_care(webinar):
    carer = ParticipantFactory(name="Pengurus Contoh", language="en", province="91")
    for name in ("Ina Contoh", "Ani Contoh"):
        RegistrationFactory(webinar=webinar, participant=ParticipantFactory(account=carer.account, email="", name=name))
    assert due(webinar, DAY) == 1
    [mail] = rows()
    assert (mail.to, mail.language, mail.participant, mail.registration) == (carer.email, "en", carer, None)
    text = said(mail, at=webinar.starts_at - DAY).body
    assert "Dear Pengurus Contoh" in text
    assert text.count("/gabung/") == 4
    assert "10:00–13:00 WIT · 08:00–11:00 WIB · 09:00–12:00 WITA" in text
    assert "Ina Contoh" in text
    assert "Ani Contoh" in text
    own = RegistrationFactory(webinar=webinar, participant=carer)
    assert due(webinar, HOUR) == 1
    assert rows()[-1].registration == own


def test_a_carer_without_an_entry_of_her_own_gets_it_at_her_account(webinar):
    person = ParticipantFactory(email="", name="Ina Contoh")
    User.objects.filter(pk=person.account_id).update(language="en", name="")
    RegistrationFactory(webinar=webinar, participant=person)
    assert due(webinar, DAY) == 1
    [mail] = rows()
    assert (mail.to, mail.language, mail.participant) == (person.account.email, "en", None)
    body = said(mail, at=webinar.starts_at - DAY).body
    assert "Dear" not in body
    assert "Ina Contoh" in body


def test_one_with_an_address_of_her_own_beside_the_accounts_gets_her_own(webinar):
    carer = ParticipantFactory()
    other = ParticipantFactory(account=carer.account, email="lain@example.org")
    for person in (carer, other, ParticipantFactory(account=carer.account, email="")):
        RegistrationFactory(webinar=webinar, participant=person)
    assert due(webinar, DAY) == 2
    assert {mail.to for mail in rows()} == {carer.email, "lain@example.org"}
    bodies = {mail.to: said(mail, at=webinar.starts_at - DAY).body for mail in rows()}
    assert bodies["lain@example.org"].count("/gabung/") == 2
    assert bodies[carer.email].count("/gabung/") == 4


# ---- What it says


@pytest.mark.parametrize(
    ("language", "before", "subject"),
    [
        ("id", DAY, "Besok pukul 09.00 WITA: Webinar Contoh"),
        ("en", DAY, "Tomorrow at 09:00 WITA: Example Webinar"),
        ("id", HOUR, "Hari ini pukul 09.00 WITA: Webinar Contoh"),
        ("en", TEN, "Today at 09:00 WITA: Example Webinar"),
        ("en", -TEN, "It has begun: Example Webinar"),
        ("en", 3 * DAY, "Tuesday, 8 June 2027, 09:00 WITA: Example Webinar"),
    ],
)
def test_its_subject_tells_when_she_reads_it(language, before, subject, webinar):
    Webinar.objects.update(reminder_minutes=[4320, 1440, 60, 10])
    RegistrationFactory(webinar=webinar, participant__language=language)
    due(webinar, before)
    with translation.override("id"):
        letter = said(rows()[-1], at=webinar.starts_at - before)
    assert letter.subject.startswith(subject)
    assert all(re.search(rf"\b{zone}\b", letter.body) for zone in ("WITA", "WIB", "WIT"))
    assert "/gabung/" in letter.body
    assert "/tautan/" in letter.body


# ---- Many


def test_two_ticks_at_once_send_nothing_twice(transactional_db, now):
    webinar = WebinarFactory()
    RegistrationFactory.create_batch(20, webinar=webinar)
    at, counts, gate = webinar.starts_at - DAY, [], threading.Barrier(2)

    def tick():
        gate.wait()
        try:
            counts.append(reminders.queue_due(now=at))
        finally:
            connections.close_all()

    ticks = [threading.Thread(target=tick) for _beat in range(2)]
    for one in ticks:
        one.start()
    for one in ticks:
        one.join()
    assert sorted(counts) == [0, 20]
    assert OutgoingMail.objects.filter(kind="reminder").count() == 20


def test_it_is_one_statement(webinar, seat, django_assert_num_queries):
    with django_assert_num_queries(3):  # savepoint and release around it
        due(webinar, DAY)


def test_sending_costs_the_same_for_three(webinar, seat):
    def cost():
        mails = list(OutgoingMail.objects.filter(status="QUEUED"))
        with CaptureQueriesContext(connection) as queries:
            letters.gather(mails)
            for mail in mails:
                said(mail, at=webinar.starts_at - DAY)
        return len(queries)

    due(webinar, DAY)
    cost()  # fills what is kept between letters
    one = cost()
    Reminder.objects.all().delete()
    RegistrationFactory.create_batch(2, webinar=webinar)
    due(webinar, DAY)
    OutgoingMail.objects.order_by("pk").first().delete()
    assert OutgoingMail.objects.count() == 3
    assert cost() == one


FILLED = """
INSERT INTO registration_user (id, email, password, name, language, is_staff, is_superuser, is_active, wants_digest,
    date_joined)
SELECT 1000000 + n, 'p' || n || '@example.org', '', '', 'id', false, false, true, false, now()
FROM generate_series(1, %(many)s) n;
INSERT INTO registration_participant (id, account_id, name, email, contact_email, phone, gender, age_group, province,
    regency, organisation, organisation_kind, language, guardian_name, created_at, is_made_up)
SELECT 1000000 + n, 1000000 + n, 'Peserta', 'p' || n || '@example.org', '', '', 'female', '25_34', '73', '', '', '', 'id',
    '', now(), false
FROM generate_series(1, %(many)s) n;
INSERT INTO registration_registration (participant_id, webinar_id, status, code, created_at, confirmed_at,
    zoom_registrant_id, zoom_join_url, zoom_state, zoom_error)
SELECT 1000000 + n, (%(webinars)s::bigint[])[1 + n %% 8], 'CONFIRMED', 'M' || n, '2027-05-01', '2027-05-01', '', '', 'none', ''
FROM generate_series(1, %(many)s) n;
ANALYZE registration_user, registration_participant, registration_registration, conference_webinar;
"""


def fill(webinars, many):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # neither triggers nor foreign keys
        for statement in FILLED.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"many": many, "webinars": [webinar.pk for webinar in webinars]})
        cursor.execute("SET LOCAL session_replication_role = origin")


def plan(now):
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, COSTS OFF) " + reminders.QUEUED, reminders.values(now))
        return "\n".join(line for [line] in cursor.fetchall())


def test_among_100_000_it_reads_the_seats_of_one_webinar(webinar):
    """And none at all in the minutes in which nothing is due."""
    others = [WebinarFactory(starts_at=webinar.starts_at + day * DAY) for day in range(10, 17)]
    fill([webinar, *others], 100_000)
    idle = [line for line in plan(webinar.starts_at - DAY - SECOND).splitlines() if "registration_registration" in line]
    assert idle
    assert all("never executed" in line for line in idle if " on " in line)
    busy = plan(webinar.starts_at - DAY)
    assert "Seq Scan on registration_registration" not in busy
    assert re.search(r"Index Scan (using|on) registration_(by_webinar|list_webinar)", busy)
    assert len(rows()) == 12_500


# ---- What organisers see


def test_the_timetable_shows_when_which_goes_and_how_many_it_reached(webinar, seat, django_assert_num_queries):
    RegistrationFactory.create_batch(2, webinar=webinar)
    due(webinar, HOUR)
    first, *_others = [mail for mail in rows() if mail.status == "QUEUED"]
    OutgoingMail.objects.filter(pk=first.pk).update(status="SENT", sent_at=webinar.starts_at)
    with django_assert_num_queries(2):
        lines = reminders.timetable(webinar, now=webinar.starts_at - HOUR)
    found = [(one.minutes, one.fate, one.sent, one.waiting, one.lost) for one in lines]
    assert found == [(1440, "", 0, 0, 3), (60, "", 1, 2, 0), (10, "to_come", 0, 0, 0)]
    assert [webinar.starts_at - one.due_at for one in lines] == [DAY, HOUR, TEN]
    assert reminders.timetable(WebinarFactory(unknown_hour=True), now=webinar.starts_at) == []


def fates(webinar, now):
    return {line.minutes: line.fate for line in reminders.timetable(webinar, now=now)}


def test_the_timetable_says_what_will_happen_to_those_whose_hour_has_passed(webinar, seat):
    """As when the webinar is moved to half an hour from now, and then as the tick does it."""
    now = webinar.starts_at - HOUR / 2
    assert fates(webinar, now) == {1440: "too_late", 60: "next", 10: "to_come"}
    Webinar.objects.filter(pk=webinar.pk).update(status="draft")
    webinar.refresh_from_db()
    assert set(fates(webinar, now).values()) == {"off"}
    Webinar.objects.filter(pk=webinar.pk).update(status="published")
    due(webinar, HOUR / 2)
    assert Reminder.objects.get(minutes=1440).is_late
    assert not Reminder.objects.get(minutes=60).is_late


@pytest.mark.parametrize("is_told", [True, False])
def test_one_in_whose_place_the_mail_of_a_change_comes_is_said_to_be(is_told, webinar, seat):
    now = webinar.starts_at - HOUR / 2
    told = {"told_at": now} if is_told else {"seen": facts_of(webinar), "seen_at": now}
    WebinarNotice.objects.update_or_create(webinar=webinar, defaults={"told": facts_of(webinar), **told})
    webinar.refresh_from_db()
    assert fates(webinar, now) == {1440: "too_late", 60: "overtaken", 10: "to_come"}


def test_when_somebody_in_care_goes_the_carers_reminder_loses_its_words(webinar):
    carer = ParticipantFactory()
    person = ParticipantFactory(account=carer.account, email="", name="Ina Contoh")
    RegistrationFactory(webinar=webinar, participant=person)
    due(webinar, DAY)
    said(rows()[0], at=webinar.starts_at - DAY)
    OutgoingMail.objects.update(status="SENT", sent_at=webinar.starts_at - DAY, text="Ina Contoh", html="Ina Contoh")
    erasure.erase(person, now=webinar.starts_at - HOUR)
    [mail] = rows()
    assert (mail.participant, mail.text, mail.html) == (carer, "", "")


# ---- The beat


def test_the_tick_tells_a_change_and_then_reminds_of_the_rest(now, time_machine):
    moved, other = WebinarFactory(), WebinarFactory(starts_at=now + DAY)
    for webinar in (moved, other):
        RegistrationFactory(webinar=webinar, confirmed_at=now - DAY)
    tasks.queue_reminders()
    assert [mail.registration.webinar for mail in rows()] == [other]
    starts_at = now + 20 * HOUR
    Webinar.objects.filter(pk=moved.pk).update(starts_at=starts_at, ends_at=starts_at + HOUR, date=starts_at.date())
    for minutes in (1, 11):
        time_machine.move_to(now + timedelta(minutes=minutes), tick=False)
        tasks.queue_reminders()
    about_it = OutgoingMail.objects.filter(registration__webinar=moved)
    assert set(about_it.values_list("kind", "status")) == {("webinar_changed", "QUEUED"), ("reminder", "CANCELLED")}


def test_the_beat_calls_each_of_the_tasks():
    called = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {f"registration.tasks.{name}" for name in ("queue_reminders", "watch_mail", "write_digests")} <= called
