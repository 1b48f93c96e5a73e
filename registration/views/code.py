import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.views import ConfirmLoginCodeView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from registration import limits


class ConfirmCodeView(ConfirmLoginCodeView):
    """allauth allows a few wrong codes in each browser; here all browsers that guess for one address count."""

    def guess(self) -> tuple[str, str]:
        return self._process.state["email"], get_adapter().get_client_ip(self.request)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self._action == "verify" and not limits.may_guess(*self.guess(), now=timezone.now()):
            self._process.abort()
            messages.error(request, _("Too many wrong codes for this address. Try again in an hour, with a new code."))
            return redirect("account_request_login_code")
        return super().post(request, *args, **kwargs)

    def _resend_form_valid(self, form: Any) -> HttpResponse:
        response = super()._resend_form_valid(form)
        self._process.state["at"] = time.time()  # the new code has the time that its mail promises
        self._process.persist()
        messages.success(self.request, _("A new code is on its way. Only the newest one works."))
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        limits.count_wrong_code(*self.guess(), now=timezone.now())
        return super().form_invalid(form)
