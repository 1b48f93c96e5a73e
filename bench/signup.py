"""Complete sign-ups over HTTP, as browsers do them: form, POST, code from the mail's row, code page, confirmation.

Lean, since it runs on the cores that it measures: plain sockets, one kept connection for each visitor.
"""

import itertools
import re
import socket
import time
import zlib
from dataclasses import dataclass, field
from urllib.parse import urlencode

import psycopg

from bench.load import in_parallel

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)
COOKIE = re.compile(rb"\r\nSet-Cookie: ([^=]+)=([^;\r]*)", re.IGNORECASE)
LOCATION = re.compile(rb"\r\nLocation: ([^\r]+)", re.IGNORECASE)
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')
CODE = "SELECT context->>'code' FROM registration_outgoingmail WHERE kind = 'code' AND \"to\" = %s ORDER BY created_at DESC"


@dataclass
class Answer:
    status: int
    location: str
    body: bytes


@dataclass
class Browser:
    """One visitor with her cookies and her kept connection; reads compressed pages."""

    port: int
    cookies: dict[bytes, bytes] = field(default_factory=dict)

    def __enter__(self) -> "Browser":
        self.line = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(self, *_error: object) -> None:
        self.line.close()

    def get(self, path: str) -> Answer:
        return self.ask(b"GET %b HTTP/1.1\r\n" % path.encode(), b"")

    def post(self, path: str, data: dict[str, str]) -> Answer:
        body = urlencode(data).encode()
        kind = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(body)
        return self.ask(b"POST %b HTTP/1.1\r\n%b" % (path.encode(), kind), body)

    def ask(self, start: bytes, body: bytes) -> Answer:
        cookies = b"; ".join(b"%b=%b" % pair for pair in self.cookies.items())
        host = b"Host: 127.0.0.1:%d\r\nAccept-Encoding: gzip\r\n" % self.port
        self.line.sendall(start + host + (b"Cookie: %b\r\n" % cookies if cookies else b"") + b"\r\n" + body)
        return self.answer()

    def answer(self) -> Answer:
        read = bytearray()
        while (end := read.find(HEAD_END)) < 0:
            read += self.more()
        head = bytes(read[: end + 2])
        length = int(LENGTH.search(head)[1])  # type: ignore[index]
        while len(read) < end + 4 + length:
            read += self.more()
        self.cookies.update(COOKIE.findall(head))
        place = LOCATION.search(head)
        body = bytes(read[end + 4 :])
        if b"\r\nContent-Encoding: gzip" in head:
            body = zlib.decompress(body, 16 + zlib.MAX_WBITS)
        return Answer(int(head[9:12]), place[1].decode() if place else "", body)

    def more(self) -> bytes:
        data = self.line.recv(65536)
        if not data:
            raise RuntimeError("The site hung up in the middle of an answer.")
        return data

    def form(self, path: str) -> str:
        """The CSRF token of the form on this page."""
        return TOKEN.search(self.get(path).body)[1].decode()  # type: ignore[index]


def complete(port: int, database: psycopg.Connection, webinar: str, email: str) -> None:
    with Browser(port) as browser:
        location = send_form(browser, webinar, email, browser.form("/daftar/"))
        [code] = database.execute(CODE, [email]).fetchone()  # type: ignore[misc]
        answer = browser.post(location, {"code": code, "csrfmiddlewaretoken": browser.form(location)})
    if answer.status != 302 or not answer.location.startswith("/saya/"):
        raise RuntimeError(f"The code was answered with {answer.status} {answer.location}")


def send_form(browser: Browser, webinar: str, email: str, token: str) -> str:
    """The address of the page that asks for the code."""
    answers = {"webinars": webinar, "name": "Contoh Beban", "email": email, "province": "53"}
    answers |= {"consent_processing": "on", "csrfmiddlewaretoken": token}
    answer = browser.post("/daftar/", answers)
    if answer.status != 302:
        words = re.sub(r"\s*<[^>]*>\s*", " ", answer.body.decode())
        raise RuntimeError(f"The form was answered with {answer.status}: {words[:2000]}")
    return answer.location


def run(port: int, database_url: str, webinar: str, *, seconds: float, clients: int, prefix: str) -> list[float]:
    """How long each took, in seconds."""
    numbers, times = itertools.count(), []
    ends = time.perf_counter() + seconds

    def client() -> None:
        with psycopg.connect(database_url, autocommit=True, prepare_threshold=1) as database:
            while (started := time.perf_counter()) < ends:
                complete(port, database, webinar, f"{prefix}{next(numbers)}@example.org")
                times.append(time.perf_counter() - started)

    in_parallel(client, clients)
    return times
