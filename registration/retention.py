"""Data goes when its time is over: announced a week ahead with its number, then carried out in batches.

What each kind is counted from: the last day of the conference it belongs to; a mail's text from its sending, names in the
audit from the deed. A person belongs to the newest conference that she is in the books for. Who has asked for news stays,
and only what belongs to older conferences goes; then, and when she goes whole, numbers without a person stay
(`keptcounts`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from conference import timezones
from conference.models import Webinar
from registration import audit, erasure, keptcounts
from registration.models import (
    AuditEntry,
    BounceReport,
    Consent,
    Download,
    Event,
    OutgoingMail,
    Participant,
    Registration,
    RetentionPeriod,
    RetentionRun,
    SensitiveAnswers,
    User,
    Withdrawal,
)
from registration.models.people import ParticipantQuerySet

Kind = RetentionPeriod.Kind

NOTICE = timedelta(days=7)
# Stopped by hand: so long nothing of its kind is announced again. Who wants more changes the period.
PAUSE = timedelta(days=30)
BATCH = 500
# Of rows that are cheap to change; each batch looks for its rows anew.
ROWS = 5000
# One task's run; the next day's goes on where it stopped.
RUN = timedelta(minutes=50)


# ---- Announcing


@dataclass(frozen=True)
class Forecast:
    """What would be announced now, or carried out."""

    kind: str
    up_to: date
    number: int


def forecast(period: RetentionPeriod, *, on: date) -> Forecast:
    up_to = on - timedelta(days=period.days)
    return Forecast(period.kind, up_to, PARTS[period.kind].count(up_to))


def announce_all(*, now: datetime) -> list[RetentionRun]:
    """One open run a kind; where nothing is due in a week there is nothing to announce."""
    return [run for period in RetentionPeriod.objects.order_by("kind") if (run := announce(period, now=now))]


def announce(period: RetentionPeriod, *, now: datetime) -> RetentionRun | None:
    runs = RetentionRun.objects.filter(kind=period.kind)
    if runs.filter(Q(ran_at=None, stopped_at=None) | Q(stopped_at__gt=now - PAUSE)).exists():
        return None
    due_at = now + NOTICE
    coming = forecast(period, on=today(due_at))
    if not coming.number:
        return None
    facts = {"planned_at": now, "due_at": due_at, "up_to": coming.up_to, "planned": coming.number}
    # Two beats at once: the one open run stands.
    run, is_new = RetentionRun.objects.get_or_create(kind=period.kind, ran_at=None, stopped_at=None, defaults=facts)
    return run if is_new else None


def stop(run: RetentionRun, *, now: datetime) -> bool:
    """An organiser's hand. What is removed already stays removed."""
    return RetentionRun.objects.open().filter(pk=run.pk).update(stopped_at=now) == 1


# ---- Carrying out


def apply_all(*, now: datetime) -> list[RetentionRun]:
    """What was announced a week ago goes, then what comes next is announced. Returns the runs carried out."""
    ends = time.monotonic() + RUN.total_seconds()
    done = [run for run in RetentionRun.objects.due(now) if carry_out(run, now=now, ends=ends)]
    announce_all(now=now)
    return done


def carry_out(run: RetentionRun, *, now: datetime, ends: float = float("inf")) -> bool:
    """Batch by batch, each committed with its number, so that a stop and a dead worker find a true record.

    True when nothing is left.
    """
    while time.monotonic() < ends:
        with transaction.atomic():
            row = RetentionRun.objects.select_for_update().get(pk=run.pk)
            if not row.is_due(now):
                return False
            part, up_to = PARTS[row.kind], cut_off(row, now=now)
            row.removed = (row.removed or 0) + (number := part.remove(up_to) if up_to else 0)
            row.ran_at = None if number else now
            row.save(update_fields=["removed", "ran_at"])
            if not number:
                return True
    return False


def cut_off(run: RetentionRun, *, now: datetime) -> date | None:
    """As announced; a period that is longer by now takes less, one that is shorter no more."""
    days = RetentionPeriod.objects.filter(kind=run.kind).values_list("days", flat=True).first()
    return None if days is None else min(run.up_to, today(now) - timedelta(days=days))


def today(now: datetime) -> date:
    return now.astimezone(timezones.WITA.info).date()


# ---- The kinds


@dataclass(frozen=True)
class Part:
    """How many go, and taking one batch of them; 0 when nothing is left."""

    count: Callable[[date], int]
    remove: Callable[[date], int]


# People and their registrations


def belongs_to_later(up_to: date) -> Exists:
    """In the books for a conference that ended after that day, or is to come."""
    return Exists(Registration.objects.filter(participant=OuterRef("pk"), webinar__edition__ends_on__gt=up_to))


def wants_news() -> Exists:
    return Exists(Consent.objects.in_force().filter(participant=OuterRef("pk"), purpose=Consent.Purpose.NEWS))


def leaving(up_to: date) -> ParticipantQuerySet:
    """Who is in no book at all counts from the day she was entered."""
    has_any = Exists(Registration.objects.filter(participant=OuterRef("pk")))
    old = Participant.objects.filter(~belongs_to_later(up_to), ~wants_news())
    return old.filter(has_any | Q(created_at__date__lte=up_to))


def staying_with_old(up_to: date) -> ParticipantQuerySet:
    stays = Participant.objects.filter(belongs_to_later(up_to) | wants_news())
    return stays.filter(Exists(old_registrations(up_to).filter(participant=OuterRef("pk"))))


def old_registrations(up_to: date) -> "models.QuerySet[Registration]":
    return Registration.objects.filter(webinar__edition__ends_on__lte=up_to)


def count_people(up_to: date) -> int:
    """Each person once, whether she goes whole or only what belongs to older conferences."""
    return leaving(up_to).count() + staying_with_old(up_to).count()


def remove_people(up_to: date) -> int:
    webinars = list(Webinar.objects.filter(edition__ends_on__lte=up_to).values_list("pk", flat=True))
    if whole := lock(leaving(up_to)):
        keptcounts.add(whole, webinars)
        forget(whole)
        return len(whole)
    if partly := lock(staying_with_old(up_to)):
        keptcounts.add(partly, webinars)
        own = old_registrations(up_to).filter(participant__in=partly)
        erasure.blank_log(Registration, own.values_list("pk", flat=True))
        own.delete()
    return len(partly)


def lock(people: ParticipantQuerySet) -> list[int]:
    """A batch; whoever is just being looked at by somebody else is left to the next one."""
    rows = people.select_for_update(of=("self",), skip_locked=True).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:BATCH])


def forget(people: list[int]) -> None:
    """Without mail or waiting lists: all that these people were in is long over."""
    rows = Participant.objects.filter(pk__in=people)
    accounts = set(rows.values_list("account", flat=True))
    written = erasure.spellings(rows.values_list("email", flat=True))
    erasure.forget_mails_to(written)
    erasure.forget_invitations_to(written)
    erasure.blank_names(people)
    rows.delete()
    idle = User.objects.filter(pk__in=accounts, is_staff=False, is_superuser=False)
    idle.filter(participants=None, partner_memberships=None).delete()


# Answers about difficulties


def old_answers(up_to: date) -> "models.QuerySet[SensitiveAnswers]":
    """By the conference's last day; at the latest on the day that she was promised."""
    days = RetentionPeriod.objects.get(kind=Kind.SENSITIVE).days
    promised = Q(delete_on__lte=up_to + timedelta(days=days))
    later = Registration.objects.filter(participant=OuterRef("participant"), webinar__edition__ends_on__gt=up_to)
    own = Registration.objects.filter(participant=OuterRef("participant"))
    return SensitiveAnswers.objects.filter(promised | (Exists(own) & ~Exists(later)))


def remove_answers(up_to: date) -> int:
    rows = old_answers(up_to).select_for_update(of=("self",), skip_locked=True).order_by("pk")
    batch = dict(rows.values_list("pk", "participant")[:BATCH])
    if not batch:
        return 0
    people = list(batch.values())
    webinars = Webinar.objects.filter(registrations__participant__in=people).distinct()
    keptcounts.add(people, list(webinars.values_list("pk", flat=True)), answers_only=True)
    SensitiveAnswers.objects.filter(pk__in=batch).delete()
    return len(batch)


# Texts of mails


def old_mails(up_to: date) -> "models.QuerySet[OutgoingMail]":
    gone_at = Coalesce("sent_at", "created_at")
    finished = (
        OutgoingMail.objects.exclude(status__in=UNDER_WAY).alias(gone_at=gone_at).filter(gone_at__date__lte=up_to)
    )
    # A row that hangs on nobody holds an address without a reason: it goes whole.
    loose = Q(participant=None, registration=None)
    return finished.filter(loose | ~Q(text="") | ~Q(html="") | ~Q(subject="") | ~Q(context={}))


UNDER_WAY = (OutgoingMail.Status.QUEUED, OutgoingMail.Status.SENDING, OutgoingMail.Status.RETRY)


def remove_mail_texts(up_to: date) -> int:
    rows = old_mails(up_to).select_for_update(of=("self",), skip_locked=True).order_by("pk")
    batch = list(rows.values_list("pk", flat=True)[:ROWS])
    mails = OutgoingMail.objects.filter(pk__in=batch)
    mails.filter(participant=None, registration=None).delete()
    mails.update(subject="", text="", html="", context={})
    return len(batch)


def old_reports(up_to: date) -> "models.QuerySet[BounceReport]":
    return BounceReport.objects.filter(at__date__lte=up_to)


# Steps of histories, records of downloads


def old_steps(up_to: date) -> "models.QuerySet[Event]":
    by_registration = Q(registration__webinar__edition__ends_on__lte=up_to)
    return Event.objects.filter(by_registration | Q(registration=None, at__date__lte=up_to))


def old_downloads(up_to: date) -> "models.QuerySet[Download]":
    return Download.objects.filter(webinar__edition__ends_on__lte=up_to)


def old_withdrawals(up_to: date) -> "models.QuerySet[Withdrawal]":
    return Withdrawal.objects.filter(webinar__edition__ends_on__lte=up_to)


# Names in the record of who did what, and in the admin's own log


def old_entries(up_to: date) -> "models.QuerySet[AuditEntry]":
    return audit.past(end_of(up_to))


def old_log(up_to: date) -> "models.QuerySet[LogEntry]":
    named = LogEntry.objects.filter(action_time__lt=end_of(up_to))
    return named.exclude(object_repr="", change_message="")


def end_of(day: date) -> datetime:
    return timezones.start_of(day + timedelta(days=1))


def blank_old_log(up_to: date) -> int:
    batch = list(old_log(up_to).order_by("pk").values_list("pk", flat=True)[:ROWS])
    return LogEntry.objects.filter(pk__in=batch).update(object_repr="", change_message="")


def remove_rows(rows: "models.QuerySet[Any]") -> int:
    batch = list(rows.order_by("pk").values_list("pk", flat=True)[:ROWS])
    return rows.model.objects.filter(pk__in=batch).delete()[0]


PARTS: dict[str, Part] = {
    Kind.SENSITIVE: Part(lambda up_to: old_answers(up_to).count(), remove_answers),
    Kind.MAIL_TEXT: Part(
        lambda up_to: old_mails(up_to).count() + old_reports(up_to).count(),
        lambda up_to: remove_mail_texts(up_to) or remove_rows(old_reports(up_to)),
    ),
    Kind.PERSON: Part(count_people, remove_people),
    Kind.HISTORY: Part(lambda up_to: old_steps(up_to).count(), lambda up_to: remove_rows(old_steps(up_to))),
    Kind.DOWNLOAD: Part(
        lambda up_to: old_downloads(up_to).count() + old_withdrawals(up_to).count(),
        lambda up_to: remove_rows(old_downloads(up_to)) or remove_rows(old_withdrawals(up_to)),
    ),
    Kind.AUDIT: Part(
        lambda up_to: old_entries(up_to).count() + old_log(up_to).count(),
        lambda up_to: audit.blank(end_of(up_to), number=ROWS) or blank_old_log(up_to),
    ),
}
