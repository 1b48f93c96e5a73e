"""How often a network may sign up: wide enough for a school behind one address, narrow enough for a script."""

import hashlib

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

HOUR = 60 * 60


def may_sign_up(network: str) -> bool:
    """Counts this sign-up. With the cache down everyone may: a limit is worth less than a seat."""
    if not settings.SIGNUPS_PER_HOUR_PER_NETWORK:
        return True
    hour = int(timezone.now().timestamp()) // HOUR
    name = hashlib.blake2s(network.encode(), key=settings.SECRET_KEY.encode()[:32], digest_size=12).hexdigest()
    key = f"signups:{name}:{hour}"
    cache.add(key, 0, HOUR)
    try:
        return (cache.incr(key) or 0) <= settings.SIGNUPS_PER_HOUR_PER_NETWORK
    except ValueError:  # the key is not there: the cache has just been emptied, or is down
        return True
