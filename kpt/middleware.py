from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.urls import ResolverMatch
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, has_vary_header
from django.utils.functional import lazy

from registration import accounts, audit, sessions
from registration.models import PartnerMember, User

asked_when_noted = lazy(accounts.network_of, str)


def language_from_path(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The address alone decides the language, so that any cache may hold a page: no cookie, no Accept-Language."""

    def middleware(request: HttpRequest) -> HttpResponse:
        language = translation.get_language_from_path(request.path_info) or settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = language
        with translation.override(language):
            response = get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response

    return middleware


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """No address of ours has a NUL, and PostgreSQL takes none: said here once, not in every view and filter."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest("400 Bad Request\n", "text/plain; charset=utf-8")
        return get_response(request)

    return middleware


def keep_private(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A page that depends on a cookie is one person's: allauth's own, with a second factor's secret, don't say so."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if has_vary_header(response, "Cookie") and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return middleware


def note_seen(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """When and from where a session was last used, once an hour; a page that read none isn't anybody's."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        session, now = request.session, timezone.now()
        if session.accessed and sessions.is_due(session.get(sessions.SEEN), now=now):
            session[sessions.NETWORK], session[sessions.SEEN] = accounts.network_of(request), now.isoformat()
        return response

    return middleware


def keep_account(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Where a request comes from, should its view note something, and what it was refused in rooms with people's data.

    A public page pays for it with the setting of one variable.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        token = audit.network.set(asked_when_noted(request))
        try:
            response = get_response(request)
            if response.status_code in (403, 404) and is_guarded(request.resolver_match):
                record_refusal(request)
        finally:
            audit.network.reset(token)
        return response

    return middleware


def is_guarded(match: ResolverMatch | None) -> bool:
    """An address of the admin, the partners' room or the interface for programs, not one that nothing answers to."""
    if match is None or not match.url_name:
        return False
    return "admin" in match.namespaces or match.route.removeprefix("en/").startswith(
        ("ruang-mitra/", "berkas/", "api/")
    )


def record_refusal(request: HttpRequest) -> None:
    match, user = request.resolver_match, request.user
    if match is None or not isinstance(user, User) or not user.is_authenticated:
        return
    names = ("object_id", "pk", "slug")  # a token may be somebody's key
    object_id = next((str(match.kwargs[name]) for name in names if name in match.kwargs), "")
    memberships = list(PartnerMember.objects.filter(user=user).select_related("organisation")[:2])
    audit.refuse(
        match.view_name,
        object_id,
        actor=user,
        now=timezone.now(),
        organisation=memberships[0].organisation if len(memberships) == 1 else None,
        details=request.method or "",
    )
