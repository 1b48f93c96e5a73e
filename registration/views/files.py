"""A file that a worker writes: how far it is, and its way to whoever asked for it, and to nobody else."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from registration import accounts, exports, files
from registration.models import PreparedFile
from registration.views.partners import ask_for_second_factor


def for_asker(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """To everybody else, and to her when she has left the organisation or its time is over, it does not exist."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, token: UUID) -> HttpResponseBase:
        known = PreparedFile.objects.lean().open(timezone.now()).select_related("organisation", "webinar")
        file = known.filter(token=token).first()
        if file is None or not files.is_hers(file, request.user):
            raise Http404
        if accounts.lacks_second_factor(request.user):
            return ask_for_second_factor(request)
        return view(request, file)

    return guarded


@require_GET
@for_asker
def file(request: HttpRequest, file: PreparedFile) -> HttpResponse:
    return render(request, "registration/file.html", {"file": file})


@require_GET
@for_asker
def progress(request: HttpRequest, file: PreparedFile) -> HttpResponse:
    """The part of the page that moves."""
    return render(request, "registration/file_progress.html", {"file": file})


@require_POST
@for_asker
def fetch(request: HttpRequest, file: PreparedFile) -> HttpResponseBase:
    if not files.fetch(file, request.user, now=timezone.now()):
        if file.is_ready:
            words = _(
                "Somebody in this file has left the list since it was written. It is being made anew without her."
            )
            messages.info(request, words)
        return redirect("registration:file", file.token)
    name = files.name(file)
    response = StreamingHttpResponse(files.content(file), content_type=exports.CONTENT_TYPES[files.suffix(file.format)])
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Content-Length"] = str(files.size(file))
    return response


@require_POST
@for_asker
def again(request: HttpRequest, file: PreparedFile) -> HttpResponse:
    files.again(file, now=timezone.now())
    return redirect("registration:file", file.token)
