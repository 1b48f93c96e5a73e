"""Signs of life of those who send mail, kept in the database: it is what they need for their work anyway."""

import os
import socket
import time
from datetime import datetime, timedelta

from registration.models import Heartbeat

PAUSE = 5.0  # seconds between two notes of one process
KEPT = timedelta(days=1)

noted: dict[Heartbeat.Role, float] = {}


def note(role: Heartbeat.Role, *, now: datetime) -> None:
    """Called at the start of each task: a rush of them writes once in a while."""
    if time.monotonic() - noted.get(role, -PAUSE) < PAUSE:
        return
    noted[role] = time.monotonic()
    row = Heartbeat(role=role, worker=worker(), seen_at=now)
    Heartbeat.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["role", "worker"], update_fields=["seen_at"]
    )
    Heartbeat.objects.filter(role=role, seen_at__lt=now - KEPT).delete()


def worker() -> str:
    return f"{socket.gethostname()[:80]}:{os.getpid()}"
