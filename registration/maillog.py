"""The log of mail in organisers' hands: finding a person's mail, and retrying, cancelling and repeating many at once."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import connection, transaction
from django.db.models import CharField, Count, F, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat, NullIf
from django.utils.translation import gettext_noop

from registration import addresses, mail
from registration.models import OutgoingMail, Participant, Registration, User
from registration.models.mail import TO_KEY, OutgoingMailQuerySet

Kind = OutgoingMail.Kind
Priority = OutgoingMail.Priority
Status = OutgoingMail.Status

# Whoever finds more people than these by a name has to say more of it.
MOST_PEOPLE = 100
# Of what a search finds up to so many are looked up one by one; of more, a page of the list is soon full.
FEW = 2000
# They let somebody in: never sent by another hand than hers, and too late after a quarter of an hour.
CODES = (Kind.CODE, Kind.UNKNOWN_ACCOUNT)
# So many at once let everything else go first.
MANY = 100


# ---- Finding


def search(rows: QuerySet[OutgoingMail], words: str) -> QuerySet[OutgoingMail]:
    """By a person's name, address (with any plus-tag, or its beginning), registration code, Message-ID or key."""
    words = words.strip()
    people = people_of(words)
    keys = [addresses.key(email) for email in emails_of(people)]
    found = Q(participant__in=[pk for pk, _own, _account in people]) | Q(to_key__in=keys)
    if " " not in words:
        found |= Q(message_id__in=[words, f"<{words}>"]) | Q(key=words)
        # The beginning of an address; after a plus there is only a tag.
        if beginning := addresses.key(words) if "@" in words else words.lower().partition("+")[0]:
            found |= Q(to_key__startswith=beginning)
    pks = list(OutgoingMail.objects.alias(to_key=TO_KEY).filter(found).values_list("pk", flat=True)[: FEW + 1])
    if len(pks) > FEW:
        return rows.alias(to_key=TO_KEY).filter(found)
    # Left to itself the database would read the log from its newest row on until a page is full.
    return rows.filter(pk__in=pks)


def people_of(words: str) -> list[tuple[int, str, str]]:
    """Their numbers and addresses, looked up first: one search through both tables would read all of the log."""
    key = addresses.key(words)
    found = Q(name__icontains=words) | Q(contact_email=words.lower())
    if "@" in words:
        found = Q(email_key=key) | Q(account__in=User.objects.filter(email_key=key)) | Q(contact_email=words.lower())
    found |= Q(pk__in=Registration.objects.filter(code=words.upper()).values("participant"))
    rows = Participant.objects.filter(found).order_by("-pk")
    return list(rows.values_list("pk", "email", "account__email")[:MOST_PEOPLE])


def emails_of(people: Iterable[tuple[int, str, str]]) -> set[str]:
    """For mail that is not tied to a person, such as codes. Of somebody in care the carer's is not hers."""
    return {own for _pk, own, _account in people if own}


# ---- Many at once


def chosen(rows: QuerySet[OutgoingMail], *, up_to: int | None = None) -> OutgoingMailQuerySet:
    """The same rows without order and joins, as a statement can take them; what has come after `up_to` is not meant."""
    same = OutgoingMail.objects.filter(pk__in=rows.order_by().values("pk"))
    return same if up_to is None else same.filter(pk__lte=up_to)


def in_time(rows: OutgoingMailQuerySet, *, now: datetime) -> OutgoingMailQuerySet:
    """What a worker would not drop at once. A forgotten address can't be written to."""
    return rows.exclude(kind__in=CODES).exclude(to="").exclude(not_after__lte=now)


def retryable(rows: OutgoingMailQuerySet, *, now: datetime) -> OutgoingMailQuerySet:
    return in_time(rows.filter(status__in=[Status.FAILED, Status.BOUNCED]), now=now)


def cancellable(rows: OutgoingMailQuerySet, *, now: datetime) -> OutgoingMailQuerySet:
    return rows.filter(status__in=[Status.QUEUED, Status.RETRY])


def repeatable(rows: OutgoingMailQuerySet, *, now: datetime) -> OutgoingMailQuerySet:
    return in_time(rows.filter(status__in=[Status.SENT, Status.BOUNCED]), now=now)


def by_kind(rows: QuerySet[OutgoingMail]) -> list[tuple[str, int]]:
    counts = rows.values_list("kind").annotate(number=Count("pk")).order_by("-number", "kind")
    return [(str(Kind(kind).label), number) for kind, number in counts]


# ---- Retrying, cancelling, repeating: one statement each


def address_now() -> Coalesce:
    """Where her mail goes by now: she may have corrected the address that failed."""
    person = Participant.objects.filter(pk=OuterRef("participant"))
    return Coalesce(Subquery(person.values(address=Coalesce(NullIf("email", Value("")), "account__email"))), F("to"))


def retry(rows: OutgoingMailQuerySet, *, now: datetime) -> int:
    """Failed mails are queued again, from the first wait on, to where their people can be reached now."""
    failed = retryable(rows, now=now)
    count = failed.update_in_order(status=Status.QUEUED, attempts=0, not_before=now, error="", to=address_now())
    transaction.on_commit(partial(mail.wake, Priority.NORMAL), robust=True)
    return count


def cancel(rows: OutgoingMailQuerySet, *, now: datetime) -> int:
    """Mails that are not on their way yet are not sent."""
    return cancellable(rows, now=now).update_in_order(
        status=Status.CANCELLED, context={}, error=gettext_noop("Cancelled by an organiser.")
    )


def repeat(rows: OutgoingMailQuerySet, *, now: datetime, moment: datetime) -> int:
    """Each goes out once more, as a new row with a key and a Message-ID of its own and with the newest facts.

    The same `moment` a second time is the same wish and changes nothing.
    """
    sent = repeatable(rows, now=now)
    is_many = sent.count() > MANY
    copies: dict[str, Combinable] = {
        "kind": F("kind"),
        "key": Concat(Value("again:"), Cast("pk", CharField()), Value(f":{moment.isoformat()}")),
        "to": address_now(),
        "language": F("language"),
        "participant_id": F("participant"),
        "registration_id": F("registration"),
        "announcement_id": F("announcement"),
        "context": F("context"),
        "priority": Value(Priority.BULK) if is_many else F("priority"),
        "status": Value(Status.QUEUED),
        "attempts": Value(0),
        "created_at": Value(now),
        "not_before": Value(now),
        "not_after": F("not_after"),
        "error": Value(""),
        "message_id": Concat(
            Value("<"), Cast(Func(function="gen_random_uuid"), CharField()), Value(f"@{settings.SITE_HOST}>")
        ),
        "subject": Value(""),
        "text": Value(""),
        "html": Value(""),
    }
    count = insert(copies, sent)
    transaction.on_commit(partial(mail.wake, Priority.NORMAL), robust=True)
    return count


def insert(copies: dict[str, Combinable], rows: QuerySet[OutgoingMail]) -> int:
    select, params = rows.order_by().values_list(*copies.values()).query.sql_with_params()
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(OutgoingMail._meta.db_table)
        columns = ", ".join(map(connection.ops.quote_name, copies))
        cursor.execute(f"INSERT INTO {table} ({columns}) {select} ON CONFLICT DO NOTHING", params)
        return cursor.rowcount
