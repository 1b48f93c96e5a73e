"""Who of an organisation looked at or took which list: for its managers, in words that they know from its pages."""

from datetime import UTC

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_GET

from conference.models import Organisation, Webinar
from registration import exports, partners
from registration.models import Role
from registration.views.team import for_managers

gettext_noop("taken back")  # an invitation
WORDS = {
    **exports.WORDS,
    **dict(Role.choices),
    "search": gettext_lazy("search"),
    "attended": gettext_lazy("attendance"),
    "order": gettext_lazy("order"),
    "GET": gettext_lazy("wanted to see a page"),
    "POST": gettext_lazy("wanted to send something"),
}


@require_GET
@for_managers
def log(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    before = moment_in(request.GET.get("before", ""))
    found = partners.log(organisation, before=before)
    lines = found[: partners.PAGE]
    titles = {webinar.pk: webinar for webinar in Webinar.objects.filter(pk__in={line.webinar_id for line in lines})}
    more = urlencode({"before": lines[-1].at.isoformat()}) if len(found) > partners.PAGE else ""
    context = {
        "organisation": organisation,
        "lines": [(line, titles.get(line.webinar_id), in_words(line.columns)) for line in lines],
        "earlier": f"?{more}" if more else "",
        "is_first": before is None,
    }
    return render(request, "registration/partner_log.html", context)


def in_words(details: str) -> str:
    """Columns, and behind a dot the filters; a role; or what a line says for itself."""
    columns, _dot, filters = details.partition(" · ")
    if columns == ", ".join(exports.COLUMNS):
        said = [_("all columns")]
    else:
        said = [word_for(name) for name in columns.split(", ")]
    by = [word_for(name) for name in filters.split(", ")] if filters else []
    return " · ".join(filter(None, [", ".join(said), ", ".join(by)]))


def word_for(name: str) -> str:
    return str(WORDS[name]) if name in WORDS else _(name) if name else ""


def moment_in(text: str):
    """In UTC: the database knows no offset beyond sixteen hours."""
    try:
        moment = parse_datetime(text)
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (OverflowError, ValueError):
        return None
