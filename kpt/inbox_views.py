"""The pages of the local SMTP inbox: every mail of a `make run`. They exist only where INBOX_DIR is set."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

PAGE = 50
CODE = re.compile(r"^[ \t]*([0-9]{6})[ \t]*$", re.MULTILINE)
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
# The mail itself: no scripts, no forms, nothing fetched; its links open outside the frame.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)


@dataclass
class Mail:
    name: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def recipients(self) -> str:
        return str(self.message["X-Envelope-To"] or "")

    @property
    def received_at(self) -> datetime:
        return datetime.fromisoformat(str(self.message["X-Received-At"]))

    @property
    def text(self) -> str:
        return content(self.message.get_body(("plain",)))

    @property
    def html(self) -> str:
        return content(self.message.get_body(("html",)))

    @property
    def code(self) -> str:
        """The six-digit code of a sign-in or sign-up mail, which stands on a line of its own."""
        found = CODE.search(self.text)
        return found[1] if found else ""

    @property
    def headers(self) -> list[tuple[str, str]]:
        # A template cannot call the message: it would look for a header named like the method.
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def attachments(self) -> list[MIMEPart]:
        return list(self.message.iter_attachments())

    @property
    def attachment_names(self) -> list[str]:
        return [part.get_filename() or part.get_content_type() for part in self.attachments]


def content(part: MIMEPart | None) -> str:
    return str(part.get_content()) if part else ""


def folder() -> Path:
    if not settings.INBOX_DIR:
        raise Http404
    return Path(settings.INBOX_DIR)


def read(file: Path) -> Mail:
    try:
        with file.open("rb") as opened:
            return Mail(file.stem, BytesParser(EmailMessage, policy=policy.default).parse(opened))
    except FileNotFoundError as error:
        raise Http404 from error


def newest_first(before: str, recipient: str) -> Iterator[Mail]:
    names = sorted((file.stem for file in folder().glob("[0-9]*.eml")), reverse=True)
    for name in names:
        if not before or name < before:
            mail = read(folder() / f"{name}.eml")
            if recipient in mail.recipients.lower().split(", ") or not recipient:
                yield mail


@never_cache
@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    recipient = request.GET.get("to", "").strip().lower()
    mails = list(islice(newest_first(request.GET.get("before", ""), recipient), PAGE + 1))
    older = mails[PAGE - 1].name if len(mails) > PAGE else ""
    context: dict[str, object] = {"mails": mails[:PAGE], "recipient": recipient, "older": older}
    return page(request, "inbox/list.html", context)


@never_cache
@require_safe
def message(request: HttpRequest, name: str) -> HttpResponse:
    return page(request, "inbox/message.html", {"mail": read(folder() / f"{name}.eml")})


def page(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, template, context)
    response["Content-Security-Policy"] = PAGE_POLICY
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
@xframe_options_sameorigin
def html(request: HttpRequest, name: str) -> HttpResponse:
    body = read(folder() / f"{name}.eml").html
    if not body:
        raise Http404
    # The frame's sandbox lets a link open a new window only.
    response = HttpResponse(re.sub(r"(<head[^>]*>)", r'\1<base target="_blank">', body, count=1, flags=re.IGNORECASE))
    response["Content-Security-Policy"] = MAIL_POLICY
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
def attachment(request: HttpRequest, name: str, number: str) -> HttpResponse:
    parts = read(folder() / f"{name}.eml").attachments
    if int(number) >= len(parts):
        raise Http404
    part = parts[int(number)]
    response = HttpResponse(part.get_payload(decode=True), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, part.get_filename() or "attachment")
    response["Content-Security-Policy"] = "sandbox"
    response["X-Robots-Tag"] = "noindex"
    return response
