"""The engine: one kept line, turns that are short in time, limits over all workers, the end of the queue foretold."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from registration import delivery, letters, mail, maillog, pace, smtp, tasks
from registration.models import OutgoingMail
from tests.factories import (
    AnnouncementFactory,
    OutgoingMailFactory,
    ParticipantFactory,
    RegistrationFactory,
    WebinarFactory,
)

pytestmark = pytest.mark.django_db

Status = OutgoingMail.Status


def queue(count, **fields):
    webinar = WebinarFactory()
    people = [RegistrationFactory(webinar=webinar).participant for _person in range(count)]
    return [OutgoingMailFactory(participant=person, to=person.email, **fields) for person in people]


def queue_code(to="u@example.org"):
    return OutgoingMailFactory(kind="code", context={"code": "123456"}, priority=0, to=to)


def states():
    return list(OutgoingMail.objects.order_by("pk").values_list("status", "attempts"))


# ---- Turns


def test_what_a_turn_does_not_send_is_given_back_untried(now, mailbox, monkeypatch):
    queue(3)
    monkeypatch.setattr(delivery, "TURN", 0)
    batch = delivery.Batch(delivery.claim(now=now))
    batch.run()
    assert batch.sent == 1
    assert states() == [(Status.SENT, 1), (Status.QUEUED, 0), (Status.QUEUED, 0)]
    assert list(OutgoingMail.objects.filter(status=Status.QUEUED).values_list("claimed_at", flat=True)) == [None, None]


def test_a_code_goes_before_what_was_given_back(now, mailbox, monkeypatch):
    queue(3)
    monkeypatch.setattr(delivery, "TURN", 0)
    delivery.Batch(delivery.claim(now=now)).run()
    code = queue_code()
    delivery.Batch(delivery.claim(now=now)).run()
    assert mailbox.messages[1]["To"] == code.to


def test_a_batch_is_as_large_as_what_a_second_takes():
    assert delivery.next_size(1, seconds=2) == delivery.FIRST_BATCH
    assert delivery.next_size(50, seconds=0.5) == 100
    assert delivery.next_size(200, seconds=0.1) == delivery.LARGEST_BATCH


def test_the_facts_of_a_batch_cost_the_same_queries_for_one_and_for_three(
    now, mailbox, django_assert_num_queries, django_assert_max_num_queries
):
    queue(1)
    delivery.Batch(delivery.claim(now=now)).run()  # it reads what is read once a process
    queue(1)
    with django_assert_max_num_queries(100) as of_one:
        delivery.Batch(delivery.claim(now=now)).run()
    queue(3)
    with django_assert_num_queries(len(of_one)):
        delivery.Batch(delivery.claim(now=now)).run()
    assert len(mailbox.messages) == 5


def test_facts_that_change_after_a_mail_was_queued_are_the_newest(now, mailbox):
    webinar = WebinarFactory(title="Judul lama", starts_at=now + timedelta(days=1))
    for title in ("Judul lama", "Judul baru"):
        type(webinar).objects.update(title_ind=title)
        person = RegistrationFactory(webinar=webinar).participant
        OutgoingMailFactory(participant=person, to=person.email)
        delivery.deliver_due()
    texts = [message.get_body(("plain",)).get_content() for message in mailbox.messages]
    assert ["Judul lama" in text for text in texts] == [True, False]
    assert ["Judul baru" in text for text in texts] == [False, True]


# ---- In whose hands


def test_facts_that_can_not_be_read_together_stop_none_of_the_others(now, mailbox, monkeypatch):
    queue(2)
    wrong = AnnouncementFactory(status="sending", audience={"no_such_filter": ["1"]})
    person = RegistrationFactory().participant
    OutgoingMailFactory(kind="announcement", announcement=wrong, participant=person, to=person.email, priority=0)
    assert delivery.deliver_due() == 2
    assert Counter(OutgoingMail.objects.values_list("status", flat=True)) == {Status.SENT: 2, Status.FAILED: 1}


def test_a_worker_that_was_taken_for_dead_changes_nothing_any_more(now, mailbox, time_machine):
    """It hears of the broken line after another one has sent the mail."""
    queue(2)
    batch = delivery.Batch(delivery.claim(now=now))
    later = now + delivery.LEASE
    time_machine.move_to(later)
    assert delivery.sweep(now=later) == 2
    [[row], [_other]] = [delivery.claim(now=later), delivery.claim(now=later)]
    OutgoingMail.objects.filter(pk=row.pk).update(status=Status.SENT, sent_at=later)
    delivery.try_later(batch.waiting[0], "TimeoutError", now=later)
    delivery.release(batch.waiting)
    assert states() == [(Status.SENT, 2), (Status.SENDING, 2)]


def test_what_a_dead_worker_held_goes_to_no_carer_whom_its_person_has_left(now, mailbox):
    carer = ParticipantFactory(email="ibu@example.org")
    person = ParticipantFactory(email="anak@example.org")
    webinar = WebinarFactory()
    for one in (carer, person):
        RegistrationFactory(participant=one, webinar=webinar)
    astray = OutgoingMailFactory(participant=person, to=carer.email)
    former = OutgoingMailFactory(participant=person, to="alamat-lama@example.org")  # nobody else's
    assert delivery.deliver_due() == 1
    assert [message["To"] for message in mailbox.messages] == [former.to]
    astray.refresh_from_db()
    assert (astray.status, astray.text) == (Status.CANCELLED, "")


def test_after_a_long_pause_a_worker_gives_back_what_is_left(now, mailbox, monkeypatch):
    queue(3)
    batch = delivery.Batch(delivery.claim(now=now))
    hear = smtp.line.hear

    def hear_late():
        batch.begun -= delivery.LEASE.total_seconds() / 2
        hear()

    monkeypatch.setattr(smtp.line, "hear", hear_late)
    batch.run()
    assert len(mailbox.messages) == 1
    assert states() == [(Status.SENT, 1), (Status.QUEUED, 0), (Status.QUEUED, 0)]


def test_a_clock_that_jumps_takes_nothing_out_of_a_living_workers_hands(monkeypatch):
    databases, counted = [1000.0], [0.0]
    monkeypatch.setattr(delivery.time, "monotonic", lambda: counted[0])
    clock, answers = delivery.Clock(), []
    for passed, jump in [(0, 0), (20, 0), (20, 3600), (20, 0), (140, 0), (20, 0), (20, -3600), (180, 0)]:
        counted[0] += passed
        databases[0] += passed + jump
        answers.append(clock.is_steady(datetime.fromtimestamp(databases[0], UTC)))
    assert answers == [True, True, False, False, False, True, False, True]


def test_a_lease_is_reckoned_by_the_databases_clock(now, mailbox, time_machine, monkeypatch):
    """Whatever the worker's own says: here it is an hour ahead."""
    monkeypatch.setattr(delivery, "database_now", lambda: now)
    monkeypatch.setattr(delivery, "clock", delivery.Clock())
    time_machine.move_to(now + timedelta(hours=1))
    facts = {"sending": True, "created_at": now, "not_before": now}
    [in_hand] = queue(1, claimed_at=now - delivery.LEASE + timedelta(seconds=1), **facts)
    [left_behind] = queue(1, claimed_at=now - delivery.LEASE, **facts)
    tasks.deliver_due_mail()
    assert [message["Message-ID"] for message in mailbox.messages] == [left_behind.message_id]
    for row in (in_hand, left_behind):
        row.refresh_from_db()
    assert (in_hand.status, left_behind.status, left_behind.claimed_at) == (Status.SENDING, Status.SENT, now)


def test_the_databases_clock_is_asked():
    before = timezone.now()
    assert before - timedelta(seconds=1) < delivery.database_now() < timezone.now() + timedelta(seconds=1)


def test_a_wait_ends_by_the_databases_clock(now, mailbox, time_machine, monkeypatch):
    monkeypatch.setattr(delivery, "database_now", lambda: now)
    mailbox.tempfail("451 4.3.0 later")
    [letter] = queue(1, created_at=now, not_before=now)
    time_machine.move_to(now + timedelta(hours=1))
    delivery.deliver_due()
    letter.refresh_from_db()
    assert (letter.status, letter.not_before) == (Status.RETRY, now + delivery.WAITS[0])


# ---- Mails that cost workers their lives


def die_over_what_is_claimed(now):
    claimed = delivery.claim(now=now)
    assert delivery.sweep(now=now + delivery.LEASE) == len(claimed)
    return claimed


def test_what_a_dead_worker_held_is_alone_in_its_batch_from_then_on(now, mailbox):
    rows = queue(3)
    die_over_what_is_claimed(now)
    rows += queue(3)
    batches = []
    while batch := delivery.claim(now=now):
        batches.append([row.pk for row in batch])
    assert batches == [[row.pk] for row in rows[:3]] + [[row.pk for row in rows[3:]]]


def test_what_goes_before_it_does_not_wait_for_it(now, mailbox):
    later, first = queue(1)[0], queue_code()
    OutgoingMail.objects.filter(pk=later.pk).update(deaths=1)
    assert [row.pk for row in delivery.claim(now=now)] == [first.pk]
    assert [row.pk for row in delivery.claim(now=now)] == [later.pk]


def test_a_mail_over_which_three_workers_have_died_is_given_up(now, mailbox):
    [deadly, _other] = queue(2)
    for _death in range(delivery.DEATHS - 1):
        assert deadly in die_over_what_is_claimed(now)
    assert [row.pk for row in delivery.claim(now=now)] == [deadly.pk]
    assert delivery.sweep(now=now + delivery.LEASE) == 0
    deadly.refresh_from_db()
    assert (deadly.status, deadly.error, deadly.attempts) == (Status.FAILED, delivery.DEADLY, 3)
    assert delivery.deliver_due() == 1
    assert maillog.retry(OutgoingMail.objects.all(), now=now) == 1
    delivery.claim(now=now)
    delivery.sweep(now=now + delivery.LEASE)
    deadly.refresh_from_db()
    assert deadly.status == Status.FAILED  # by hand it costs one more worker, not three


def test_a_mail_that_has_been_written_is_not_to_blame(now, mailbox):
    """Workers die while it is on its way, which is no fault of its own."""
    [letter] = queue(1)
    for _death in range(delivery.DEATHS + 1):
        [row] = delivery.claim(now=now)
        assert delivery.render(row, now=now)
        assert delivery.sweep(now=now + delivery.LEASE) == 1
        letter.refresh_from_db()
        assert letter.deaths == 1
    assert delivery.deliver_due() == 1


# ---- The line


def test_a_line_that_the_server_has_ended_is_opened_anew_without_a_failed_try(now, mailbox):
    queue(1)
    assert delivery.deliver_due() == 1
    smtp.line.server.sock.shutdown(2)
    queue(1)
    assert delivery.deliver_due() == 1
    assert states() == [(Status.SENT, 1)] * 2
    assert mailbox.connections == 2


def test_an_idle_line_is_asked_before_it_is_used_and_closed_after_a_minute(now, mailbox):
    queue(1)
    delivery.deliver_due()
    smtp.line.used_at -= smtp.UNASKED + 1
    queue(1)
    delivery.deliver_due()
    assert mailbox.connections == 1
    smtp.line.used_at -= smtp.MOST_IDLE + 1
    delivery.deliver_due()
    assert smtp.line.backend is None


def test_a_fork_does_not_speak_on_its_parents_line(now, mailbox):
    queue(1)
    delivery.deliver_due()
    smtp.line.pid -= 1
    queue(1)
    assert delivery.deliver_due() == 1
    assert mailbox.connections == 2


def test_a_server_that_hangs_up_after_every_third_mail_gets_them_all(now, mailbox, time_machine):
    queue(10)
    answers = iter(range(1, 100))
    mailbox.behave(lambda message: "421 4.7.0 Enough for now" if next(answers) % 3 == 0 else "250 Ok")
    assert delivery.deliver_due() == 7
    assert states().count((Status.RETRY, 1)) == 3
    time_machine.move_to(now + delivery.WAITS[0])
    mailbox.accept()
    assert delivery.deliver_due() == 3
    assert len({message["Message-ID"] for message in mailbox.messages}) == len(mailbox.messages) == 10


@pytest.fixture
def pipelining(monkeypatch):
    """The server takes several commands at once, and says so."""
    sent = []

    async def greet(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    monkeypatch.setattr("tests.servers.Recorder.handle_EHLO", greet, raising=False)
    monkeypatch.setattr(smtp.Line, "ask_in_turn", lambda self, commands: sent.append(commands))
    return sent


def test_where_the_server_knows_pipelining_the_envelope_is_one_question(now, mailbox, pipelining):
    queue(3)
    assert delivery.deliver_due() == 3
    assert pipelining == []


def test_a_refused_recipient_between_two_others_leaves_the_line_whole(now, mailbox, pipelining):
    rows = queue(3)
    mailbox.refuse_person(rows[1].to, "550 5.7.1 not from you")
    assert delivery.deliver_due() == 2
    rows[1].refresh_from_db()
    assert (rows[1].status, rows[1].error) == (Status.FAILED, "550 5.7.1 not from you")
    assert [message["To"] for message in mailbox.messages] == [rows[0].to, rows[2].to]
    assert mailbox.connections == 1


def test_a_line_that_starts_with_a_dot_arrives_whole(now, mailbox):
    queue(1)
    [row] = delivery.claim(now=now)
    letter = letters.compose(row, now=now)
    smtp.line.begin("kpt@example.org", "a@example.org", 100)
    smtp.line.write(letter.to_bytes() + b".one\r\n..two\r\n")
    smtp.line.hear()
    assert mailbox.messages[0].epilogue.splitlines() == [".one", "..two"]


def test_the_days_quota_of_the_server_is_no_end(now, mailbox):
    queue(1)
    mailbox.refuse("550 5.4.5 Daily user sending limit exceeded")
    assert delivery.deliver_due() == 0
    assert states() == [(Status.RETRY, 1)]


def test_an_address_with_a_line_break_fails_alone(now, mailbox):
    bad, _good = queue(2)
    OutgoingMail.objects.filter(pk=bad.pk).update(to="a@example.org\r\nBcc: b@example.org")
    assert delivery.deliver_due() == 1
    bad.refresh_from_db()
    assert bad.status == Status.FAILED
    assert [message["Bcc"] for message in mailbox.messages] == [None]


# ---- Limits


def test_mail_per_day_holds_and_keeps_a_tenth_for_codes(now, mailbox, settings, time_machine):
    settings.MAIL_PER_DAY = 10
    queue(12)
    assert delivery.deliver_due() == 9
    queue_code()
    assert delivery.deliver_due() == 1
    time_machine.move_to(now + timedelta(hours=23, minutes=59))
    assert delivery.deliver_due() == 0
    time_machine.move_to(now + timedelta(hours=24, seconds=1))
    assert delivery.deliver_due() == 3


def test_an_announcement_leaves_a_third_of_the_day_to_confirmations_and_a_tenth_to_codes(now, mailbox, settings):
    settings.MAIL_PER_DAY = 12
    queue(20, priority=mail.Priority.BULK)
    assert delivery.deliver_due() == 8
    queue(5, priority=mail.Priority.TIMELY)
    queue_code()
    assert delivery.deliver_due() == 3
    assert mailbox.messages[8]["To"] == "u@example.org", "the code first"
    assert OutgoingMail.objects.filter(priority=mail.Priority.TIMELY, status=Status.SENT).count() == 2
    queue_code("v@example.org")
    assert delivery.deliver_due() == 1
    queue_code("w@example.org")
    assert delivery.deliver_due() == 0, "the day is spent"


def test_both_limits_hold_together(now, mailbox, settings):
    settings.MAIL_PER_DAY, settings.MAIL_PER_MINUTE = 100, 5
    queue(6)
    assert delivery.deliver_due() == 4


# ---- When the queue will be empty


def sent(count, *, at):
    for _mail in range(count):
        OutgoingMailFactory(sent=True, claimed_at=at, sent_at=at)


def test_nobody_knows_the_end_of_a_queue_that_is_empty_or_does_not_move(now):
    assert pace.expected_end(now) is None
    queue(2)
    assert pace.expected_end(now) is None
    assert pace.expected_end_in_words(now) == ""


def test_the_end_is_told_by_the_last_minutes_speed(now):
    sent(6, at=now - timedelta(minutes=2))
    sent(100, at=now - timedelta(minutes=10))
    queue(9, not_before=now - timedelta(minutes=5))
    assert pace.expected_end(now) == now + timedelta(minutes=3)
    assert pace.expected_end_in_words(now) == "selesai sekitar 09.03 WITA"


def test_what_left_before_the_queue_began_tells_nothing_of_its_speed(now, settings):
    sent(1, at=now - timedelta(minutes=2))
    queue(200)
    assert pace.expected_end(now) is None
    settings.MAIL_PER_MINUTE = 50
    assert pace.expected_end(now) == now + timedelta(minutes=5)


def test_a_day_that_is_spent_for_hours_still_has_an_end(now, settings):
    settings.MAIL_PER_DAY = 10
    sent(10, at=now - timedelta(hours=3))
    queue(4, not_before=now - timedelta(hours=2))
    assert pace.expected_end(now) == now + timedelta(hours=21)


def test_the_end_is_told_by_the_limit_of_a_minute_before_anything_has_left(now, settings):
    settings.MAIL_PER_MINUTE = 5
    queue(8)
    queue(2, not_before=now + timedelta(hours=1))
    assert pace.expected_end(now) == now + timedelta(minutes=2)


def test_what_the_day_does_not_let_go_leaves_when_todays_mails_are_a_day_old(now, settings):
    settings.MAIL_PER_DAY = 10
    sent(1, at=now - timedelta(minutes=2))
    sent(4, at=now - timedelta(minutes=1))
    queue(6)
    assert pace.expected_end(now) == now + timedelta(days=1) - timedelta(minutes=1)
    queue(9)
    assert pace.expected_end(now) == now + timedelta(days=2)


def test_an_announcement_that_spends_its_share_of_the_day_takes_longer(now, settings):
    settings.MAIL_PER_DAY = 12
    sent(8, at=now - timedelta(hours=1))
    sent(1, at=now - timedelta(minutes=1))
    queue(1, not_before=now - timedelta(minutes=2))
    assert pace.expected_end(now) < now + timedelta(hours=1), "there is room for a confirmation"
    queue(3, priority=mail.Priority.BULK)
    assert pace.expected_end(now) == now + timedelta(hours=23)
    queue(8, priority=mail.Priority.BULK)
    assert pace.expected_end(now) == now + timedelta(days=2)


def test_another_day_is_named(now, settings):
    settings.MAIL_PER_DAY = 10
    sent(9, at=datetime(2027, 5, 31, 6, 20, tzinfo=UTC))
    sent(1, at=now - timedelta(seconds=1))
    queue(8)
    assert pace.expected_end_in_words(now) == "selesai sekitar 14.20 WITA"
    queue(9)
    assert pace.expected_end_in_words(now) == "selesai sekitar Kamis, 3 Juni 2027, 09.00 WITA"


def test_waking_goes_on_when_a_run_is_over(now, mailbox, monkeypatch):
    woken = []
    monkeypatch.setattr(delivery, "RUN", 0)
    monkeypatch.setattr(mail, "wake", woken.append)
    queue(delivery.FIRST_BATCH + 1)
    assert delivery.deliver_due() == delivery.FIRST_BATCH
    assert woken == [mail.Priority.NORMAL]
