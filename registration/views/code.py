import time
from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.views import ConfirmLoginCodeView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from registration import accounts, addresses, limits


class ConfirmCodeView(ConfirmLoginCodeView):
    """allauth allows a few wrong codes in each browser; here all browsers that guess for one address count."""

    def guess(self) -> tuple[str, str]:
        return addresses.key(self._process.state["email"]), accounts.network_of(self.request)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self._process.state.get("user_id") and not self._process.user:  # see newcomers.yield_to
            self._process.abort()
            messages.error(request, _("This code doesn't work any more. Ask for a new one."))
            return redirect("account_request_login_code")
        if self._action == "verify" and not limits.may_try_code(*self.guess(), now=timezone.now()):
            self._process.abort()
            messages.error(request, _("Too many wrong codes for this address. Try again in an hour, with a new code."))
            return redirect("account_request_login_code")
        return super().post(request, *args, **kwargs)

    def _resend_form_valid(self, form: Any) -> HttpResponse:
        if not limits.may_send_code(self.guess()[0], now=timezone.now()):
            messages.error(self.request, accounts.TOO_MANY_CODES)
            return redirect("account_confirm_login_code")
        response = super()._resend_form_valid(form)
        self._process.state["at"] = time.time()  # the new code has the time that its mail promises
        self._process.persist()
        messages.success(self.request, _("A new code is on its way. Only the newest one works."))
        return response

    def _verify_form_valid(self, form: Any) -> HttpResponse:
        """Without allauth's own list of addresses: the code that came to an account's only address has proven it."""
        state, user = self._process.state, self._process.user
        if not accounts.spend(user.email, self._process.code, self.request):
            self._process.abort()
            messages.error(self.request, _("This code was used already. Ask for a new one."))
            return redirect("account_request_login_code")
        record_authentication(self.request, user, method="code", email=state["email"])
        return perform_login(self.request, Login(user=user, redirect_url=self.get_next_url(), email=state["email"]))
