"""Pages of the house itself: health, robots, security contact, errors."""

import sys
from collections.abc import Callable
from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from registration import metrics as mail_metrics


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return False
    return True


def redis_answers() -> bool:
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
        with client:
            return bool(client.ping())
    except redis.RedisError:
        return False


DEPENDENCIES: dict[str, Callable[[], bool]] = {"database": database_answers, "redis": redis_answers}


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"web": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """503 when a dependency is down. Without Redis the site still takes sign-ups: mail waits in the database."""
    states = {name: "ok" if answers() else "down" for name, answers in DEPENDENCIES.items()}
    return JsonResponse(states, status=200 if set(states.values()) == {"ok"} else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, with the token as `Authorization: Bearer ...`. To everybody else it does not exist."""
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        raise Http404
    return HttpResponse(mail_metrics.text(timezone.now()), content_type=mail_metrics.CONTENT_TYPE)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    closed = [
        "/admin/",
        "/akun/",
        "/saya/",
        "/gabung/",
        "/tautan/",
        "/undangan/",
        "/serah-terima/",
        "/pratinjau/",
        "/berhenti/",
        "/ruang-mitra/",
        "/sertifikat/",
    ]
    lines = ["User-agent: *", *(f"Disallow: {prefix}{path}" for path in closed for prefix in ("", "/en"))]
    return HttpResponse(
        "\n".join([*lines, "", f"Sitemap: {settings.SITE_URL}/sitemap.xml", ""]), "text/plain; charset=utf-8"
    )


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116; valid for a year from today."""
    expires = timezone.now().replace(microsecond=0) + timedelta(days=365)
    lines = [
        f"Contact: mailto:{settings.DEFAULT_FROM_EMAIL.rpartition('<')[2].rstrip('>')}",
        f"Expires: {expires.isoformat()}",
        "Preferred-Languages: id, en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
        "",
    ]
    return HttpResponse("\n".join(lines), "text/plain; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """A database that is away for a moment is no fault of the page: 503 asks browsers and monitors to come again."""
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    response = render(None, "500.html", status=503 if is_away else 500)
    if is_away:
        response["Retry-After"] = "5"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that lost its cookie or waited too long: say so, and give what was typed back by the browser's back button."""
    return render(request, "csrf_failure.html", status=403)
