"""Whether her link has reached her, in a sentence or two for whoever is asked."""

from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from registration import addresses, bounces
from registration.models import OutgoingMail, Participant, Registration, Reminder
from registration.models.mail import TO_KEY

Kind = OutgoingMail.Kind
Status = OutgoingMail.Status

WITH_LINK = (Kind.CONFIRMATION, Kind.PROMOTED, Kind.REMINDER, Kind.WEBINAR_CHANGED)
WAITING = (Status.QUEUED, Status.SENDING, Status.RETRY)
NEWEST = 50


def by(participant: Participant) -> str:
    """For any of her webinars."""
    if not participant.registrations.confirmed().exists():
        return _("She has no seat now, so no link is due.")
    return said(list(mails_to(participant)[:NEWEST]), participant)


def about(registration: Registration) -> str:
    """For one webinar. A confirmation names all that she has a seat in at its time."""
    if not registration.is_confirmed:
        return _("She has no seat in this webinar, so no link is due.")
    return said(list(mails_to(registration.participant, registration)[:NEWEST]), registration.participant)


def mails_to(participant: Participant, registration: Registration | None = None):  # type: ignore[no-untyped-def]
    """That hold her link, or the one of a webinar, the newest first; with those to her carer about her."""
    together = Q()
    if registration:
        since = since_when(registration)
        together = Q(created_at__gte=since) | Q(sent_at__gte=since)
    own = together & Q(registration=None) | Q(registration=registration) if registration else Q()
    mails = Q(participant=participant, kind__in=WITH_LINK) & own
    if participant.is_in_care:
        seats = [registration] if registration else list(participant.registrations.confirmed())
        about_her = Q(kind=Kind.GROUP, context__people__contains=[participant.pk]) & together
        about_her |= Q(context__carer=participant.account_id) & about_seats(seats)
        mails |= about_her & Q(to_key=addresses.key(participant.account.email))
    rows = OutgoingMail.objects.alias(to_key=TO_KEY).filter(mails)
    return rows.defer("context", "text", "html").order_by("-created_at", "-pk")


def about_seats(seats: list[Registration]) -> Q:
    """Reminders and changes of webinars that she had her seat in by then: one mail to her carer for all in her care."""
    since = {seat.webinar_id: since_when(seat) for seat in seats}
    due = Reminder.objects.filter(webinar__in=since).values_list("pk", "webinar", "due_at")
    mails = Q(kind=Kind.REMINDER, context__reminder__in=[pk for pk, webinar, at in due if at >= since[webinar]])
    for webinar, moment in since.items():
        mails |= Q(kind=Kind.WEBINAR_CHANGED, context__webinar=webinar, created_at__gte=moment)
    return mails


def since_when(registration: Registration) -> datetime:
    return registration.confirmed_at or registration.created_at


def said(mails: list[OutgoingMail], participant: Participant) -> str:
    if not mails:
        return _("No: no mail with her link was ever queued.")
    arrived = next((mail for mail in mails if mail.status == Status.SENT), None)
    sentences = [sentence(arrived or mails[0])]
    if participant.is_in_care:
        carer = participant.account.name or participant.account.email
        sentences.append(_("Her mail goes to %(carer)s, who looks after her.") % {"carer": carer})
    if arrived and addresses.key(arrived.to) != addresses.key(participant.address):
        sentences.append(_("By now her address is %(address)s.") % {"address": participant.address})
    if arrived and mails[0] is not arrived:
        newer = {"kind": mails[0].get_kind_display(), "state": mails[0].get_status_display()}
        sentences.append(_("A newer mail with it, “%(kind)s”, stands at “%(state)s”.") % newer)
    return " ".join(sentences)


def sentence(mail: OutgoingMail) -> str:
    facts = {"to": mail.to, "when": spoken(mail.sent_at or mail.claimed_at or mail.created_at), "why": mail.why}
    if mail.status == Status.SENT:
        return _("Yes: it was sent to %(to)s on %(when)s, and the mail server accepted it.") % facts
    if mail.error == bounces.HELD_BACK:
        return _("No: it was not sent, because mail to %(to)s comes back.") % facts
    if mail.status == Status.BOUNCED:
        return _("No: it was sent to %(to)s on %(when)s and came back. %(why)s") % facts
    if mail.status == Status.FAILED:
        return _("No: it could not be sent to %(to)s on %(when)s. %(why)s") % facts
    if mail.status == Status.CANCELLED:
        return _("No: the mail to %(to)s was cancelled. %(why)s") % facts
    if mail.status == Status.RETRY:
        facts["when"], facts["next"] = spoken(mail.created_at), spoken(mail.not_before)
        return _("Not yet: it has waited for %(to)s since %(when)s and is tried again on %(next)s. %(why)s") % facts
    return _("Not yet: it has waited for %(to)s since %(when)s.") % (facts | {"when": spoken(mail.created_at)})


def spoken(moment: datetime) -> str:
    return _("%(day)s at %(hour)s WITA") % {
        "day": date_format(timezone.localtime(moment), "j F Y"),
        "hour": f"{timezone.localtime(moment):%H.%M}",
    }
