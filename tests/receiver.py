"""Another system that listens for webhooks: a real HTTPS server on this machine, with a certificate of its own.

Several in one folder share it.
"""

import ipaddress
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import wait_until

Behaviour = Callable[["Handler"], None]


class Receiver:
    """`requests` in the order of their arrival; `answer(status)`, `hang()`, `drip()`, `drop()`, `redirect(url)`."""

    def __init__(self, folder: Path, *, names: tuple[str, ...] = ("localhost",)) -> None:
        self.requests: list[SimpleNamespace] = []
        self.released = threading.Event()
        self.answer()
        self.certificate = folder / "receiver.pem"
        if not self.certificate.exists():
            write_certificate(self.certificate, names)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"receiver": self}))
        self.server.daemon_threads = True
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/hook"

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def wait_for(self, number: int, seconds: float = 20) -> list[SimpleNamespace]:
        wait_until(lambda: len(self.requests) >= number, seconds, lambda: f"{len(self.requests)} of {number} came")
        return self.requests

    # ---- What it does with the next requests

    def behave(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour

    def answer(self, *statuses: int, words: bytes = b"ok") -> None:
        """One after the other; the last stays."""
        rest = list(statuses or [200])

        def behaviour(handler: "Handler") -> None:
            handler.reply(rest.pop(0) if len(rest) > 1 else rest[0], words)

        self.behave(behaviour)

    def redirect(self, url: str) -> None:
        self.behave(lambda handler: handler.reply(307, b"", Location=url))

    def hang(self) -> None:
        self.behave(lambda handler: self.released.wait(60) and None)

    def drip(self) -> None:
        """A byte of the head now and then: each in time, the whole never."""

        def behaviour(handler: "Handler") -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.released.is_set():
                handler.wfile.write(b"a")
                time.sleep(0.05)

        self.behave(behaviour)

    def drop(self) -> None:
        self.behave(lambda handler: handler.connection.close())


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.receiver.requests.append(
            SimpleNamespace(path=self.path, headers=dict(self.headers), body=body, at=time.monotonic())
        )
        with suppress(OSError):
            self.receiver.behaviour(self)

    do_GET = do_POST

    def reply(self, status: int, words: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(words)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(words)

    def log_message(self, format: str, *args: object) -> None:
        pass


def write_certificate(file: Path, names: tuple[str, ...]) -> None:
    """Of the server and of whoever vouches for it, in one file with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form) + certificate.public_bytes(serialization.Encoding.PEM)
    )
