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
from registration.role_forms import NameForm

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
    form = name_form(request) if is_hers else None
    is_answered = request.method == "POST" and form is not None and form.is_valid()
    if is_answered and roleinvitations.take(invitation, request.user, name=form.cleaned_data.get("name", ""), now=now):
        messages.success(request, _("Thank you: the role is yours."))
        return redirect("mfa_index" if accounts.lacks_second_factor(request.user) else place_of(request.user))
    context = {"state": state, "invitation": invitation, "is_hers": is_hers, "place": "", "token": token, "form": form}
    if state == "taken" and is_hers:
        context["place"] = place_of(request.user)
    is_refused = request.method == "POST" and state == "open" and (is_answered or not is_hers)
    status = 403 if is_refused else STATUS[state]
    return render(request, "registration/role.html", context, status=200 if context["place"] else status)


def send_code(request: HttpRequest, invitation: RoleInvitation) -> HttpResponse:
    now = timezone.now()
    if not limits.may_send_code(addresses.key(invitation.email), now=now):
        messages.error(request, accounts.TOO_MANY_CODES)
        return redirect(request.path)
    accounts.start_code(request, roleinvitations.account_for(invitation, now=now), invitation.email, now=now)
    return redirect(f"{reverse('account_confirm_login_code')}?{urlencode({'next': request.path})}")


def name_form(request: HttpRequest) -> NameForm:
    """Without a question for somebody whose account has a name; who attends has told hers there."""
    user, answers = request.user, request.POST if request.method == "POST" else None
    own = user.participants.filter(email=user.email).values_list("name", flat=True).first()
    return NameForm(answers, is_known=bool(user.name), initial={"name": own or ""})


def place_of(user: User) -> str:
    """She may have had her role for no longer than this request."""
    return accounts.place_of(User.objects.get(pk=user.pk))
