"""A webinar whose hour, day or room changed: everybody in it, on its list or invited to it is told, once.

The beat compares what holds with what people were told. A change is told when nothing has changed for ten minutes, so
that three saves are one mail, and one that is taken back meanwhile is none; close to the start the wait is shorter.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from conference.models import Webinar
from registration import mail, seats
from registration.models import Invitation, OutgoingMail, Participant, Registration, WebinarNotice
from registration.models.reminders import Facts, facts_of, news

logger = logging.getLogger(__name__)

GRACE = timedelta(minutes=10)
SHORTEST = timedelta(minutes=1)
# So long reminders wait for a change to be told; should that fail, they go without it.
PATIENCE = timedelta(minutes=15)


def look(webinar_id: int, *, now: datetime, at_once: bool = False) -> int:
    """Notes what changed, and tells it when its time has come or an organiser says so; how many mails."""
    with transaction.atomic():
        [webinar] = seats.lock([webinar_id])
        facts = facts_of(webinar)
        notice, _is_first = WebinarNotice.objects.get_or_create(webinar=webinar, defaults={"told": facts})
        if webinar.status != Webinar.Status.PUBLISHED or webinar.is_over(now):
            return forget(notice)
        if not news(notice.told, facts):
            return forget(notice, told=facts)
        if notice.seen_at is None or notice.seen != facts:
            notice.seen, notice.seen_at = facts, now
            notice.save()
        if not at_once and now < tells_at(notice.told, facts, notice.seen_at):
            return 0
        return tell(webinar, notice, now=now)


def look_everywhere(*, now: datetime) -> int:
    """One that fails must not keep the others from being told."""
    told = 0
    for webinar in Webinar.objects.published().select_related("edition", "notice").order_by("pk"):
        if is_settled(webinar, now=now):
            continue
        try:
            told += look(webinar.pk, now=now)
        except Exception:
            logger.exception("What changed in webinar %s can't be told", webinar.pk)
    return told


def is_settled(webinar: Webinar, *, now: datetime) -> bool:
    if not webinar.is_on(now):
        return True
    notice = getattr(webinar, "notice", None)
    return notice is not None and notice.seen_at is None and notice.told == facts_of(webinar)


def forget(notice: WebinarNotice, told: Facts | None = None) -> int:
    """There is nothing to tell, or not any more."""
    notice.seen = notice.seen_at = None
    notice.told = told or notice.told
    notice.save()
    return 0


def tells_at(told: Facts, seen: Facts, seen_at: datetime) -> datetime:
    """When a noted change is told: a quarter of the time to the start is waited at most."""
    starts = [datetime.fromisoformat(at) for facts in (told, seen) if (at := facts["starts_at"])]
    longest = min([GRACE, *((start - seen_at) / 4 for start in starts)])
    return seen_at + max(longest, SHORTEST)


def pending(webinar: Webinar) -> WebinarNotice | None:
    """A change that is noted and not told yet."""
    return WebinarNotice.objects.filter(webinar=webinar, seen_at__isnull=False).first()


def number_of_mails(notice: WebinarNotice) -> int:
    return len({who(one.participant) for one in audience(notice)}) + open_invitations(notice.webinar).count()


def keep_quiet(webinar_id: int) -> bool:
    """An organiser's hand: nobody is told of this change. False when there was none."""
    with transaction.atomic():
        [webinar] = seats.lock([webinar_id])
        if (notice := pending(webinar)) is None:
            return False
        forget(notice, told=facts_of(webinar))
    return True


def note_cancelled(webinar: Webinar) -> None:
    """People were told that it is cancelled: should it take place after all, that is news."""
    notice, _is_first = WebinarNotice.objects.get_or_create(webinar=webinar, defaults={"told": facts_of(webinar)})
    forget(notice, told=notice.told | {"is_cancelled": True})


# ---- Whom


def tell(webinar: Webinar, notice: WebinarNotice, *, now: datetime) -> int:
    key, facts = f"webinar_changed:{webinar.pk}:{now.isoformat()}", {"webinar": webinar.pk, "was": notice.told}
    ends_at = webinar.expected_end
    letters = [*to_people(notice, key=key, context=facts), *to_guests(webinar, key=key, context=facts)]
    for letter in letters:
        letter.not_after = ends_at
    mail.queue_all(letters)
    notice.told, notice.told_at, notice.seen, notice.seen_at = facts_of(webinar), now, None, None
    notice.save()
    return len(letters)


def audience(notice: WebinarNotice) -> list[Registration]:
    """Without those whose own mail came after the change and told it."""
    told = Q()
    for step in ("created_at", "confirmed_at", "waitlisted_at", "offered_at"):
        told |= Q(**{f"{step}__gt": notice.seen_at})
    live = Registration.objects.live().filter(webinar=notice.webinar_id).exclude(told)
    # Where a carer has a seat too the mail speaks to her: she comes last.
    return list(live.select_related("participant__account").order_by("participant__email", "pk"))


def to_people(notice: WebinarNotice, *, key: str, context: Facts) -> list[OutgoingMail]:
    """One mail to each address, a carer's for all in her care."""
    rows = {who(one.participant): one for one in audience(notice)}
    carers = [one.participant.account_id for one in rows.values() if one.participant.is_in_care]
    own = {one.account_id: one for one in themselves(carers)}
    letters = []
    for name, one in rows.items():
        person = own.get(one.participant.account_id) if one.participant.is_in_care else one.participant
        is_by_account = name.startswith("account")
        letters.append(
            OutgoingMail(
                kind=mail.Kind.WEBINAR_CHANGED,
                key=f"{key}:{name}",
                to=one.participant.address,
                language=person.language if person else one.participant.account.language,
                participant=person,
                registration=None if one.participant.is_in_care else one,
                context=context | ({"carer": one.participant.account_id} if is_by_account else {}),
                priority=mail.Priority.TIMELY,
            )
        )
    return letters


def who(participant: Participant) -> str:
    """Whom a mail is to: the account's person and all in her care, or somebody with an address of her own beside it."""
    is_by_account = participant.is_in_care or participant.email_key == participant.account.email_key
    return f"account-{participant.account_id}" if is_by_account else f"person-{participant.pk}"


def themselves(accounts: Iterable[int]) -> Iterable[Participant]:
    own = Participant.objects.filter(account__in=accounts, email_key=F("account__email_key"))
    return own.exclude(email="")


def to_guests(webinar: Webinar, *, key: str, context: Facts) -> list[OutgoingMail]:
    return [
        OutgoingMail(
            kind=mail.Kind.WEBINAR_CHANGED,
            key=f"{key}:invitation-{guest.pk}",
            to=guest.email,
            language=guest.language,
            context=context | {"invitation": guest.pk},
            priority=mail.Priority.TIMELY,
        )
        for guest in open_invitations(webinar)
    ]


def open_invitations(webinar: Webinar) -> QuerySet[Invitation]:
    return Invitation.objects.open().filter(webinar=webinar).order_by("pk")
