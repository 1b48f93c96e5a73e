"""allauth's ways of signing in, bound to our mail queue and our sign-up."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.core.internal.ratelimit import truncate_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registration import addresses, comeback, mail, newcomers, sessions, signup
from registration.models import OutgoingMail, User

# Where the answers of a sign-up wait for the code.
ANSWERS = "signup_answers"
# So long after a code was typed the person in front of the screen is taken for the one who typed it.
FRESH = timedelta(minutes=15)
# Two clicks, two tabs, a retry after a lost answer: within this time they are one request for one code.
SAME_REQUEST = timedelta(seconds=60)
TOO_MANY_CODES = gettext_lazy(
    "Several codes have been sent to this address already. Look in the mail, in the spam folder too, or try again in an hour."
)


def lacks_second_factor(user: Any) -> bool:
    """Staff and partner people need one; only the demo does without."""
    return not settings.DEMO and not is_mfa_enabled(user)


def place_of(user: Any) -> str:
    """Where her role is at home."""
    if user.is_staff:
        return reverse("admin:index")
    return reverse("registration:partner_room" if user.partner_memberships.exists() else "registration:mine")


def real_factors() -> "QuerySet[Authenticator]":
    """Recovery codes stand in for a factor; by themselves they are none."""
    return Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)


def has_fresh_code(request: HttpRequest, *, now: datetime) -> bool:
    """Whether she typed a code in this browser a short while ago: to sign in, or because a page asked for it."""
    typed = (record for record in get_authentication_records(request, request.user) if record["method"] == "code")
    return any(now.timestamp() - record["at"] <= FRESH.total_seconds() for record in typed)


def start_sign_up(request: HttpRequest, answers: signup.Answers, *, now: datetime) -> None:
    """Holds the seats and sends the code; the answers wait in the session."""
    request.session[ANSWERS] = answers
    request.session.set_expiry(signup.HOLD)
    signup.begin(
        answers, now=now, send_code=lambda user: start_code(request, user, answers["person"]["email"], now=now)
    )


def start_code(request: HttpRequest, user: User, typed: str, *, now: datetime) -> None:
    """Sends the sign-in code, or, when one has just left, lets this browser too be answered by it."""
    request.code_to = user.email  # type: ignore[attr-defined]
    request.recent_code = recent_code(user.email, now=now)  # type: ignore[attr-defined]
    # The page names the address that was typed, whether or not it is the one that we know her by.
    LoginCodeVerificationProcess.initiate(request=request, user=user, email=typed)


def network_of(request: HttpRequest) -> str:
    """What limits count by: an address of the old kind, or the block that a home or school has of the new."""
    return truncate_ip(get_adapter(request).get_client_ip(request))


def spend(email: str, code: str, request: HttpRequest) -> bool:
    """A code opens one browser, once; False when it is spent. A second click of the same browser is the same use."""
    browser = salted_hmac("registration.spent", f"{request.session.session_key} {code}").hexdigest()
    codes = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.CODE, to=email)
    spent = codes.filter(context__code=code).update(context={"spent_by": browser})
    if spent:
        comeback.proven(email, now=timezone.now())
    return bool(spent) or codes.filter(context__spent_by=browser).exists()


def recent_code(email: str, *, now: datetime) -> str | None:
    sent = OutgoingMail.objects.filter(
        kind=OutgoingMail.Kind.CODE, to=email, created_at__gt=now - SAME_REQUEST, context__has_key="code"
    )
    newest = sent.order_by("-created_at").first()
    return newest.context["code"] if newest else None


class FactorAdapter(DefaultMFAAdapter):
    # A cheap phone's clock is wrong more often than its owner.
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code is wrong or its half minute is over. Type the one that the app shows now. If that is refused too, set your phone's clock to automatic time."
        )
    }


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False  # an account comes with a sign-up for a webinar, or from an organiser

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        agent = request.META.get("HTTP_USER_AGENT", "")
        request.session.update(sessions.facts_of(agent, network_of(request), now=timezone.now()))

    def generate_login_code(self) -> str:
        return getattr(self.request, "recent_code", None) or super().generate_login_code()

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Of who was on her way to no page in particular."""
        return place_of(request.user)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        now, language = timezone.now(), translation.get_language()
        if template_prefix == "account/email/login_code":
            email = getattr(self.request, "code_to", None) or newcomers.address_on_record(email)
            if getattr(self.request, "recent_code", None) != context["code"]:
                mail.queue_code(email, context["code"], language=language, now=now)
        elif template_prefix == "account/email/unknown_account":
            mail.queue_unknown_account(email, language=language, now=now)
        else:
            raise NotImplementedError(f"No mail of ours is called {template_prefix}.")

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Errors only: "code sent" and "signed in" are said by the pages themselves."""
        if level >= messages.WARNING:
            super().add_message(request, level, message_template, *args, **kwargs)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        """The code is right: what waited for it is confirmed."""
        response = super().post_login(request, user, **kwargs)
        answers, now = request.session.pop(ANSWERS, None), timezone.now()
        if answers and addresses.key(answers["person"]["email"]) == user.email_key:
            request.session.set_expiry(None)  # the form's short life is over: she stays signed in like everybody
            changed = signup.confirm(user, answers, now=now)
            say_what_changed(request, changed, signup.missed(user, answers, changed))
            return redirect("registration:mine")
        if held := signup.held_webinars(user.email):
            # The form was sent from another browser, or by another person: only she can say whether it is hers.
            text = _("You are signed in. One step is left: check your details and send the form once more.")
            messages.info(request, text)
            chosen = [("webinars", webinar.slug) for webinar in held]
            return redirect(f"{reverse('registration:sign_up')}?{urlencode(chosen)}")
        return response


def say_what_changed(request: HttpRequest, changed: list[Any], missed: list[Any]) -> None:
    confirmed = [registration.webinar.title for registration in changed if registration.is_confirmed]
    waiting = [registration.webinar.title for registration in changed if registration.is_waitlisted]
    if confirmed:
        text = _("You are registered: %(titles)s. The mail with your personal links is on its way.")
        messages.success(request, text % {"titles": "; ".join(confirmed)})
    if waiting:
        text = _("You are on the waiting list: %(titles)s. If a seat comes free it is yours, and we write to you.")
        messages.info(request, text % {"titles": "; ".join(waiting)})
    if missed:
        text = _("Sign-up has closed meanwhile: %(titles)s.")
        messages.warning(request, text % {"titles": "; ".join(webinar.title for webinar in missed)})
    if not changed and not missed:
        messages.info(request, _("Nothing has changed: you were registered already."))
