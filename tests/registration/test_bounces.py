"""Mail that comes back: read from reports as servers write them, proven by our Message-ID, and what follows from it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registration import bounces, comeback, delivery, dsn, erasure, mail, newaddress, retention, takeaway, tasks
from registration.models import BouncedAddress, BounceReport, OutgoingMail, RetentionPeriod
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory
from tests.registration import returned

pytestmark = pytest.mark.django_db

Status = OutgoingMail.Status
GONE = "550 5.1.1 User unknown"


def sent_to(email="maria@example.com", **fields):
    person = ParticipantFactory(email=email)
    registration = RegistrationFactory(participant=person, webinar=WebinarFactory())
    about = {"participant": person, "registration": registration, "sent": True, "subject": "Konfirmasi"}
    return OutgoingMailFactory(**(about | fields))


def read(raw):
    """The rows that a report leaves."""
    now = timezone.now()
    return [row for report in dsn.reports_in(raw, now=now) if (row := bounces.record(report, now=now))]


def is_dead(email):
    return bounces.of(email) is not None


@pytest.fixture
def sent(now):
    return sent_to()


# ---- What servers write


@pytest.mark.parametrize("text", ["EXCHANGE", "OTHER_LETTERS", "EXIM", "QMAIL"])
def test_a_report_of_a_dead_address_is_read_as_usual_servers_write_it(text, sent):
    raw = returned.returned(getattr(returned, text), to=sent.to, message_id=sent.message_id)
    [row] = read(raw)
    sent.refresh_from_db()
    assert (row.email, row.mail, row.is_final, row.source) == (sent.to, sent, True, "mail")
    assert (sent.status, sent.error) == (Status.BOUNCED, row.words)
    assert is_dead(sent.to)


def test_the_servers_words_and_its_hour_are_kept(sent, now):
    [row] = read(returned.postfix(sent))
    assert row.words == "5.1.1 550 5.1.1 User unknown"
    assert row.at == now  # the report is of five seconds later, by another clock
    assert bounces.of(sent.to).words == row.words


def test_a_report_told_twice_counts_once(sent):
    assert len(read(returned.postfix(sent))) == 1
    assert read(returned.postfix(sent)) == []
    assert BounceReport.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.2.2", "552 5.2.2 Mailbox full"),
        ("5.7.1", "550 5.7.1 Not accepted by our policy"),
        ("5.7.26", "550 5.7.26 This mail is unauthenticated: no SPF, no DKIM"),
        ("5.0.0", "554 The message was refused as spam, user unknown to us"),
        ("5.3.4", "552 5.3.4 Message too big"),
        ("5.2.1", "550 5.2.1 The user you try to reach receives mail at a rate that is too high"),
        ("4.4.7", "Delivery time expired"),
        ("5.4.0", "Connection refused"),
    ],
)
def test_other_reasons_are_kept_and_count_and_stop_nothing(status, words, sent):
    [row] = read(returned.postfix(sent, status=status, words=words))
    sent.refresh_from_db()
    assert (row.is_final, sent.status) == (False, Status.SENT)
    assert not is_dead(sent.to)
    assert bounces.put_off(sent.to) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.0.0", "550 Requested action not taken: mailbox unavailable"),
        ("5.1.2", "Host or domain name not found"),
        ("5.4.4", "Host or domain name not found. Name service error"),
        ("5.0.0", "554 delivery error: This user doesn't have an account here"),
        ("5.2.1", "550 5.2.1 The account is inactive"),
        ("5.1.1", ""),
    ],
)
def test_no_such_person_in_many_words(status, words, sent):
    [row] = read(returned.postfix(sent, status=status, words=words))
    assert row.is_final
    assert is_dead(sent.to)


def test_a_delay_is_no_end(sent):
    [row] = read(returned.postfix(sent, action="delayed", status="4.4.1", words="Connection timed out"))
    assert not row.is_final


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_good_news_are_no_reports(action, sent):
    assert read(returned.postfix(sent, action=action, status="2.0.0", words="250 OK")) == []


@pytest.mark.parametrize("text", ["OUT_OF_OFFICE", "COMPLAINT"])
def test_what_is_no_report_changes_nothing(text, sent):
    assert read(returned.returned(getattr(returned, text), to=sent.to, message_id=sent.message_id)) == []
    assert not is_dead(sent.to)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\xff\xfe",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n",
        b"Content-Type: multipart/report\r\n\r\n",
        b"X-Failed-Recipients: ,,\r\n\r\nno",
        b"X-Failed-Recipients: a@b\r\nContent-Type: text/plain; charset=no-such\r\n\r\nno",
        b"".join(b"Content-Type: multipart/report; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(3000)),
    ],
)
def test_what_can_not_be_read_is_no_accident(raw, sent):
    assert read(raw) == []


# ---- Proof


def test_a_forged_report_about_an_address_that_we_never_wrote_to_leaves_nothing(sent):
    raw = returned.returned(returned.EXCHANGE, to="korban@example.com", message_id="<made-up@example.org>")
    assert read(raw) == []
    assert BounceReport.objects.count() == BouncedAddress.objects.count() == 0


def test_a_forged_report_about_somebody_whom_we_write_to_is_kept_and_stops_nothing(sent):
    """Whoever knows that she takes part can't silence her: the Message-ID is known to her and to servers alone."""
    raw = returned.returned(returned.EXCHANGE, to=sent.to, message_id="<made-up@example.org>")
    [row] = read(raw)
    sent.refresh_from_db()
    assert (row.mail, row.is_final, sent.status) == (sent, False, Status.SENT)
    assert not is_dead(sent.to)


def test_a_true_message_id_does_not_silence_another_address(sent):
    other = sent_to("lain@example.com")
    [row] = read(returned.postfix(sent, to=other.to))
    assert (row.email, row.is_final) == (sent.to, False)
    assert BouncedAddress.objects.count() == 0


def test_a_server_on_the_way_may_put_its_own_message_id_in_place_of_ours(sent):
    raw = returned.postfix(sent).replace(
        b"\r\nMessage-ID: " + sent.message_id.encode(), b"\r\nMessage-ID: <0@ses.example>"
    )
    assert raw.count(sent.message_id.encode()) == 1
    [row] = read(raw)
    assert row.is_final


def test_the_address_may_be_written_in_capitals(sent):
    [row] = read(returned.postfix(sent, to="Maria@Example.COM"))
    assert (row.email, row.is_final) == (sent.to, True)


# ---- What follows


def test_mail_to_a_dead_address_is_held_back_but_for_a_code(sent, mailbox, now):
    read(returned.postfix(sent))
    letter = OutgoingMailFactory(participant=sent.participant)
    later = OutgoingMailFactory(participant=sent.participant, not_before=now + timedelta(hours=1))
    mail.queue_code(sent.to, "123456", language="id", now=now)
    assert delivery.deliver_due() == 1
    assert [message["To"] for message in mailbox.messages] == [sent.to]
    assert "123456" in mailbox.messages[0]["Subject"]
    assert bounces.hold_back(now=now) == 1
    letter.refresh_from_db()
    later.refresh_from_db()
    assert (letter.status, letter.error) == (Status.BOUNCED, "Not sent: this address bounces.")
    assert later.status == Status.QUEUED


def test_the_mail_of_others_goes_on(sent, mailbox):
    read(returned.postfix(sent))
    other = sent_to("lain@example.com", sent=False, registration=None)
    RegistrationFactory(participant=other.participant)
    assert delivery.deliver_due() == 1
    assert bounces.hold_back(now=timezone.now()) == 0
    assert mailbox.messages[0]["To"] == other.to


@pytest.mark.parametrize(
    ("answer", "status", "dead"),
    [
        (GONE, Status.BOUNCED, True),
        ("550 No such user here", Status.BOUNCED, True),
        ("550 5.7.1 Relaying denied", Status.FAILED, False),
        ("550 5.7.515 Access denied, sender does not meet the requirements", Status.FAILED, False),
        ("552 5.2.2 Mailbox full", Status.FAILED, False),
        ("450 4.1.1 User unknown, try again", Status.RETRY, False),
    ],
)
def test_a_server_that_refuses_the_recipient_at_once(answer, status, dead, mailbox, now):
    letter = sent_to(sent=False)
    mailbox.refuse_person(letter.to, answer)
    assert delivery.deliver_due() == 0
    letter.refresh_from_db()
    assert (letter.status, letter.error, is_dead(letter.to)) == (status, answer, dead)
    assert BounceReport.objects.filter(source="refusal", is_final=True, mail=letter).count() == int(dead)


def test_the_last_mail_about_somebody_leaves_no_trace_at_a_dead_address(mailbox, now):
    person = RegistrationFactory(webinar=WebinarFactory()).participant
    email = person.email
    bounces.mark(email, GONE, sent_at=now, now=now)
    mailbox.refuse_person(email, GONE)
    assert erasure.erase(person, now=now)
    assert BouncedAddress.objects.count() == 0
    delivery.deliver_due()
    row = OutgoingMail.objects.get(kind="data_deleted")
    assert (row.status, row.to, row.context) == (Status.FAILED, "", {})
    assert BouncedAddress.objects.count() == BounceReport.objects.count() == 0


# ---- The way back


def test_a_code_that_is_used_clears_the_address_and_sends_what_was_missed(sent, mailbox, now):
    read(returned.postfix(sent))
    assert comeback.proven(sent.to, now=now)
    assert not is_dead(sent.to)
    assert delivery.deliver_due() == 1
    sent.refresh_from_db()
    assert sent.status == Status.SENT
    assert mailbox.messages[0]["Message-ID"] == sent.message_id
    assert comeback.proven(sent.to, now=now) is False


def test_a_report_of_an_earlier_mail_does_not_end_a_cleared_address(sent, now, time_machine):
    read(returned.postfix(sent))
    time_machine.move_to(now + timedelta(hours=1))
    bounces.clear(sent.to, now=timezone.now())
    OutgoingMail.objects.filter(pk=sent.pk).update(status="SENT")
    late = returned.postfix(sent).replace(b"returned-1@", b"returned-9@")
    assert len(read(late)) == 1
    assert not is_dead(sent.to)
    time_machine.move_to(now + timedelta(hours=2))
    newer = OutgoingMailFactory(participant=sent.participant, sent=True)
    read(returned.postfix(newer))
    assert is_dead(sent.to)


def test_a_new_address_gets_what_the_old_one_did_not(sent, mailbox, now):
    first = sent_to("maria2@example.com", participant=sent.participant, to=sent.to, registration=sent.registration)
    for row in (first, sent):
        read(returned.postfix(row))
    account = sent.participant.account
    assert newaddress.change(account, "baru@example.com", now=now)
    assert delivery.deliver_due() == 1, "one confirmation is enough"
    assert mailbox.messages[0]["To"] == "baru@example.com"
    assert BouncedAddress.objects.count() == BounceReport.objects.count() == 0


def test_mails_about_different_webinars_are_all_sent_later_though_no_registration_tells_them_apart(now):
    """As to a carer, a guest or a partner: what they are about is among their facts."""
    BouncedAddress.objects.create(email="tamu@example.com")
    facts = [{"invitation": 1}, {"invitation": 2}, {"webinar": 7, "was": 1}, {"webinar": 7, "was": 2}, {"reminder": 4}]
    for number, context in enumerate(facts):
        kind = "invitation" if "invitation" in context else "webinar_changed"
        OutgoingMailFactory(
            kind=kind, key=f"k{number}", to="tamu@example.com", participant=None, context=context, status="BOUNCED"
        )
    assert comeback.proven("tamu@example.com", now=now)
    queued = OutgoingMail.objects.filter(status="QUEUED").order_by("pk")
    assert list(queued.values_list("key", flat=True)) == ["k0", "k1", "k3", "k4"]


def test_what_is_out_of_date_is_not_sent_later(sent, mailbox, now):
    old = sent_to("maria2@example.com", participant=sent.participant, to=sent.to, created_at=now - timedelta(days=31))
    for row in (old, sent):
        read(returned.postfix(row))
    sent.registration.set_status("CANCELLED", now=now)
    comeback.proven(sent.to, now=now)
    assert delivery.deliver_due() == 0
    assert sorted(OutgoingMail.objects.values_list("status", flat=True)) == ["BOUNCED", "CANCELLED"]


def test_a_complaint_ends_announcements_alone(sent, now):
    assert bounces.complained("MARIA@example.com", now=now) == 1
    sent.participant.refresh_from_db()
    assert sent.participant.unsubscribed_at == now
    assert not is_dead(sent.to)
    assert bounces.complained("siapa@example.com", now=now) == 0


# ---- Traces


def test_addresses_that_nobody_here_has_leave_no_trace(sent, now, time_machine):
    for email in (sent.to, "asing@example.com"):
        bounces.mark(email, GONE, sent_at=now, now=now)
        BounceReport.objects.create(key=email, source="mail", email=email, is_final=True, at=now)
    UserFactory(email="lain@example.com")
    assert bounces.forget_strangers(now=now) == 0, "her sign-up may be under way"
    time_machine.move_to(now + bounces.STRANGER_LIFE)
    tasks.forget_strangers()
    assert list(BouncedAddress.objects.values_list("email", flat=True)) == [sent.to]
    assert list(BounceReport.objects.values_list("email", flat=True)) == [sent.to]


def test_old_reports_go_with_the_texts_of_mails(sent, now):
    period = RetentionPeriod.objects.get(kind="mail_text")
    for key, days in (("old", period.days), ("newer", period.days - 1)):
        at = now - timedelta(days=days)
        BounceReport.objects.create(key=key, source="mail", email=sent.to, is_final=False, at=at)
    up_to = timezone.localdate() - timedelta(days=period.days)
    part = retention.PARTS["mail_text"]
    assert part.count(up_to) == 1
    assert part.remove(up_to) == 1
    assert list(BounceReport.objects.values_list("key", flat=True)) == ["newer"]


def test_what_servers_said_of_her_address_is_in_what_she_takes_along(sent, now):
    read(returned.postfix(sent))
    parts = {part.name: part for part in takeaway.parts(sent.participant, sent.participant.account, now=now)}
    report, mark = parts["returned"].records
    assert [fact.value for fact in report][-1] == "5.1.1 550 5.1.1 User unknown"
    assert [fact.name for fact in mark] == ["email", "bounced_at", "words", "cleared_at"]
