"""Blank forms kept as bytes: drawn and compressed once for all who come without a cookie, each with a CSRF token of its own.

Like a kept page (`kpt/pages.py`), but every answer differs in its token, so it goes through the middleware. The token stands
near the end of the page: what comes before it is compressed already.
"""

import re
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.cache import patch_vary_headers

from conference.notices import notices

FRESH_FOR = 5  # seconds: it says how many seats are left
MOST_BLANKS = 50
TOKEN = re.compile(rb'(?<=name="csrfmiddlewaretoken" value=")\w{64}(?=")')

Key = tuple[str, ...]


@dataclass(frozen=True)
class Blank:
    """What stands before and after the token; `squeezed` is a compressor that has read what stands before it."""

    headers: list[tuple[str, str]]
    before: bytes
    after: bytes
    squeezed: tuple[bytes, "zlib._Compress"]
    revision: int
    until: float

    def with_token(self, token: bytes) -> bytes:
        return self.before + token + self.after

    def with_token_compressed(self, token: bytes) -> bytes:
        start, compressor = self.squeezed[0], self.squeezed[1].copy()
        return start + compressor.compress(token + self.after) + compressor.flush()


class Drawer:
    """The blanks of this process."""

    def __init__(self) -> None:
        self.blanks: OrderedDict[Key, Blank] = OrderedDict()
        self.lock = threading.Lock()

    def find(self, key: Key) -> Blank | None:
        blank = self.blanks.get(key)
        is_fresh = blank and notices.still_hold(blank.revision) and time.monotonic() < blank.until
        return blank if is_fresh else None

    def keep(self, key: Key, blank: Blank) -> None:
        with self.lock:
            self.blanks[key] = blank
            self.blanks.move_to_end(key)
            if len(self.blanks) > MOST_BLANKS:
                self.blanks.popitem(last=False)


drawer = Drawer()


def keep_blanks(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The middleware right inside Django's CSRF protection, which sets the token's cookie."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not notices.is_open or request.method != "GET" or not comes_blank(request):
            return get_response(request)
        key, revision = key_of(request), notices.revision
        if blank := drawer.find(key):
            return answer(request, blank)
        response = get_response(request)
        if may_be_kept(response) and (blank := blank_of(response, revision)):
            notices.listen()
            drawer.keep(key, blank)
        return response

    return middleware


def comes_blank(request: HttpRequest) -> bool:
    """Without a session or a message that the page would show."""
    return not request.COOKIES.keys() - {settings.CSRF_COOKIE_NAME}


def key_of(request: HttpRequest) -> Key:
    return request.get_host(), str(request.scheme), request.get_full_path()


def may_be_kept(response: HttpResponse) -> bool:
    """The view says so; it answers with the same page to all who come blank."""
    is_page = response.status_code == 200 and not response.streaming and not response.cookies
    return is_page and getattr(response, "blank_may_be_kept", False)


def blank_of(response: HttpResponse, revision: int) -> Blank | None:
    if len(places := list(TOKEN.finditer(response.content))) != 1:
        return None
    before, after = response.content[: places[0].start()], response.content[places[0].end() :]
    compressor = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    squeezed = compressor.compress(before), compressor
    return Blank(list(response.items()), before, after, squeezed, revision, time.monotonic() + FRESH_FOR)


def answer(request: HttpRequest, blank: Blank) -> HttpResponse:
    token = get_token(request).encode()
    is_compressed = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    response = HttpResponse(blank.with_token_compressed(token) if is_compressed else blank.with_token(token))
    for name, value in blank.headers:
        response[name] = value
    if is_compressed:
        response["Content-Encoding"] = "gzip"
        patch_vary_headers(response, ["Accept-Encoding"])
    return response
