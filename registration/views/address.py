"""Changing the address of an account: the new one is proven by a code before anything changes.

What is said before the code does not depend on whether the new address is known here.
"""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from registration import accounts, addresses, comeback, limits, newaddress
from registration.data_forms import AddressForm
from registration.forms import CodeForm
from registration.views.fresh import FreshCode, fresh_code_required

STATE = "new_address"


class NewAddressCode(FreshCode):
    """A code on its way to an address that is not hers yet."""

    @classmethod
    def on_its_way(cls, request: HttpRequest) -> "NewAddressCode | None":
        state = request.session.get(STATE)
        return cls(request, state).abort_if_invalid() if state else None

    @classmethod
    def start_for(cls, request: HttpRequest, email: str) -> None:
        process = cls(request, cls.initial_state(request.user, email=email))
        process.send()
        process.persist()

    def persist(self) -> None:
        self.request.session[STATE] = self.state

    def abort(self) -> None:
        self.request.session.pop(STATE, None)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest) -> HttpResponse:
    """Where mail comes back no code arrives: there a sign-in is enough to name a better address, and it is proven."""
    if comeback.is_cut_off(request.user):
        return steps(request)
    return fresh_code_required(steps)(request)  # type: ignore[return-value]


def steps(request: HttpRequest) -> HttpResponse:
    process = NewAddressCode.on_its_way(request)
    action = request.POST.get("action") if request.method == "POST" else None
    if action == "send":
        return send(request)
    if action == "again" and process:
        process.abort()
        return redirect("registration:address")
    if action == "verify" and process:
        return verify(request, process)
    return page(request, process, CodeForm(code="") if process else AddressForm())


def page(request: HttpRequest, process: NewAddressCode | None, form: AddressForm | CodeForm) -> HttpResponse:
    context = {"email": process.state["email"] if process else None, "form": form}
    return render(request, "registration/data_address.html", context)


def send(request: HttpRequest) -> HttpResponse:
    form = AddressForm(request.POST)
    if not form.is_valid():
        return page(request, None, form)
    email, now = form.cleaned_data["email"], timezone.now()
    # By the account as well: one that is signed in must not write to all the world.
    keys = (f"from {request.user.email_key}", addresses.key(email))
    if all(limits.may_send_code(key, now=now) for key in keys):
        NewAddressCode.start_for(request, email)
    else:
        messages.error(request, accounts.TOO_MANY_CODES)
    return redirect("registration:address")


def verify(request: HttpRequest, process: NewAddressCode) -> HttpResponse:
    email = process.state["email"]
    if not limits.may_try_code(addresses.key(email), accounts.network_of(request), now=timezone.now()):
        process.abort()
        messages.error(request, _("Too many wrong codes for this address. Try again in an hour, with a new code."))
        return redirect("registration:data")
    form = CodeForm(request.POST, code=process.code)
    if form.is_valid() and accounts.spend(email, process.code, request):
        process.abort()
        was_cut_off = comeback.is_cut_off(request.user)
        say(request, email, is_changed=changed(request, email))
        return redirect("registration:mine" if was_cut_off else "registration:data")
    if process.record_invalid_attempt():
        return page(request, process, form)
    messages.error(request, _("That was one wrong code too many. Have a new one sent to you."))
    return redirect("registration:address")


def changed(request: HttpRequest, email: str) -> bool:
    try:
        return newaddress.change(request.user, email, now=timezone.now())
    except IntegrityError:  # somebody has signed up with it a moment ago
        return False


def say(request: HttpRequest, email: str, *, is_changed: bool) -> None:
    if is_changed:
        text = _(
            "From now on mail goes to %(email)s, and you sign in with it. Links in earlier mails have ended; new ones are on their way."
        )
        messages.success(request, text % {"email": email})
        return
    text = _(
        "%(email)s has an account of its own. Nothing has changed: sign in with it, or ask the organisers to make one of the two."
    )
    messages.warning(request, text % {"email": email})
