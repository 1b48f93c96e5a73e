"""Where returned mail lies: a file with one mail or many, a Maildir, or a mailbox behind IMAP.

Files are only read. Behind IMAP the reports are marked as seen; people's letters stay as they are, unread.
"""

import imaplib
import mailbox
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from urllib.parse import unquote, urlsplit

from registration import bounces, dsn

PORTS = {"imap": 143, "imap+tls": 143, "imaps": 993}
TIMEOUT = 30
# Older reports have been read before, or help nobody any more.
LOOKS_BACK = timedelta(days=14)


@dataclass
class Tally:
    read: int = 0
    reports: int = 0
    final: int = 0
    put_off: int = 0


def take(raw: bytes, tally: Tally, *, now: datetime) -> bool:
    """Reads one mail; whether it is a report of mail that came back, ours or not."""
    tally.read += 1
    reports = dsn.reports_in(raw, now=now)
    tally.reports += bool(reports)
    for report in reports:
        row = bounces.record(report, now=now)
        tally.final += bool(row and row.is_final)
        tally.put_off += bool(row and not row.is_final)
    return bool(reports)


def read_path(path: Path, *, now: datetime) -> Tally:
    """A Maildir, a folder of mails, an mbox or a single mail."""
    tally = Tally()
    for raw in mails_at(path):
        take(raw, tally, now=now)
    return tally


def mails_at(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        is_maildir = (path / "cur").is_dir() or (path / "new").is_dir()
        folders = [path / "new", path / "cur"] if is_maildir else [path]
        for folder in folders:
            for file in sorted(folder.iterdir() if folder.is_dir() else []):
                if file.is_file() and file.stat().st_size <= dsn.LARGEST:
                    yield file.read_bytes()
        return
    with path.open("rb") as start:
        is_mbox = start.read(5) == b"From "
    if not is_mbox:
        yield path.read_bytes()
        return
    box = mailbox.mbox(path, create=False)
    try:
        for key in box.iterkeys():
            yield box.get_bytes(key)
    finally:
        box.close()


# ---- IMAP


def read_imap(url: str, *, now: datetime) -> Tally:
    """Raises OSError or imaplib.IMAP4.error when the mailbox can't be opened."""
    tally = Tally()
    with opened(url) as box:
        since = (now - LOOKS_BACK).strftime("%d-%b-%Y")
        _answer, [found] = box.uid("SEARCH", "UNSEEN", "SINCE", since)
        for uid in (found or b"").decode().split():
            headers = fetched(box, uid, "(BODY.PEEK[HEADER])")
            if not dsn.may_be_report(message_from_bytes(headers)):
                continue
            if take(fetched(box, uid, f"(BODY.PEEK[]<0.{dsn.LARGEST}>)"), tally, now=now):
                box.uid("STORE", uid, "+FLAGS", r"(\Seen)")
    return tally


@contextmanager
def opened(url: str) -> Iterator[imaplib.IMAP4]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "imaps":
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT)
    else:
        box = imaplib.IMAP4(host, port, timeout=TIMEOUT)
    try:
        if parts.scheme == "imap+tls":
            box.starttls(context)
        box.login(unquote(parts.username or ""), unquote(parts.password or ""))
        folder = unquote(parts.path.strip("/")) or "INBOX"
        answer, _count = box.select(f'"{folder}"')
        if answer != "OK":
            raise imaplib.IMAP4.error(f"There is no folder {folder}.")
        yield box
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            box.logout()


def fetched(box: imaplib.IMAP4, uid: str, what: str) -> bytes:
    _answer, parts = box.uid("FETCH", uid, what)
    return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), b"")
