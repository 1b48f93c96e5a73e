"""What each kind of mail says: rendered when it is sent, in the recipient's language, from the newest facts."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_noop

from conference import timezones
from conference.models import Webinar
from registration import announcementletters, links, mailcalendar, mailtexts, staffletters, stencils, webinarletters
from registration.cards import Entry, Obsolete, entry, session, spoken_moment
from registration.mime import Letter
from registration.models import (
    Handover,
    Invitation,
    OutgoingMail,
    Participant,
    Registration,
    User,
    Withdrawal,
)
from registration.models.registrations import RegistrationQuerySet
from registration.stencils import Own

Kind = OutgoingMail.Kind


# ---- The facts of each kind


def code(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    if "code" not in mail.context:
        raise Obsolete(gettext_noop("The code is spent."))
    return {"code": Own(mail.context["code"]), "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60}


def unknown_account(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    return {"sign_up": links.absolute(reverse("registration:sign_up"))}


def confirmation(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    participant = person_of(mail)
    live = participant.__dict__.get("live_registrations")
    if live is None:
        live = live_ones().filter(participant=participant).select_related("participant__account")
    entries = [entry(r) for r in live if not (r.webinar.is_over(now) or r.webinar.is_cancelled)]
    if not entries:
        raise Obsolete(gettext_noop("No registration is left to confirm."))
    has_seat = any(e.registration.is_confirmed for e in entries)
    moved_from = mail.context.get("moved_from")
    left = Webinar.objects.filter(pk=moved_from).first() if moved_from else None
    return {"participant": participant, "entries": entries, "has_seat": has_seat, "moved_from": left}


def promoted(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    registration = registration_of(mail)
    if not registration.is_confirmed or registration.webinar.is_cancelled:
        raise Obsolete(gettext_noop("The registration is no longer confirmed, or the webinar is cancelled."))
    return {"participant": registration.participant, "entries": [entry(registration)]}


def cancellation(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    registration = registration_of(mail)
    if registration.is_live:
        raise Obsolete(gettext_noop("She has signed up again."))
    return {
        "participant": registration.participant,
        "entries": [entry(registration)],
        "reason": registration.cancel_reason,
        "sign_up": links.absolute(reverse("registration:sign_up")),
    }


def withdrawal(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    """To a person of a partner organisation, who may have left it since."""
    named = Withdrawal.objects.filter(
        organisation=mail.context.get("organisation"), registration_code__in=mail.context.get("codes", []), done_at=None
    )
    rows = named.filter(organisation__members__user__email=mail.to).select_related("organisation", "webinar")
    withdrawals = list(rows.order_by("webinar__date", "pk"))
    if not withdrawals:
        raise Obsolete(gettext_noop("Nobody is left to be removed, or the recipient has left the organisation."))
    return {
        "organisation": withdrawals[0].organisation,
        "withdrawals": withdrawals,
        "room": links.absolute(reverse("registration:partner_room")),
    }


def offer(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    registration = registration_of(mail)
    if not registration.is_offered or registration.held_until is None or registration.webinar.is_cancelled:
        raise Obsolete(gettext_noop("The seat is no longer offered."))
    return {
        "participant": registration.participant,
        "entries": [entry(registration)],
        "until": Own(spoken_moment(registration.held_until, registration.participant.time_zone)),
    }


def invitation(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    invitation = Invitation.objects.select_related("webinar__edition").filter(pk=mail.context.get("invitation")).first()
    if invitation is None or not invitation.is_open(now) or not invitation.webinar.is_on(now):
        raise Obsolete(gettext_noop("The invitation is no longer open."))
    return {
        "invitation": invitation,
        "session": session(invitation.webinar, link=links.invitation(invitation)),
        "until": spoken_moment(invitation.expires_at),
        "is_reminder": mail.context.get("is_reminder", False),
    }


def webinar_cancelled(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    """To the people of one address, a carer's with all in her care, or to somebody who was invited."""
    if "invitation" in mail.context:
        guest = Invitation.objects.select_related("webinar__edition").filter(pk=mail.context["invitation"]).first()
        if guest is None or not guest.webinar.is_cancelled:
            raise Obsolete(gettext_noop("The webinar takes place, or the invitation is gone."))
        others = guest.webinar.edition.open_webinars(now)
        cards = [session(other, link=links.sign_up(other)) for other in others]
        return {"name": Own(guest.name), "session": session(guest.webinar), "others": cards}
    registration = registration_of(mail)
    webinar = registration.webinar
    if not webinar.is_cancelled:
        raise Obsolete(gettext_noop("The webinar takes place after all."))
    live = Registration.objects.live().filter(webinar=webinar, participant__account__email=mail.to)
    people = [r for r in live.select_related("participant__account").order_by("pk") if r.participant.address == mail.to]
    if registration.participant.address != mail.to:  # she has a mailbox of her own by now
        if not people:
            raise Obsolete(gettext_noop("Nobody of them is in this group any more."))
        registration = people[0]
    zone = registration.participant.time_zone
    return {
        "name": Own(registration.participant.name),
        "session": session(webinar, zone=zone),
        "others": [session(other, zone=zone) for other in webinar.edition.open_webinars(now)],
        "people": [(Own(r.participant.name), Own(links.others(r))) for r in people or [registration]],
        "group": links.absolute(reverse("registration:group")),
    }


def data_deleted(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    """The last mail about somebody who is not in the database any more."""
    if "name" not in mail.context:
        raise Obsolete(gettext_noop("Its facts are forgotten."))
    return {**mail.context, "sign_up": links.absolute(reverse("registration:sign_up"))}


def group(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    """Each of the people whom one step of their carer was about, as it stands now."""
    in_care = Participant.objects.filter(account=mail.context.get("carer"), email="")
    people = in_care.filter(pk__in=mail.context.get("people", [])).order_by("pk")
    rows = Registration.objects.filter(participant__in=people).live().in_order().with_places()
    entries: dict[int, list[Entry]] = {person.pk: [] for person in people}
    for row in rows.select_related("webinar__edition", "participant__account"):
        if not (row.webinar.is_over(now) or row.webinar.is_cancelled):
            entries[row.participant_id].append(entry(row))
    if not entries:
        raise Obsolete(gettext_noop("Nobody of them is in this group any more."))
    return {
        "people": [(person, entries[person.pk]) for person in people],
        "has_seat": any(e.registration.is_confirmed for some in entries.values() for e in some),
        "group": links.absolute(reverse("registration:group")),
    }


def handed_over(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    open_ones = Handover.objects.filter(accepted_at=None, withdrawn_at=None).select_related("participant", "created_by")
    offer = open_ones.filter(pk=mail.context.get("handover")).first()
    if offer is None:
        raise Obsolete(gettext_noop("It was taken back, or taken up."))
    return {
        "first_name": Own(offer.participant.first_name),
        "carer": Own(offer.carer_name),
        "link": Own(links.take_over(offer)),
        "until": timezones.day(timezone.localdate(offer.created_at + links.HANDOVER_AGE)),
    }


FACTS: dict[str, Callable[..., dict[str, Any]]] = {
    Kind.ANNOUNCEMENT: announcementletters.announcement,
    Kind.CODE: code,
    Kind.GROUP: group,
    Kind.HANDOVER: handed_over,
    Kind.UNKNOWN_ACCOUNT: unknown_account,
    Kind.CONFIRMATION: confirmation,
    Kind.PROMOTED: promoted,
    Kind.CANCELLATION: cancellation,
    Kind.DATA_DELETED: data_deleted,
    Kind.OFFER: offer,
    Kind.INVITATION: invitation,
    Kind.WEBINAR_CANCELLED: webinar_cancelled,
    Kind.WITHDRAWAL: withdrawal,
    Kind.REMINDER: webinarletters.reminder,
    Kind.WEBINAR_CHANGED: webinarletters.webinar_changed,
    Kind.PARTNER_LIST: staffletters.partner_list,
    Kind.ROLE_INVITATION: staffletters.role_invitation,
    Kind.FILE_READY: staffletters.file_ready,
    Kind.DIGEST: staffletters.digest,
    Kind.ALERT: staffletters.alert,
}


# What templates may read of the rows among the facts; a template that reads more is drawn for each mail anew.
stencils.readers |= {
    Participant: lambda person: {"name": Own(person.name)},
    Invitation: lambda guest: {"name": Own(guest.name), "message": guest.message},
    Webinar: lambda webinar: {"number": webinar.number, "title": webinar.title},
    Registration: lambda registration: {
        "webinar": registration.webinar,
        "is_confirmed": registration.is_confirmed,
        "is_offered": registration.is_offered,
        "has_let_pass": registration.has_let_pass,
        "is_waitlisted": registration.is_waitlisted,
        "is_live": registration.is_live,
    },
}


def live_ones() -> RegistrationQuerySet:
    return Registration.objects.live().in_order().with_places().prefetch_related("webinar__edition")


def gather(mails: Sequence[OutgoingMail]) -> None:
    """The newest facts that many mails are about, in a few queries for all of them."""
    prefetch_related_objects(mails, "participant__account", "registration__webinar__edition")
    for mail in mails:
        if mail.registration and mail.participant and mail.registration.participant_id == mail.participant_id:
            mail.registration.participant = mail.participant
    prefetch_related_objects(mails, "registration__participant__account")
    announcementletters.gather([mail for mail in mails if mail.announcement_id])
    confirmed = [mail.participant for mail in mails if mail.participant and mail.kind == Kind.CONFIRMATION]
    prefetch_related_objects(confirmed, Prefetch("registrations", live_ones(), to_attr="live_registrations"))
    webinarletters.gather([mail for mail in mails if mail.kind in (Kind.REMINDER, Kind.WEBINAR_CHANGED)])


def person_of(mail: OutgoingMail) -> Participant:
    if mail.participant is None:
        raise Obsolete(gettext_noop("The participant is gone."))
    return mail.participant


def registration_of(mail: OutgoingMail) -> Registration:
    if mail.registration is None:
        raise Obsolete(gettext_noop("The registration is gone."))
    return mail.registration


# ---- The message


def compose(mail: OutgoingMail, *, now: datetime) -> Letter:
    """The message, ready to send; what it says is kept on the row. Raises Obsolete."""
    if has_moved(mail):
        raise ObjectDoesNotExist("It went after a worker had taken the mail.")
    if is_astray(mail):
        raise Obsolete(gettext_noop("Whoever it is about has a mailbox of her own by now."))
    with translation.override(mail.language):
        facts = everywhere(mail) | FACTS[mail.kind](mail, now=now)
        own = mailtexts.words(mail.kind, mail.language, facts)
        subject, text, mail.html = own or stencils.render_all(TEMPLATES[mail.kind], facts)
        calendar = calendar_of(facts.get("entries", []))
    mail.subject, mail.text = " ".join(subject.split()), text.strip() + "\n"
    letter = Letter(mail.subject, mail.text, to=[mail.to], headers=headers(mail, facts))
    letter.attach_alternative(mail.html, "text/html")
    if calendar:
        letter.attach("kpt.ics", calendar, "text/calendar; method=PUBLISH; charset=utf-8")
    return letter


def has_moved(mail: OutgoingMail) -> bool:
    """After a worker had taken it the person went, or became one with another entry, or has another address by now."""
    if (mail.participant_id and not mail.participant) or (mail.registration_id and not mail.registration):
        return True
    is_elsewhere = mail.participant is not None and mail.to != mail.participant.address
    return is_elsewhere and OutgoingMail.objects.filter(pk=mail.pk).exclude(to=mail.to).exists()


def is_astray(mail: OutgoingMail) -> bool:
    """Her links would come to somebody else. What waits is cancelled when she moves; this one a worker had in hand."""
    if mail.participant is None or mail.to == mail.participant.address:
        return False
    if mail.kind == Kind.WEBINAR_CANCELLED:  # it is written for those who still belong to the address
        return False
    return User.objects.filter(email=mail.to).exclude(pk=mail.participant.account_id).exists()


TEMPLATES = {kind: (f"mail/{kind}.subject.txt", f"mail/{kind}.txt", f"mail/{kind}.html") for kind in Kind.values}


def everywhere(mail: OutgoingMail) -> dict[str, Any]:
    """What every mail says at its foot; the personal page only to the person herself, or to her carer."""
    facts: dict[str, Any] = {"site_url": settings.SITE_URL, "language": mail.language}
    if mail.participant and mail.to == mail.participant.address:
        facts["mine"] = Own(links.page(mail.participant))
    elif "carer" in mail.context and (carer := User.objects.filter(pk=mail.context["carer"], email=mail.to).first()):
        facts["mine"] = Own(links.page_of(carer))
    return facts


def headers(mail: OutgoingMail, facts: dict[str, Any]) -> dict[str, str]:
    return {
        "Message-ID": mail.message_id,
        "X-KPT-Mail": mail.message_id,  # for mail that comes back by way of a server that writes an id of its own
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": mail.language,
    } | one_click(facts)


def one_click(facts: dict[str, Any]) -> dict[str, str]:
    """RFC 8058: a mail program unsubscribes by itself, with one POST. On announcements alone."""
    if "unsubscribe" not in facts:
        return {}
    return {
        "List-Unsubscribe": f"<{facts['unsubscribe']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def calendar_of(entries: list[Entry]) -> bytes | None:
    """Her confirmed webinars with a known hour; each holds her personal link."""
    confirmed = [e for e in entries if e.registration.is_confirmed and e.registration.webinar.starts_at]
    return mailcalendar.file_of([(e.registration, e.join) for e in confirmed]) if confirmed else None
