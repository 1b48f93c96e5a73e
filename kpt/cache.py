from typing import Any

from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted


class ForgivingRedisCache(RedisCache):  # type: ignore[misc]  # django-redis has no types
    """A dead cache costs speed and rate limits, never a page (IGNORE_EXCEPTIONS)."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        """Succeeds without Redis: allauth's locks ask by it, and would turn everybody away."""
        try:
            return bool(self.client.add(*args, **kwargs))
        except ConnectionInterrupted:
            return True
