"""A carer and the people whom she registers: the list, one person, and her way out of the group."""

from collections import defaultdict
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conference.models import Edition, Organisation, Webinar
from registration import care, consents, handover, limits, links, needs
from registration.group_forms import CorrectForm, HandoverForm, InCareForm
from registration.models import Consent, Handover, Participant, Registration
from registration.views.fresh import fresh_code_required

Purpose = Consent.Purpose
EXPLAINED = {
    "processing": Purpose.PROCESSING,
    "partners": Purpose.PARTNER,
    "sensitive": Purpose.SENSITIVE,
}


def person_in_care(request: HttpRequest, pk: int) -> Participant:
    return get_object_or_404(Participant.objects.in_care_of(request.user).select_related("account"), pk=pk)


def open_webinars(now: Any) -> list[Webinar]:
    edition = Edition.objects.current()
    return edition.open_webinars(now) if edition else []


def language() -> str:
    return get_language() or "id"


@fresh_code_required
@require_safe
def group(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    people = list(Participant.objects.in_care_of(request.user))
    rows = Registration.objects.filter(participant__in=people).live().in_order().with_places()
    tickets: dict[int, list[tuple[Registration, str, str]]] = defaultdict(list)
    for row in rows.select_related("webinar__edition", "participant"):
        tickets[row.participant_id].append((row, links.join_token(row), row.room_state(now)))
    offers = Handover.objects.filter(participant__in=people, accepted_at=None, withdrawn_at=None)
    offered = {offer.participant_id: offer for offer in offers}
    context = {
        "people": [(person, tickets[person.pk], offered.get(person.pk)) for person in people],
        "is_open": bool(open_webinars(now)),
    }
    return render(request, "registration/group.html", context)


# ---- One person


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    webinars = open_webinars(timezone.now())
    data = request.POST if request.method == "POST" else None
    form = InCareForm(data, carer=request.user, webinars=webinars, initial=usual(request))
    if form.is_valid() and (written := register(request, form)):
        for words in care.summary(written):
            messages.success(request, words)
        return redirect("registration:group")
    return render(request, "registration/group_person.html", person_context(form, webinars))


def usual(request: HttpRequest) -> dict[str, Any]:
    """Most people in a group live where their carer does."""
    own = Participant.objects.filter(account=request.user, email=request.user.email)
    return own.values("province", "regency").first() or {}


def person_context(form: InCareForm, webinars: list[Webinar]) -> dict[str, Any]:
    return {
        "form": form,
        "webinars": list(zip(form["webinars"].subwidgets, webinars, strict=True)),
        "explanations": {name: consents.explanation_of(purpose, in_care=True) for name, purpose in EXPLAINED.items()},
    }


def register(request: HttpRequest, form: InCareForm) -> care.Written | None:
    """None when something stands against it; the form then says what."""
    now = timezone.now()
    if refusal := too_often(request, 1, with_phones=bool(form.cleaned_data["phone"])):
        form.add_error(None, refusal)
        return None
    try:
        written = care.register(request.user, [form.entry()], language=language(), now=now)
    except care.Refused as refused:
        take_problems(request, [form], refused.problems)
        return None
    limits.count_people(request.user.pk, 1, now=now)
    return written


def too_often(request: HttpRequest, number: int, *, with_phones: bool) -> str:
    now, account = timezone.now(), request.user.pk
    may_ask = not with_phones or limits.may_ask_for_phones(account, now=now)
    if not (may_ask and limits.may_write_down(account, number, now=now)):
        return _("That is very much for one hour. Nothing you typed is lost: try again in an hour.")
    return ""


def take_problems(request: HttpRequest, rows: list[forms.Form], problems: Any) -> list[str]:
    """To the fields of their forms; what is about the whole list is returned, and said by a form that stands alone."""
    if strangers := care.refused_phones(problems):
        limits.count_refused_phones(request.user.pk, strangers, now=timezone.now())
    if strangers > limits.REFUSED_PHONES:
        problems = care.unnamed(problems)
    about_all = [problem.words for problem in problems if problem.place is None]
    for problem in problems:
        if problem.place is not None:
            rows[problem.place].add_error(problem.field, problem.words)
    if len(rows) == 1:
        for words in about_all:
            rows[0].add_error(None, words)
    return about_all


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    person = person_in_care(request, pk)
    live = list(person.registrations.live().select_related("webinar__edition"))
    webinars = choosable(person, live, now)
    data = request.POST if request.method == "POST" else None
    form = CorrectForm(data, carer=request.user, webinars=webinars, initial=known(request, person, live))
    if form.is_valid() and corrected(request, person, form, live, now):
        return redirect("registration:group")
    context = person_context(form, webinars) | {"person": person}
    return render(request, "registration/group_person.html", context)


def choosable(person: Participant, live: list[Registration], now: Any) -> list[Webinar]:
    """Those that are open, and those that she may still give up."""
    chosen = [row.webinar_id for row in live if not row.webinar.is_over(now)]
    hers = Webinar.objects.filter(pk__in=chosen).in_order().select_related("edition").prefetch_related("hosts")
    both = {webinar.pk: webinar for webinar in [*open_webinars(now), *hers]}
    return sorted(both.values(), key=lambda webinar: (webinar.date, webinar.number))


def known(request: HttpRequest, person: Participant, live: list[Registration]) -> dict[str, Any]:
    answers = needs.answers_of(person)
    shared = Organisation.objects.filter(
        consents__participant=person, consents__purpose=Purpose.PARTNER, consents__withdrawn_at=None
    )
    return {field: getattr(person, field) for field in care.PERSONAL} | {
        "webinars": [row.webinar.slug for row in live],
        "guardian_consent": bool(person.guardian_name),
        "guardian_is_me": bool(person.guardian_name) and person.guardian_name == request.user.name,
        "needs": answers.needs if answers else [],
        "access_needs": answers.access_needs if answers else "",
        "consent_sensitive": answers is not None,
        "consent_partners": [host.slug for host in shared],
    }


def corrected(request: HttpRequest, person: Participant, form: CorrectForm, live: list[Registration], now: Any) -> bool:
    entry = form.entry()
    if refusal := too_often(request, 0, with_phones=entry["phone"] not in ("", person.phone)):
        form.add_error("phone", refusal)
        return False
    # What the form doesn't show any more is over: it stays as it was.
    shown = {webinar.pk for webinar in form.offered.values()}
    entry["webinars"] += [row.webinar_id for row in live if row.webinar_id not in shown]
    try:
        written = care.correct(person, entry, actor=request.user, language=language(), now=now)
    except care.Refused as refused:
        take_problems(request, [form], refused.problems)
        return False
    for words in care.summary(written):
        messages.success(request, words)
    return True


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method == "POST":
        person = Participant.objects.in_care_of(request.user).filter(pk=pk).first()
        if person and care.remove(person, actor=request.user, now=timezone.now()):
            text = _("%(name)s is no longer in your group. The seats go to those who wait, and the data is deleted.")
            messages.success(request, text % {"name": person.name})
        return redirect("registration:group")  # a second click finds nobody, which is what she wants
    return render(request, "registration/group_remove.html", {"person": person_in_care(request, pk)})


# ---- To an account of her own


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    person = person_in_care(request, pk)
    form = HandoverForm(request.POST if request.method == "POST" else None, initial={"email": person.contact_email})
    if form.is_valid():
        email = form.cleaned_data["email"]
        try:
            handover.offer(person, email, actor=request.user, now=timezone.now())
        except handover.Refused as refused:
            form.add_error("email", str(refused))
        else:
            text = _("A mail is on its way to %(email)s. The link in it gives %(name)s an account of their own.")
            messages.success(request, text % {"email": email, "name": person.first_name})
            return redirect("registration:group")
    context = {"person": person, "form": form, "offer": handover.open_offers(person).first()}
    return render(request, "registration/group_handover.html", context)


@fresh_code_required
@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    person = person_in_care(request, pk)
    for offer in handover.open_offers(person):
        handover.take_back(offer, actor=request.user, now=timezone.now())
    messages.info(request, _("Taken back: the link in the mail doesn't work any more."))
    return redirect("registration:group")
