"""How often a network may sign up and how often codes may be guessed, in the cache: with the cache down there is no limit.

Wide enough for a school behind one address, narrow enough for a script.
"""

import hashlib
from datetime import datetime

from django.conf import settings
from django.core.cache import cache

HOUR = 60 * 60
# Wrong codes in an hour for one address. Each browser has a few of its own; these hold however many somebody opens.
# From everywhere it may be more, so that nobody can easily lock another person out.
WRONG_CODES_FROM_NETWORK = 20
WRONG_CODES_FROM_EVERYWHERE = 200


def may_sign_up(network: str, *, now: datetime) -> bool:
    """Counts this sign-up."""
    limit = settings.SIGNUPS_PER_HOUR_PER_NETWORK
    return not limit or count(hourly_key(now, "signups", network)) <= limit


def may_guess(address: str, network: str, *, now: datetime) -> bool:
    from_network, from_everywhere = guess_keys(now, address, network)
    counts = cache.get_many([from_network, from_everywhere])
    return (
        counts.get(from_network, 0) < WRONG_CODES_FROM_NETWORK
        and counts.get(from_everywhere, 0) < WRONG_CODES_FROM_EVERYWHERE
    )


def count_wrong_code(address: str, network: str, *, now: datetime) -> None:
    for key in guess_keys(now, address, network):
        count(key)


def guess_keys(now: datetime, address: str, network: str) -> tuple[str, str]:
    return hourly_key(now, "wrong-codes", address, network), hourly_key(now, "wrong-codes", address)


def hourly_key(now: datetime, kind: str, *about: str) -> str:
    """Neither networks nor addresses stand in the cache."""
    key, words = settings.SECRET_KEY.encode()[:32], "\0".join(about).encode()
    name = hashlib.blake2s(words, key=key, digest_size=12).hexdigest()
    return f"{kind}:{name}:{int(now.timestamp()) // HOUR}"


def count(key: str) -> int:
    cache.add(key, 0, HOUR)
    try:
        return cache.incr(key) or 0
    except ValueError:  # the key is not there: the cache has just been emptied, or is down
        return 0
