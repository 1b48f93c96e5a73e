"""No more announcements: by one click in the mail program (RFC 8058), or by one button on a page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from registration import links, subscriptions
from registration.views.page import private, unknown_link


@csrf_exempt  # the mail program that sends the click has no cookie and has seen no form of ours
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET changes nothing, since programs look at every link of a mail. The page names nobody."""
    account_id = links.read_unsubscribe(token)
    if account_id is None:
        return unknown_link(request, token)
    if request.method == "POST":
        # Whoever holds the link, or the mail program by itself: nobody is signed in. An account that is gone gets none.
        subscriptions.unsubscribe(account_id, now=timezone.now())
    return private(render(request, "registration/unsubscribe.html", {"is_done": request.method == "POST"}))
