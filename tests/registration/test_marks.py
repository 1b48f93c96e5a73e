"""That a mail has left is on the disk when its batch is over, whatever the database did meanwhile."""

import pytest
from django.db import OperationalError, connection

from registration import marks
from registration.models import OutgoingMail
from tests.factories import OutgoingMailFactory

pytestmark = pytest.mark.django_db(transaction=True)

Status = OutgoingMail.Status


def left(count):
    rows = OutgoingMailFactory.create_batch(count, sending=True)
    for row in rows:
        row.status, row.sent_at = Status.SENT, row.claimed_at
    return rows


def states():
    return list(OutgoingMail.objects.order_by("pk").values_list("status", flat=True))


def ask(words, *values):
    with connection.cursor() as cursor:
        cursor.execute(words, values)
        return cursor.fetchone()[0] if cursor.description else None


@pytest.fixture
def careful_database():
    """The tests' own server waits for no disk."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    ask(f"ALTER DATABASE {name} SET synchronous_commit TO on")
    connection.close()
    yield
    ask(f"ALTER DATABASE {name} RESET synchronous_commit")
    connection.close()


@pytest.fixture
def failing(monkeypatch):
    """The database takes nothing for so many tries."""
    tries, write = [], marks.write

    def fail(row):
        if tries:
            tries.pop()
            raise OperationalError("away")
        write(row)

    monkeypatch.setattr(marks, "PATIENCE", ())
    monkeypatch.setattr(marks, "write", fail)
    return tries


def test_a_batch_that_is_over_is_on_the_disk(careful_database):
    """Several in a row: the database writes by itself five times a second."""
    own, rows, flushed = marks.Marks(), left(9), []
    for row in rows:
        with own.durable():
            assert ask("SHOW synchronous_commit") == "off"
            own.start(row)
            written = ask("SELECT pg_current_wal_insert_lsn()::text")
        flushed.append(ask("SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn", written))
    assert ask("SHOW synchronous_commit") == "on"
    assert flushed == [True] * 9
    assert states() == [Status.SENT] * 9


def test_what_left_while_the_database_was_away_for_too_long_is_written_when_it_is_back(failing):
    own, [first, second] = marks.Marks(), left(2)
    with own.durable():
        connection.close()
        own.start(first)
        failing.append("settle")
        with pytest.raises(OperationalError):
            own.start(second)
    assert states() == [Status.SENT] * 2


def test_marks_on_a_connection_that_has_been_opened_anew_are_written_again(failing):
    own, [row] = marks.Marks(), left(1)
    with own.durable():
        own.start(row)
        own.settle()
        OutgoingMail.objects.update(status=Status.SENDING, sent_at=None)  # as after a crash: it did not reach the disk
        connection.close()
    assert states() == [Status.SENT]
