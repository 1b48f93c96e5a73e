"""Reminders before a webinar: found by the beat each minute, in one statement, nothing far off in the broker.

`Reminder` says that one went for this webinar at this hour, and is written with its mails: two ticks at once or an hour
without ticks send nothing twice, and a webinar that moves has new ones. What holds:

- Who got her seat after a reminder's time has just been written to, and gets that reminder not at all.
- Of several that are due at once only the latest helps; the others are written down as cancelled. So are those whose
  time came before people were told of a change (changed.py): that mail says all that they would.
- A carer gets one mail for all in her care, herself included.
- Whoever is in the room already needs none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BigIntegerField, Count, F, Func, Q, Value
from django.db.models.functions import Cast

from conference.models import Webinar
from registration import changed, mail
from registration.models import OutgoingMail, Reminder

# The last one still calls those in who forgot.
AFTER_START = timedelta(minutes=15)
# Earlier ones may wait behind an announcement, these go before it.
LAST_HOURS = 120

QUEUED = """
WITH slots AS (
    SELECT w.id AS webinar_id, m.minutes, w.starts_at, w.starts_at - make_interval(mins => m.minutes) AS due_at,
        least(w.ends_at, w.starts_at + %(after_start)s) AS ends_at, n.told_at
    FROM conference_webinar w
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(w.reminder_minutes) AS minutes) m
    LEFT JOIN registration_webinarnotice n ON n.webinar_id = w.id
    WHERE w.status = 'published' AND w.starts_at > %(now)s - %(after_start)s
        -- A change that people are about to be told of goes first.
        AND (n.seen_at IS NULL OR n.seen_at < %(now)s - %(patience)s)
), spans AS (
    SELECT *, coalesce(lead(due_at) OVER (PARTITION BY webinar_id ORDER BY due_at), ends_at) AS helps_until FROM slots
), new AS (
    INSERT INTO registration_reminder (webinar_id, minutes, starts_at, due_at, helps_until, queued_at, is_late)
    SELECT webinar_id, minutes, starts_at, due_at, helps_until, %(now)s,
        helps_until <= %(now)s OR coalesce(due_at <= told_at, false)
    FROM spans WHERE due_at <= %(now)s
    ON CONFLICT (webinar_id, minutes, starts_at) DO NOTHING
    RETURNING id, webinar_id, minutes, starts_at, due_at, helps_until, is_late
), people AS (
    SELECT new.*, one.* FROM new
    CROSS JOIN LATERAL (
        SELECT r.id AS registration_id, p.id AS participant_id, p.email AS own_email, p.language AS own_language,
            u.id AS account_id, u.email AS account_email, u.language AS account_language,
            o.id AS carer_id, o.language AS carer_language, p.email = '' OR p.email_key = u.email_key AS is_by_account
        FROM conference_webinar w
        JOIN registration_registration r ON r.webinar_id = w.id
        JOIN registration_participant p ON p.id = r.participant_id
        JOIN registration_user u ON u.id = p.account_id
        LEFT JOIN registration_participant o
            ON p.email = '' AND o.account_id = u.id AND o.email_key = u.email_key AND o.email <> ''
        WHERE w.id = new.webinar_id AND r.webinar_id = new.webinar_id
            AND r.status = 'CONFIRMED' AND r.confirmed_at <= new.due_at
            AND NOT EXISTS (
                -- In the room: has come since the door opened, and no later leaving is known.
                SELECT FROM registration_attendance a
                WHERE a.registration_id = r.id AND a.left_at IS NULL
                    AND a.joined_at >= new.starts_at - make_interval(mins => w.join_opens_minutes)
                    AND NOT EXISTS (
                        SELECT FROM registration_attendance b
                        WHERE b.registration_id = r.id AND b.left_at >= a.joined_at
                    )
            )
        OFFSET 0  -- for each reminder by itself: with none due nothing else is read
    ) one
), mails AS (
    INSERT INTO registration_outgoingmail (kind, key, "to", language, participant_id, registration_id, context,
        priority, status, attempts, created_at, not_before, not_after, error, message_id, subject, text, html)
    SELECT DISTINCT ON (t.id, t.is_by_account, CASE WHEN t.is_by_account THEN t.account_id ELSE t.participant_id END)
        'reminder',
        'reminder:' || t.id || CASE WHEN t.is_by_account THEN ':account-' || t.account_id
            ELSE ':person-' || t.participant_id END,
        coalesce(nullif(t.own_email, ''), t.account_email),
        CASE WHEN t.own_email <> '' THEN t.own_language ELSE coalesce(t.carer_language, t.account_language) END,
        CASE WHEN t.own_email <> '' THEN t.participant_id ELSE t.carer_id END,
        CASE WHEN t.own_email <> '' THEN t.registration_id END,
        CASE WHEN t.is_by_account THEN jsonb_build_object('reminder', t.id, 'carer', t.account_id)
            ELSE jsonb_build_object('reminder', t.id) END,
        CASE WHEN t.minutes <= %(last_hours)s THEN %(timely)s ELSE %(bulk)s END,
        CASE WHEN t.is_late THEN 'CANCELLED' ELSE 'QUEUED' END,
        0, %(now)s, %(now)s, t.helps_until,
        CASE WHEN t.is_late THEN 'Too late to be of use.' ELSE '' END,
        '<' || gen_random_uuid() || '@' || %(host)s || '>', '', '', ''
    FROM people t
    -- Where a carer has a seat too, the mail speaks to her.
    ORDER BY t.id, t.is_by_account, CASE WHEN t.is_by_account THEN t.account_id ELSE t.participant_id END,
        t.own_email = '', t.registration_id
    ON CONFLICT (key) DO NOTHING
    RETURNING status
)
SELECT count(*) FROM mails WHERE status = 'QUEUED'
"""


def queue_due(*, now: datetime) -> int:
    """What is due by now, once; how many mails will go."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(QUEUED, values(now))
            [queued] = cursor.fetchone()
        if queued:
            transaction.on_commit(partial(mail.wake, mail.Priority.NORMAL), robust=True)
    return queued


def values(now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "after_start": AFTER_START,
        "patience": changed.PATIENCE,
        "last_hours": LAST_HOURS,
        "timely": mail.Priority.TIMELY.value,
        "bulk": mail.Priority.BULK.value,
        "host": settings.SITE_HOST,
    }


# ---- What organisers see of it


@dataclass(frozen=True)
class Line:
    """One reminder of a webinar, gone or to come."""

    minutes: int
    due_at: datetime
    reminder: Reminder | None = None
    sent: int = 0
    waiting: int = 0
    lost: int = 0  # failed, or cancelled before it was sent
    fate: str = ""  # of one that has not gone: to_come, next, too_late, overtaken (by the mail of a change) or off


def timetable(webinar: Webinar, *, now: datetime) -> list[Line]:
    """Those of its present hour, the earliest first; also one that has gone and is no longer asked for."""
    if webinar.starts_at is None:
        return []
    gone = {one.minutes: one for one in Reminder.objects.filter(webinar=webinar, starts_at=webinar.starts_at)}
    counts = counted([one.pk for one in gone.values()])
    lines = [
        Line(
            minutes,
            webinar.starts_at - timedelta(minutes=minutes),
            gone.get(minutes),
            *counts_of(gone.get(minutes), counts),
            "" if minutes in gone else fate_of(minutes, webinar, now=now),
        )
        for minutes in {*webinar.reminder_minutes, *gone}
    ]
    return sorted(lines, key=lambda line: -line.minutes)


def fate_of(minutes: int, webinar: Webinar, *, now: datetime) -> str:
    """As the statement above will have it."""
    assert webinar.starts_at  # nosec B101
    due_at, begins = webinar.starts_at - timedelta(minutes=minutes), webinar.starts_at
    if webinar.status != Webinar.Status.PUBLISHED:
        return "off"
    if due_at > now:
        return "to_come"
    later = [begins - timedelta(minutes=one) for one in webinar.reminder_minutes if one < minutes]
    last = min(filter(None, [webinar.ends_at, begins + AFTER_START]))
    if min(later, default=last) <= now:
        return "too_late"
    notice = getattr(webinar, "notice", None)
    # One that is about to be told comes after this hour, too.
    is_overtaken = notice is not None and (notice.seen_at or (notice.told_at and due_at <= notice.told_at))
    return "overtaken" if is_overtaken else "next"


def counts_of(reminder: Reminder | None, counts: dict[int, tuple[int, int, int]]) -> tuple[int, int, int]:
    return counts.get(reminder.pk, (0, 0, 0)) if reminder else (0, 0, 0)


def counted(reminders: list[int]) -> dict[int, tuple[int, int, int]]:
    """Mails of each that were sent, wait and were lost; the key's index finds them."""
    if not reminders:
        return {}
    theirs = Q()
    for pk in reminders:
        theirs |= Q(key__startswith=f"reminder:{pk}:")
    S = OutgoingMail.Status
    which = Cast(Func(F("key"), Value(":"), Value(2), function="split_part"), BigIntegerField())
    rows = OutgoingMail.objects.filter(theirs).annotate(which=which).values("which").order_by("which")
    found = rows.annotate(
        sent=Count("pk", filter=Q(status=S.SENT)),
        waiting=Count("pk", filter=Q(status__in=[S.QUEUED, S.SENDING, S.RETRY])),
        lost=Count("pk", filter=Q(status__in=[S.FAILED, S.BOUNCED, S.CANCELLED])),
    )
    return {row["which"]: (row["sent"], row["waiting"], row["lost"]) for row in found}
