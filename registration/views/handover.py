from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from registration import handover, links


@csrf_exempt  # the signed token is the right; a page opened from a mail app may have no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def take_over(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows what it is about, by first names; POST makes the account."""
    offer = links.read_handover(token)
    if offer and request.method == "POST":
        handover.accept(offer, now=timezone.now())
        offer.refresh_from_db(fields=["accepted_at"])
    context = {"offer": offer, "person": offer.participant if offer else None}
    response = render(request, "registration/handover.html", context, status=200 if offer else 404)
    response["Referrer-Policy"] = "no-referrer"  # the address of this page is her key
    return response
