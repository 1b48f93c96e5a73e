from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from conference.models import Edition, Webinar
from registration import limits, seats, signup
from registration.accounts import ANSWERS, say_what_changed, start_code
from registration.forms import SignUpForm
from registration.models import Participant


@never_cache
def sign_up(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    edition = Edition.objects.current()
    webinars = open_webinars(edition, now)
    data = request.POST if request.method == "POST" else None
    form = SignUpForm(data, webinars=webinars, initial=initial(request, webinars))
    status = 200
    if form.is_valid():
        if limits.may_sign_up(get_adapter(request).get_client_ip(request), now=now):
            return accept(request, form.answers(now=now), now)
        form.add_error(
            None,
            _(
                "Very many people have just signed up from your network. Nothing is lost: try again in an hour, or over another connection."
            ),
        )
        status = 429
    context = {"form": form, "edition": edition, "webinars": choices(form, webinars), "now": now}
    return render(request, "registration/sign_up.html", context, status=status)


def open_webinars(edition: Edition | None, now: Any) -> list[Webinar]:
    if edition is None:
        return []
    webinars = edition.webinars.published().in_order().select_related("edition").prefetch_related("hosts")
    return [webinar for webinar in webinars if webinar.is_open_for_registration(now)]


def choices(form: SignUpForm, webinars: list[Webinar]) -> list[tuple[Any, Webinar, int | None]]:
    """Each webinar with its checkbox and the seats that are left."""
    left = seats.left_by_webinar(webinars)
    boxes = list(form["webinars"].subwidgets)
    return [(box, webinar, left[webinar.pk]) for box, webinar in zip(boxes, webinars, strict=True)]


def initial(request: HttpRequest, webinars: list[Webinar]) -> dict[str, Any]:
    """What she typed before, what we know of her when she is signed in, or the webinar whose page she comes from."""
    chosen = [webinar.slug for webinar in webinars if webinar.slug in request.GET.getlist("webinars")]
    if answers := request.session.get(ANSWERS):
        chosen = [webinar.slug for webinar in webinars if webinar.pk in answers["webinars"]]
        return answers["person"] | {
            "webinars": chosen,
            "guardian_consent": bool(answers["person"]["guardian_name"]),
            "consent_processing": True,
            "consent_partners": [
                host.slug for webinar in webinars for host in webinar.hosts.all() if host.pk in answers["partners"]
            ],
        }
    if request.user.is_authenticated:
        own = Participant.objects.filter(email=request.user.email, proven_at__isnull=False).values(
            *signup.Person.__annotations__
        )
        return (own.first() or {"email": request.user.email, "name": request.user.name}) | {"webinars": chosen}
    return {"webinars": chosen}


def accept(request: HttpRequest, answers: signup.Answers, now: Any) -> HttpResponse:
    email = answers["person"]["email"]
    if request.user.is_authenticated:
        if request.user.email == email:
            changed = signup.confirm(request.user, answers, now=now, replaces=True)
            say_what_changed(request, changed, signup.missed(request.user, answers))
            return redirect("registration:mine")
        logout(request)  # another person on the same phone
    user = signup.begin(answers, now=now)
    request.session[ANSWERS] = answers
    request.session.set_expiry(signup.HOLD)
    start_code(request, user, now=now)
    return redirect("account_confirm_login_code")
