"""Her calendar: an address that is a key of its own, for programs that can't sign in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from registration import calendars, links
from registration.models import Participant


@never_cache
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    participant = links.read_calendar(token)
    if participant is None:
        raise Http404
    response = HttpResponse(calendars.file_of(participant), "text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="kpt.ics"'
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@login_required
@require_POST
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    participant = get_object_or_404(Participant.objects.managed_by(request.user), pk=pk)
    participant.renew_calendar()
    messages.info(request, _("The calendar has a new address. The old one shows nothing any more."))
    return redirect("registration:mine")
