"""How often a network may sign up and how often codes may be guessed, in the cache: with the cache down there is no limit.

Wide enough for a school behind one address, narrow enough for a script.
"""

import hashlib
from datetime import datetime

from django.conf import settings
from django.core.cache import cache

HOUR = 60 * 60
# Tries at codes in an hour for one address. Each browser has a few of its own; these hold however many somebody opens.
# From everywhere it may be more, so that nobody can easily lock another person out.
TRIES_FROM_NETWORK = 20
TRIES_FROM_EVERYWHERE = 200
# Codes in an hour to one address, whoever asks for them: nobody's mailbox is flooded.
CODES = 20
# In an hour, of one account that registers others: whole lists, corrected and sent again.
PEOPLE_AN_HOUR = 400
REFUSED_PHONES = 10
# In an hour, of one who gives roles.
ROLE_INVITATIONS = 40


def may_sign_up(network: str, address: str, *, now: datetime) -> bool:
    """Counts this address, once in the hour however often its form is sent: a school of 300 has its retries too."""
    limit, key = settings.SIGNUPS_PER_HOUR_PER_NETWORK, hourly_key(now, "signups", network)
    if not limit or not cache.add(hourly_key(now, "signup", network, address), 1, HOUR):
        return not limit or cache.get(key, 0) <= limit
    return count(key) <= limit


def may_send_code(address: str, *, now: datetime) -> bool:
    """Counts this code."""
    return count(hourly_key(now, "codes", address)) <= CODES


def may_try_code(address: str, network: str, *, now: datetime) -> bool:
    """Counts this try, before anybody knows whether it is right: tries that come at once count one by one."""
    from_network = count(hourly_key(now, "tries", address, network))
    from_everywhere = count(hourly_key(now, "tries", address))
    return from_network <= TRIES_FROM_NETWORK and from_everywhere <= TRIES_FROM_EVERYWHERE


def hourly_key(now: datetime, kind: str, *about: str) -> str:
    """Neither networks nor addresses stand in the cache."""
    key, words = settings.SECRET_KEY.encode()[:32], "\0".join(about).encode()
    name = hashlib.blake2s(words, key=key, digest_size=12).hexdigest()
    return f"{kind}:{name}:{int(now.timestamp()) // HOUR}"


def count(key: str, number: int = 1) -> int:
    cache.add(key, 0, HOUR)
    try:
        return cache.incr(key, number) or 0
    except ValueError:  # the key is not there: the cache has just been emptied, or is down
        return 0


# ---- A carer's group


def may_write_down(account: int, number: int, *, now: datetime) -> bool:
    """Whether the account may register so many people more in this hour. Nothing is counted yet."""
    counted = cache.get(hourly_key(now, "people", str(account)), 0)
    return counted + number <= PEOPLE_AN_HOUR


def count_people(account: int, number: int, *, now: datetime) -> None:
    count(hourly_key(now, "people", str(account)), number)


def may_ask_for_phones(account: int, *, now: datetime) -> bool:
    """A number that is refused tells that somebody has it: a typing slip or two, no more."""
    return cache.get(hourly_key(now, "phones", str(account)), 0) < REFUSED_PHONES


def count_refused_phones(account: int, number: int, *, now: datetime) -> None:
    count(hourly_key(now, "phones", str(account)), number)


# ---- Roles


def may_invite(account: int, *, now: datetime) -> bool:
    """Counts this invitation."""
    return count(hourly_key(now, "roles", str(account))) <= ROLE_INVITATIONS


# ---- Programs

READS_A_MINUTE = 120
WRONG_TOKENS = 60
REFUSALS = 30


def may_read(token: int, *, now: datetime) -> bool:
    """Counts this request of a program."""
    return count(f"{hourly_key(now, 'reads', str(token))}:{now.minute}") <= READS_A_MINUTE


def may_offer_token(network: str, *, now: datetime) -> bool:
    """Counts one that is wrong: to guess one is hopeless, but to try costs us something."""
    return count(hourly_key(now, "tokens", network)) <= WRONG_TOKENS


def may_note_refusal(token: int, *, now: datetime) -> bool:
    """Counts this refusal of a token that is good: so many in an hour say all."""
    return count(hourly_key(now, "refusals", str(token))) <= REFUSALS
