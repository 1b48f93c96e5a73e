"""What the site holds about a person, for her own eyes, and what she may do about it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conference.models import Organisation, Webinar
from registration import consents, limits, needs, periods, records, rights, subscriptions
from registration.data_forms import ANSWERS, QUESTIONS, CorrectForm, NeedsForm
from registration.models import Consent, Participant, SensitiveAnswers
from registration.views.fresh import fresh_code_required

Purpose = Consent.Purpose
FACTS = (*rights.CORRECTABLE[:1], "email", "contact_email", *rights.CORRECTABLE[1:], "language")
# What most people have no reason to have is shown where it is filled in.
SELDOM = ("contact_email", "guardian_name")


def own_person(request: HttpRequest, pk: int) -> Participant:
    people = Participant.objects.managed_by(request.user).filter(proven_at__isnull=False)
    return get_object_or_404(people.select_related("account"), pk=pk)


@fresh_code_required
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Of one person the data itself."""
    found = list(Participant.objects.managed_by(request.user).filter(proven_at__isnull=False))
    if len(found) == 1:
        return redirect("registration:person", found[0].pk)
    return render(request, "registration/data_people.html", {"people": found})


@fresh_code_required
@require_safe
def person(request: HttpRequest, pk: int) -> HttpResponse:
    participant = own_person(request, pk)
    given = list(
        participant.consents.in_force().select_related("organisation").order_by("granted_at", "organisation__slug")
    )
    answers = needs.answers_of(participant)
    context = {
        "person": participant,
        "is_own": participant.email == request.user.email,
        "facts": facts_of(participant),
        "registrations": registrations_of(participant),
        "answers": answers,
        "answer_words": words_of(answers) if answers else [],
        "given": [
            (
                consent,
                consents.statement_of(consent.purpose, consent.organisation, in_care=participant.is_in_care),
                consent.purpose in consents.NEEDED,
            )
            for consent in given
        ],
        "offered": offered(participant, given),
        "wants_announcements": subscriptions.is_wanted(participant.account_id),
    }
    return render(request, "registration/data.html", context)


def facts_of(participant: Participant) -> list[tuple[str, str]]:
    """Each field with its value in words; what is empty is said to be."""
    names = [name for name in FACTS if name not in SELDOM or getattr(participant, name)]
    return [(str(Participant._meta.get_field(name).verbose_name), value_of(participant, name)) for name in names]


def value_of(participant: Participant, name: str) -> str:
    display = getattr(participant, f"get_{name}_display", None)
    return str(display() if display else getattr(participant, name))


def registrations_of(participant: Participant) -> list[Any]:
    rows = participant.registrations.in_order().select_related("webinar", "certificate", "feedback")
    return list(rows.prefetch_related("attendances"))


def words_of(answers: SensitiveAnswers) -> list[tuple[str, str]]:
    words = {str(key): str(word) for key, word in ANSWERS}
    rows = [(str(question), words.get(getattr(answers, name), "")) for name, question in QUESTIONS.items()]
    kinds = dict(SensitiveAnswers.Need.choices)
    asked = NeedsForm.base_fields
    rows.append((str(asked["needs"].label), ", ".join(str(kinds.get(need, need)) for need in answers.needs)))
    rows.append((str(asked["access_needs"].label), answers.access_needs))
    return rows


def offered(participant: Participant, given: list[Consent]) -> list[dict[str, Any]]:
    """What she may still agree to; the hosts of what she attends, as the sign-up form names them."""
    in_force = {(consent.purpose, consent.organisation_id) for consent in given}
    asked = [(Purpose.PARTNER, host) for host in hosts_for(participant)] + [(Purpose.NEWS, None)]
    return [
        {
            "purpose": purpose,
            "organisation": host,
            "statement": consents.statement_of(purpose, host, in_care=participant.is_in_care),
            "explanation": consents.explanation_of(purpose, in_care=participant.is_in_care),
        }
        for purpose, host in asked
        if (purpose, host.pk if host else None) not in in_force
    ]


def hosts_for(participant: Participant) -> list[Organisation]:
    hers = Webinar.objects.published().filter(registrations__in=participant.registrations.live())
    return list(Organisation.objects.filter(hosted_webinars__in=hers).distinct().order_by("slug"))


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    participant, account, now = own_person(request, pk), request.user.pk, timezone.now()
    data = request.POST if request.method == "POST" else None
    may_ask = limits.may_ask_for_phones(account, now=now)
    form = CorrectForm(data, participant=participant, may_ask_for_phone=may_ask)
    if form.is_valid() and corrected(request, participant, form):
        return redirect("registration:person", pk)
    if form.has_error("phone", "taken"):
        limits.count_refused_phones(account, 1, now=now)
    return render(request, "registration/data_correct.html", {"person": participant, "form": form})


def corrected(request: HttpRequest, participant: Participant, form: CorrectForm) -> bool:
    try:
        with transaction.atomic():
            changed = rights.correct(
                participant,
                form.answers(),
                actor=request.user,
                language=language(),
                now=timezone.now(),
                guardian_agrees=form.cleaned_data["guardian_consent"],
            )
    except IntegrityError:  # the phone was given to another entry a moment ago
        words = _("This number can't be used here. Leave the field empty, or write another.")
        form.add_error("phone", forms.ValidationError(words, code="taken"))
        return False
    messages.success(request, _("Your corrections are saved.") if changed else _("Nothing has changed."))
    return True


def language() -> str:
    return get_language() or "id"


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask_needs(request: HttpRequest, pk: int) -> HttpResponse:
    participant, now = own_person(request, pk), timezone.now()
    answers = needs.answers_of(participant)
    if request.method == "POST" and request.POST.get("action") == "remove":
        needs.remove(participant, actor=request.user, now=now)
        messages.success(request, _("Your answers are deleted, and your consent is taken back."))
        return redirect("registration:person", pk)
    form = NeedsForm(
        request.POST if request.method == "POST" else None, initial=as_typed(answers), in_care=participant.is_in_care
    )
    if form.is_valid():
        needs.save(participant, form.needs_given(), actor=request.user, language=language(), now=now)
        messages.success(request, _("Thank you. What you wrote is saved."))
        return redirect("registration:person", pk)
    context = {
        "person": participant,
        "form": form,
        "questions": [form[name] for name in QUESTIONS],
        "answers": answers,
        "explanation": consents.explanation_of(Purpose.SENSITIVE, in_care=participant.is_in_care),
        "delete_on": answers.delete_on if answers else periods.ends_on(periods.Kind.SENSITIVE, participant, now=now),
    }
    return render(request, "registration/data_needs.html", context)


def as_typed(answers: SensitiveAnswers | None) -> dict[str, Any]:
    return {name: getattr(answers, name) for name in needs.Needs.__annotations__} if answers else {}


@fresh_code_required
@require_POST
def give(request: HttpRequest, pk: int) -> HttpResponse:
    participant = own_person(request, pk)
    given = list(participant.consents.in_force())
    for offer in offered(participant, given):
        slug = offer["organisation"].slug if offer["organisation"] else ""
        if (offer["purpose"], slug) == (request.POST.get("purpose"), request.POST.get("organisation", "")):
            organisation, now = offer["organisation"], timezone.now()
            consents.grant(
                participant,
                offer["purpose"],
                language=language(),
                now=now,
                organisation=organisation,
                actor=request.user,
            )
            messages.success(request, _("Your consent is noted. You may take it back at any time."))
            break
    return redirect("registration:person", pk)


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: HttpRequest, pk: int, consent: int) -> HttpResponse:
    """A page first where it means to leave the conference. Taking back twice is harmless."""
    participant = own_person(request, pk)
    row = get_object_or_404(participant.consents.select_related("participant", "organisation"), pk=consent)
    if request.method == "POST":
        rights.take_back(row, actor=request.user, now=timezone.now())
        messages.info(request, taken_back(row))
        return redirect("registration:person", pk)
    if row.withdrawn_at:
        raise Http404
    context = {
        "person": participant,
        "consent": row,
        "statement": consents.statement_of(row.purpose, row.organisation, in_care=participant.is_in_care),
        "is_needed": row.purpose in consents.NEEDED,
    }
    return render(request, "registration/data_take_back.html", context)


def taken_back(consent: Consent) -> str:
    if consent.organisation:
        text = _(
            "%(organisation)s finds you in no list any more. If it has downloaded you before, it is told to remove you."
        )
        return text % {"organisation": consent.organisation.short_name}
    if consent.purpose in consents.NEEDED:
        return _("Your consent is taken back, and you are registered for no webinar any more.")
    return _("Your consent is taken back.")


@fresh_code_required
@require_POST
def restrict(request: HttpRequest, pk: int) -> HttpResponse:
    participant, now = own_person(request, pk), timezone.now()
    if request.POST.get("action") == "lift":
        rights.lift(participant, actor=request.user, now=now)
        messages.info(request, _("The restriction is lifted."))
    else:
        rights.restrict(participant, actor=request.user, now=now)
        messages.info(request, _("The use of your data is restricted: it serves your seat and your links alone."))
    return redirect("registration:person", pk)


@fresh_code_required
@require_POST
def subscribe(request: HttpRequest, pk: int) -> HttpResponse:
    """For the mailbox, and so for all whose mail goes there."""
    participant, now = own_person(request, pk), timezone.now()
    if request.POST.get("action") == "refuse":
        subscriptions.unsubscribe(participant.account_id, now=now, actor=request.user)
        messages.info(request, _("You get no announcements any more."))
    else:
        subscriptions.subscribe(participant.account_id, now=now, actor=request.user)
        messages.info(request, _("You get announcements again."))
    return redirect("registration:person", pk)


@fresh_code_required
@require_safe
def record(request: HttpRequest, pk: int) -> HttpResponse:
    participant, now = own_person(request, pk), timezone.now()
    all_consents = participant.consents.select_related("organisation", "text").order_by("-granted_at", "pk")
    context = {
        "person": participant,
        "steps": records.steps(participant, request.user),
        "accesses": records.accesses(participant, request.user),
        "downloads": [
            (download, records.column_words(download.columns)) for download in records.downloads_with(participant)
        ],
        "mails": participant.mails.defer("text", "html", "context").order_by("-created_at", "-pk"),
        "consents": [
            (consent, consents.statement_of(consent.purpose, consent.organisation, in_care=participant.is_in_care))
            for consent in all_consents
        ],
        "kept": records.kept(participant, now=now),
    }
    return render(request, "registration/data_record.html", context)
