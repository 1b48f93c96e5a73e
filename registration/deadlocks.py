"""Transactions that stand in each other's way: PostgreSQL ends one of them, and that one is done once more.

The rules lock in one order, account, participant, webinars; an organiser's own SQL or a foreign key may not. And of two
that add the same new address in the same instant, one may meet a unique index before it meets the other's row. So may
somebody who goes meet a mail that has just been queued for her.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection
from psycopg import errors

TRIES = 3
REASONS = errors.DeadlockDetected, errors.UniqueViolation, errors.ForeignKeyViolation
P = ParamSpec("P")
T = TypeVar("T")


def done_again(rule: Callable[P, T]) -> Callable[P, T]:
    """For a rule that is one transaction and leaves nothing behind when it fails. Within a larger one it just fails."""

    @wraps(rule)
    def doing(*args: P.args, **kwargs: P.kwargs) -> T:
        for _try in range(TRIES - 1):
            try:
                return rule(*args, **kwargs)
            except (OperationalError, IntegrityError) as error:
                if connection.in_atomic_block or not isinstance(error.__cause__, REASONS):
                    raise
        return rule(*args, **kwargs)

    return doing
