"""What a phone needs to keep the site: the service worker, the manifest of the installed site, the page without a line."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag, require_safe

SOURCE = Path(settings.BASE_DIR) / "static" / "sw.js"
REMARKS = re.compile(r"^\s*//.*\n", re.MULTILINE)
ICONS = [
    ("icon.svg", "any", "image/svg+xml", "any"),
    ("icon-192.png", "192x192", "image/png", "any"),
    ("icon-512.png", "512x512", "image/png", "any"),
    ("icon-maskable-512.png", "512x512", "image/png", "maskable"),
]


@cache
def worker_script() -> str:
    """With a version of its own whenever it, what it says, or any static file changes; phones then replace it."""
    notices = {"NOTICE": "includes/kept_copy.html", "STUCK": "includes/no_line_to_room.html"}
    said = [f"const {name} = {json.dumps(in_each_language(template))};\n" for name, template in notices.items()]
    text = f"{''.join(said)}{REMARKS.sub('', SOURCE.read_text())}"
    files = getattr(staticfiles_storage, "manifest_hash", "")
    version = hashlib.sha256(f"{text}{files}".encode()).hexdigest()[:12]
    return f'const VERSION = "{version}";\nconst KEEP = {json.dumps(settings.OFFLINE_COPIES)};\n{text}'


def in_each_language(template: str) -> dict[str, str]:
    texts = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            texts[language] = render_to_string(template, {"when": "{when}"}).strip()
    return texts


def worker_etag(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(worker_script().encode()).hexdigest()[:16]}"'


@require_safe
@cache_control(no_cache=True)
@etag(worker_etag)
def worker(request: HttpRequest) -> HttpResponse:
    """At the root, because a worker rules over the addresses beneath its own."""
    script = "" if request.method == "HEAD" else worker_script()  # phones ask whether it is still there
    return HttpResponse(script, "text/javascript; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=3600)
def manifest(request: HttpRequest) -> JsonResponse:
    home = reverse("conference:home")
    content = {
        "id": "/",
        "name": _("Eastern Indonesia Women's Conference"),
        "short_name": "KPT",
        "description": _("Online, free of charge, open to everyone."),
        "lang": translation.get_language(),
        "dir": "ltr",
        "start_url": home,
        "scope": "/",
        "display": "minimal-ui",
        "theme_color": "#1e2f57",
        "background_color": "#fbf6ec",
        "icons": [
            {"src": static(f"img/{name}"), "sizes": sizes, "type": kind, "purpose": purpose}
            for name, sizes, kind, purpose in ICONS
        ],
        "shortcuts": [
            {"name": _("Agenda"), "url": reverse("conference:agenda")},
            {"name": _("My registrations"), "url": reverse("registration:mine")},
        ],
    }
    return JsonResponse(content, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False})


@require_safe
@cache_control(no_cache=True)
def offline(request: HttpRequest) -> HttpResponse:
    """Kept by the worker from the start, and shown in place of a page that it has no copy of."""
    return render(request, "offline.html")
