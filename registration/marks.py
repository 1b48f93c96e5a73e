"""That a mail has left is written and committed mail by mail, without waiting for the database's disk each time.

`start` hands the statement over; the database finishes it even if this process dies the next moment. `settle` waits for
its answer, at the latest before the connection is asked something else. `durable` ends a batch: what it wrote is on the disk. Until
then the process remembers its marks, so that it can write them again if the database breaks down meanwhile.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError
from django.db import connection as database
from psycopg.pq import ExecStatus

from registration.models import OutgoingMail

logger = logging.getLogger(__name__)

# Prepared once for each connection: to plan it takes longer than to do it.
NAME = b"kpt_mail_sent"
SENT = b"""
    UPDATE registration_outgoingmail
    SET status = 'SENT', sent_at = $1, error = '', subject = $2, text = $3, html = $4, context = $5, "to" = $6
    WHERE id = $7
"""
FIELDS = ("status", "sent_at", "error", "subject", "text", "html", "context", "to")
# Seconds between tries while the database is away: what has left must not leave again.
PATIENCE = (0.2, 0.5, 1, 2, 3, 5, 5, 5, 10, 10, 10, 10, 10, 10)
AWAY = (OperationalError, InterfaceError, psycopg.Error)


class Prepared:
    """On which of this process's connections, the newest, the statement is known."""

    def __init__(self) -> None:
        self.line: Any = None

    def ensure(self) -> None:
        if self.line is not database.connection:
            database.connection.pgconn.prepare(NAME, SENT)
            self.line = database.connection


prepared = Prepared()


class Marks:
    def __init__(self) -> None:
        self.is_started = self.is_behind = False
        self.unsure: list[OutgoingMail] = []

    def start(self, row: OutgoingMail) -> None:
        self.unsure.append(row)  # first: it has left, whatever becomes of the one before
        self.settle()
        self.is_started = True
        try:
            prepared.ensure()
            server = database.connection.pgconn
            server.send_query_prepared(NAME, values(row))
            server.flush()
        except (AttributeError, *AWAY):
            logger.warning("The database is away: what has left is written when it is back")

    def settle(self) -> None:
        was_started, self.is_started = self.is_started, False
        if (was_started and not is_done()) or self.is_behind:
            self.insist()

    def wait_for_mark(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """Before whatever else is asked of the database."""
        self.settle()
        return execute(*statement)

    def insist(self) -> None:
        self.is_behind = False
        for wait in (*PATIENCE, 0):
            try:
                for row in self.unsure:
                    write(row)
                return
            except AWAY:
                if not wait:
                    self.is_behind = True
                    raise
                database.close()
                time.sleep(wait)

    @contextmanager
    def durable(self) -> Iterator[None]:
        self.ask("SET synchronous_commit TO off")
        line = database.connection
        try:
            with database.execute_wrapper(self.wait_for_mark):
                yield
        finally:
            self.settle()
            try:
                if database.connection is not line:  # opened anew meanwhile: the server may have forgotten
                    self.insist()
                self.ask("RESET synchronous_commit")
                # A commit waits for the disk, and so for all before it; but only one that has written something.
                self.ask("SELECT pg_logical_emit_message(true, 'kpt', '')")
            except AWAY:
                database.close()
                self.insist()
            self.unsure.clear()

    def ask(self, words: str) -> None:
        with database.cursor() as cursor:
            cursor.execute(words)


def values(row: OutgoingMail) -> list[bytes]:
    sent_at = row.sent_at.isoformat() if row.sent_at else ""
    words = [sent_at, row.subject, row.text, row.html, json.dumps(row.context), row.to, str(row.pk)]
    return [word.replace("\0", "").encode() for word in words]


def is_done() -> bool:
    statuses = []
    try:
        while result := database.connection.pgconn.get_result():
            statuses.append(result.status)
    except (AttributeError, *AWAY):
        return False
    return statuses == [ExecStatus.COMMAND_OK]


def write(row: OutgoingMail) -> None:
    OutgoingMail.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in FIELDS})
