"""The account of an address: known or added, in one statement for both, and what nobody has proven keeps nobody out."""

from datetime import datetime
from typing import TypeVar

from django.contrib.auth.hashers import make_password
from django.db.models.expressions import DatabaseDefault

from registration import addresses
from registration.models import Participant, User

Known = TypeVar("Known", User, Participant)


def account_of(email: str, *, language: str, now: datetime) -> User:
    """The account of this person, whatever case or plus-tag she writes her address with; locked."""
    # Not the name: whoever typed it may not be the owner of the address.
    newcomer = User(email=email, password=make_password(None), language=language, date_joined=now)
    # Locked, as in `confirm`: account, participant and webinars in this order everywhere, so that nobody deadlocks.
    user = found_or_added(newcomer)
    if user.email != email and (participant := unproven_in(user)):
        user = yield_to(newcomer, user, participant)
    return user


FOUND_OR_ADDED = """
INSERT INTO {table} AS known ({columns}) VALUES ({values})
ON CONFLICT (email_key) WHERE NOT email = '' DO UPDATE SET language = known.language RETURNING *
"""


def found_or_added(newcomer: Known) -> Known:
    """The row of the newcomer's address, locked: one statement for known and unknown, for time tells too.

    A row that is there already is written as it is, which locks it.
    """
    fields = [field for field in newcomer._meta.concrete_fields if not (field.primary_key or field.generated)]
    given = {str(field.column): field.pre_save(newcomer, add=True) for field in fields}
    given = {column: value for column, value in given.items() if not isinstance(value, DatabaseDefault)}
    places = ", ".join(["%s"] * len(given))
    statement = FOUND_OR_ADDED.format(table=newcomer._meta.db_table, columns=", ".join(given), values=places)
    return type(newcomer).objects.raw(statement, list(given.values()))[0]


def unproven_in(user: User) -> Participant | None:
    """The participant of an account that came with her sign-up and with which nothing else has been done."""
    if user.last_login or user.is_staff:
        return None
    participant = user.participants.filter(email_key=user.email_key, proven_at=None, is_made_up=False).first()
    if participant is None or user.date_joined != participant.created_at:
        return None
    others = user.participants.exclude(pk=participant.pk)
    return None if user.partner_memberships.exists() or others.exists() else participant


def yield_to(newer: User, user: User, participant: Participant) -> User:
    """What nobody has proven keeps nobody out: not every mail server takes name+tag@ for name@.

    Another account, so that a code on its way to the earlier address opens nothing. What is held stays held.
    """
    User.objects.filter(pk=user.pk).update(email=f"{user.pk}@yielded.invalid")
    newer.save(force_insert=True)
    participant.account, participant.email = newer, newer.email
    participant.save(update_fields=["account", "email"])
    user.delete()
    return newer


def address_on_record(email: str) -> str:
    """Where mail to this person goes: as her account knows her, not as somebody has just written her."""
    known = User.objects.filter(email_key=addresses.key(email)).values_list("email", flat=True)
    return known.first() or email
