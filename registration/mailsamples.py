"""A made-up person and webinar, so that a mail can be looked at before there is anybody whom it is about.

Nothing of it is in the database, and its links lead nowhere.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from conference.models import Organisation, Webinar
from registration import links
from registration.cards import Entry, Session, session, spoken_day, spoken_hours, spoken_moment, starts_on
from registration.models import Invitation, OutgoingMail, Participant, Registration, Role, Withdrawal
from registration.stencils import Own
from registration.vocabulary import Facts

Kind = OutgoingMail.Kind
TOKEN = "contoh"
CODE = "KPT-CONTOH"
HOURS = timedelta(hours=2)
# Who gets them is known to the site: at the foot stands the way to her page.
TO_HER = (
    *(Kind.CONFIRMATION, Kind.GROUP, Kind.PROMOTED, Kind.OFFER, Kind.CANCELLATION),
    *(Kind.REMINDER, Kind.WEBINAR_CHANGED, Kind.WEBINAR_CANCELLED),
)


def facts(kind: str, language: str, *, now: datetime) -> Facts:
    """As `letters` finds them for a real person."""
    with translation.override(language):
        foot: Facts = {"site_url": settings.SITE_URL, "language": language}
        if kind in TO_HER:
            foot["mine"] = Own(link("page"))
        return foot | FACTS[kind](now)


def link(name: str) -> str:
    return links.absolute(reverse(f"registration:{name}", args=[TOKEN]))


def person(name: str = "Maria Contoh") -> Participant:
    return Participant(name=name, province="53")


def start(now: datetime) -> datetime:
    return timezone.localtime(now).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)


def webinar(now: datetime, number: int = 1) -> Webinar:
    starts_at = start(now)
    return Webinar(
        number=number,
        title_ind=f"Judul webinar contoh {number}",
        title_en=f"Title of example webinar {number}",
        date=starts_at.date(),
        starts_at=starts_at,
        ends_at=starts_at + HOURS,
        status=Webinar.Status.PUBLISHED,
    )


def entry(now: datetime, of: Participant | None = None, status: str = Registration.Status.CONFIRMED) -> Entry:
    registration = Registration(participant=of or person(), webinar=webinar(now), status=status)
    language = translation.get_language()
    return Entry(
        registration=registration,
        day=spoken_day(starts_on(registration), language),
        hours=spoken_hours(registration.webinar.starts_at, registration.webinar.ends_at, "WITA", language),
        join=Own(link("join")),
        leave=Own(link("leave")),
        place=None,
    )


def card(now: datetime, to: str = "") -> Session:
    return session(webinar(now), link=to)


def sign_up() -> str:
    return links.absolute(reverse("registration:sign_up"))


def group_page() -> str:
    return links.absolute(reverse("registration:group"))


def room() -> str:
    return links.absolute(reverse("registration:partner_room"))


def code(now: datetime) -> Facts:
    return {"code": Own("123456"), "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60}


def confirmation(now: datetime) -> Facts:
    return {"participant": person(), "entries": [entry(now)], "has_seat": True, "moved_from": None}


def cancellation(now: datetime) -> Facts:
    gone = entry(now, status=Registration.Status.CANCELLED)
    return {"participant": person(), "entries": [gone], "reason": _("An example of a reason."), "sign_up": sign_up()}


def offer(now: datetime) -> Facts:
    offered = entry(now, status=Registration.Status.PENDING)
    offered.registration.offered_at = now
    return {"participant": person(), "entries": [offered], "until": Own(spoken_moment(now + HOURS))}


def invitation(now: datetime) -> Facts:
    guest = Invitation(name="Maria Contoh", message=_("An example of a personal message."))
    until = spoken_moment(now + timedelta(days=5))
    return {"invitation": guest, "session": card(now, link("invitation")), "until": until, "is_reminder": False}


def webinar_cancelled(now: datetime) -> Facts:
    other = session(webinar(now, 2))
    people = [(Own("Maria Contoh"), Own(link("others")))]
    told = {"name": Own("Maria Contoh"), "session": card(now), "others": [other], "people": people}
    return told | {"group": group_page()}


def group(now: datetime) -> Facts:
    people = [person("Ani Contoh"), person("Beti Contoh")]
    return {"people": [(one, [entry(now, one)]) for one in people], "has_seat": True, "group": group_page()}


def handover(now: datetime) -> Facts:
    until = spoken_day(timezone.localdate(now + links.HANDOVER_AGE), translation.get_language())
    return {"first_name": Own("Maria"), "carer": Own("Ani Contoh"), "link": Own(link("handover")), "until": until}


def withdrawal(now: datetime) -> Facts:
    row = Withdrawal(webinar=webinar(now), registration_code=CODE)
    return {"organisation": partner(), "withdrawals": [row], "room": room()}


def partner() -> Organisation:
    return Organisation(name_ind="Lembaga Contoh", name_en="Example Organisation")


def reminder(now: datetime) -> Facts:
    own, language = entry(now), translation.get_language()
    starts_at = start(now)
    return {
        "name": Own("Maria Contoh"),
        "own": own,
        "people": [],
        "session": card(now),
        "day": "tomorrow",
        "hour": spoken_hours(starts_at, None, "WITA", language)[0],
        "has_begun": False,
        "is_open": False,
        "door": spoken_hours(starts_at - timedelta(minutes=30), None, "WITA", language)[0],
    }


def webinar_changed(now: datetime) -> Facts:
    own = entry(now)
    told = {"on_again": False, "hour_set": False, "hour_open": False, "moved": True, "room": False}
    was = spoken_moment(start(now) - timedelta(days=1))
    named = {"name": Own("Maria Contoh"), "own": own, "people": []}
    return told | named | {"entries": [own], "session": card(now), "was": was}


def partner_list(now: datetime) -> Facts:
    return {
        "organisation": partner().name,
        "session": card(now),
        "shared": 12,
        "is_after": False,
        "room": room(),
    }


def role_invitation(now: datetime) -> Facts:
    until = spoken_day(timezone.localdate(now + links.ROLE_AGE), translation.get_language())
    return {
        "inviter": Own("Ani Contoh"),
        "role": str(Role.PARTNER_MANAGER.label),
        "organisation": partner().name,
        "link": Own(link("role")),
        "until": until,
    }


def file_ready(now: datetime) -> Facts:
    address = links.absolute(reverse("registration:file", args=["00000000-0000-4000-8000-000000000000"]))
    about = f"{partner().name} · {webinar(now).title} · xlsx"
    return {"about": about, "number": 12_000, "link": address, "until": spoken_moment(now + timedelta(hours=24))}


def digest(now: datetime) -> Facts:
    names = ("signed_up", "left", "answered", "withdrawn", "downloads", "sent", "failed")
    return {
        "day": spoken_day(timezone.localdate(now) - timedelta(days=1), translation.get_language()),
        "numbers": dict(zip(names, (12, 1, 2, 0, 1, 40, 0), strict=True)),
        "webinars": [{"webinar": 1, "title": webinar(now).title, "confirmed": 120, "new": 12, "waiting": 0}],
        "admin": links.absolute(reverse("admin:index")),
    }


def alert(now: datetime) -> Facts:
    log = links.absolute(reverse("admin:registration_outgoingmail_changelist"))
    counts = {"failed": 2, "codes": 1, "waiting": 40, "minutes": 16, "is_still": True, "texts": 0}
    return counts | {"at": spoken_moment(now), "log": log}


FACTS: dict[str, Callable[[datetime], Facts]] = {
    Kind.CODE: code,
    Kind.UNKNOWN_ACCOUNT: lambda now: {"sign_up": sign_up()},
    Kind.CONFIRMATION: confirmation,
    Kind.GROUP: group,
    Kind.PROMOTED: lambda now: {"participant": person(), "entries": [entry(now)]},
    Kind.OFFER: offer,
    Kind.CANCELLATION: cancellation,
    Kind.INVITATION: invitation,
    Kind.WEBINAR_CANCELLED: webinar_cancelled,
    Kind.HANDOVER: handover,
    Kind.DATA_DELETED: lambda now: {
        "name": "Maria Contoh",
        "is_in_care": False,
        "is_account_gone": True,
        "is_recorded": False,
        "sign_up": sign_up(),
    },
    Kind.WITHDRAWAL: withdrawal,
    Kind.REMINDER: reminder,
    Kind.WEBINAR_CHANGED: webinar_changed,
    Kind.PARTNER_LIST: partner_list,
    Kind.ROLE_INVITATION: role_invitation,
    Kind.FILE_READY: file_ready,
    Kind.DIGEST: digest,
    Kind.ALERT: alert,
}
