"""Her page behind the link in every mail: registrations, hours and seats without signing in, and no data but first names."""

from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from conference.models import Webinar
from registration import bounces, links, renewal, signup, waitinglist
from registration.models import Participant, Registration
from registration.models.registrations import RegistrationQuerySet
from registration.views.fresh import fresh_code_required
from registration.views.personal import MOST_SHOWN, calendar_of

# What a button of the page does to one registration.
STEPS = {"leave": signup.cancel, "accept": waitinglist.accept}


@csrf_exempt  # the signed token is the right; a page opened from a mail app may have no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    participant, now = links.read_page(token), timezone.now()
    if participant is None:
        return unknown_link(request, token)
    people = shown_with(participant)
    registrations = shown(people).with_places()
    if request.method == "POST":
        return act(request, token, registrations)
    tickets: dict[int, list[Any]] = {person.pk: [] for person in people}
    for row in registrations:
        tickets[row.participant_id].append((row, links.join_token(row), row.room_state(now)))
    own, *others = [(person, tickets[person.pk], calendar_of(person)) for person in people]
    is_long = len(others) > MOST_SHOWN
    context = {
        "people": [own] if is_long else [own, *others],
        "folded": others if is_long else [],
        "participant": participant,
        "is_too_late": "terlambat" in request.GET,
        "is_hers": request.user == participant.account,
        "address_bounces": bounces.of(participant.address) is not None,
        "contact": parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
    }
    return private(render(request, "registration/page.html", context))


def shown_with(participant: Participant) -> list[Participant]:
    """A carer's own page shows the people in her care too; the page of somebody in care nobody else."""
    if participant.is_in_care:
        return [participant]
    return [participant, *Participant.objects.in_care_of(participant.account)]


def shown(people: list[Participant]) -> RegistrationQuerySet:
    """What she has, and what she has left of webinars that are still to come, so that a slip is mended."""
    rows = Registration.objects.filter(participant__in=people).in_order()
    rows = rows.exclude(webinar__status=Webinar.Status.DRAFT).exclude(status="PENDING", offered_at=None)
    return rows.select_related("webinar__edition", "participant__account")


def act(request: HttpRequest, token: str, registrations: RegistrationQuerySet) -> HttpResponse:
    step, pk = STEPS.get(request.POST.get("step", "")), request.POST.get("registration", "")
    registration = registrations.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
    if step is None or registration is None:
        raise Http404
    is_done = step(registration, now=timezone.now(), actor=registration.participant.account)
    query = "" if is_done else "?terlambat=1"
    return private(HttpResponseRedirect(reverse("registration:page", args=[token]) + query))


def unknown_link(request: HttpRequest, token: str) -> HttpResponse:
    """Says what to do, in other words for a link that was ours once than for one that is broken off."""
    context = {"is_spent": links.is_spent(token)}
    return private(render(request, "registration/join_unknown.html", context, status=404))


def private(response: HttpResponse) -> HttpResponse:
    """The address is her key: it goes neither to other sites nor into search engines."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        renewal.renew(request.user, now=timezone.now())
        return redirect(f"{reverse('registration:renew_links')}?selesai=1")
    return render(request, "registration/renew_links.html", {"is_done": "selesai" in request.GET})
