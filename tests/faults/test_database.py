"""PostgreSQL is restarted, crashes and loses a session while people sign up and mail leaves."""

import os
import signal

import psycopg
import pytest
from django.db import connection

from tests.factories import WebinarFactory
from tests.faults.signups import Signups
from tests.servers import wait_until

pytestmark = pytest.mark.fault


def restart(server):
    """As an administrator does: open sessions are ended."""
    server.process.send_signal(signal.SIGINT)
    server.process.wait()
    server.start()


def crash(server):
    """It ends at once, without writing anything more, and recovers at its start."""
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait()
    server.start()


def kill_a_session(server):
    """One of its processes is killed: it ends all sessions and recovers by itself."""
    with psycopg.connect(server.url) as session:
        [pid] = session.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1"
        ).fetchone()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: answers(server))


def answers(server):
    try:
        with psycopg.connect(server.url, connect_timeout=2) as session:
            return session.execute("SELECT 1").fetchone()
    except psycopg.OperationalError:
        return False


def test_a_database_restarted_under_load_loses_and_doubles_nothing(database, site, site_worker, mailbox, dice, ledger):
    """No worker dies, so nothing may be sent twice: a worker remembers what has left until the database has it."""
    ledger.queue(250)
    webinar = WebinarFactory()
    mailbox.delay = 0.02
    site_worker.start()
    site_worker.tick("deliver_due_mail")
    people = Signups(site, webinar)
    for trouble in (restart, crash, kill_a_session):
        mailbox.wait_for(len(mailbox.messages) + dice.randint(15, 35))
        connection.close()
        trouble(database)
        site_worker.tick("deliver_due_mail")
    people.stop()
    mailbox.delay = 0
    mailbox.wait_for_silence(1.5)
    ledger.let_the_lease_pass()
    site_worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    people.check()
    ledger.count(f"{len(people.confirmed)} signed up meanwhile, pages went wrong: {dict(people.errors)}")
    ledger.check()
    assert len(people.confirmed) > 3
