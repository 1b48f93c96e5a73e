"""Addresses that mail can be sent to, and those that a friendly question is worth: slips, and mailboxes that soon end."""

import difflib

from disposable_email_domains import blocklist
from django.db.models import CharField, Func, Value
from django.db.models.functions import Lower

LONGEST = 254
COMMON_DOMAINS = [
    "gmail.com",
    "yahoo.com",
    "yahoo.co.id",
    "ymail.com",
    "hotmail.com",
    "outlook.com",
    "outlook.co.id",
    "icloud.com",
    "live.com",
    "rocketmail.com",
]
# Real domains that only look like a slip of a common one.
NOT_SLIPS = frozenset(
    [
        "email.com",
        "gmx.com",
        "hotmail.co.id",
        "hotmail.co.uk",
        "live.co.id",
        "mail.com",
        "outlook.com.au",
        "yahoo.ca",
        "yahoo.co.in",
        "yahoo.co.jp",
        "yahoo.co.uk",
        "yahoo.com.au",
        "yahoo.com.my",
        "yahoo.com.ph",
        "yahoo.com.sg",
        "ymail.com",
    ]
)
# Further from the right one than letters tell.
SLIPS = {"gmail.co.id": "gmail.com", "gmail.id": "gmail.com", "yahoo.id": "yahoo.co.id"}


def can_be_written_to(email: str) -> bool:
    """False for what the standard allows and mail programs read in different ways, such as a quoted name."""
    name, _at, domain = email.rpartition("@")
    try:
        domain.encode("idna")
    except UnicodeError:
        return False
    return len(email) <= LONGEST and "=?" not in name and not set(name) & set('"\\')


def likely_meant(email: str) -> str | None:
    """name@gmail.com for name@gmial.com, a friendly question, never a refusal; None when the domain looks right."""
    name, _at, domain = email.rpartition("@")
    if domain in COMMON_DOMAINS or domain in NOT_SLIPS:
        return None
    if right := SLIPS.get(domain):
        return f"{name}@{right}"
    near = difflib.get_close_matches(domain, COMMON_DOMAINS, n=1, cutoff=0.84)
    return f"{name}@{near[0]}" if near else None


def is_disposable(email: str) -> bool:
    """Whether the mailbox is of the kind that ends within hours: her links would come to nobody."""
    labels = email.rpartition("@")[2].split(".")
    return any(".".join(labels[place:]) in blocklist for place in range(len(labels) - 1))


def key(email: str) -> str:
    """What the database's column `email_key` holds: in lower case and without a plus-tag."""
    name, at, domain = email.lower().partition("@")
    return name.partition("+")[0] + at + domain


def key_of(field: str) -> Func:
    """The same of a column that has no such neighbour."""
    return Func(Lower(field), Value(r"\+[^@]*@"), Value("@"), function="regexp_replace", output_field=CharField())
