"""What people were told of a webinar's hour and room, and which reminders have gone."""

import hashlib
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.models import Webinar

Facts = dict[str, Any]
HOURS = ("date", "starts_at", "ends_at")


def facts_of(webinar: Webinar) -> Facts:
    """What a change of is worth a mail. The room's address is a secret: only whether it is another one is kept."""
    room = webinar.join_url
    return {
        "date": webinar.date.isoformat(),
        "starts_at": webinar.starts_at.isoformat() if webinar.starts_at else None,
        "ends_at": webinar.ends_at.isoformat() if webinar.ends_at else None,
        "room": hashlib.sha256(room.encode()).hexdigest()[:16] if room else "",
        "is_cancelled": webinar.is_cancelled,
        "is_rehearsal": webinar.edition.is_rehearsal,
    }


def news(was: Facts, now: Facts) -> set[str]:
    """What a mail has to tell: on_again, hour_set, hour_open, moved, room. Filling in an end or the first room is none,
    nor is that all dates of a rehearsal are moved."""
    if was["is_rehearsal"] != now["is_rehearsal"] or now["is_cancelled"]:
        return set()
    found = {"on_again"} if was["is_cancelled"] else set()
    if was["room"] and now["room"] and was["room"] != now["room"]:
        found.add("room")
    if was["starts_at"] != now["starts_at"] or (now["starts_at"] is None and was["date"] != now["date"]):
        found.add(kind_of_move(was, now))
    elif was["ends_at"] and now["ends_at"] and was["ends_at"] != now["ends_at"]:
        found.add("moved")
    return found


def kind_of_move(was: Facts, now: Facts) -> str:
    if now["starts_at"] is None:
        return "hour_open" if was["starts_at"] else "moved"
    return "moved" if was["starts_at"] else "hour_set"


class WebinarNotice(models.Model):
    """What the people in a webinar know of it, and a change that they will be told of (changed.py)."""

    webinar = models.OneToOneField(
        Webinar, models.CASCADE, primary_key=True, related_name="notice", verbose_name=_("webinar")
    )
    told = models.JSONField(_("what people know"))
    told_at = models.DateTimeField(_("told at"), null=True, blank=True)
    seen = models.JSONField(_("what holds by now"), null=True, blank=True)
    seen_at = models.DateTimeField(
        _("changed at"), null=True, blank=True, help_text=_("Empty: there is nothing to tell.")
    )

    class Meta:
        verbose_name = _("news of a webinar")
        verbose_name_plural = _("news of webinars")

    def __str__(self) -> str:
        return str(self.webinar)


class Reminder(models.Model):
    """One reminder of one webinar at one hour. The row is written with its mails, so that none goes twice (reminders.py)."""

    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="reminders", verbose_name=_("webinar"))
    minutes = models.PositiveIntegerField(_("minutes before the start"))
    starts_at = models.DateTimeField(_("starts at"))
    due_at = models.DateTimeField(_("due at"))
    helps_until = models.DateTimeField(_("of use until"))
    queued_at = models.DateTimeField(_("queued at"), default=timezone.now)
    is_late = models.BooleanField(_("too late to be of use"), default=False)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            models.UniqueConstraint(fields=["webinar", "minutes", "starts_at"], name="reminder_once_an_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.webinar} · {self.minutes}"
