"""The database tells every web process of a content change (NOTIFY, see migration 0002): what was kept is made anew."""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from django.db import DatabaseError, connection

CHANNEL = "kpt_content"
FRESH_FOR = 15  # seconds: what depends on the hour, and what a lost notice would have said, is no older

T = TypeVar("T")


class Notices:
    """Of this process. While the database can't tell of changes, nothing that was kept is used."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.revision = 0
        self.is_open = False  # whether this process keeps anything: web workers do
        self.is_listening = False
        self.listener: threading.Thread | None = None
        self.is_wanted = True

    def still_hold(self, revision: int) -> bool:
        return self.is_listening and revision == self.revision

    def listen(self) -> None:
        """Starts the listener of this process, once."""
        if self.listener and self.listener.is_alive():
            return
        with self.lock:
            if self.listener is None or not self.listener.is_alive():
                self.listener = threading.Thread(target=self.hear, name="content changes", daemon=True)
                self.listener.start()

    def hear(self) -> None:
        while self.is_wanted:
            try:
                self.hear_until_the_line_breaks()
            except (DatabaseError, OSError):
                self.is_listening = False
                time.sleep(1)
            finally:
                connection.close()

    def hear_until_the_line_breaks(self) -> None:
        connection.ensure_connection()
        line = connection.connection
        line.execute(f"LISTEN {CHANNEL}")
        self.revision += 1  # whatever changed while nobody listened
        self.is_listening = True
        while self.is_wanted:
            for _notice in line.notifies(timeout=5, stop_after=1):
                self.revision += 1
            line.execute("SELECT 1")  # a line that is dead without a word

    def stop(self) -> None:
        self.is_wanted = self.is_listening = False
        if self.listener:
            self.listener.join(10)


notices = Notices()


def remembered(read: Callable[[], T]) -> Callable[[], T]:
    """For content that every request needs, whoever asks: read once until it changes. Its rows are not to be altered."""
    kept: tuple[Notices, int, float, T] | None = None

    @wraps(read)
    def remembering() -> T:
        nonlocal kept
        if not notices.is_open:
            return read()
        notices.listen()
        if kept:
            told, revision, until, content = kept
            if told is notices and notices.still_hold(revision) and time.monotonic() < until:
                return content
        revision, until = notices.revision, time.monotonic() + FRESH_FOR
        content = read()
        kept = notices, revision, until, content
        return content

    return remembering
