"""A partner's list on the screen: searched, filtered, leafed through, and taken as a file of just that."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from conference.models import Organisation, Webinar
from registration import choices, exports, files, partners, workbooks
from registration.choices import Choice
from registration.models import Download, Participant, Registration
from registration.partner_forms import ChoiceForm, fields_of
from registration.views.partners import for_hosts, short_list

# What stands in a file as a word of ours is said in the reader's language here.
LABELS = {
    "gender": dict(Participant.Gender.choices),
    "age_group": dict(Participant.AgeGroup.choices),
    "organisation_kind": dict(Participant.OrganisationKind.choices),
    "status": dict(Registration.Status.choices),
}
LARGEST_KEY = 2**63 - 1


@require_GET
@for_hosts
def attendees(request: HttpRequest, organisation: Organisation, webinar: Webinar) -> HttpResponseBase:
    form, now = ChoiceForm(request.GET), timezone.now()
    choice, after = form.choice, key_in(request.GET.get("after", ""))
    pks = choices.page(choice, organisation, webinar, after=after)
    found = exports.Attendees(pks[: choices.PAGE], organisation, choice.columns)
    rows = [line(choice.columns, row) for rows in exports.rows(found) for row in rows]
    partners.note_look(request.user, organisation, webinar, len(rows), choice, now=now)
    kept = [("mitra", organisation.slug), *fields_of(choice)]
    context = {
        "organisation": organisation,
        "webinar": webinar,
        "form": form if request.GET else ChoiceForm({}),
        "choice": choice,
        "narrowed": narrowed(form, choice),
        "words": [exports.WORDS[name] for name in choice.columns],
        "rows": rows,
        "number": choices.found(choice, organisation, webinar).count(),
        "kept": kept,
        "first": f"?{urlencode(kept)}" if after is not None else "",
        "next": f"?{urlencode([*kept, ('after', found.pks[-1])])}" if len(pks) > choices.PAGE else "",
        "big": files.BIG,
    }
    return render(request, "registration/attendees.html", context)


def narrowed(form: ChoiceForm, choice: Choice) -> list[tuple[Any, Any]]:
    """In the form's own words, so that she sees with a glance whom she looks at."""
    pairs = [(form.fields[name], getattr(choice, name)) for name in choice.used]
    return [(field.label, dict(getattr(field, "choices", ())).get(value, value)) for field, value in pairs]


def key_in(text: str) -> int | None:
    return min(int(text), LARGEST_KEY) if text.isascii() and text.isdecimal() and len(text) < 20 else None


def line(columns: tuple[str, ...], row: exports.Row) -> list[tuple[Any, Any]]:
    return [(exports.WORDS[name], said(name, value)) for name, value in zip(columns, row, strict=True)]


def said(name: str, value: Any) -> Any:
    if name == "registered_at" and value:
        return f"{value[:10]} {value[11:16].replace(':', '.')} WITA"
    return LABELS.get(name, {}).get(value, value)


@require_POST
@for_hosts
def take(request: HttpRequest, organisation: Organisation, webinar: Webinar) -> HttpResponseBase:
    """A short list at once, a long one from a worker."""
    choice = ChoiceForm(request.POST).choice
    format = Download.Format.XLSX if request.POST.get("format") == "xlsx" else Download.Format.CSV
    if choices.found(choice, organisation, webinar).count() > files.BIG:
        return prepare(request, organisation, webinar, choice, format)
    name = f"{workbooks.name(organisation, webinar, now=timezone.now())}.{files.suffix(format)}"
    return short_list(request.user, organisation, webinar, format, choice, name)


def prepare(
    request: HttpRequest, organisation: Organisation, webinar: Webinar, choice: Choice, format: Download.Format
) -> HttpResponse:
    facts = {"language": translation.get_language(), "now": timezone.now()}
    try:
        file = files.ask(request.user, organisation, webinar, choice, format, **facts)
    except files.Refused as refused:
        messages.error(request, str(refused))
        back = urlencode([("mitra", organisation.slug), *fields_of(choice)])
        return redirect(f"{reverse('registration:attendees', args=[webinar.slug])}?{back}")
    return redirect("registration:file", file.token)
