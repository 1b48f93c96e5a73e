from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from registration import attendance, links, signup


class SeeOther(HttpResponseRedirect):
    status_code = 303


# Browsers hold the target of a form's redirect against form-action too; the redirect alone may name Zoom.
@csp_update({"form-action": ["https:"] if settings.IS_HTTPS else ["https:", "http:"]})
@csrf_exempt  # the signed token is the right; a page opened from a mail app may have no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The waiting room. From the door's opening until the end a POST leads to Zoom."""
    registration, now = links.read_join(token), timezone.now()
    if registration is None:
        return render(request, "registration/join_unknown.html", status=404)
    state = registration.room_state(now)
    if request.method == "POST" and state == "open":
        attendance.record_click(registration, now=now)
        return SeeOther(registration.join_url)
    context = {"registration": registration, "token": token, "state": state, "now": now}
    if state == "early":
        context["opens_in"] = int((registration.webinar.join_opens_at - now).total_seconds())
    response = render(request, "registration/join.html", context, status=409 if request.method == "POST" else 200)
    response["Referrer-Policy"] = "no-referrer"  # the address of this page is her key
    return response


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Cancelling from a mail without signing in: GET shows the button, POST acts."""
    registration, now = links.read_join(token), timezone.now()
    if registration is None:
        return render(request, "registration/join_unknown.html", status=404)
    if registration.webinar.is_over(now):
        return redirect("registration:join", token)
    if request.method == "POST":
        signup.cancel(registration, now=now)
        registration.refresh_from_db()
    response = render(request, "registration/leave.html", {"registration": registration, "token": token})
    response["Referrer-Policy"] = "no-referrer"
    return response
