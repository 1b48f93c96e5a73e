"""The day's numbers, each morning to the organisers who want them; nothing on a day on which nothing happened."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q

from conference.models import Webinar
from conference.timezones import WITA
from registration import mail
from registration.models import Consent, Download, Invitation, OutgoingMail, Registration, User

READY = time(7)  # in Makassar
Status = Registration.Status


def write(*, now: datetime) -> int:
    """Yesterday's, once; the beat's hour may come late or twice."""
    local = now.astimezone(WITA.info)
    day = local.date() - timedelta(days=1)
    users = User.objects.filter(wants_digest=True, is_staff=True, is_active=True).order_by("pk")
    if local.time() < READY or not users or OutgoingMail.objects.filter(key__startswith=f"digest:{day}:").exists():
        return 0
    facts = facts_of(day)
    if not any(facts["numbers"][name] for name in HAPPENINGS):
        return 0
    rows = [letter(user, day, facts, now=now) for user in users]
    mail.queue_all(rows)
    return len(rows)


def letter(user: User, day: date, facts: dict[str, Any], *, now: datetime) -> OutgoingMail:
    return OutgoingMail(
        kind=mail.Kind.DIGEST,
        key=f"digest:{day}:{user.pk}",
        to=user.email,
        language=user.language,
        context=facts,
        not_after=now + timedelta(days=1),
    )


# Mails that were sent follow from these, and are no happening by themselves.
HAPPENINGS = ("signed_up", "left", "answered", "downloads", "withdrawn", "failed")


def facts_of(day: date) -> dict[str, Any]:
    """Numbers alone. Made-up people of the demo are counted nowhere."""
    begin = datetime.combine(day, time(), WITA.info)
    within = (begin, begin + timedelta(days=1) - timedelta(microseconds=1))
    people = Registration.objects.filter(participant__is_made_up=False).exclude(status=Status.PENDING, offered_at=None)
    mails = OutgoingMail.objects.filter(claimed_at__range=within)
    numbers = {
        "signed_up": people.filter(created_at__range=within).count(),
        "left": people.filter(status=Status.CANCELLED, cancelled_at__range=within).count(),
        "answered": Invitation.objects.filter(answered_at__range=within, status__in=["accepted", "declined"]).count(),
        "downloads": Download.objects.filter(downloaded_at__range=within).count(),
        "withdrawn": Consent.objects.filter(withdrawn_at__range=within).count(),
        "sent": mails.filter(status=OutgoingMail.Status.SENT).count(),
        "failed": mails.filter(status__in=[OutgoingMail.Status.FAILED, OutgoingMail.Status.BOUNCED]).count(),
    }
    return {"day": day.isoformat(), "numbers": numbers, "webinars": webinars(day, within)}


def webinars(day: date, within: tuple[datetime, datetime]) -> list[dict[str, int]]:
    """Those to come, as they stand, with what that day has brought."""
    real = Q(registrations__participant__is_made_up=False)
    is_new = real & Q(registrations__created_at__range=within)
    rows = Webinar.objects.filter(status=Webinar.Status.PUBLISHED, date__gte=day).in_order()
    counted = rows.annotate(
        new=Count("registrations", filter=is_new & ~Q(registrations__status=Status.PENDING)),
        confirmed=Count("registrations", filter=real & Q(registrations__status=Status.CONFIRMED)),
        waiting=Count("registrations", filter=real & Q(registrations__status=Status.WAITLISTED)),
    )
    return [{"webinar": row.pk, "new": row.new, "confirmed": row.confirmed, "waiting": row.waiting} for row in counted]
