"""An HTTPS request to an address that somebody has typed in: to machines on the internet alone, and never for long.

The name is looked up once, each of its addresses is checked, and the line goes to the very address that was checked: a
name that leads elsewhere a moment later leads nowhere. Redirects are not followed, proxies of the environment not asked.
"""

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_noop

# Seconds: to connect and for each answer, and for all of it, however slowly somebody answers.
PATIENCE, DEADLINE = 10, 20
MOST_OF_ANSWER = 2000
HTTPS = 443

NOT_HTTPS = gettext_noop("The address must begin with https://, with no name or password in it.")
NOT_OUTSIDE = gettext_noop("The address leads into a network of our own, not to the internet.")
NO_SUCH_NAME = gettext_noop("There is no machine of this name.")
NO_ANSWER = gettext_noop("No answer came in time.")
NO_LINE = gettext_noop("The machine can't be reached.")
NO_TRUST = gettext_noop("The machine's certificate is not to be trusted.")
NO_HTTP = gettext_noop("The answer can't be understood.")

# IPv4 inside IPv6: whatever stands in there is where it leads.
NAT64 = ip_network("64:ff9b::/96")
# Of IPv6 nothing else is the internet: Python knows neither the old forms that hold an IPv4 address nor site-local ones.
INTERNET = ip_network("2000::/3")

Address = IPv4Address | IPv6Address


class Unreachable(Exception):
    """The words are ours, in English, for the log."""


@dataclass(frozen=True)
class Answer:
    status: int
    words: str


@dataclass(frozen=True)
class Place:
    host: str
    port: int
    path: str


def place_of(url: str) -> Place:
    """Its parts. Raises Unreachable for what we would not go to, as far as can be seen without asking anybody."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or HTTPS
    except ValueError:
        raise Unreachable(NOT_HTTPS) from None
    if parts.scheme != "https" or not host or parts.username or parts.password or not url.isascii():
        raise Unreachable(NOT_HTTPS)
    with suppress(ValueError):
        check(ip_address(host))
    if host == "localhost" and not settings.WEBHOOKS_TO_LOOPBACK:
        raise Unreachable(NOT_OUTSIDE)
    return Place(host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def check(address: Address) -> None:
    if not is_outside(address):
        raise Unreachable(NOT_OUTSIDE)


def is_outside(address: Address) -> bool:
    if settings.WEBHOOKS_TO_LOOPBACK and address.is_loopback:
        return True
    if inner := inside(address):
        return is_outside(inner)
    if isinstance(address, IPv6Address) and address not in INTERNET:
        return False
    return address.is_global and not address.is_multicast


def inside(address: Address) -> Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def addresses_of(place: Place) -> list[str]:
    """All of them, each checked: one that leads inside spoils the name."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(NO_SUCH_NAME) from None
    addresses = list(dict.fromkeys(str(address[0]) for *_kind, address in found))
    for address in addresses:
        check(ip_address(address.partition("%")[0]))
    return addresses


@cache
def trust() -> ssl.SSLContext:
    return ssl.create_default_context()


class Line(HTTPSConnection):
    """To one of the checked addresses; the certificate is that of the name."""

    def __init__(self, place: Place, addresses: list[str]) -> None:
        super().__init__(place.host, place.port, timeout=PATIENCE, context=trust())
        self.addresses = addresses

    def connect(self) -> None:
        for number, address in enumerate(self.addresses, 1):
            try:
                plain = socket.create_connection((address, self.port), self.timeout)
            except OSError:
                if number == len(self.addresses):
                    raise
            else:
                # Before the two sides greet each other, so that the deadline finds it.
                self.sock = trust().wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
                self.sock.do_handshake()
                return

    def hang_up(self) -> None:
        if line := self.sock:
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)  # an SSLSocket's own would go on in the clear


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Raises Unreachable."""
    place = place_of(url)
    line = Line(place, addresses_of(place))
    deadline = threading.Timer(DEADLINE, line.hang_up)
    deadline.daemon = True
    deadline.start()
    try:
        line.request("POST", place.path, body, {**headers, "Connection": "close"})
        answer = line.getresponse()
        words = answer.read(MOST_OF_ANSWER).decode(errors="replace").replace("\0", "")
        if not deadline.is_alive():  # the line that we have ended ends the answer too
            raise Unreachable(NO_ANSWER)
        return Answer(answer.status, words)
    except ssl.SSLCertVerificationError:
        raise Unreachable(NO_TRUST) from None
    except TimeoutError:
        raise Unreachable(NO_ANSWER) from None
    except (HTTPException, ValueError):
        raise Unreachable(NO_HTTP if deadline.is_alive() else NO_ANSWER) from None
    except OSError:
        raise Unreachable(NO_LINE if deadline.is_alive() else NO_ANSWER) from None
    finally:
        deadline.cancel()
        line.close()
