"""A letter's bytes. Python's own generator takes longer over them than everything else about a mail together."""

import re
import uuid
from email.header import Header
from email.utils import formatdate
from functools import cache

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address

# What needs no word of RFC 5322's or 2047's about quoting.
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9.!#$&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
PLAIN_WORDS = re.compile(r"[\x20-\x7e]{0,900}")
# SMTP knows no longer lines (RFC 5321, 4.5.3.1.6).
LONGEST_LINE = 998


class Letter(EmailMultiAlternatives):
    """A text, the same as HTML, and perhaps files of text."""

    def to_bytes(self) -> bytes:
        """As `message().as_bytes()` in meaning, with lines that end as SMTP wants them."""
        written = self.written() if self.is_plain() else None
        if written is None or max(map(len, written.split(b"\r\n"))) > LONGEST_LINE:
            return self.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
        return written

    def is_plain(self) -> bool:
        """Whether nothing is in it that only the generator knows how to write."""
        files = all(isinstance(file, tuple) and file[2].startswith("text/") for file in self.attachments)
        names = all(PLAIN_WORDS.fullmatch(f"{name}{value}") for name, value in self.extra_headers.items())
        return files and names and len(self.alternatives) == 1 and len(self.to) == 1 and not (self.cc or self.bcc)

    def written(self) -> bytes:
        outer, inner = uuid.uuid4().hex, uuid.uuid4().hex
        [(html, kind)] = self.alternatives
        parts = [part("text/plain", str(self.body)), part(kind, str(html))]
        body = multipart("alternative", inner, parts)
        if self.attachments:
            body = multipart("mixed", outer, [body, *[attached(*file) for file in self.attachments]])
        lines = [f"{name}: {value}" for name, value in self.head().items()]
        return "\r\n".join([*lines, body]).encode()

    def head(self) -> dict[str, str]:
        head = {"MIME-Version": "1.0", "Subject": words(str(self.subject)), "From": sender(self.from_email)}
        return head | {"To": recipient(self.to[0]), "Date": formatdate()} | self.extra_headers


def part(kind: str, content: str, *more: str) -> str:
    lines = [f'Content-Type: {kind}; charset="utf-8"', "Content-Transfer-Encoding: 8bit", *more]
    return "\r\n".join([*lines, "", content.replace("\r\n", "\n").replace("\n", "\r\n")])


def attached(name: str, content: str | bytes, kind: str) -> str:
    text = content.decode() if isinstance(content, bytes) else content
    kind = kind.replace("; charset=utf-8", "")
    return part(kind, text, f'Content-Disposition: attachment; filename="{name}"')


def multipart(kind: str, boundary: str, parts: list[str]) -> str:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n'
    return "\r\n".join([head, *[f"--{boundary}\r\n{part}" for part in parts], f"--{boundary}--", ""])


def words(text: str) -> str:
    return text if PLAIN_WORDS.fullmatch(text) and "=?" not in text else Header(text, "utf-8", 72).encode()


@cache
def sender(address: str) -> str:
    return str(sanitize_address(address, "utf-8"))


def recipient(address: str) -> str:
    """Raises ValueError for one that can't be written to."""
    if PLAIN_ADDRESS.fullmatch(address):
        return address
    if "\n" in address or "\r" in address:
        raise ValueError("a line break in the address")
    return str(sanitize_address(address, "utf-8"))
