"""A fresh code: whatever shows or changes personal data asks for one that was typed a short while ago.

A sign-in lasts for weeks, and phones are shared; the person in front of the screen may not be the one who signed in.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.login import record_authentication
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from registration import accounts, limits, mail
from registration.forms import CodeForm

# Where the code on its way waits; apart from a sign-in's, which allauth keeps for those who are not signed in yet.
STATE = "fresh_code"
View = Callable[..., HttpResponseBase]


def fresh_code_required(view: View) -> View:
    """For signed-in people; includes `login_required`. What is sent by POST is not kept, and the page says so."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if accounts.has_fresh_code(request, now=timezone.now()):
            return view(request, *args, **kwargs)
        if request.method == "POST":
            text = _("Nothing has been changed yet: first type a code, then send the form once more.")
            messages.warning(request, text)
        if not request.user.is_authenticated:
            return redirect_to_login(way_back(request), resolve_url("account_request_login_code"))
        return HttpResponseRedirect(asking(way_back(request)))

    return guarded


def asking(path: str) -> str:
    return f"{reverse('registration:fresh_code')}?{urlencode({'next': path})}"


def way_back(request: HttpRequest) -> str:
    """The page that was asked for, or on which the form stood: an address that takes forms only can't be opened."""
    if request.method != "POST":
        return request.get_full_path()
    came_from = request.META.get("HTTP_REFERER", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return reverse("registration:mine")
    return urlsplit(came_from)._replace(scheme="", netloc="", fragment="").geturl()


class FreshCode(AbstractCodeVerificationProcess):
    """A code for somebody who is signed in already, with the life and the tries of a sign-in's."""

    def __init__(self, request: HttpRequest, state: dict[str, Any]) -> None:
        self.request = request
        timeout, tries = app_settings.LOGIN_BY_CODE_TIMEOUT, app_settings.LOGIN_BY_CODE_MAX_ATTEMPTS
        super().__init__(max_attempts=tries, timeout=timeout, state=state, user=request.user)

    @classmethod
    def on_its_way(cls, request: HttpRequest) -> "FreshCode | None":
        state = request.session.get(STATE)
        # An organiser may have changed the address since: the code was sent to the earlier one.
        if not state or state.get("email") != request.user.email:
            return None
        return cls(request, state).abort_if_invalid()

    @classmethod
    def start(cls, request: HttpRequest) -> None:
        process = cls(request, cls.initial_state(request.user, email=request.user.email))
        process.send()
        process.persist()

    def send(self) -> None:
        self.state["code"] = get_adapter(self.request).generate_login_code()
        language = translation.get_language() or "id"
        mail.queue_code(self.state["email"], self.state["code"], language=language, now=timezone.now())

    def persist(self) -> None:
        self.request.session[STATE] = self.state

    def abort(self) -> None:
        self.request.session.pop(STATE, None)

    def finish(self) -> None:
        self.abort()
        record_authentication(self.request, self.request.user, method="code", email=self.state["email"])


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def fresh_code(request: HttpRequest) -> HttpResponse:
    """A button that sends the code, then the field for it, then back to where she wanted to go."""
    target = safe_target(request)
    if accounts.has_fresh_code(request, now=timezone.now()):
        return HttpResponseRedirect(target)
    process = FreshCode.on_its_way(request)
    if request.method == "POST" and request.POST.get("action") == "send":
        return send(request, target)
    if request.method == "POST" and process:
        return verify(request, process, target)
    return page(request, process, CodeForm(code="") if process else None, target)


def safe_target(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours else reverse("registration:mine")


def page(
    request: HttpRequest, process: FreshCode | None, form: CodeForm | None, target: str, status: int = 200
) -> HttpResponse:
    context = {"is_sent": process is not None, "form": form, "target": target}
    return render(request, "registration/fresh_code.html", context, status=status)


def send(request: HttpRequest, target: str) -> HttpResponse:
    if limits.may_send_code(request.user.email_key, now=timezone.now()):
        FreshCode.start(request)
    else:
        messages.error(request, accounts.TOO_MANY_CODES)
    return HttpResponseRedirect(asking(target))


def verify(request: HttpRequest, process: FreshCode, target: str) -> HttpResponse:
    if not limits.may_try_code(request.user.email_key, accounts.network_of(request), now=timezone.now()):
        process.abort()
        messages.error(request, _("Too many wrong codes for this address. Try again in an hour, with a new code."))
        return redirect("registration:mine")
    form = CodeForm(request.POST, code=process.code)
    if form.is_valid() and accounts.spend(process.state["email"], process.code, request):
        process.finish()
        return HttpResponseRedirect(target)
    if process.record_invalid_attempt():
        return page(request, process, form, target)
    messages.error(request, _("That was one wrong code too many. Have a new one sent to you."))
    return HttpResponseRedirect(asking(target))
