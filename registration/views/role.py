"""Taking up a role: the link that came by mail, the address proven by a code, and the second factor after it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from registration import accounts, addresses, limits, links, roleinvitations
from registration.models import RoleInvitation, User

STATUS = {"open": 200, "taken": 410, "revoked": 410, "expired": 410}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def role(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows who offers what. POST sends the code to who isn't signed in, and gives the role to who is."""
    invitation, now = links.read_role(token), timezone.now()
    if invitation is None:
        state = "expired" if links.is_spent(token) else "unknown"
        return render(request, "registration/role.html", {"state": state}, status=410 if state == "expired" else 404)
    state = roleinvitations.standing(invitation, now=now)
    is_hers = request.user.is_authenticated and roleinvitations.is_for(request.user, invitation)
    if request.method == "POST" and state == "open" and not request.user.is_authenticated:
        return send_code(request, invitation)
    if request.method == "POST" and is_hers and roleinvitations.take(invitation, request.user, now=now):
        messages.success(request, _("Thank you: the role is yours."))
        return redirect("mfa_index" if accounts.lacks_second_factor(request.user) else place_of(request.user))
    context = {"state": state, "invitation": invitation, "is_hers": is_hers, "place": "", "token": token}
    if state == "taken" and is_hers:
        context["place"] = place_of(request.user)
    status = 403 if request.method == "POST" and state == "open" else STATUS[state]
    return render(request, "registration/role.html", context, status=200 if context["place"] else status)


def send_code(request: HttpRequest, invitation: RoleInvitation) -> HttpResponse:
    now = timezone.now()
    if not limits.may_send_code(addresses.key(invitation.email), now=now):
        messages.error(request, accounts.TOO_MANY_CODES)
        return redirect(request.path)
    accounts.start_code(request, roleinvitations.account_for(invitation, now=now), invitation.email, now=now)
    return redirect(f"{reverse('account_confirm_login_code')}?{urlencode({'next': request.path})}")


def place_of(user: User) -> str:
    """Where her role is at home; she may have had it for no longer than this request."""
    user = User.objects.get(pk=user.pk)
    if user.is_staff:
        return reverse("admin:index")
    return reverse("registration:partner_room" if user.partner_memberships.exists() else "registration:mine")
