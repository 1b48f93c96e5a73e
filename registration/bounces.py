"""Mail that came back: what servers and providers report, and the addresses that they say do not exist.

A report changes something only if it can't be made up: it names a Message-ID of ours, which nobody guesses, or it comes
from a provider that has proven itself. Nobody can silence an address by writing to our mailbox.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop

from registration import addresses, subscriptions
from registration.models import (
    BouncedAddress,
    BounceReport,
    Handover,
    Invitation,
    OutgoingMail,
    Participant,
    User,
)
from registration.models.mail import TO_KEY

Kind = OutgoingMail.Kind
Status = OutgoingMail.Status

# To addresses that nobody here has, any more or yet.
LEAVES_NO_TRACE = (Kind.DATA_DELETED, Kind.UNKNOWN_ACCOUNT)
# A code she asks for herself, and it is her way back; the last mail about somebody must leave the database at once.
TRIED_ALL_THE_SAME = (Kind.CODE, Kind.DATA_DELETED)
# A report that names no mail of ours is about one of these last days: servers give up after five.
REPORTED_WITHIN = timedelta(days=6)
CLOCKS_DIFFER = timedelta(minutes=5)
LONGEST_WORDS = 1000
HELD_BACK = gettext_noop("Not sent: this address bounces.")
# So long an address may be marked that no account or invitation has: its sign-up may be under way.
STRANGER_LIFE = timedelta(hours=1)

# RFC 3463: no such mailbox, no such domain, not an address, moved away, a domain without mail, switched off.
GONE = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}
# Full, too large, against a rule, not to be read: about the mail or the moment, not about the address.
NOT_GONE = re.compile(r"5\.(2\.[2-4]|3\.|6\.|7\.)")
ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
NOBODY = re.compile(
    r"(user|mailbox|recipient|account|address)\s+(is\s+)?(unknown|not found|not known|disabled|unavailable)"
    r"|(unknown|invalid|no such|nonexistent|non-existent)\s+(local\s+)?(user|mailbox|recipient|account|address|person|domain)"
    r"|(does not|doesn't|doesn’t)\s+(exist|have an?\s)"
    r"|(domain|host)( name)?\s+not found|no mailbox here",
    re.IGNORECASE,
)
RULES = re.compile(
    r"\b(spam|block(ed)?|blacklist\w*|blocklist|policy|spf|dkim|dmarc|reputation|rate|quota|full)\b", re.IGNORECASE
)


def says_gone(words: str, status: str = "") -> bool:
    """Whether the server says that there is no such address, not that it doesn't want this mail, or not now."""
    said = ENHANCED.findall(words)
    codes = [*said, status] if status else said
    if re.match(r"\s*4\d\d\b", words) or any(code.startswith("4.") for code in codes):
        return False
    if is_about_mail(" ".join([words, status])):
        return False
    if any(code in GONE for code in codes):
        return True
    return bool(NOBODY.search(words)) and not RULES.search(words)


def is_about_mail(words: str) -> bool:
    """About the mail or the moment. One large provider says 5.2.1 of a mailbox that gets too much at once."""
    is_rate = "at a rate" in words or "too quickly" in words
    return is_rate or any(NOT_GONE.match(code) for code in ENHANCED.findall(words))


def may_be_rules(words: str) -> bool:
    return is_about_mail(words) or bool(RULES.search(words))


# ---- Reports


@dataclass(frozen=True)
class Report:
    """What somebody tells us about one mail, however it came."""

    key: str  # the same report told twice has the same
    source: BounceReport.Source
    emails: tuple[str, ...]  # as we wrote the address, or as the last server knew it
    words: str
    is_final: bool
    at: datetime
    message_ids: tuple[str, ...] = ()
    is_trusted: bool = False  # a provider's, whose signature is right


def record(report: Report, *, now: datetime) -> BounceReport | None:
    """Keeps the report once, and acts on it. None when we wrote no such mail, or know the report already."""
    emails = [email.lower() for email in report.emails]
    named = OutgoingMail.objects.filter(message_id__in=report.message_ids).exclude(to="").first()
    mail = named or newest_mail_to(emails, at=report.at)
    if mail is None:
        return None
    is_proven = report.is_trusted or named is not None
    # Somebody's forwarding may fail behind an address that is good.
    is_final = report.is_final and is_proven and mail.to.lower() in emails
    with transaction.atomic():
        row, is_new = BounceReport.objects.get_or_create(
            key=report.key,
            defaults={
                "source": report.source,
                "email": mail.to.lower(),
                "mail": mail,
                "is_final": is_final,
                "words": clean(report.words),
                "at": min(report.at, now),
            },
        )
        if is_new and is_final:
            give_up(mail, row.words)
            mark(row.email, row.words, sent_at=mail.sent_at, now=now)
    return row if is_new else None


def newest_mail_to(emails: list[str], *, at: datetime) -> OutgoingMail | None:
    # By the key as well: it is what the database has an index of.
    known = OutgoingMail.objects.alias(to_key=TO_KEY).filter(to_key__in=[addresses.key(email) for email in emails])
    is_sent = Q(sent_at__gt=at - REPORTED_WITHIN, sent_at__lte=at + CLOCKS_DIFFER)
    sent = known.filter(is_sent | Q(status=Status.SENDING), to__in=emails)
    return sent.order_by("-sent_at", "-pk").first() if any(emails) else None


def give_up(mail: OutgoingMail, words: str) -> None:
    OutgoingMail.objects.filter(pk=mail.pk, status=Status.SENT).update(status=Status.BOUNCED, error=words)


def deliverable(mails: QuerySet[OutgoingMail]) -> QuerySet[OutgoingMail]:
    """Without those to dead addresses."""
    return mails.exclude(to_dead())


def to_dead() -> Q:
    dead = BouncedAddress.objects.in_force().filter(email=OuterRef("to"))
    return ~Q(kind__in=TRIED_ALL_THE_SAME) & Q(Exists(dead))


def hold_back(*, now: datetime) -> int:
    """What is due to dead addresses is not sent; an organiser, or she herself, can have it sent later. How many."""
    return OutgoingMail.objects.due(now).filter(to_dead()).update_in_order(status=Status.BOUNCED, error=HELD_BACK)


def refused(mail: OutgoingMail, words: str, *, now: datetime) -> bool:
    """For a recipient whom the server has refused while we were talking: whether that is the end of the address."""
    if mail.kind in LEAVES_NO_TRACE or not says_gone(words):
        return False
    key = f"refusal:{mail.pk}:{mail.attempts}:{now.timestamp():.0f}"
    with transaction.atomic():
        BounceReport.objects.get_or_create(
            key=key,
            defaults={
                "source": BounceReport.Source.REFUSAL,
                "email": mail.to.lower(),
                # By its number: the row may have gone with the person a moment ago.
                "mail": OutgoingMail.objects.filter(pk=mail.pk).first(),
                "is_final": True,
                "words": clean(words),
                "at": now,
            },
        )
        mark(mail.to.lower(), clean(words), sent_at=now, now=now)
    return True


def clean(words: str) -> str:
    return " ".join(words.replace("\0", "").split())[:LONGEST_WORDS]


def complained(email: str, *, now: datetime) -> int:
    """Who has called our mail spam, or left by her mail program, gets no announcements; what concerns her seat stays."""
    account = User.objects.filter(email=email.lower()).first()
    return subscriptions.unsubscribe(account.pk, now=now, actor=account) if account else 0


# ---- Addresses


@transaction.atomic
def mark(email: str, words: str, *, sent_at: datetime | None, now: datetime) -> None:
    """Unless the address has been proven since the mail left that came back."""
    row, is_new = BouncedAddress.objects.select_for_update().get_or_create(
        email=email, defaults={"bounced_at": now, "words": words}
    )
    if is_new or (row.cleared_at and sent_at and sent_at <= row.cleared_at):
        return
    if row.cleared_at:
        row.bounced_at = now
    row.words, row.cleared_at = words, None
    row.save(update_fields=["bounced_at", "words", "cleared_at"])


def of(email: str) -> BouncedAddress | None:
    """The mark that is in force."""
    return BouncedAddress.objects.in_force().filter(email=email.lower()).first()


def unreachable() -> Q:
    """People whose mail comes back, theirs or their carer's: from the few marks to them, not from all people to a mark."""
    dead = BouncedAddress.objects.in_force().values("email")
    own = Participant.objects.filter(email__in=dead).values("pk")
    in_care = Participant.objects.filter(email="", account__email__in=dead).values("pk")
    return Q(pk__in=own.union(in_care))


def among(emails: set[str]) -> dict[str, str]:
    """Those that no mail but a code goes to, with the server's words."""
    lower = {email.lower(): email for email in emails}
    marked = BouncedAddress.objects.in_force().filter(email__in=lower).values_list("email", "words")
    return {lower[email]: words for email, words in marked}


def clear(email: str, *, now: datetime) -> bool:
    """Mail goes there again; False when nothing stood against it."""
    return bool(BouncedAddress.objects.in_force().filter(email=email.lower()).update(cleared_at=now))


def put_off(email: str) -> int:
    """How many mails a server did not take for a reason that passes, since the address was last good."""
    soft = BounceReport.objects.filter(email=email.lower(), is_final=False)
    known = BouncedAddress.objects.filter(email=email.lower()).exclude(cleared_at=None).first()
    return (soft.filter(at__gt=known.cleared_at) if known else soft).count()


# ---- Forgetting


def forget(emails: list[str]) -> None:
    lower = [email.lower() for email in emails]
    BouncedAddress.objects.filter(email__in=lower).delete()
    BounceReport.objects.filter(email__in=lower).delete()


def forget_strangers(*, now: datetime) -> int:
    """Addresses that nobody here has, any more or yet, leave no trace. How many rows."""
    marks = of_nobody(BouncedAddress.objects.filter(bounced_at__lte=now - STRANGER_LIFE))
    reports = of_nobody(BounceReport.objects.filter(at__lte=now - STRANGER_LIFE))
    return marks.delete()[0] + reports.delete()[0]


def of_nobody(
    rows: "QuerySet[BouncedAddress] | QuerySet[BounceReport]",
) -> "QuerySet[BouncedAddress] | QuerySet[BounceReport]":
    for model in (User, Participant, Invitation, Handover):
        rows = rows.exclude(Exists(model.objects.filter(email=OuterRef("email"))))
    return rows
