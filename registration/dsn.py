"""Reading mail that came back: RFC 3464 reports, and the two older forms that name the mail as safely as they do."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string
from email.errors import MessageError
from email.message import Message
from email.utils import parsedate_to_datetime

from django.utils import timezone

from registration import bounces
from registration.models import BounceReport

# A report with the whole of our mail in it is far smaller; what is larger is something else.
LARGEST = 2 * 1024 * 1024
STATUS_PARTS = {"message/delivery-status", "message/global-delivery-status"}
OUR_MAIL_PARTS = {"message/rfc822", "message/global", "message/global-headers"}
OUR_HEADER_PARTS = {"text/rfc822-headers", "text/plain"}
# Of the returned mail. The second is there for servers on the way that put their own Message-ID in place of ours.
NAMING_HEADERS = ("Message-ID", "X-KPT-Mail")
# Of the report itself.
REPLYING_HEADERS = ("In-Reply-To", "References", "X-Original-Message-ID", "Original-Message-ID")
MESSAGE_ID = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
NAMED_IN_TEXT = re.compile(r"^(?:Message-ID|X-KPT-Mail):\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
DELAYED = re.compile(r"not yet been delivered|delayed|will (be retried|keep trying)", re.IGNORECASE)
QMAIL_RECIPIENT = re.compile(r"^<([^<>\s]+@[^<>\s]+)>:\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Returned:
    """What a report says about one recipient."""

    emails: tuple[str, ...]
    action: str
    status: str
    words: str
    message_ids: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        return self.action == "failed" and bounces.says_gone(self.words, self.status)


def reports_in(raw: bytes, *, now: datetime) -> list[bounces.Report]:
    """As `bounces.record` takes them; empty for everything that is no report of mail that came back."""
    if len(raw) > LARGEST:
        return []
    try:
        message = message_from_bytes(raw)
        found = list(read(message))
    except (MessageError, RecursionError, LookupError, ValueError):  # made to be unreadable
        return []
    return [report_of(message, returned, now=now) for returned in found if returned.emails]


def report_of(message: Message, returned: Returned, *, now: datetime) -> bounces.Report:
    of_report = str(message.get("Message-ID") or message.get("Date") or "")
    facts = "\n".join([of_report, *returned.emails, returned.action, returned.status, *returned.message_ids])
    return bounces.Report(
        key=f"mail:{hashlib.sha256(facts.encode(errors='replace')).hexdigest()}",
        source=BounceReport.Source.MAIL,
        emails=returned.emails,
        words=" ".join(filter(None, [returned.status, returned.words])),
        is_final=returned.is_final,
        at=min(date_of(message) or now, now),
        message_ids=returned.message_ids,
    )


def date_of(message: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(str(message["Date"]))
    except ValueError:
        return None
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment, UTC)


def may_be_report(headers: Message) -> bool:
    """By its headers alone, so that people's letters in the same mailbox are not fetched."""
    is_report = headers.get_content_type() == "multipart/report"
    return is_report or "X-Failed-Recipients" in headers or is_from_server(headers)


def is_from_server(headers: Message) -> bool:
    return (
        str(headers.get("Return-Path", "")).strip() == "<>" or "mailer-daemon@" in str(headers.get("From", "")).lower()
    )


def read(message: Message) -> Iterator[Returned]:
    if message.get_content_type() == "multipart/report":
        yield from read_report(message)
    elif "X-Failed-Recipients" in message:
        yield from read_exim(message)
    elif is_from_server(message) and "qmail-send program" in (text := text_of(message)):
        yield from read_qmail(text)


# ---- RFC 3464, and RFC 6533 for addresses with other letters


def read_report(message: Message) -> Iterator[Returned]:
    status = next((part for part in message.walk() if part.get_content_type() in STATUS_PARTS), None)
    if status is None:  # a read receipt, or a complaint
        return
    message_ids = tuple(dict.fromkeys([*ids_of_returned(message), *ids_of_report(message)]))
    for block in blocks_of(status)[1:]:
        if returned := of_recipient(block):
            yield replace(returned, message_ids=message_ids)


def blocks_of(part: Message) -> list[Message]:
    """About the mail, then about each recipient."""
    payload = part.get_payload()
    blocks = [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []
    if len(blocks) != 1:
        return blocks
    # Python reads the newer type as one mail whose text is the rest.
    rest = re.split(r"\r?\n\s*\r?\n", str(blocks[0].get_payload()))
    return [*blocks, *(message_from_string(text.strip() + "\n\n") for text in rest if text.strip())]


def of_recipient(block: Message) -> Returned | None:
    emails = [address_in(block[name]) for name in ("Original-Recipient", "Final-Recipient") if block[name]]
    action = str(block["Action"] or "").strip().lower()
    if action not in {"failed", "delayed"}:
        return None  # delivered, passed on
    # The first word of a comment such as "5.1.1 (bad destination mailbox)".
    status = (str(block["Status"] or "").split() or [""])[0]
    words = str(block["Diagnostic-Code"] or "").partition(";")[2]
    return Returned(tuple(dict.fromkeys(filter(None, emails))), action, status, " ".join(words.split()))


def address_in(field: object) -> str:
    """rfc822; <name@example.org>"""
    kind, _semicolon, address = str(field).partition(";")
    return (address or kind).strip().strip("<>").lower()


def ids_of_returned(message: Message) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_type() in OUR_MAIL_PARTS:
            payload = part.get_payload()
            returned = payload[0] if isinstance(payload, list) and payload else None
            if isinstance(returned, Message):
                yield from ids_in(returned, NAMING_HEADERS)
        elif part is not message and part.get_content_type() in OUR_HEADER_PARTS:
            yield from NAMED_IN_TEXT.findall(text_of(part))


def ids_of_report(message: Message) -> Iterator[str]:
    yield from ids_in(message, REPLYING_HEADERS)


def ids_in(headers: Message, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from MESSAGE_ID.findall(str(headers.get(name, "")))


# ---- Older forms: taken for the recipients they name, of the mail whose Message-ID they return


def read_exim(message: Message) -> Iterator[Returned]:
    text = text_of(message)
    action = "delayed" if DELAYED.search(str(message.get("Subject", "")) + text[:1000]) else "failed"
    for email in str(message["X-Failed-Recipients"]).lower().split(","):
        yield older(email.strip(), action, text, after=email.strip())


def read_qmail(text: str) -> Iterator[Returned]:
    for found in QMAIL_RECIPIENT.finditer(text):
        yield older(found[1].lower(), "failed", text, after=f"<{found[1]}>:")


def older(email: str, action: str, text: str, *, after: str) -> Returned:
    """The server's words are the paragraph after the address."""
    place = text.lower().find(after.lower())
    paragraph = text[place + len(after) :].strip().split("\n\n")[0] if place >= 0 else ""
    status = next(iter(bounces.ENHANCED.findall(paragraph)), "")
    return Returned((email,), action, status, " ".join(paragraph.split()), tuple(NAMED_IN_TEXT.findall(text)))


def text_of(message: Message) -> str:
    texts = [part for part in message.walk() if not part.is_multipart() and part.get_content_maintype() == "text"]
    return "\n".join(decoded(part) for part in texts).replace("\r\n", "\n")


def decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        return payload.decode("utf-8", errors="replace")
