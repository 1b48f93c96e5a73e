"""Letters about one webinar to all who are in it: the reminder, and what has changed. A carer's is about all in her care."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import translation
from django.utils.translation import gettext_noop

from conference.models import Webinar
from registration import attendance, links
from registration.cards import Obsolete, day_in, entry, session, spoken_day, spoken_hours
from registration.models import Invitation, OutgoingMail, Registration, Reminder, User
from registration.models.reminders import Facts, facts_of, news
from registration.stencils import Own

Kind = OutgoingMail.Kind


def reminder(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    about = reminder_of(mail)
    webinar = known(mail).webinars[about.webinar_id]
    if webinar.status != Webinar.Status.PUBLISHED or webinar.starts_at != about.starts_at:
        raise Obsolete(gettext_noop("The webinar is moved, cancelled or no longer in the programme."))
    seats = [one for one in seats_of(mail, webinar) if one.is_confirmed]
    if not seats:
        raise Obsolete(gettext_noop("Nobody of them is in it any more."))
    if not (seats := [one for one in seats if one.pk not in known(mail).inside]):
        raise Obsolete(gettext_noop("Whoever it is for is in the room already."))
    zone = zone_of(mail, seats)
    return people_of(mail, seats) | {
        "session": session(webinar, zone=zone),
        "day": day_word(about.starts_at, zone, now=now),
        "hour": spoken_hours(about.starts_at, None, zone, translation.get_language())[0],
        "has_begun": about.starts_at <= now,
        "is_open": webinar.is_open_for_joining(now),
        "door": spoken_hours(webinar.join_opens_at, None, zone, translation.get_language())[0],
    }


def day_word(starts_at: datetime, zone: str, *, now: datetime) -> str:
    """today, tomorrow, or nothing: where she lives, and when the mail goes."""
    ahead = day_in(starts_at, zone) - day_in(now, zone)
    return {timedelta(0): "today", timedelta(1): "tomorrow"}.get(ahead, "")


def webinar_changed(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    """Says what holds now, even if that is not any more what it was queued for."""
    webinar, was = webinar_of(mail), mail.context["was"]
    if not webinar.is_on(now):
        raise Obsolete(gettext_noop("The webinar is cancelled, over, or no longer in the programme."))
    if not (kinds := news(was, facts_of(webinar))):
        raise Obsolete(gettext_noop("It is as it was before."))
    told = {name: name in kinds for name in ("on_again", "hour_set", "hour_open", "moved", "room")}
    if "invitation" in mail.context:
        return told | to_guest(mail, webinar, was, now=now)
    seats = seats_of(mail, webinar)
    if not seats:
        raise Obsolete(gettext_noop("Nobody of them is in it any more."))
    facts, zone = people_of(mail, seats), zone_of(mail, seats)
    own = [facts["own"]] if facts["own"] else []
    return told | facts | {"entries": own, "session": session(webinar, zone=zone), "was": spoken(was, zone)}


def to_guest(mail: OutgoingMail, webinar: Webinar, was: Facts, *, now: datetime) -> dict[str, Any]:
    guest = Invitation.objects.filter(pk=mail.context["invitation"]).first()
    if guest is None or not guest.is_open(now):
        raise Obsolete(gettext_noop("The invitation is no longer open."))
    card = session(webinar, link=links.invitation(guest))
    return {"name": Own(guest.name), "session": card, "was": spoken(was, "WITA"), "own": None, "people": []}


def spoken(was: Facts, zone: str) -> str:
    """Day and hours as they were told before: Rabu, 26 Agustus 2020, 10.00 WITA · 09.00 WIB · 11.00 WIT."""
    language = translation.get_language()
    starts_at, ends_at = (datetime.fromisoformat(was[name]) if was[name] else None for name in ("starts_at", "ends_at"))
    day = spoken_day(day_in(starts_at, zone) if starts_at else date.fromisoformat(was["date"]), language)
    return ", ".join([day, *([" · ".join(spoken_hours(starts_at, ends_at, zone, language))] if starts_at else [])])


# ---- Whom it is about


def people_of(mail: OutgoingMail, seats: Sequence[Registration]) -> dict[str, Any]:
    """`own` when it is about the recipient alone, else `people`: each with her name."""
    is_own = len(seats) == 1 and seats[0].participant_id == mail.participant_id
    people = [] if is_own else [{"name": Own(one.participant.name), "entry": entry(one)} for one in seats]
    return {"name": Own(name_of(mail)), "own": entry(seats[0]) if is_own else None, "people": people}


def name_of(mail: OutgoingMail) -> str:
    """A carer without a seat of her own may have left her account without a name."""
    if mail.participant:
        return mail.participant.name
    return User.objects.filter(pk=mail.context.get("carer")).values_list("name", flat=True).first() or ""


def zone_of(mail: OutgoingMail, seats: Sequence[Registration]) -> str:
    return (mail.participant or seats[0].participant).time_zone


def seats_of(mail: OutgoingMail, webinar: Webinar) -> list[Registration]:
    """Hers, and those of all in her care when the mail is to her account."""
    carer = mail.context.get("carer")
    seats = known(mail).seats.get((webinar.pk, carer or account_of(mail)), [])
    return [one for one in seats if one.participant_id == mail.participant_id or (carer and one.participant.is_in_care)]


def account_of(mail: OutgoingMail) -> int | None:
    return mail.participant.account_id if mail.participant else None


def reminder_of(mail: OutgoingMail) -> Reminder:
    about = known(mail).reminders.get(mail.context.get("reminder"))
    if about is None:
        raise Obsolete(gettext_noop("The reminder is gone."))
    return about


def webinar_of(mail: OutgoingMail) -> Webinar:
    webinar = known(mail).webinars.get(mail.context.get("webinar"))
    if webinar is None:
        raise Obsolete(gettext_noop("The webinar is gone."))
    return webinar


# ---- The facts of many mails in a few queries


@dataclass
class Known:
    reminders: dict[int | None, Reminder] = field(default_factory=dict)
    webinars: dict[int | None, Webinar] = field(default_factory=dict)
    seats: dict[tuple[int, int | None], list[Registration]] = field(default_factory=dict)
    inside: set[int] = field(default_factory=set)  # registrations whose people are in the room


def known(mail: OutgoingMail) -> Known:
    if "known" not in mail.__dict__:
        gather([mail])
    found: Known = mail.__dict__["known"]
    return found


def imagine(mail: OutgoingMail, webinar: Webinar, *, starts_at: datetime) -> None:
    """For a look at a reminder whose hour has not come: nothing of it is written down yet."""
    mail.context = {"reminder": 0}
    about = Reminder(webinar=webinar, starts_at=starts_at)
    found = mail.__dict__["known"] = Known(reminders={0: about}, webinars={webinar.pk: webinar})
    gather_seats(found, {account_of(mail)})


def gather(mails: Sequence[OutgoingMail]) -> None:
    """The newest facts, once for all of them."""
    found = Known()
    for mail in mails:
        mail.__dict__["known"] = found
    wanted = {mail.context.get("reminder") for mail in mails} - {None}
    if wanted:
        found.reminders |= {one.pk: one for one in Reminder.objects.filter(pk__in=wanted)}
    about = {mail.context.get("webinar") for mail in mails} | {one.webinar_id for one in found.reminders.values()}
    if about - {None}:
        found.webinars |= {one.pk: one for one in Webinar.objects.filter(pk__in=about).select_related("edition")}
    gather_seats(found, {mail.context.get("carer") or account_of(mail) for mail in mails} - {None})


def gather_seats(found: Known, accounts: set[int | None]) -> None:
    if not found.webinars or not accounts:
        return
    live = Registration.objects.live().filter(webinar__in=found.webinars, participant__account__in=accounts)
    for one in live.select_related("participant__account").with_places().order_by("pk"):
        one.webinar = found.webinars[one.webinar_id]
        found.seats.setdefault((one.webinar_id, one.participant.account_id), []).append(one)
    for about in found.reminders.values():
        opens_at = found.webinars[about.webinar_id].join_opens_at
        seats = [
            one.pk for (webinar, _account), some in found.seats.items() if webinar == about.webinar_id for one in some
        ]
        if seats and opens_at:
            found.inside |= attendance.in_the_room(seats, since=opens_at)
