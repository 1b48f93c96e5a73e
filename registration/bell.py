"""The bell that wakes workers. One ring tells of all that is due by then, so a rush of sign-ups rings a few times a second."""

import threading
import time
from collections.abc import Callable

PAUSE = 0.1  # seconds


class Bell:
    """At once after a pause; within it, once at its end for all who have rung meanwhile."""

    def __init__(self, sound: Callable[[], None]) -> None:
        self.sound = sound
        self.lock = threading.Lock()
        self.quiet_until = 0.0
        self.later: threading.Timer | None = None

    def ring(self) -> None:
        with self.lock:
            wait = self.quiet_until - time.monotonic()
            if wait > 0:
                self.ring_later(min(wait, PAUSE))
                return
            self.quiet_until = time.monotonic() + PAUSE
        self.sound()

    def ring_later(self, wait: float) -> None:
        # A thread that a fork has left behind is not alive.
        if self.later is None or not self.later.is_alive():
            self.later = threading.Timer(wait, self.ring_now)
            self.later.start()

    def ring_now(self) -> None:
        with self.lock:
            self.later = None
            self.quiet_until = time.monotonic() + PAUSE
        self.sound()
