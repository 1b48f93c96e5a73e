"""The fixtures that every test may ask for. The servers behind them start in tests/settings.py."""

import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connections
from django.test import Client
from django.utils import timezone

from kpt import embedded
from registration import mailtexts
from tests import browser as chromium
from tests.processes import Site, Worker
from tests.servers import MailServer
from tests.settings import mail_server

# The dice of the fault tests, in all processes. FAULT_SEED=... plays those of an earlier run again.
os.environ.setdefault("FAULT_SEED", str(random.SystemRandom().randrange(1_000_000)))
NOW = datetime(2027, 6, 1, 9, 0, tzinfo=ZoneInfo("Asia/Makassar"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What migrations write (groups, example pages) comes back after a test that empties the tables."""
    for item in items:
        names = getattr(item, "fixturenames", [])
        marker = item.get_closest_marker("django_db")
        transactional = {"transactional_db", "live_server", "worker", "site"} & set(names)
        if transactional or (marker and marker.kwargs.get("transaction")):
            names.append("django_db_serialized_rollback")
            # By the fixture alone nothing is kept when the tables are made, by the mark it is.
            if marker:
                marker.kwargs["serialized_rollback"] = True
            else:
                item.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the fault tests counted; here, since a run in several processes knows of no other conftest at its end."""
    reports = [report for some in terminalreporter.stats.values() for report in some if hasattr(report, "nodeid")]
    lines = [
        f"{report.nodeid.rpartition('::')[2]}: {value}"
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == "mails" and report.when == "teardown"
    ]
    if lines:
        terminalreporter.section(f"Mails (FAULT_SEED={os.environ['FAULT_SEED']})")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def django_test_environment(django_test_environment: None) -> None:
    # Django's test runner would keep mail in memory: ours goes to the SMTP server.
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """A browser brings an event loop along, and with it another connection: it too knows what migrations have written."""
    database = connections[DEFAULT_DB_ALIAS]
    if contents := getattr(database, "_test_serialized_contents", ""):
        type(database)._test_serialized_contents = contents


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """No test sees another's rate limits, queued tasks or mail texts."""
    cache.client.get_client().flushdb()
    mailtexts.forget()


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    """The SMTP server: `messages`, `to(address)`, `wait_for(n)`; `tempfail()`, `refuse()`, `drop()`, `hang()`, `stop()`."""
    from registration import smtp  # noqa: PLC0415 -- the settings are ready by now

    smtp.line.hang_up()
    mail_server.reset()
    yield mail_server
    smtp.line.hang_up()
    if mail_server.controller is None:
        mail_server.start()
    mail_server.reset()


@pytest.fixture
def now(time_machine, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """A Tuesday, nine in the morning in Makassar; time stands still, and so does the database's for the mail engine."""
    monkeypatch.setattr("registration.delivery.database_now", timezone.now)
    time_machine.move_to(NOW, tick=False)
    return NOW


@pytest.fixture
def signed_in_client() -> Callable[..., Client]:
    """`signed_in_client(user, fresh=True)`: and has just typed a code, as pages with personal data want it."""

    def sign_in(user, *, fresh: bool = False) -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        if fresh:
            session = client.session  # as allauth records it
            session["account_authentication_methods"] = [{"method": "code", "at": time.time(), "email": user.email}]
            session["account_authentication_methods_user"] = str(user.pk)
            session.save()
        return client

    return sign_in


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[Worker]:
    """A real Celery worker on this test's database: `worker.start()`; then `kill()`, `stop()`, `tick(task)`."""
    process = Worker(tmp_path / "worker.log")
    yield process
    process.kill()


@pytest.fixture
def broker() -> Iterator[embedded.Valkey]:
    """A Valkey of the test's own, to be stopped and started: `broker.stop()`, `broker.start()`."""
    valkey = embedded.Valkey(durable=False)
    valkey.throwaway = False  # a stop is not the end of it
    valkey.start()
    yield valkey
    valkey.throwaway = True
    valkey.stop()


@pytest.fixture
def site(transactional_db: None, broker: embedded.Valkey, tmp_path: Path) -> Iterator[Site]:
    """The web server as a process, with `broker` behind it."""
    process = Site(tmp_path / "site.log", broker.url)
    yield process.start()
    process.kill()


@pytest.fixture
def site_worker(site: Site, tmp_path: Path) -> Iterator[Worker]:
    """A worker beside `site`, not started yet."""
    process = Worker(tmp_path / "site-worker.log", site.redis_url)
    yield process
    process.kill()


@pytest.fixture(scope="session")
def browser():
    # Playwright's synchronous interface runs an event loop in this thread, where Django would refuse the ORM.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium.launched() as launched:
        yield launched


@pytest.fixture
def new_page(browser, live_server):
    """`new_page(java_script_enabled=False, viewport=...)`: a page of a fresh visitor; errors on it fail the test.

    Without a service worker, which would load the whole site in each test: `service_workers="allow"` lets it work.
    """
    contexts, errors = [], []

    def open_page(**options):
        defaults = {"base_url": live_server.url, "locale": "id-ID", "timezone_id": "Asia/Makassar"}
        defaults["service_workers"] = "block"
        context = browser.new_context(**(defaults | options))
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if is_violation(message) else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def is_violation(message) -> bool:
    return message.type == "error" and "Content Security Policy" in message.text


@pytest.fixture
def page(new_page):
    return new_page()


@pytest.fixture
def sign_in_page(signed_in_client, live_server):
    """`sign_in_page(page, user)`: the page's visitor is signed in from now on."""

    def sign_in(page, user, *, fresh: bool = False) -> None:
        session = signed_in_client(user, fresh=fresh).cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])

    return sign_in
