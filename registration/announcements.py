"""Announcements: what organisers write to many, from the draft to the last mail.

The rows of the queue are the truth of who gets it. Sending, stopping and going on may each be done twice, by two people at
once or after a crash: nobody gets a second mail.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Case, CharField, Count, F, Q, Value, When
from django.forms.models import model_to_dict
from django.utils.translation import gettext as _

from registration import announcementletters, audiences, letters, mail, mailbody
from registration.announcementletters import STOPPED
from registration.models import Announcement, OutgoingMail, User

Status = Announcement.Status
MailStatus = OutgoingMail.Status

OPEN = (MailStatus.QUEUED, MailStatus.RETRY, MailStatus.SENDING)


# ---- What stands against sending it


def objections(announcement: Announcement) -> list[str]:
    found = [words for _field, words in slips(model_to_dict(announcement))]
    try:
        audience = audiences.read(announcement.audience)
    except ValidationError as error:
        return [*found, *error.messages]
    return [*found, *audiences.objections(audience).values()]


def slips(texts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What can't be sent as it is written: the field and what is wrong, from the columns of both languages."""
    found: list[tuple[str, str]] = []
    for suffix in ("ind", "en"):
        subject, body = (str(texts.get(f"{name}_{suffix}") or "").strip() for name in ("subject", "body"))
        if bool(subject) != bool(body):
            field = "body" if subject else "subject"
            found.append((f"{field}_{suffix}", _("Write the subject and the text in this language, or neither.")))
        found += [(f"subject_{suffix}", words) for words in slips_of_line(subject)]
        found += [(f"body_{suffix}", words) for words in slips_of_body(body)]
    return found


def slips_of_line(subject: str) -> list[str]:
    found = [_("The subject must be one line of ordinary signs.")] if mailbody.has_control_characters(subject) else []
    return found + unknown_words(subject, {"name"})


def slips_of_body(body: str) -> list[str]:
    tokens = mailbody.parse(body, announcementletters.WORDS)
    bad = [link for link in mailbody.addresses(tokens) if not mailbody.is_safe_link(link, announcementletters.WORDS)]
    words = _("The link “%(link)s” leads nowhere from a mail. Write the whole address, with https:// in front.")
    return unknown_words(body, announcementletters.PLACEHOLDERS) + [words % {"link": link} for link in bad]


def unknown_words(text: str, known: set[str]) -> list[str]:
    unknown = sorted(set(mailbody.NAME.findall(text)) - known)
    words = _("There is no word {%(name)s} here. You may use: %(known)s")
    return [words % {"name": name, "known": ", ".join(f"{{{word}}}" for word in sorted(known))} for name in unknown]


class Unfit(Exception):
    """It can't be sent as it is; the words say why."""


def check(announcement: Announcement) -> None:
    if found := objections(announcement):
        raise Unfit(" ".join(found))


# ---- Sending, stopping, going on


def send(announcement: Announcement, *, now: datetime) -> int | None:
    """Queues it for everybody whom it means at this moment: how many mailboxes. None when it was sent or stopped before."""
    with transaction.atomic():
        row = locked(announcement)
        if row.status not in (Status.DRAFT, Status.SCHEDULED):
            return None
        check(row)
        return start(row, now=now)


def resume(announcement: Announcement, *, now: datetime) -> int | None:
    """Goes on where it was stopped, with whoever has come into the audience since: how many wait now."""
    with transaction.atomic():
        row = locked(announcement)
        if row.status != Status.STOPPED:
            return None
        check(row)
        halted = row.mails.filter(status=MailStatus.CANCELLED, error=STOPPED)
        again = halted.update_in_order(status=MailStatus.QUEUED, not_before=now, error="")
        return again + start(row, now=now)


def start(announcement: Announcement, *, now: datetime) -> int:
    announcement.status, announcement.ended_at = Status.SENDING, None
    announcement.started_at = announcement.started_at or now
    announcement.save(update_fields=["status", "started_at", "ended_at"])
    queued = queue_for(announcement, now=now)
    transaction.on_commit(lambda: mail.wake(mail.Priority.BULK), robust=True)
    return queued


def schedule(announcement: Announcement, *, send_at: datetime, now: datetime) -> bool:
    """False when it is not a draft any more."""
    with transaction.atomic():
        row = locked(announcement)
        if row.status not in (Status.DRAFT, Status.SCHEDULED):
            return False
        check(row)
        row.status, row.send_at = Status.SCHEDULED, send_at
        row.save(update_fields=["status", "send_at"])
    return True


def unschedule(announcement: Announcement) -> bool:
    """A draft again, to be changed."""
    waiting = Announcement.objects.filter(pk=announcement.pk, status=Status.SCHEDULED)
    return waiting.update(status=Status.DRAFT, send_at=None) == 1


def stop(announcement: Announcement, *, now: datetime) -> int | None:
    """What waits is cancelled, what is sent stays sent: how many were held back. None when there was nothing to stop.

    What a worker has in hand leaves within its turn of two seconds; what it gives back then is held back too.
    """
    with transaction.atomic():
        row = locked(announcement)
        if row.status != Status.SENDING:
            return None
        row.status, row.ended_at = Status.STOPPED, now
        row.save(update_fields=["status", "ended_at"])
        waiting = row.mails.filter(status__in=[MailStatus.QUEUED, MailStatus.RETRY])
        return waiting.update_in_order(status=MailStatus.CANCELLED, error=STOPPED)


def locked(announcement: Announcement) -> Announcement:
    return Announcement.objects.select_for_update(no_key=True).get(pk=announcement.pk)


def tick(*, now: datetime) -> None:
    """The beat's: what is due is sent, what is through is closed."""
    due = Announcement.objects.filter(status=Status.SCHEDULED, send_at__lte=now).order_by("send_at", "pk")
    for announcement in due:
        try:
            send(announcement, now=now)
        except Unfit:  # a webinar of its audience is gone: whoever wrote it has to look again
            unschedule(announcement)
    ended = Announcement.objects.filter(status=Status.SENDING).exclude(mails__status__in=OPEN)
    ended.update(status=Status.SENT, ended_at=now)


# ---- The rows


def queue_for(announcement: Announcement, *, now: datetime) -> int:
    """One statement, however many people; whoever has a row already gets no second one."""
    rows = letters_for(announcement)
    select, facts = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(INSERT.format(select=select), [*fixed(announcement, now), *facts])
        return cursor.rowcount


def letters_for(announcement: Announcement) -> Any:
    """What differs from one row to the next, in the order of the statement below."""
    found = audiences.recipients(audiences.read(announcement.audience))
    rows = found.annotate(mail_language=language_of(announcement))
    return rows.values_list("mailbox", "address_now", "mail_language", "pk")


def language_of(announcement: Announcement) -> Case | Value:
    """Hers, or her carer's; Indonesian where nothing else is written."""
    if not announcement.has_english:
        return Value("id", output_field=CharField())
    return Case(When(email="", then=F("account__language")), default=F("language"), output_field=CharField())


def fixed(announcement: Announcement, now: datetime) -> list[Any]:
    kind, priority = OutgoingMail.Kind.ANNOUNCEMENT, OutgoingMail.Priority.BULK
    key, host = f"announcement:{announcement.pk}:", f"@{settings.SITE_HOST}>"
    return [key, host, kind, announcement.pk, priority, MailStatus.QUEUED, now, now]


INSERT = """
INSERT INTO registration_outgoingmail
    (key, "to", language, participant_id, message_id, kind, announcement_id, priority, status, created_at, not_before,
     context, attempts, error, subject, text, html)
SELECT %s || found.mailbox, found.address, found.language, found.participant,
       '<' || gen_random_uuid() || %s, %s, %s, %s, %s, %s, %s, '{{}}', 0, '', '', '', ''
FROM ({select}) AS found (mailbox, address, language, participant)
ON CONFLICT (key) DO NOTHING
"""


# ---- How far it is


@dataclass(frozen=True)
class Progress:
    sent: int
    waiting: int
    failed: int
    cancelled: int
    held_back: int

    @property
    def total(self) -> int:
        """Whom it means; who was left out on the way is not waited for."""
        return self.sent + self.waiting + self.failed + self.held_back

    @property
    def done(self) -> int:
        return self.sent + self.failed


def progress(announcement: Announcement) -> Progress:
    stopped = Count("pk", filter=Q(status=MailStatus.CANCELLED, error=STOPPED))
    found = announcement.mails.aggregate(
        sent=Count("pk", filter=Q(status=MailStatus.SENT)),
        waiting=Count("pk", filter=Q(status__in=OPEN)),
        failed=Count("pk", filter=Q(status__in=[MailStatus.FAILED, MailStatus.BOUNCED])),
        cancelled=Count("pk", filter=Q(status=MailStatus.CANCELLED)),
        held_back=stopped,
    )
    return Progress(**found | {"cancelled": found["cancelled"] - found["held_back"]})


# ---- Looking at it first


def queue_test(announcement: Announcement, user: User, *, language: str, now: datetime) -> None:
    """To whoever writes it, and to nobody else; it counts in no progress."""
    mail.queue(
        OutgoingMail.Kind.ANNOUNCEMENT,
        key=f"announcement_test:{announcement.pk}:{uuid.uuid4()}",
        to=user.email,
        language=language,
        context={"announcement": announcement.pk, "account": user.pk},
    )


def preview(announcement: Announcement, user: User, *, language: str, now: datetime) -> OutgoingMail:
    """As it would come to whoever looks at it: subject, text and HTML, nothing of it kept."""
    row = OutgoingMail(
        kind=OutgoingMail.Kind.ANNOUNCEMENT,
        to=user.email,
        language=language if announcement.has_english else "id",
        context={"announcement": announcement.pk, "account": user.pk},
        message_id="<preview@localhost>",
    )
    letters.compose(row, now=now)
    return row
