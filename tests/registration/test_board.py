"""The mail board: its numbers against plain SQL, its button, and who may see it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.urls import reverse

from registration import board, heartbeat, tasks
from registration import metrics as module
from registration.models import Heartbeat, OutgoingMail
from tests.factories import OutgoingMailFactory, UserFactory

pytestmark = pytest.mark.django_db

BOARD = "/en/admin/registration/outgoingmail/board/"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def organiser(now, signed_in_client):
    return signed_in_client(member("Organisers"))


@pytest.fixture
def editor(now, signed_in_client):
    return signed_in_client(member("Editors"))


def member(group):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


def plain(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def queued(**facts):
    return OutgoingMailFactory(**facts)


def retrying(now, **facts):
    given = {"status": "RETRY", "attempts": 1, "error": "451 later", "claimed_at": now - MINUTE}
    return OutgoingMailFactory(**(given | facts))


def failed(now, error, **facts):
    return OutgoingMailFactory(**({"failed": True, "error": error, "claimed_at": now} | facts))


# ---- What waits


def test_the_queue_is_counted_by_priority_and_by_what_is_due(now):
    queued(priority=0, not_before=now)
    queued(priority=5, not_before=now - 3 * MINUTE)
    queued(priority=5, not_before=now + SECOND)
    retrying(now, priority=9, created_at=now - HOUR, not_before=now + MINUTE)
    retrying(now, priority=9, created_at=now - MINUTE, not_before=now - SECOND)
    OutgoingMailFactory(sent=True), OutgoingMailFactory(sending=True), failed(now, "550 no"), queued(status="CANCELLED")
    lines = {int(line.priority): line for line in board.queues(now)}
    told = [(p, q.due, q.later, q.retrying) for p, q in lines.items() if q.total]
    assert told == [(0, 1, 0, 0), (5, 1, 1, 0), (9, 1, 1, 2)]
    assert told == plain(
        """SELECT priority, sum((not_before <= %s)::int), sum((not_before > %s)::int), sum((status = 'RETRY')::int)
        FROM registration_outgoingmail WHERE status IN ('QUEUED', 'RETRY') GROUP BY 1 ORDER BY 1""",
        now,
        now,
    )
    assert lines[5].oldest == now - 3 * MINUTE
    # A try that failed does not make it young.
    assert (lines[9].oldest, lines[9].due_since) == (now - HOUR, now - SECOND)


def test_what_is_not_due_does_not_wait(now):
    queued(not_before=now + SECOND)
    state = board.board(now)
    assert (state.waiting, state.due, state.oldest) == (1, 0, None)


def test_rows_of_a_dead_worker_are_told_from_those_in_hand(now):
    OutgoingMailFactory(sending=True, claimed_at=now)
    OutgoingMailFactory(sending=True, claimed_at=now - board.delivery.LEASE)
    found = board.in_sending(now)
    assert (found.number, found.left_behind, found.last_claim) == (2, 1, now)


# ---- What has left


def test_each_minute_of_the_last_hour_has_its_number(now):
    at = now + 30 * SECOND
    this_minute = now
    for sent_at in (
        this_minute,
        this_minute + 29 * SECOND,
        this_minute - SECOND,  # 08.59.59
        this_minute - MINUTE,  # 08.59.00
        this_minute - MINUTE - timedelta(microseconds=1),
        this_minute - 59 * MINUTE,  # the first of the sixty
    ):
        OutgoingMailFactory(sent=True, sent_at=sent_at)
    OutgoingMailFactory(sent=True, sent_at=this_minute - 59 * MINUTE - SECOND)  # an hour ago
    OutgoingMailFactory(sent=True, sent_at=this_minute + MINUTE)  # a clock that is ahead
    OutgoingMailFactory(failed=True)
    found = board.minutes(at)
    assert len(found) == 60
    assert [minute.starts_at for minute in (found[0], found[-1])] == [this_minute - 59 * MINUTE, this_minute]
    assert [(n, m.sent) for n, m in enumerate(found) if m.sent] == [(0, 1), (57, 1), (58, 2), (59, 2)]
    assert [m.sent for m in found if m.sent] == [
        count
        for (count,) in plain(
            """SELECT count(*) FROM registration_outgoingmail WHERE sent_at >= %s AND sent_at < %s
            GROUP BY date_trunc('minute', sent_at) ORDER BY date_trunc('minute', sent_at)""",
            this_minute - 59 * MINUTE,
            this_minute + MINUTE,
        )
    ]


def test_a_mail_that_came_back_did_leave(now):
    OutgoingMailFactory(sent=True, status="BOUNCED", sent_at=now, claimed_at=now)
    state = board.board(now)
    assert (state.sent_last_hour, state.failed) == (1, 1)


# ---- What went wrong


@pytest.mark.parametrize(
    ("said", "shared"),
    [
        ("550 5.1.1 <maria@example.org>: Recipient address rejected", "550 5.1.1 …: Recipient address rejected"),
        ("550-5.1.1 No such  user\r\n550 5.1.1 4f2a3b1c9d.12 - gsmtp", "550-5.1.1 No such user 550 5.1.1 … - gsmtp"),
        ("451 4.7.1 Client [203.0.113.7] greylisted", "451 4.7.1 Client [… ] greylisted".replace(" ]", "]")),
        ("554 see https://mail.example.org/?id=8371 now", "554 see … now"),
        (
            "ConnectionRefusedError: [Errno 111] Connection refused",
            "ConnectionRefusedError: [Errno 111] Connection refused",
        ),
        ("452 queue 12345 is full", "452 queue 12345 is full"),
        ("", ""),
    ],
)
def test_servers_words_are_freed_of_what_names_one_mail(said, shared, now):
    row = failed(now, said)
    row.refresh_from_db()
    assert row.reason == shared
    assert row.error == said


def test_failures_are_grouped_by_reason_the_most_frequent_first(now):
    for name in ("a", "b", "c"):
        failed(now, f"550 5.1.1 <{name}@example.org> unknown", status="FAILED" if name != "c" else "BOUNCED")
    retrying(now, error="451 greylisted")
    failed(now - board.RECENT + SECOND, "550 5.1.1 <d@example.org> unknown")
    failed(now - board.RECENT - SECOND, "550 5.1.1 <e@example.org> unknown")
    OutgoingMailFactory(sent=True, error="550 5.1.1 <f@example.org> unknown")
    queued(status="CANCELLED", error="Too late to be of use.")
    found = [(f.reason, f.given_up, f.came_back, f.retrying) for f in board.failures(now)]
    assert found == [("550 5.1.1 … unknown", 3, 1, 0), ("451 greylisted", 0, 0, 1)]
    assert board.failures(now)[0].newest == now
    assert board.board(now).failed == 4


# ---- Who works


def test_a_worker_that_gives_no_sign_is_silent(now):
    Heartbeat.objects.create(role="mail", worker="a:1", seen_at=now - 6 * MINUTE)
    Heartbeat.objects.create(role="fast", worker="a:2", seen_at=now - MINUTE)
    Heartbeat.objects.create(role="fast", worker="b:2", seen_at=now - 2 * MINUTE)
    works = {str(w.role): (w.processes, w.is_silent) for w in board.works(now, last_claim=None)}
    assert works == {"fast": (2, False), "mail": (0, True), "beat": (0, True)}
    # Its task is a long one: it claims.
    assert not board.works(now, last_claim=now - MINUTE)[1].is_silent


def test_tasks_give_signs_of_life(now, monkeypatch, mailbox):
    monkeypatch.setattr(heartbeat, "noted", {})
    tasks.deliver_mail_now()
    tasks.deliver_due_mail()
    assert set(Heartbeat.objects.values_list("role", "seen_at")) == {("fast", now), ("mail", now)}
    tasks.expire_holds()
    assert Heartbeat.objects.count() == 3


def test_a_rush_of_tasks_writes_one_sign(now, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(heartbeat, "noted", {})
    heartbeat.note(Heartbeat.Role.FAST, now=now)
    with django_assert_num_queries(0):
        heartbeat.note(Heartbeat.Role.FAST, now=now)


def test_old_signs_are_forgotten(now, monkeypatch):
    monkeypatch.setattr(heartbeat, "noted", {})
    Heartbeat.objects.create(role="mail", worker="gone:1", seen_at=now - heartbeat.KEPT - SECOND)
    heartbeat.note(Heartbeat.Role.MAIL, now=now)
    assert Heartbeat.objects.get().worker == heartbeat.worker()


def test_mail_stands_still_when_it_is_due_and_nobody_works(now):
    queued(not_before=now - 6 * MINUTE)
    assert board.health(now).is_stalled
    Heartbeat.objects.create(role="mail", worker="a:1", seen_at=now - MINUTE)
    assert not board.health(now).is_stalled  # the limits keep it waiting


@pytest.mark.parametrize("wait", [timedelta(0), 5 * MINUTE])
def test_mail_that_has_just_come_does_not_stand_still(wait, now):
    queued(not_before=now - wait)
    health = board.health(now)
    assert (health.is_stalled, health.is_well, health.waiting) == (False, True, 1)


def test_a_worker_that_has_fallen_silent_is_told(organiser, now):
    assert board.health(now).is_well  # nobody has worked yet
    Heartbeat.objects.create(role="beat", worker="a:1", seen_at=now - 4 * MINUTE)
    assert not board.health(now).is_well
    assert "A mail worker is silent" in organiser.get("/en/admin/").content.decode()
    words = "“The clock that wakes them” gave its last sign 4 min 0 s ago. Is its process running?"
    assert words in organiser.get(BOARD).content.decode()


# ---- Mending


@pytest.fixture
def steady(now, monkeypatch):
    """In tests the hour itself is made up."""
    monkeypatch.setattr(board.delivery, "clock", board.delivery.Clock())


def test_after_a_clock_that_jumped_the_button_takes_nothing_from_a_living_worker(now, steady, monkeypatch):
    in_hand = OutgoingMailFactory(sending=True, claimed_at=now - HOUR)
    put_off = retrying(now, not_before=now + HOUR)
    assert board.delivery.clock.is_steady(now)
    monkeypatch.setattr(board.delivery, "database_now", lambda: now + 2 * board.delivery.JUMP * SECOND)
    assert board.mend(now) == 1
    in_hand.refresh_from_db()
    put_off.refresh_from_db()
    assert in_hand.status == "SENDING"
    assert put_off.not_before == now


def test_one_button_mends_what_is_stuck(now, steady):
    left = OutgoingMailFactory(sending=True, claimed_at=now - board.delivery.LEASE - SECOND)
    in_hand = OutgoingMailFactory(sending=True, claimed_at=now)
    put_off = retrying(now, not_before=now + HOUR)
    given_up = failed(now, "ConnectionRefusedError: [Errno 111] Connection refused", attempts=13)
    refused = failed(now, "550 5.1.1 unknown")
    unwritable = failed(now, "The address can't be written to: x")
    code = failed(now, "TimeoutError: timed out", kind="code")
    late = failed(now, "TimeoutError: timed out", not_after=now - SECOND)
    found = board.mendable(now)
    assert (found.left_behind, found.put_off, found.given_up, found.refused) == (1, 1, 1, 4)
    assert board.mend(now) == 3
    state = {row.pk: (row.status, row.not_before) for row in OutgoingMail.objects.all()}
    assert state[left.pk][0] == "QUEUED"
    assert state[put_off.pk] == ("RETRY", now)
    assert state[given_up.pk] == ("QUEUED", now)
    assert state[in_hand.pk][0] == "SENDING"
    assert {state[row.pk][0] for row in (refused, unwritable, code, late)} == {"FAILED"}
    assert board.mend(now) == 0


# ---- The page


def test_organisers_see_the_board_and_mend(organiser, now):
    put_off = retrying(now, not_before=now + HOUR)
    failed(now, "550 5.1.1 <maria@example.org>: unknown")
    html = organiser.get(BOARD).content.decode()
    assert "1 mail waits for its next try." in html
    assert "550 5.1.1 …: unknown" in html
    assert "maria@example.org" not in html
    assert html.count("<rect") == 60
    answer = organiser.post("/en/admin/registration/outgoingmail/board/mend/", follow=True)
    assert "1 mail goes out now, and the workers are called." in answer.content.decode()
    put_off.refresh_from_db()
    assert put_off.not_before == now


def test_the_reason_leads_to_its_mails(organiser, now):
    mine = failed(now, "451 4.7.1, try later <a@example.org>")
    failed(now, "550 other")
    link = organiser.get(BOARD).context["failures"]
    [link] = [row["link"] for row in link if row["failure"].reason.startswith("451")]
    assert [row.pk for row in organiser.get(link).context["cl"].result_list] == [mine.pk]


def test_nothing_is_stuck_and_nothing_can_be_mended(organiser, now):
    queued(not_before=now)
    html = organiser.get(BOARD).content.decode()
    assert "No: nothing is left that a button could mend." in html
    assert "board/mend/" not in html


@pytest.mark.parametrize("page", [BOARD, "/admin/registration/outgoingmail/"])
def test_editors_see_nothing_of_mail(editor, page):
    assert editor.get(page).status_code == 403
    assert b"outgoingmail" not in editor.get("/admin/").content


def test_editors_mend_nothing(editor, now):
    put_off = retrying(now, not_before=now + HOUR)
    assert editor.post(reverse("admin:registration_outgoingmail_mend")).status_code == 403
    put_off.refresh_from_db()
    assert put_off.not_before == now + HOUR


def test_a_look_mends_nothing(organiser):
    assert organiser.get(reverse("admin:registration_outgoingmail_mend")).status_code == 405


def test_visitors_are_sent_to_sign_in(client):
    assert client.get(BOARD).status_code == 302


@pytest.mark.parametrize("rows", [1, 3])
def test_the_numbers_cost_the_same_for_many_rows(rows, now, django_assert_num_queries):
    for number in range(rows):
        queued(priority=(0, 5, 9)[number])
        failed(now, f"55{number} no")
        OutgoingMailFactory(sent=True, sent_at=now)
        Heartbeat.objects.create(role="mail", worker=f"a:{number}", seen_at=now)
    with django_assert_num_queries(6):
        board.board(now)
    with django_assert_num_queries(4):
        board.health(now)
    with django_assert_num_queries(4):
        board.mendable(now)


# ---- The start page


def test_the_start_page_tells_in_one_line(organiser, now):
    assert "Mail is well" in organiser.get("/en/admin/").content.decode()
    queued(not_before=now - 3 * MINUTE)
    html = organiser.get("/en/admin/").content.decode()
    assert "1 mail waits, for 3 min 0 s by now." in html
    assert BOARD in html
    failed(now, "550 no")
    assert "1 mail could not be sent" in organiser.get("/en/admin/").content.decode()
    queued(not_before=now - HOUR)
    assert "Mail stands still" in organiser.get("/en/admin/").content.decode()


# ---- Metrics


@pytest.fixture
def metrics(client, settings):
    settings.METRICS_TOKEN = "an-example-token"

    def read():
        answer = client.get("/healthz/metrics", headers={"Authorization": "Bearer an-example-token"})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "no-store" in answer.headers["Cache-Control"]
        return answer.content.decode()

    return read


def test_metrics_tell_the_same_numbers(metrics, now):
    queued(priority=5, not_before=now - MINUTE)
    retrying(now, priority=9, created_at=now - HOUR, not_before=now + MINUTE)
    OutgoingMailFactory(sent=True, sent_at=now - SECOND)
    failed(now, "550 5.1.1 <maria@example.org>: unknown Maria")
    failed(now, "TimeoutError: Maria timed out")
    Heartbeat.objects.create(role="mail", worker="host:1", seen_at=now - 5 * SECOND)
    text = metrics()
    for line in (
        'kpt_mail_waiting{priority="normal",due="now"} 1',
        'kpt_mail_waiting{priority="bulk",due="later"} 1',
        'kpt_mail_retrying{priority="bulk"} 1',
        'kpt_mail_oldest_waiting_seconds{priority="normal"} 60',
        'kpt_mail_oldest_waiting_seconds{priority="bulk"} 3600',
        "kpt_mail_sent_last_minute 1",
        "kpt_mail_sent_last_hour 1",
        'kpt_mail_failures{code="550",state="failed"} 1',
        'kpt_mail_failures{code="TimeoutError",state="failed"} 1',
        'kpt_mail_failures{code="451",state="retry"} 1',
        "kpt_mail_stalled 0",
    ):
        assert line in text.splitlines()
    assert "Maria" not in text
    assert "@" not in text
    assert "host" not in text


def test_every_metric_is_described_once_and_written_in_full(metrics, now):
    lines = metrics().splitlines()
    described = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(described) == len(set(described)) == len([line for line in lines if line.startswith("# HELP")])
    values = [line for line in lines if not line.startswith("#")]
    assert {line.partition("{")[0].split()[0] for line in values} <= set(described)
    assert all(float(line.rpartition(" ")[2]) >= 0 for line in values)


def test_large_numbers_are_written_whole(now):
    assert "".join(module.lines("n", "x", [({}, 1234567)])).endswith("n 1234567\n")


@pytest.mark.parametrize("header", [None, "Bearer wrong", "an-example-token", "Bearer ", "Bearer ä"])
def test_metrics_do_not_exist_without_the_token(client, settings, header):
    settings.METRICS_TOKEN = "an-example-token"
    headers = {"Authorization": header} if header else {}
    assert client.get("/healthz/metrics", headers=headers).status_code == 404


def test_metrics_do_not_exist_where_no_token_is_set(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/healthz/metrics", headers={"Authorization": "Bearer "}).status_code == 404
