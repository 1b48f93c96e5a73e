"""Queueing, claiming, sending: on a real SMTP server, with what it may answer."""

import smtplib
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from registration import delivery, letters, mail, maillog
from registration.models import OutgoingMail
from tests.factories import OutgoingMailFactory, RegistrationFactory, WebinarFactory

pytestmark = pytest.mark.django_db

Status = OutgoingMail.Status


def about(registration, **fields):
    person = registration.participant
    given = {"kind": "confirmation", "to": person.email, "language": "id", "participant": person}
    return OutgoingMailFactory(**(given | fields))


@pytest.fixture
def letter(now):
    return about(RegistrationFactory(webinar=WebinarFactory()))


def test_the_same_key_is_queued_once(now):
    registration = RegistrationFactory()
    for _time in range(2):
        mail.queue_about(registration, mail.Kind.PROMOTED, moment=now)
    assert OutgoingMail.objects.count() == 1
    mail.queue_about(registration, mail.Kind.PROMOTED, moment=now + timedelta(seconds=1))
    mail.queue_about(RegistrationFactory(), mail.Kind.PROMOTED, moment=now)
    assert OutgoingMail.objects.count() == 3


def test_a_mail_is_sent_with_the_headers_of_the_contract(letter, mailbox):
    assert delivery.deliver_due() == 1
    [message] = mailbox.messages
    letter.refresh_from_db()
    assert letter.status == Status.SENT
    assert letter.sent_at is not None
    assert message["Message-ID"] == letter.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    assert message["To"] == letter.to
    assert (letter.subject, bool(letter.text), bool(letter.html)) == (message["Subject"], True, True)


def test_what_is_not_due_is_left_and_the_urgent_goes_first(now, mailbox):
    webinar = WebinarFactory()
    later = about(RegistrationFactory(webinar=webinar), not_before=now + timedelta(minutes=1))
    normal = about(RegistrationFactory(webinar=webinar))
    urgent = OutgoingMailFactory(kind="code", context={"code": "123456"}, priority=0, to="u@example.org")
    assert delivery.deliver_due() == 2
    assert [message["To"] for message in mailbox.messages] == [urgent.to, normal.to]
    later.refresh_from_db()
    assert later.status == Status.QUEUED


def test_the_fast_queue_takes_urgent_mail_only(letter, mailbox):
    OutgoingMailFactory(kind="code", context={"code": "123456"}, priority=0, to="u@example.org")
    assert delivery.deliver_due(urgent_only=True) == 1
    assert [message["To"] for message in mailbox.messages] == ["u@example.org"]


def test_one_connection_serves_many_batches_and_tasks(now, mailbox):
    webinar = WebinarFactory()
    for _person in range(delivery.FIRST_BATCH + 5):
        about(RegistrationFactory(webinar=webinar))
    assert delivery.deliver_due() == delivery.FIRST_BATCH + 5
    about(RegistrationFactory(webinar=webinar))
    assert delivery.deliver_due() == 1
    assert mailbox.connections == 1


@pytest.mark.parametrize("answer", ["450 4.2.1 later", "421 4.3.2 going away"])
def test_a_temporary_refusal_waits_and_keeps_the_servers_words(letter, mailbox, answer, now):
    mailbox.tempfail(answer)
    assert delivery.deliver_due() == 0
    letter.refresh_from_db()
    assert (letter.status, letter.attempts) == (Status.RETRY, 1)
    assert letter.error.startswith(answer[:3])
    assert letter.not_before == now + delivery.WAITS[0]


def test_a_final_refusal_is_final_and_keeps_the_servers_words(letter, mailbox):
    mailbox.refuse("550 5.1.1 no such person")
    assert delivery.deliver_due() == 0
    letter.refresh_from_db()
    assert (letter.status, letter.error) == (Status.FAILED, "550 5.1.1 no such person")


def test_waits_grow_and_end(letter, mailbox, now, time_machine):
    mailbox.tempfail("450 4.2.1 later")
    waits = []
    while True:
        delivery.deliver_due()
        letter.refresh_from_db()
        if letter.status == Status.FAILED:
            break
        waits.append(letter.not_before - timezone.now())
        time_machine.move_to(letter.not_before)
    assert waits == delivery.WAITS


def test_a_dropped_line_is_tried_again_under_the_same_message_id(letter, mailbox, now, time_machine):
    mailbox.drop()
    assert delivery.deliver_due() == 0
    letter.refresh_from_db()
    assert letter.status == Status.RETRY
    mailbox.accept()
    time_machine.move_to(letter.not_before)
    assert delivery.deliver_due() == 1
    assert mailbox.messages[-1]["Message-ID"] == letter.message_id


def test_a_dead_server_stops_the_run_and_gives_the_rest_back(now, mailbox):
    webinar = WebinarFactory()
    mails = [about(RegistrationFactory(webinar=webinar)) for _person in range(5)]
    mailbox.stop()
    try:
        assert delivery.deliver_due() == 0
    finally:
        mailbox.start()
    rows = OutgoingMail.objects.filter(pk__in=[m.pk for m in mails]).order_by("pk").values_list("status", "attempts")
    assert list(rows) == [("RETRY", 1), ("RETRY", 1), ("QUEUED", 0), ("QUEUED", 0), ("QUEUED", 0)]


def test_one_refused_mail_does_not_stop_the_others(now, mailbox):
    webinar = WebinarFactory()
    bad, good = about(RegistrationFactory(webinar=webinar)), about(RegistrationFactory(webinar=webinar))
    mailbox.behave(lambda message: "550 no" if message["To"] == bad.to else "250 ok")
    assert delivery.deliver_due() == 1
    good.refresh_from_db()
    assert good.status == Status.SENT


def test_a_broken_template_fails_its_own_mail_only(letter, mailbox, monkeypatch):
    broken = OutgoingMailFactory(kind="code", context={"code": "1"}, to="b@example.org", priority=0)

    def fail(*args, **kwargs):
        raise ValueError("no such placeholder")

    monkeypatch.setitem(letters.FACTS, "code", fail)
    assert delivery.deliver_due() == 1
    broken.refresh_from_db()
    assert (broken.status, broken.error) == (Status.FAILED, "ValueError: no such placeholder")


def test_a_code_that_is_too_old_is_not_sent(now, mailbox):
    row = OutgoingMailFactory(kind="code", context={"code": "123456"}, not_after=now - timedelta(seconds=1))
    assert delivery.deliver_due() == 0
    row.refresh_from_db()
    assert (row.status, row.context) == (Status.CANCELLED, {})
    assert mailbox.messages == []


def test_a_code_never_stays_in_the_log(now, mailbox):
    mail.queue_code("a@example.org", "123456", language="id", now=now)
    delivery.deliver_due()
    assert "123456" in mailbox.messages[0]["Subject"]
    row = OutgoingMail.objects.get()
    assert (row.subject, row.text, row.html) == ("", "", "")
    assert mail.forget_codes(now=now + mail.CODE_LIFE) == 1
    row.refresh_from_db()
    assert row.context == {}


def test_a_mail_whose_facts_are_gone_is_cancelled(letter, mailbox, now):
    registration = letter.participant.registrations.get()
    registration.set_status("CANCELLED", now=now)
    assert delivery.deliver_due() == 0
    letter.refresh_from_db()
    assert letter.status == Status.CANCELLED


def test_rows_of_a_dead_worker_are_swept_back_with_their_message_id(now, mailbox):
    stuck = about(RegistrationFactory(webinar=WebinarFactory()), sending=True, claimed_at=now - delivery.LEASE)
    busy = about(RegistrationFactory(webinar=WebinarFactory()), sending=True, claimed_at=now)
    assert delivery.sweep(now=now) == 1
    assert delivery.deliver_due() == 1
    assert mailbox.messages[0]["Message-ID"] == stuck.message_id
    busy.refresh_from_db()
    assert busy.status == Status.SENDING


def test_mail_per_minute_holds_across_runs(now, mailbox, settings, time_machine):
    settings.MAIL_PER_MINUTE = 4
    webinar = WebinarFactory()
    for _person in range(5):
        about(RegistrationFactory(webinar=webinar))
    assert delivery.deliver_due() == 3
    assert delivery.deliver_due() == 0
    time_machine.move_to(now + timedelta(seconds=61))
    assert delivery.deliver_due() == 2


def test_a_fifth_of_the_minute_is_kept_for_codes(now, mailbox, settings):
    settings.MAIL_PER_MINUTE = 5
    webinar = WebinarFactory()
    for _person in range(5):
        about(RegistrationFactory(webinar=webinar))
    assert delivery.deliver_due() == 4
    OutgoingMailFactory(kind="code", context={"code": "123456"}, priority=0, to="u@example.org")
    assert delivery.deliver_due(urgent_only=True) == 1


@pytest.mark.parametrize(("limit", "reminders", "codes"), [(4, 3, 1), (2, 1, 1), (1, 1, 0)])
def test_however_low_the_limit_of_a_minute_one_is_kept_for_a_code(now, mailbox, settings, limit, reminders, codes):
    settings.MAIL_PER_MINUTE = limit
    OutgoingMailFactory.create_batch(5, kind="unknown_account", participant=None, priority=7)
    assert delivery.deliver_due() == reminders
    OutgoingMailFactory(kind="code", context={"code": "123456"}, priority=0, to="u@example.org")
    assert delivery.deliver_due(urgent_only=True) == codes


def test_with_one_mail_a_minute_the_next_is_the_code(now, mailbox, settings, time_machine):
    settings.MAIL_PER_MINUTE = 1
    OutgoingMailFactory.create_batch(3, kind="unknown_account", participant=None, priority=7)
    assert delivery.deliver_due() == 1
    code = OutgoingMailFactory(kind="code", context={"code": "123456"}, priority=0, to="u@example.org")
    time_machine.move_to(now + timedelta(seconds=61))
    assert delivery.deliver_due() == 1
    assert mailbox.messages[-1]["To"] == code.to


def test_an_address_without_an_account_is_forgotten_with_its_mail(now):
    mail.queue_unknown_account("nobody@example.org", language="id", now=now)
    mail.forget_codes(now=now + mail.CODE_LIFE)
    assert OutgoingMail.objects.count() == 0


def test_what_must_be_forgotten_is_found_by_an_index(now):
    mail.queue_code("u@example.org", "123456", language="id", now=now)
    mail.queue_unknown_account("nobody@example.org", language="id", now=now)
    OutgoingMailFactory.create_batch(200, kind="code", participant=None, not_after=now - timedelta(days=1))
    late = OutgoingMail.objects.filter(not_after__lte=now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE registration_outgoingmail")
        cursor.execute("SET LOCAL enable_seqscan TO off")
    codes, strangers = late.filter(kind="code").exclude(context={}), late.filter(kind="unknown_account")
    assert "mail_live_code" in codes.explain()
    assert "mail_stranger" in strangers.explain()


def test_claiming_and_sending_cost_a_constant_number_of_queries_a_batch(now, mailbox, django_assert_num_queries):
    webinar = WebinarFactory()
    for _person in range(3):
        about(RegistrationFactory(webinar=webinar))
    with django_assert_num_queries(1):
        assert len(delivery.claim(now=now)) == 3


def test_a_failed_mail_is_retried_by_hand_and_a_queued_one_cancelled(now, mailbox):
    failed = about(RegistrationFactory(webinar=WebinarFactory()), failed=True)
    queued = about(RegistrationFactory(webinar=WebinarFactory()))
    OutgoingMailFactory(kind="code", failed=True)
    assert maillog.retry(OutgoingMail.objects.all(), now=now) == 1
    assert maillog.cancel(OutgoingMail.objects.filter(pk=queued.pk), now=now) == 1
    assert delivery.deliver_due() == 1
    assert [message["To"] for message in mailbox.messages] == [failed.to]


def test_nothing_is_sent_over_a_line_that_did_not_let_us_in(now, mailbox, settings, monkeypatch):
    def refuse(server, *args, **kwargs):
        raise smtplib.SMTPAuthenticationError(454, b"4.7.0 try later")

    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "secret"
    monkeypatch.setattr(smtplib.SMTP, "login", refuse)
    for _person in range(3):
        about(RegistrationFactory())
    assert delivery.deliver_due() == 0
    assert mailbox.messages == []
    assert list(OutgoingMail.objects.order_by("pk").values_list("status", flat=True)) == ["RETRY", "RETRY", "QUEUED"]


def test_a_cancelled_webinar_is_confirmed_to_nobody(now, mailbox):
    seat = RegistrationFactory(webinar=WebinarFactory(cancelled=True))
    mail.queue_confirmation(seat.participant, moment=now)
    mail.queue_about(seat, OutgoingMail.Kind.PROMOTED, moment=now)
    assert delivery.deliver_due() == 0
    assert set(OutgoingMail.objects.values_list("status", flat=True)) == {Status.CANCELLED}
