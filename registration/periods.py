"""Until when each kind of data is kept, as it is promised to the person it is about."""

from datetime import date, datetime, timedelta

from conference.models import Edition
from registration.models import Participant, RetentionPeriod

Kind = RetentionPeriod.Kind
# Counted from each mail's or entry's own day; all others from the last day of the conference.
FROM_ITS_DAY = (Kind.MAIL_TEXT, Kind.AUDIT)


def days() -> dict[str, int]:
    return dict(RetentionPeriod.objects.values_list("kind", "days"))


def last_day(participant: Participant, *, now: datetime) -> date:
    """Of the newest conference that she is in the books for; of the current one while she is in none."""
    own = Edition.objects.filter(webinars__registrations__participant=participant)
    ends_on = own.order_by("-ends_on").values_list("ends_on", flat=True).first()
    if ends_on is None and (current := Edition.objects.current()):
        ends_on = current.ends_on
    return ends_on or now.date()


def ends_on(kind: RetentionPeriod.Kind, participant: Participant, *, now: datetime) -> date:
    """A day that is over already counts from now: nothing is promised for the past."""
    return max(last_day(participant, now=now), now.date()) + timedelta(days=days()[kind])


def all_ends(participant: Participant, *, now: datetime) -> dict[str, date]:
    """What is counted from the conference's last day."""
    start = last_day(participant, now=now)
    return {kind: start + timedelta(days=number) for kind, number in days().items() if kind not in FROM_ITS_DAY}
