from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from conference.models import Edition, Webinar, next_opening
from conference.notices import remembered
from registration import addresses, limits, links, seats, signup
from registration.accounts import ANSWERS, TOO_MANY_CODES, has_fresh_code, network_of, say_what_changed, start_sign_up
from registration.forms import SignUpForm
from registration.models import Consent, Invitation, Participant, User

# What her tickets show anyway, and the province, which the form can't do without.
SHOWN_WITHOUT_CODE = ("name", "email", "province")


@never_cache
def sign_up(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    edition, published = published_webinars()
    invitation = invitation_of(request, now)
    webinars = open_to(published, invitation, now)
    data = request.POST if request.method == "POST" else None
    form = SignUpForm(data, webinars=webinars, initial=initial(request, webinars))
    status = 200
    if form.is_valid():
        answers = form.answers(now=now)
        if invitation:
            answers["invitation"] = invitation.pk
        reason = too_often(request, answers["person"]["email"], now)
        if not reason:
            return accept(request, answers, now)
        form.add_error(None, reason)
        status = 429
    context = {
        "form": form,
        "edition": edition,
        "webinars": choices(form, webinars),
        "invited_to": invitation.webinar_id if invitation else None,
        "opens_at": next_opening(edition, published, now),
        "now": now,
    }
    response = render(request, "registration/sign_up.html", context, status=status)
    addresses_of_ours = {"", *(f"webinars={webinar.slug}" for webinar in webinars)}
    response.blank_may_be_kept = request.META["QUERY_STRING"] in addresses_of_ours
    return response


def invitation_of(request: HttpRequest, now: datetime) -> Invitation | None:
    """Whose link led here, while it can be taken up."""
    token = request.GET.get("undangan", "")
    invitation = links.read_invitation(token) if token else None
    return invitation if invitation and invitation.is_open(now) and invitation.webinar.is_on(now) else None


def open_to(published: list[Webinar], invitation: Invitation | None, now: datetime) -> list[Webinar]:
    """What is open, and what she is invited to in any case."""
    webinars = [webinar for webinar in published if webinar.is_open_for_registration(now)]
    if invitation and invitation.webinar not in webinars:
        webinars.append(invitation.webinar)
    return webinars


def too_often(request: HttpRequest, email: str, now: Any) -> str:
    """Why this form can't be taken now, for known and unknown addresses alike; empty when it can."""
    if not limits.may_sign_up(network_of(request), addresses.key(email), now=now):
        return _(
            "Very many people have just signed up from your network. Nothing is lost: try again in an hour, or over another connection."
        )
    is_own = request.user.is_authenticated and request.user.email_key == addresses.key(email)
    return "" if is_own or limits.may_send_code(addresses.key(email), now=now) else str(TOO_MANY_CODES)


@remembered
def published_webinars() -> tuple[Edition | None, list[Webinar]]:
    """Of the current edition; what is open is asked of each by the hour."""
    edition = Edition.objects.current()
    if edition is None:
        return None, []
    webinars = edition.webinars.published().in_order().select_related("edition").prefetch_related("hosts")
    return edition, list(webinars)


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
            "consent_news": answers.get("news", False),
            "consent_partners": [
                host.slug for webinar in webinars for host in webinar.hosts.all() if host.pk in answers["partners"]
            ],
        }
    if request.user.is_authenticated:
        known = data_of(request.user)
        if not has_fresh_code(request, now=timezone.now()):
            known = {field: known[field] for field in SHOWN_WITHOUT_CODE if field in known}
        return (known or {"email": request.user.email, "name": request.user.name}) | {"webinars": chosen}
    return {"webinars": chosen}


def data_of(user: User) -> dict[str, Any]:
    """Her own answers of an earlier sign-up; empty when there was none."""
    own = Participant.objects.filter(email=user.email, proven_at__isnull=False)
    return own.values(*signup.Person.__annotations__).first() or {}


def accept(request: HttpRequest, answers: signup.Answers, now: Any) -> HttpResponse:
    email = answers["person"]["email"]
    if request.user.is_authenticated:
        if request.user.email_key == addresses.key(email):
            may_change = has_fresh_code(request, now=now)
            if not may_change:
                keep_known(request, answers)
                hold_partners_back(request, answers)
            changed = signup.confirm(request.user, answers, now=now, replaces=may_change)
            say_what_changed(request, changed, signup.missed(request.user, answers, changed))
            return redirect("registration:mine")
        logout(request)  # another person on the same phone
    start_sign_up(request, answers, now=now)
    return redirect("account_confirm_login_code")


def hold_partners_back(request: HttpRequest, answers: signup.Answers) -> None:
    """Without a fresh code nothing of hers is given away: on a shared phone somebody else may be at the form."""
    in_force = Consent.objects.in_force().filter(participant__email_key=request.user.email_key)
    known = set(in_force.filter(organisation__in=answers["partners"]).values_list("organisation", flat=True))
    if set(answers["partners"]) - known:
        answers["partners"] = sorted(known)
        text = _(
            "The organisations that you ticked receive nothing yet: sharing your data needs a code. You agree to it under “My data”."
        )
        messages.warning(request, text)


def keep_known(request: HttpRequest, answers: signup.Answers) -> None:
    """Without a fresh code she signs up and adds what was missing; what is known of her changes on its own page alone."""
    known = {
        field: value
        for field, value in data_of(request.user).items()
        if field != "email" and value not in signup.UNANSWERED
    }
    typed = answers["person"]
    differs = any(typed[field] not in (*signup.UNANSWERED, known[field]) for field in known)  # type: ignore[literal-required]
    typed |= known  # type: ignore[typeddict-item]
    if differs:
        messages.info(request, _("Your details stay as they were. You change them under “My data”."))
