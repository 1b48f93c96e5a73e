"""Setting up a second factor, as allauth does it, for people who have none yet.

The first one needs a code from the mailbox that was typed a short while ago: the phone with an open sign-in may lie about.
Whoever has just used the new factor is not asked for it once more before she sees her recovery codes.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from registration import accounts
from registration.views.fresh import fresh_code_required


def with_code_for_the_first(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    guarded = fresh_code_required(view)

    @wraps(view)
    def chosen(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        is_first = request.user.is_authenticated and accounts.lacks_second_factor(request.user)
        return (guarded if is_first else view)(request, *args, **kwargs)

    return chosen


def is_proven_now(request: HttpRequest) -> None:
    newest = accounts.real_factors().filter(user=request.user).latest("pk")
    post_authentication(request, newest, reauthenticated=True)


class ActivateApp(ActivateTOTPView):
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        is_proven_now(self.request)
        return response


class AddKey(AddWebAuthnView):
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        is_proven_now(self.request)
        return response


activate_app = with_code_for_the_first(ActivateApp.as_view())
add_key = with_code_for_the_first(AddKey.as_view())
