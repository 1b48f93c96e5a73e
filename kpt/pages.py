"""Public pages kept as bytes in each worker, compressed once, and answered before Django wakes up.

A page is a pure function of content, language and time. The database tells every worker of a content change; what depends
on the hour ("running", seats left) is at most FRESH_FOR old.
"""

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import brotli  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware

from conference.notices import FRESH_FOR, notices

MOST_PAGES = 500
LARGEST_PAGE = 256 * 1024
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=6),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}
COMPRESSIBLE = ("text/", "application/json", "application/xml", "application/atom+xml", "application/manifest+json")

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


@dataclass(frozen=True)
class Page:
    headers: list[tuple[str, str]]
    bodies: dict[str, bytes]  # by content encoding; "" is the plain one
    digest: str
    revision: int
    until: float

    def answer(self, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status line, headers and body; 304 for who has it already."""
        accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
        encoding = next((name for name in self.bodies if name and name in accepted), "")
        tag = f'"{self.digest}{encoding and f"-{encoding}"}"'
        headers = [*self.headers, ("ETag", tag), ("Vary", "Accept-Encoding")]
        if has_it(environ.get("HTTP_IF_NONE_MATCH", ""), tag):
            kept = [(name, value) for name, value in headers if name != "Content-Type"]
            return "304 Not Modified", kept, b""
        body = self.bodies[encoding]
        if encoding:
            headers.append(("Content-Encoding", encoding))
        headers.append(("Content-Length", str(len(body))))
        return "200 OK", headers, b"" if environ["REQUEST_METHOD"] == "HEAD" else body


def has_it(if_none_match: str, tag: str) -> bool:
    known = [word.strip().removeprefix("W/") for word in if_none_match.split(",")]
    return tag in known or known == ["*"]


# ---- What is kept


class Shelf:
    """The kept pages of this process."""

    def __init__(self) -> None:
        self.pages: OrderedDict[tuple[str, ...], Page] = OrderedDict()
        self.lock = threading.Lock()

    def find(self, environ: Environ) -> Page | None:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or environ.get("QUERY_STRING"):
            return None
        page = self.pages.get(key_of(environ))
        is_fresh = page and notices.still_hold(page.revision) and time.monotonic() < page.until
        return page if is_fresh else None

    def keep(self, environ: Environ, page: Page) -> None:
        with self.lock:
            self.pages[key_of(environ)] = page
            self.pages.move_to_end(key_of(environ))
            if len(self.pages) > MOST_PAGES:
                self.pages.popitem(last=False)


shelf = Shelf()


def key_of(environ: Environ) -> tuple[str, ...]:
    """All of a request that a public page may depend on."""
    names = ("wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO")
    return tuple(environ.get(name, "") for name in names)


# ---- The two doors


def answered_from_the_shelf(application: Application) -> Application:
    """The outermost WSGI layer: a kept page costs no SQL query, no template and no middleware."""

    notices.is_open = True

    def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        page = shelf.find(environ)
        if page is None:
            return application(environ, start_response)
        status, headers, body = page.answer(environ)
        start_response(status, headers)
        return [body]

    return answer


def keep_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The outermost middleware: keeps what a view says may be kept, and compresses what leaves."""
    zip_up = GZipMiddleware(get_response).process_response

    def middleware(request: HttpRequest) -> HttpResponse:
        revision = notices.revision
        response = get_response(request)
        if not may_be_kept(request, response):
            return cast(HttpResponse, zip_up(request, response))
        notices.listen()
        page = page_of(response, revision)
        shelf.keep(request.META, page)
        return response_of(page, request)

    return middleware


def may_be_kept(request: HttpRequest, response: HttpResponse) -> bool:
    return (
        notices.is_open
        and getattr(response, "may_be_kept", False)
        and request.method == "GET"
        and not request.META.get("QUERY_STRING")
        and response.status_code == 200
        and not response.cookies
        and not response.streaming
        and len(response.content) <= LARGEST_PAGE
    )


def page_of(response: HttpResponse, revision: int) -> Page:
    body = response.content
    headers = [(name, value) for name, value in response.items() if name not in {"Vary", "ETag", "Content-Length"}]
    bodies = {"": body}
    if response["Content-Type"].startswith(COMPRESSIBLE):
        bodies = {name: encode(body) for name, encode in ENCODERS.items()} | bodies
    digest = hashlib.blake2s(body, digest_size=10).hexdigest()
    return Page(headers, bodies, digest, revision, time.monotonic() + FRESH_FOR)


def response_of(page: Page, request: HttpRequest) -> HttpResponse:
    status, headers, body = page.answer(request.META)
    response = HttpResponse(body, status=int(status[:3]))
    del response["Content-Type"]
    for name, value in headers:
        response[name] = value
    return response
