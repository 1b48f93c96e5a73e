"""A partner's manager invites and removes her colleagues."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conference.models import Organisation
from registration import accounts, roleinvitations, roles
from registration.models import PartnerMember, Role, RoleInvitation
from registration.role_forms import ColleagueForm
from registration.roles import Held
from registration.views.partners import ask_for_second_factor


def for_managers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Of this organisation: to others of its people it says no, to everybody else there is no such page."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponse:
        organisation = Organisation.objects.filter(slug=slug, members__user=request.user).first()
        if organisation is None:
            raise Http404
        if not roles.is_manager(request.user, organisation):
            raise PermissionDenied
        if accounts.lacks_second_factor(request.user):
            return ask_for_second_factor(request)
        return view(request, organisation, **kwargs)

    return guarded


@for_managers
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    form = ColleagueForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and invite(request, organisation, form):
        return redirect("registration:team", organisation.slug)
    now = timezone.now()
    invitations = roleinvitations.pending().filter(organisation=organisation).order_by("-created_at")
    context = {
        "organisation": organisation,
        "members": organisation.members.select_related("user").order_by("role", "user__name", "pk"),
        "invitations": [(each, roleinvitations.standing(each, now=now)) for each in invitations],
        "form": form,
    }
    return render(request, "registration/team.html", context)


def invite(request: HttpRequest, organisation: Organisation, form: ColleagueForm) -> bool:
    data = form.cleaned_data
    held = Held(Role(data["role"]), organisation)
    try:
        roleinvitations.invite(
            data["email"], held, language=request.LANGUAGE_CODE, actor=request.user, now=timezone.now()
        )
    except roles.Refused as refused:
        form.add_error("email", str(refused))
        return False
    messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": data["email"]})
    return True


@for_managers
@require_POST
def again(request: HttpRequest, organisation: Organisation, pk: int) -> HttpResponse:
    invitation = get_object_or_404(RoleInvitation, pk=pk, organisation=organisation)
    try:
        is_sent = roleinvitations.again(invitation, actor=request.user, now=timezone.now())
    except roles.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.info(request, _("Sent again.") if is_sent else _("This invitation is not open any more."))
    return redirect("registration:team", organisation.slug)


@for_managers
@require_POST
def revoke(request: HttpRequest, organisation: Organisation, pk: int) -> HttpResponse:
    invitation = get_object_or_404(RoleInvitation, pk=pk, organisation=organisation)
    is_done = roleinvitations.revoke(invitation, actor=request.user, now=timezone.now())
    messages.info(
        request, _("The invitation is taken back.") if is_done else _("This invitation is not open any more.")
    )
    return redirect("registration:team", organisation.slug)


@for_managers
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, organisation: Organisation, pk: int) -> HttpResponse:
    member = get_object_or_404(PartnerMember.objects.select_related("user"), pk=pk, organisation=organisation)
    if request.method != "POST":
        context = {"organisation": organisation, "member": member}
        return render(request, "registration/team_remove.html", context)
    try:
        roles.end(member.user, roles.held_as(member), actor=request.user, now=timezone.now())
    except roles.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("%(person)s sees nothing of this room any more.") % {"person": member.user})
    return redirect("registration:team", organisation.slug)
