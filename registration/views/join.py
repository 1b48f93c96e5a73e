from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from registration import attendance, links, seats, signup, waitinglist
from registration.views.page import private, unknown_link


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
        return unknown_link(request, token)
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
        return unknown_link(request, token)
    if registration.webinar.is_over(now):
        return redirect("registration:join", token)
    if request.method == "POST":
        signup.cancel(registration, now=now, actor=registration.participant.account)
        if not registration.read_again():
            return unknown_link(request, token)
    response = render(request, "registration/leave.html", {"registration": registration, "token": token})
    response["Referrer-Policy"] = "no-referrer"
    return response


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Taking the seat that is offered, or a free one after an offer has passed."""
    registration, now = links.read_join(token), timezone.now()
    if registration is None:
        return unknown_link(request, token)
    room = reverse("registration:join", args=[token])
    if request.method != "POST" or waitinglist.accept(registration, now=now, actor=registration.participant.account):
        return SeeOther(room)
    if not registration.read_again():
        return unknown_link(request, token)
    context = {"registration": registration, "token": token, "state": registration.room_state(now), "is_too_late": True}
    return private(render(request, "registration/join.html", context, status=409))


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def others(request: HttpRequest, token: str) -> HttpResponse:
    """For somebody whose webinar is cancelled: the other webinars, each one click away."""
    registration, now = links.read_join(token), timezone.now()
    if registration is None:
        return unknown_link(request, token)
    webinar = registration.webinar
    if not (webinar.is_cancelled and registration.is_live):
        return redirect("registration:join", token)
    webinars = webinar.edition.open_webinars(now)
    if request.method == "POST":
        wanted = request.POST.getlist("webinars")
        signup.take_others(registration, [other.pk for other in webinars if other.slug in wanted], now=now)
        return SeeOther(request.path)
    left = seats.left_by_webinar(webinars)
    hers = registration.participant.registrations.live().with_places().in_bulk(field_name="code").values()
    states = {row.webinar_id: row for row in hers}
    choices = [(other, left[other.pk], states.get(other.pk)) for other in webinars]
    context = {
        "registration": registration,
        "choices": choices,
        "still_free": [other for other, _left, own in choices if own is None],
        "page": links.page(registration.participant),
    }
    return private(render(request, "registration/others.html", context))
