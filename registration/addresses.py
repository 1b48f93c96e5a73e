"""Addresses that mail can be sent to, and typing slips in the domains that most people here use."""

import difflib

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
NOT_SLIPS = frozenset({"mail.com", "email.com", "gmx.com", "ymail.com", "live.co.id", "yahoo.com.au", "hotmail.co.id"})


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
    near = difflib.get_close_matches(domain, COMMON_DOMAINS, n=1, cutoff=0.84)
    return f"{name}@{near[0]}" if near else None


def key(email: str) -> str:
    """What the database's column `email_key` holds: in lower case and without a plus-tag."""
    name, at, domain = email.lower().partition("@")
    return name.partition("+")[0] + at + domain
