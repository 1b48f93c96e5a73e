"""The mail board's numbers in the text that Prometheus reads. No person, address or word of a server is in it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from registration import board, pace
from registration.models import OutgoingMail

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = dict[str, str]
Gauge = tuple[str, str, list[tuple[Labels, float]]]


def text(now: datetime) -> str:
    return "".join(line for gauge in gauges(now) for line in lines(*gauge))


def lines(name: str, about: str, values: list[tuple[Labels, float]]) -> Iterator[str]:
    yield f"# HELP {name} {about}\n# TYPE {name} gauge\n"
    for labels, value in values:
        written = ",".join(f'{key}="{word}"' for key, word in labels.items())
        yield f"{name}{{{written}}} {float(value):.15g}\n" if written else f"{name} {float(value):.15g}\n"


def gauges(now: datetime) -> list[Gauge]:
    state = board.board(now)
    end = pace.expected_end(now)
    return [
        *of_queues(state),
        *of_sending(state),
        (
            "kpt_mail_queue_empty_in_seconds",
            "Expected; absent when nothing is due or nothing moves.",
            seconds(now, end),
        ),
        ("kpt_mail_failures", "Mails that failed within 7 days, by the server's code.", of_failures(state)),
        ("kpt_mail_worker_silent_seconds", "Since the last sign of life; absent before the first.", of_works(state)),
        ("kpt_mail_stalled", "1 while mail is due and no worker sends it.", [({}, state.is_stalled)]),
    ]


def of_queues(state: board.Board) -> list[Gauge]:
    names = {queue.priority: queue.priority.name.lower() for queue in state.queues}
    waiting: list[tuple[Labels, float]] = []
    oldest: list[tuple[Labels, float]] = []
    for queue in state.queues:
        name = names[queue.priority]
        waiting += [({"priority": name, "due": "now"}, queue.due), ({"priority": name, "due": "later"}, queue.later)]
        age = max((state.now - queue.oldest).total_seconds(), 0) if queue.oldest else 0
        oldest.append(({"priority": name}, age))
    retrying: list[tuple[Labels, float]] = [({"priority": names[q.priority]}, q.retrying) for q in state.queues]
    return [
        ("kpt_mail_waiting", "Mails that are not sent yet.", waiting),
        ("kpt_mail_retrying", "Of these, after a try that failed.", retrying),
        ("kpt_mail_oldest_waiting_seconds", "How long the oldest mail waits.", oldest),
    ]


def of_sending(state: board.Board) -> list[Gauge]:
    return [
        ("kpt_mail_sending", "Mails in the hands of workers.", [({}, state.sending.number)]),
        ("kpt_mail_left_behind", "Of these, in the hands of dead ones.", [({}, state.sending.left_behind)]),
        ("kpt_mail_sent_last_minute", "Mails sent in the last full minute.", [({}, state.sent_last_minute)]),
        ("kpt_mail_sent_last_hour", "Mails sent in the last hour.", [({}, state.sent_last_hour)]),
    ]


def of_failures(state: board.Board) -> list[tuple[Labels, float]]:
    """By code and state; both names are ours or the protocol's."""
    Status = OutgoingMail.Status
    counts: Counter[tuple[str, str]] = Counter()
    for failure in state.failures:
        counts[failure.code, Status.FAILED.lower()] += failure.given_up
        counts[failure.code, Status.BOUNCED.lower()] += failure.came_back
        counts[failure.code, Status.RETRY.lower()] += failure.retrying
    return [({"code": code, "state": name}, number) for (code, name), number in sorted(counts.items()) if number]


def of_works(state: board.Board) -> list[tuple[Labels, float]]:
    return [
        ({"worker": str(work.role)}, max((state.now - work.seen_at).total_seconds(), 0))
        for work in state.works
        if work.seen_at
    ]


def seconds(now: datetime, moment: datetime | None) -> list[tuple[Labels, float]]:
    return [({}, (moment - now).total_seconds())] if moment else []
