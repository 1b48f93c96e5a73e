from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from registration import consents, invitations, links, signup
from registration.models import Invitation, Participant
from registration.views.page import private, unknown_link


@csrf_exempt  # the signed token is the right; a page opened from a mail app may have no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the webinar and the kept seat, POST accepts or declines."""
    invitation, now = links.read_invitation(token), timezone.now()
    if invitation is None:
        return unknown_link(request, token)
    known = known_person(request)
    if request.method == "POST" and "decline" in request.POST:
        invitations.decline(invitation, now=now)
        return redirect(request.path)
    if request.method == "POST" and known:
        return accept(request, invitation, known)
    return page(request, token, invitation, known)


@csrf_protect  # it acts for whoever is signed in here, and another site may know a link
def accept(request: HttpRequest, invitation: Invitation, known: Participant) -> HttpResponse:
    if not signup.accept_invitation(invitation, known, now=timezone.now()):
        return page(request, links.invitation_token(invitation), invitation, known)
    text = _("You are registered: %(titles)s. The mail with your personal links is on its way.")
    messages.success(request, text % {"titles": invitation.webinar.title})
    return redirect("registration:mine")


def page(request: HttpRequest, token: str, invitation: Invitation, known: Participant | None) -> HttpResponse:
    now = timezone.now()
    invitation.refresh_from_db()
    context = {
        "invitation": invitation,
        "webinar": invitation.webinar,
        "state": state_of(invitation, now),
        "known": known,
        "form": f"{reverse('registration:sign_up')}?{urlencode(query_of(invitation, token))}",
        "can_register": invitation.webinar.is_open_for_registration(now),
    }
    status = 409 if request.method == "POST" else 200
    return private(render(request, "registration/invitation.html", context, status=status))


def known_person(request: HttpRequest) -> Participant | None:
    """Whoever is signed in and has taken part before: her details need not be asked again.

    Who has taken back her consent since is asked for it anew, by the form.
    """
    if not request.user.is_authenticated:
        return None
    own = Participant.objects.filter(account=request.user, email_key=request.user.email_key, proven_at__isnull=False)
    return own.filter(consents__in=consents.to_take_part()).select_related("account").first()


def query_of(invitation: Invitation, token: str) -> dict[str, str]:
    return {"webinars": invitation.webinar.slug, "undangan": token}


def state_of(invitation: Invitation, now: timezone.datetime) -> str:
    """webinar_cancelled, over, or how the invitation stands: open, accepted, declined, expired, withdrawn."""
    webinar = invitation.webinar
    if webinar.is_cancelled:
        return "webinar_cancelled"
    if not webinar.is_on(now):
        return "over"
    is_late = invitation.status == Invitation.Status.OPEN and not invitation.is_open(now)
    return Invitation.Status.EXPIRED if is_late else invitation.status
