"""What the tests talk to, all of it real: PostgreSQL and Valkey as processes, SMTP as a server in this process.

`start` runs when Django asks for tests/settings.py. With xdist the controller starts the processes, each worker takes a
database, a Valkey number, an SMTP port and a web port of its own.
"""

import asyncio
import atexit
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from kpt import embedded, messages

# aiosmtpd writes down each command that it hears.
logging.getLogger("mail.log").setLevel(logging.WARNING)

# What the shell may hold for `make run` and no test wants.
UNSET = ["DEMO", "INBOX_DIR", "MAIL_PER_DAY", "MAIL_PER_MINUTE", "SENTRY_DSN", "SIGNUPS_PER_HOUR_PER_NETWORK"]
UNSET += ["TRUSTED_PROXIES"]
UNSET += ["BOUNCE_IMAP_URL", "BOUNCE_WEBHOOKS", "WEBHOOKS_TO_LOOPBACK"]
UNSET += [
    f"ZOOM_{name}" for name in ("ACCOUNT_ID", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET", "API_URL", "OAUTH_URL")
]


def start() -> "MailServer":
    """Start what this process needs and describe it in the environment, where the settings look."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    folder = own_folder()
    if not worker:
        messages.compile_catalogues()
        start_processes(folder)
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    mail_server = MailServer()
    web_port = embedded.free_port()
    settings = {
        # For the programs that tests start; this process has read tests/settings.py already.
        "DJANGO_SETTINGS_MODULE": "kpt.settings",
        "DATABASE_URL": os.environ["KPT_TEST_DATABASE_URL"],
        "REDIS_URL": numbered(os.environ["KPT_TEST_REDIS_URL"], number),
        "EMAIL_URL": mail_server.url,
        "SITE_URL": f"http://localhost:{web_port}",
        "DJANGO_LIVE_TEST_SERVER_ADDRESS": f"localhost:{web_port}",
        "ALLOWED_HOSTS": "localhost,testserver",
        "DEFAULT_FROM_EMAIL": "KPT <kpt@example.org>",
        "SECRET_KEY": "of-the-tests-alone-" * 3,
        "STATIC_ROOT": str(folder / "static"),
        "MEDIA_ROOT": str(folder / "media"),
        # On while the settings load, for static files without a manifest; pytest-django then turns it off.
        "DEBUG": "on",
    }
    os.environ |= settings
    for name in UNSET:
        os.environ.pop(name, None)
    for name in (*UNSET, *settings):
        os.environ.pop(f"{name}_FILE", None)
    return mail_server


def own_folder() -> Path:
    """Thrown away at the end, together with those of runs that were killed before theirs."""
    for old in Path(tempfile.gettempdir()).glob("kpt-tests-*"):
        pid = old.name.split("-")[2]
        if pid.isdecimal() and not is_running(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"kpt-tests-{os.getpid()}-"))
    folder.chmod(0o711)  # root's servers run as somebody else
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("static", "media"):
        (folder / name).mkdir()
    return folder


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def start_processes(folder: Path) -> None:
    """PostgreSQL and Valkey, unless the environment names some to use."""
    for name, kind in (("KPT_TEST_DATABASE_URL", embedded.Postgres), ("KPT_TEST_REDIS_URL", embedded.Valkey)):
        if name not in os.environ:
            server = kind(folder / kind.name, durable=False)
            server.start()
            os.environ[name] = server.url


def numbered(redis_url: str, number: int) -> str:
    return urlsplit(redis_url)._replace(path=f"/{number}").geturl()


class MailServer:
    """An SMTP server whose mail can be read and whose behaviour can be set."""

    def __init__(self) -> None:
        self.port = embedded.free_port()
        self.controller: Controller | None = None
        self.reset()
        self.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def reset(self) -> None:
        self.messages: list[EmailMessage] = []
        self.attempts = 0
        self.connections = 0
        self.delay = 0.0
        self.refused_people: dict[str, str] = {}
        self.most_on_a_line = 0
        self.accept()

    def start(self) -> None:
        self.controller = Recorder(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        """From now on nobody listens at the port."""
        if self.controller:
            self.controller.stop()
            self.controller = None

    # ---- What it does with the next messages (and `delay`, the seconds that it takes over each)

    def accept(self) -> None:
        self.behave(lambda message: "250 2.0.0 Accepted")

    def tempfail(self, answer: str = "451 4.3.2 Try again later") -> None:
        self.behave(lambda message: answer)

    def refuse(self, answer: str = "550 5.1.1 No such person here") -> None:
        self.behave(lambda message: answer)

    def refuse_person(self, address: str, answer: str = "550 5.1.1 No such person here") -> None:
        """Refuse her alone, before the message is sent."""
        self.refused_people[address] = answer

    def drop(self) -> None:
        """Close the connection instead of answering."""
        self.behave(lambda message: None)

    def hang(self, seconds: float = 60) -> None:
        self.behave(lambda message: seconds)

    def close_lines_after(self, count: int) -> None:
        """Of each line so many mails are taken; the next is told 421, and the line is closed."""
        self.most_on_a_line = count

    def behave(self, behaviour: Callable[[EmailMessage], str | float | None]) -> None:
        """An answer, or None to hang up, or the seconds to say nothing; 2xx means that the message is kept."""
        self.behaviour = behaviour

    # ---- What it received

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.messages if address in message["X-Envelope-To"].split()]

    def wait_for(self, count: int, seconds: float = 20) -> list[EmailMessage]:
        wait_until(lambda: len(self.messages) >= count, seconds, lambda: f"{len(self.messages)} of {count} mails came")
        return self.messages

    def wait_for_silence(self, seconds: float = 0.15) -> None:
        """What was on its way at a kill has come."""
        count = -1
        while count != len(self.messages):
            count = len(self.messages)
            time.sleep(seconds)

    def wait_for_attempts(self, count: int, seconds: float = 20) -> None:
        wait_until(lambda: self.attempts >= count, seconds, lambda: f"{self.attempts} of {count} attempts came")


class Recorder(Controller):
    def __init__(self, mail_server: MailServer, **where: Any) -> None:
        super().__init__(self, **where)
        self.mail_server = mail_server

    def factory(self) -> SMTP:
        self.mail_server.connections += 1
        return Line(self, ident="KPT tests", enable_SMTPUTF8=True, number=self.mail_server.connections)

    async def handle_MAIL(
        self, server: "Line", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mail_server.most_on_a_line and server.carried >= self.mail_server.most_on_a_line:
            asyncio.get_running_loop().call_later(0.05, server.hang_up)
            return "421 4.7.0 Too many messages over this line"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.mail_server.refused_people.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: "Line", session: Session, envelope: Envelope) -> str:
        message: Any = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]
        message["X-Envelope-To"] = " ".join(envelope.rcpt_tos)
        message["X-Line"] = str(server.number)
        self.mail_server.attempts += 1
        await asyncio.sleep(self.mail_server.delay)
        answer = self.mail_server.behaviour(message)
        if isinstance(answer, str):
            if answer.startswith("2"):
                server.carried += 1
                self.mail_server.messages.append(message)
            return answer
        if answer is not None:
            await asyncio.sleep(answer)
        server.hang_up()
        return "421 4.3.2 Closing"


class Line(SMTP):
    """One connection of a client."""

    def __init__(self, *args: Any, number: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.number = number
        self.carried = 0

    def hang_up(self) -> None:
        if self.transport:
            self.transport.abort()


def wait_until(condition: Callable[[], Any], seconds: float = 20, otherwise: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise() or f"not so within {seconds} seconds")
        time.sleep(0.05)
