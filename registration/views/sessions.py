"""Where a person is signed in, and ending it: one browser, or all but this one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from registration import sessions


@never_cache
@login_required
@require_safe
def signed_in(request: HttpRequest) -> HttpResponse:
    key = request.session.session_key
    rows = list(sessions.of(request.user, now=timezone.now()))
    rows.sort(key=lambda row: row.session_key != key)
    context = {"rows": [(row, sessions.handle(row), row.session_key == key) for row in rows], "others": len(rows) - 1}
    return render(request, "registration/sessions.html", context)


@never_cache
@login_required
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """One that is named, or without a name all others."""
    if named := request.POST.get("session"):
        is_done = sessions.end_one(request.user, named, key=request.session.session_key, now=timezone.now())
        messages.info(request, _("Signed out there.") if is_done else _("Nobody was signed in there any more."))
    else:
        number = sessions.end_others(request.user, request.session.session_key)
        words = ngettext("Signed out in %d other browser.", "Signed out in %d other browsers.", number)
        messages.info(request, words % number)
    return redirect("account_sessions")
