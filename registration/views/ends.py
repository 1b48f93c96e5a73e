"""The ends of a person's data: she takes it along, and has it deleted."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from registration import audit, erasure, takeaway
from registration.models import Participant, User
from registration.views.fresh import fresh_code_required

# ---- Taking along


@fresh_code_required
@require_GET  # HEAD would note a file that nobody got
def take_data(request: HttpRequest, pk: int) -> HttpResponse:
    participant, now = own_person(request, pk), timezone.now()
    parts = takeaway.take_along(participant, request.user, now=now)
    content = takeaway.as_data(participant, parts, now=now)
    response = JsonResponse(content, json_dumps_params={"ensure_ascii": False, "indent": 2})
    return as_file(response, "kpt-data.json")


@fresh_code_required
@require_GET
def take_page(request: HttpRequest, pk: int) -> HttpResponse:
    participant, now = own_person(request, pk), timezone.now()
    parts = takeaway.take_along(participant, request.user, now=now)
    return as_file(HttpResponse(takeaway.as_page(participant, parts, now=now)), "kpt-data.html")


def own_person(request: HttpRequest, pk: int) -> Participant:
    people = Participant.objects.managed_by(request.user).filter(proven_at__isnull=False)
    return get_object_or_404(people.select_related("account"), pk=pk)


def as_file(response: HttpResponse, name: str) -> HttpResponse:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# ---- Deleting


@never_cache
def delete(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A second click comes when the account is gone: it gets the same answer as the first."""
    if request.method == "POST" and not request.user.is_authenticated:
        return redirect("registration:deleted")
    return delete_known(request, pk)


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_known(request: HttpRequest, pk: int | None) -> HttpResponse:
    """Her own data, or with `pk` that of one person whom the account manages."""
    people = Participant.objects.managed_by(request.user)
    own = people.filter(email_key=request.user.email_key)
    participant = (own if pk is None else people.filter(pk=pk)).select_related("account").first()
    if request.method == "POST":
        return act(request, participant, pk)
    if participant is None and pk is not None:
        return redirect("registration:data")
    return render(request, "registration/delete.html", what_goes(request, participant))


def act(request: HttpRequest, participant: Participant | None, pk: int | None) -> HttpResponse:
    """The account alone goes only where it was asked for: not at a second click on a person in its care."""
    user = request.user
    if participant is not None:
        is_done = erasure.erase(participant, now=timezone.now(), actor=user)
    else:
        is_done = pk is None and erasure.close_account(user)
    if not User.objects.filter(pk=user.pk).exists():
        logout(request)
        return redirect("registration:deleted")
    if is_done:
        messages.success(
            request, _("The data of %(name)s is deleted. A mail confirms it.") % {"name": participant.name}
        )
    else:
        messages.info(request, _("There was nothing to delete any more."))
    return redirect("registration:mine")


def what_goes(request: HttpRequest, participant: Participant | None) -> dict[str, object]:
    user, now = request.user, timezone.now()
    others = Participant.objects.managed_by(user).exclude(pk=participant.pk if participant else None)
    context = {
        "person": participant,
        "is_own": participant is None or participant.email_key == user.email_key,
        "others": others,
        "has_task": user.is_staff or user.is_superuser or user.partner_memberships.exists(),
        "is_recorded": audit.names(user.pk),
    }
    if participant is None:
        return context
    live = participant.registrations.exclude(status="CANCELLED").in_order().select_related("webinar")
    shared = participant.consents.in_force().filter(purpose="partner").select_related("organisation")
    return context | {
        "seats": [row.webinar for row in live if not row.webinar.is_over(now)],
        "partners": [consent.organisation for consent in shared.order_by("organisation__slug")],
        "has_certificates": participant.registrations.filter(certificate__isnull=False).exists(),
    }


@never_cache
@require_safe
def deleted(request: HttpRequest) -> HttpResponse:
    return render(request, "registration/deleted.html")
