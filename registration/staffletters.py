"""Letters to those who run the conference, and to its partners: numbers and links, nobody's data."""

from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_noop

from conference.models import Organisation, Webinar
from registration import files, links, roleinvitations
from registration.cards import Obsolete, session, spoken_day, spoken_moment
from registration.models import OutgoingMail, PreparedFile, Registration, RoleInvitation, User
from registration.stencils import Own


def partner_list(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    """To a person of a host, who may have left it since; the data itself is behind the sign-in."""
    hosts = Organisation.objects.filter(pk=mail.context.get("organisation"), members__user__email=mail.to)
    organisation = hosts.first()
    webinar = Webinar.objects.published().filter(pk=mail.context.get("webinar"), hosts__in=hosts).first()
    if organisation is None or webinar is None or webinar.is_cancelled:
        raise Obsolete(gettext_noop("The recipient has left the organisation, or it does not host the webinar."))
    shared = Registration.objects.shared_with(organisation).filter(webinar=webinar).count()
    if not shared:
        raise Obsolete(gettext_noop("Nobody is in the list."))
    return {
        "organisation": organisation.name,
        "session": session(webinar),
        "shared": shared,
        "is_after": mail.context.get("occasion") == "after",
        "room": links.absolute(reverse("registration:partner_room")),
    }


def role_invitation(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    known = RoleInvitation.objects.select_related("organisation", "invited_by")
    invitation = known.filter(pk=mail.context.get("role_invitation")).first()
    if invitation is None or roleinvitations.standing(invitation, now=now) != "open":
        raise Obsolete(gettext_noop("The invitation is no longer open."))
    return {
        "inviter": Own(str(invitation.invited_by)),
        "role": invitation.get_role_display(),
        "organisation": invitation.organisation.name if invitation.organisation else "",
        "link": Own(links.take_role(invitation)),
        "until": spoken_day(timezone.localdate(invitation.ends_at), translation.get_language()),
    }


def file_ready(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    """The file itself is behind the sign-in, and hers alone."""
    known = PreparedFile.objects.lean().open(now).select_related("organisation", "webinar", "requested_by")
    file = known.filter(pk=mail.context.get("file"), status=PreparedFile.Status.READY).first()
    if file is None or file.ends_at is None or not files.is_hers(file, file.requested_by):
        raise Obsolete(gettext_noop("The file is not there any more, or is made anew."))
    return {
        "about": str(file),
        "number": file.rows_total,
        "link": links.absolute(reverse("registration:file", args=[file.token])),
        "until": spoken_moment(file.ends_at),
    }


def digest(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    """The numbers were counted when it was queued: the day is over."""
    if "day" not in mail.context or not User.objects.filter(email=mail.to, is_staff=True, wants_digest=True).exists():
        raise Obsolete(gettext_noop("The recipient does not want it any more."))
    facts = mail.context
    titles = {one.pk: one.title for one in Webinar.objects.filter(pk__in=[row["webinar"] for row in facts["webinars"]])}
    return {
        "day": spoken_day(date.fromisoformat(facts["day"]), translation.get_language()),
        "numbers": facts["numbers"],
        "webinars": [row | {"title": titles[row["webinar"]]} for row in facts["webinars"] if row["webinar"] in titles],
        "admin": links.absolute(reverse("admin:index")),
    }


def alert(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    facts = mail.context
    if "at" not in facts:
        raise Obsolete(gettext_noop("Its facts are forgotten."))
    at = datetime.fromisoformat(facts["at"])
    return {
        "at": spoken_moment(at),
        "failed": facts["failed"],
        "codes": facts["codes"],
        "waiting": facts["waiting"],
        "minutes": facts["minutes"],
        "is_still": facts["is_still"],
        "texts": facts.get("texts", 0),
        "log": links.absolute(reverse("admin:registration_outgoingmail_changelist")),
    }
