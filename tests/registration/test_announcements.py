"""Announcements from the draft to the last mail, on a real SMTP server."""

import re
import time
from datetime import timedelta

import pytest
from django.db import connection

from registration import (
    announcementletters,
    announcements,
    audiences,
    cards,
    delivery,
    letters,
    mail,
    maillog,
    mailtexts,
    stencils,
    subscriptions,
    tasks,
)
from registration.models import Announcement, BouncedAddress, OutgoingMail, Participant, Registration, User
from tests import factories

pytestmark = pytest.mark.django_db

Status = Announcement.Status
BODY = "Halo **semua**,\n\nlihat [jadwal](https://kpt.example.org/agenda/).\n\n- satu\n- dua"


@pytest.fixture
def webinar(now):
    return factories.WebinarFactory()


def written(webinar, **fields):
    given = {
        "edition": webinar.edition,
        "subject": "Persiapan untuk {name}",
        "body": BODY,
        "audience": {"about": "own_webinars", "webinars": [webinar.pk]},
    }
    return factories.AnnouncementFactory(**(given | fields))


def seats(webinar, number, **person):
    people = [factories.ParticipantFactory(**person) for _seat in range(number)]
    return [factories.RegistrationFactory(participant=someone, webinar=webinar) for someone in people]


def states(announcement):
    return sorted(announcement.mails.values_list("status", flat=True))


def status(announcement):
    return Announcement.objects.get(pk=announcement.pk).status


# ---- Sending


def test_everybody_meant_gets_one_mail_in_bulk(webinar, now):
    for someone in seats(webinar, 3):
        factories.RegistrationFactory(participant=someone.participant, webinar=factories.WebinarFactory())
    factories.RegistrationFactory()
    announcement = written(webinar)
    assert announcements.send(announcement, now=now) == 3
    rows = OutgoingMail.objects.all()
    assert {row.to for row in rows} == {r.participant.email for r in webinar.registrations.all()}
    assert {(r.kind, r.priority, r.status, r.language, r.not_before, r.attempts) for r in rows} == {
        ("announcement", 9, "QUEUED", "id", now, 0)
    }
    assert len({row.message_id for row in rows}) == 3
    assert all(re.fullmatch(r"<[0-9a-f-]{36}@localhost>", row.message_id) for row in rows)
    assert status(announcement) == Status.SENDING


def test_sent_twice_it_is_sent_once(webinar, now):
    seats(webinar, 2)
    announcement = written(webinar)
    assert announcements.send(announcement, now=now) == 2
    assert announcements.send(announcement, now=now) is None
    assert announcements.queue_for(Announcement.objects.get(), now=now) == 0
    assert OutgoingMail.objects.count() == 2


@pytest.mark.parametrize("number", [1, 3])
def test_as_many_queries_for_one_as_for_many(webinar, now, number, django_assert_num_queries):
    seats(webinar, number)
    announcement = written(webinar)
    # The lock, three looks at the text and the audience, the state, the rows.
    with django_assert_num_queries(6):
        announcements.send(announcement, now=now)
    batch = delivery.claim(now=now)
    mailtexts.forget()
    # Participants, their accounts, the announcement, whom it means, texts of the organisers; for each mail none.
    with django_assert_num_queries(5):
        letters.gather(batch)
        for row in batch:
            letters.compose(row, now=now)


def test_it_goes_out_as_it_was_written(webinar, now, mailbox):
    [seated] = seats(webinar, 1, name="Maria Contoh")
    announcements.send(written(webinar), now=now)
    assert delivery.deliver_due() == 1
    [message] = mailbox.messages
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    html = message.get_body(("html",)).get_content().replace("\r\n", "\n")
    assert message["Subject"] == "Persiapan untuk Maria Contoh"
    assert "Maria Contoh," in text
    assert "jadwal <https://kpt.example.org/agenda/>" in text
    assert "- satu\n- dua" in text
    assert "<strong>semua</strong>" in html
    assert 'href="https://kpt.example.org/agenda/"' in html
    assert message["Auto-Submitted"] == "auto-generated"
    link = message["List-Unsubscribe"]
    assert re.fullmatch(r"<http://localhost:\d+/berhenti/[^>]+>", link)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.strip("<>") in text
    assert link.strip("<>") in html
    assert OutgoingMail.objects.get().html.strip() == html.replace("\r\n", "\n").strip()
    assert seated.participant.name in html


def test_no_other_mail_has_the_header(webinar, now, mailbox):
    [seated] = seats(webinar, 1)
    mail.queue_confirmation(seated.participant, moment=now)
    assert delivery.deliver_due() == 1
    assert mailbox.messages[0]["List-Unsubscribe"] is None
    assert mailbox.messages[0]["List-Unsubscribe-Post"] is None


def test_each_in_her_language_and_indonesian_where_nothing_else_is_written(webinar, now, mailbox):
    [rosa], [maria] = seats(webinar, 1, language="en"), seats(webinar, 1, language="id")
    announcements.send(written(webinar, subject_en="Getting ready", body_en="Hello"), now=now)
    announcements.send(written(webinar, subject="Hanya Indonesia"), now=now)
    assert delivery.deliver_due() == 4

    def got(person):
        return sorted((m["Subject"], m["Content-Language"]) for m in mailbox.to(person.participant.email))

    assert got(rosa) == [("Getting ready", "en"), ("Hanya Indonesia", "id")]
    assert got(maria) == [("Hanya Indonesia", "id"), (f"Persiapan untuk {maria.participant.name}", "id")]
    assert "No more announcements" in mailbox.to(rosa.participant.email)[0].as_string()


def test_a_carer_is_told_for_whom_it_is(webinar, now, mailbox):
    carer = factories.UserFactory(name="Ibu Guru")
    for name in ("Ani Contoh", "Rut Contoh"):
        seats(webinar, 1, name=name, email="", phone="", account=carer)
    left_out = seats(webinar, 1, name="Bait Contoh", email="", phone="", account=carer, restricted_at=now)
    announcements.send(written(webinar), now=now)
    assert delivery.deliver_due() == 1
    [message] = mailbox.to(carer.email)
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert "Ibu Guru," in text
    assert "- Ani\n- Rut\n" in text
    assert "Bait" not in text
    assert left_out


def test_words_of_a_person_are_words_and_nothing_else(webinar, now, mailbox):
    name = 'Maria <b>{page}</b> [klik](https://evil.example.org) "x"\r\nBcc: other@example.org'
    seats(webinar, 1, name=" ".join(name.split()))
    announcements.send(written(webinar, body="Halo {name}!\n\n<script>alert(1)</script>"), now=now)
    assert delivery.deliver_due() == 1
    [message] = mailbox.messages
    html = message.get_body(("html",)).get_content().replace("\r\n", "\n")
    assert "<script>" not in html
    assert "<b>" not in html
    assert 'href="https://evil' not in html
    assert message["Bcc"] is None


def test_drawn_once_for_all(webinar, now, monkeypatch):
    seats(webinar, 5)
    announcements.send(written(webinar, body="Halo {name}, [buka]({page})"), now=now)
    stencils.kept.clear()
    batch = delivery.claim(now=now)
    drawn = []
    monkeypatch.setattr(
        stencils, "draw", lambda names, facts, draw=stencils.draw: drawn.append(names) or draw(names, facts)
    )
    letters.gather(batch)
    bodies = {letters.compose(row, now=now).body for row in batch}
    assert (len(bodies), len(drawn)) == (5, 1)


# ---- Who has left the audience since


@pytest.mark.parametrize(
    "change",
    [
        lambda seated, now: subscriptions.unsubscribe(seated.participant.account_id, now=now),
        lambda seated, now: Participant.objects.filter(pk=seated.participant_id).update(restricted_at=now),
        lambda seated, now: Registration.objects.filter(pk=seated.pk).update(status="CANCELLED", cancelled_at=now),
        lambda seated, now: User.objects.filter(pk=seated.participant.account_id).update(is_active=False),
    ],
)
def test_who_has_left_it_meanwhile_gets_none(webinar, now, mailbox, change):
    gone, stays = seats(webinar, 2)
    announcement = written(webinar)
    announcements.send(announcement, now=now)
    change(gone, now)
    delivery.deliver_due()
    assert [message["To"] for message in mailbox.messages] == [stays.participant.email]
    assert states(announcement) == ["CANCELLED", "SENT"]
    announcements.tick(now=now)
    assert announcements.progress(announcement) == announcements.Progress(
        sent=1, waiting=0, failed=0, cancelled=1, held_back=0
    )


def test_who_has_taken_back_her_consent_to_news_gets_none(webinar, now, mailbox):
    [seated] = seats(webinar, 1)
    consent = factories.ConsentFactory(participant=seated.participant, purpose="news", organisation=None)
    announcement = written(webinar, audience={})
    assert announcements.send(announcement, now=now) == 1
    type(consent).objects.update(withdrawn_at=now)
    delivery.deliver_due()
    assert states(announcement) == ["CANCELLED"]


# ---- Stopping and going on


def test_stopped_half_way_what_is_sent_stays_and_the_rest_can_go_on(webinar, now, mailbox):
    first, second, third = seats(webinar, 3)
    announcement = written(webinar)
    announcements.send(announcement, now=now)
    OutgoingMail.objects.exclude(participant=first.participant).update(not_before=now + timedelta(hours=1))
    assert delivery.deliver_due() == 1
    assert announcements.stop(announcement, now=now) == 2
    assert announcements.stop(announcement, now=now) is None
    assert states(announcement) == ["CANCELLED", "CANCELLED", "SENT"]
    progress = announcements.progress(announcement)
    assert (progress.sent, progress.held_back, progress.total, progress.done) == (1, 2, 3, 1)
    assert delivery.deliver_due() == 0

    # Meanwhile one has unsubscribed and one has come.
    subscriptions.unsubscribe(second.participant.account_id, now=now)
    [late] = seats(webinar, 1)
    assert announcements.resume(announcement, now=now) == 3
    assert announcements.resume(announcement, now=now) is None
    delivery.deliver_due()
    got = [message["To"] for message in mailbox.messages]
    assert sorted(got) == sorted(r.participant.email for r in (first, third, late))
    announcements.tick(now=now)
    assert status(announcement) == Status.SENT


def test_a_worker_gives_up_what_it_has_in_hand(webinar, now, mailbox):
    seats(webinar, 2)
    announcement = written(webinar)
    announcements.send(announcement, now=now)
    batch = delivery.claim(now=now)
    assert announcements.stop(announcement, now=now) == 0
    for row in batch:
        with pytest.raises(cards.Obsolete, match=re.escape(announcementletters.STOPPED)):
            letters.compose(row, now=now)
    delivery.release(batch)
    assert delivery.deliver_due() == 0
    assert states(announcement) == ["CANCELLED", "CANCELLED"]
    assert announcements.resume(announcement, now=now) == 2


def test_what_an_organiser_has_cancelled_by_hand_stays_so(webinar, now):
    one, _other = seats(webinar, 2)
    announcement = written(webinar)
    announcements.send(announcement, now=now)
    maillog.cancel(OutgoingMail.objects.filter(participant=one.participant), now=now)
    assert announcements.stop(announcement, now=now) == 1
    assert announcements.resume(announcement, now=now) == 1
    assert states(announcement) == ["CANCELLED", "QUEUED"]


# ---- At an hour


def test_scheduled_it_leaves_at_its_hour_for_whoever_is_meant_then(webinar, now, time_machine):
    announcement = written(webinar)
    assert announcements.schedule(announcement, send_at=now + timedelta(hours=1), now=now)
    tasks.send_announcements()
    assert (status(announcement), OutgoingMail.objects.count()) == (Status.SCHEDULED, 0)
    seats(webinar, 2)
    time_machine.move_to(now + timedelta(hours=1))
    for _beat in range(2):
        tasks.send_announcements()
    assert (status(announcement), OutgoingMail.objects.count()) == (Status.SENDING, 2)


def test_taken_back_before_its_hour_it_is_a_draft_again(webinar, now, time_machine):
    seats(webinar, 1)
    announcement = written(webinar)
    announcements.schedule(announcement, send_at=now + timedelta(hours=1), now=now)
    assert announcements.unschedule(announcement)
    assert not announcements.unschedule(announcement)
    time_machine.move_to(now + timedelta(hours=2))
    tasks.send_announcements()
    assert (status(announcement), OutgoingMail.objects.count()) == (Status.DRAFT, 0)


def test_one_that_can_no_longer_be_sent_is_a_draft_again_and_holds_up_no_other(webinar, now, time_machine):
    seats(webinar, 1)
    broken, good = written(webinar), written(webinar)
    for announcement in (broken, good):
        announcements.schedule(announcement, send_at=now, now=now)
    Announcement.objects.filter(pk=broken.pk).update(audience={"webinars": [webinar.pk + 999]})
    tasks.send_announcements()
    assert (status(broken), status(good)) == (Status.DRAFT, Status.SENDING)


def test_to_nobody_it_is_through_at_once(webinar, now):
    announcement = written(webinar)
    assert announcements.send(announcement, now=now) == 0
    announcements.tick(now=now)
    announcement.refresh_from_db()
    assert (announcement.status, announcement.ended_at) == (Status.SENT, now)


def test_while_a_mail_is_open_it_is_not_through(webinar, now):
    seats(webinar, 3)
    announcement = written(webinar)
    announcements.send(announcement, now=now)
    for state in ("RETRY", "SENDING"):
        row = OutgoingMail.objects.filter(status="QUEUED").first()
        OutgoingMail.objects.filter(pk=row.pk).update(status=state, claimed_at=now)
    OutgoingMail.objects.filter(status="QUEUED").update(status="FAILED")
    announcements.tick(now=now)
    assert status(announcement) == Status.SENDING
    OutgoingMail.objects.update(status="FAILED")
    announcements.tick(now=now)
    assert status(announcement) == Status.SENT


# ---- What can't be sent


@pytest.mark.parametrize(
    "fields",
    [
        {"body": ""},
        {"subject_en": "Only a subject"},
        {"body_en": "Only a text"},
        {"body": "Halo {nama}"},
        {"subject": "Untuk {page}"},
        {"body": "[jadwal](/agenda/)"},
        {"body": "[x](javascript:alert(1))"},
        {"audience": {"webinar": [1]}},
        {"audience": {"about": "own_webinars"}},
    ],
)
def test_what_cant_be_sent_is_refused_whole(webinar, now, fields):
    seats(webinar, 1)
    announcement = written(webinar, **fields)
    for attempt in (announcements.send, lambda a, now: announcements.schedule(a, send_at=now, now=now)):
        with pytest.raises(announcements.Unfit):
            attempt(announcement, now=now)
    assert (status(announcement), OutgoingMail.objects.count()) == (Status.DRAFT, 0)


# ---- Looking at it first


def test_a_test_goes_to_whoever_writes_it_and_counts_nowhere(webinar, now, mailbox):
    seats(webinar, 2)
    organiser = factories.UserFactory(name="Ibu Panitia", organiser=True)
    announcement = written(webinar, subject_en="Getting ready", body_en="Hello {name}")
    announcements.queue_test(announcement, organiser, language="en", now=now)
    assert delivery.deliver_due() == 1
    [message] = mailbox.messages
    assert (message["To"], message["Subject"]) == (organiser.email, "[Test] Getting ready")
    assert "Hello Ibu Panitia" in message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert message["List-Unsubscribe"]
    assert announcements.progress(announcement).total == 0
    assert announcements.send(announcement, now=now) == 2


def test_a_preview_keeps_nothing(webinar, now):
    organiser = factories.UserFactory(name="Ibu Panitia", organiser=True)
    shown = announcements.preview(written(webinar), organiser, language="en", now=now)
    assert (shown.language, shown.subject) == ("id", "[Uji coba] Persiapan untuk Ibu Panitia")
    assert "Halo" in shown.text
    assert "<strong>semua</strong>" in shown.html
    assert not OutgoingMail.objects.exists()


# ---- A large audience


@pytest.mark.parametrize("number", [12_000])
def test_thousands_are_queued_by_one_statement_in_a_breath(webinar, now, number):
    users = User.objects.bulk_create(User(email=f"p{n}@example.org", password="!") for n in range(number))
    people = Participant.objects.bulk_create(
        Participant(account=user, name="Peserta", email=user.email, province="53", proven_at=now) for user in users
    )
    Registration.objects.bulk_create(
        Registration(participant=person, webinar=webinar, status="CONFIRMED", confirmed_at=now) for person in people
    )
    BouncedAddress.objects.create(email="p7@example.org")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    announcement = written(webinar)
    began = time.monotonic()
    assert announcements.send(announcement, now=now) == number - 1
    assert time.monotonic() - began < 3
    began = time.monotonic()
    assert audiences.count(audiences.read(announcement.audience))["mailboxes"] == number - 1
    assert announcements.progress(announcement).waiting == number - 1
    assert time.monotonic() - began < 1
