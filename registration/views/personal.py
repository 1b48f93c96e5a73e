from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from conference import sharing
from registration import bounces, links, signup
from registration.models import Participant, Registration, SensitiveAnswers

# A longer group has its own page: a phone shows two tickets at a time.
MOST_SHOWN = 3


@never_cache
@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    people = list(
        Participant.objects.managed_by(request.user)
        .filter(proven_at__isnull=False)
        .annotate(has_said_needs=Exists(SensitiveAnswers.objects.filter(participant=OuterRef("pk"))))
    )
    in_care = [person for person in people if person.is_in_care]
    if len(in_care) > MOST_SHOWN:
        people = [person for person in people if not person.is_in_care]
    rows = (
        Registration.objects.filter(participant__in=people)
        .live()
        .in_order()
        .with_places()
        .select_related("webinar__edition", "participant")
    )
    now = timezone.now()
    tickets: dict[int, list[tuple[Registration, str, str]]] = {}
    for registration in rows:
        tickets.setdefault(registration.participant_id, []).append(
            (registration, links.join_token(registration), registration.room_state(now))
        )
    context = {
        "people": [(person, tickets.get(person.pk, []), calendar_of(person)) for person in people],
        "in_care": len(in_care),
        "has_long_group": len(in_care) > MOST_SHOWN,
        "address_bounces": bounces.of(request.user.email) is not None,
        "is_partner": request.user.partner_memberships.exists(),
    }
    return render(request, "registration/mine.html", context)


def calendar_of(person: Participant) -> dict[str, str]:
    address = links.calendar(person)
    return {
        "address": address,
        "webcal": sharing.webcal_address(address),
        "google": sharing.google_subscription(address),
    }


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, code: str) -> HttpResponse:
    own = Registration.objects.managed_by(request.user).select_related("participant__account", "webinar__edition")
    registration = get_object_or_404(own, code=code)
    if request.method == "POST":
        title = {"title": registration.webinar.title}
        if signup.cancel(registration, now=timezone.now(), actor=request.user):
            messages.info(request, _("You are no longer registered for “%(title)s”.") % title)
        else:
            messages.info(
                request, _("Nothing has changed for “%(title)s”: it was cancelled before, or is over.") % title
            )
        return redirect("registration:mine")
    return render(request, "registration/cancel.html", {"registration": registration})
