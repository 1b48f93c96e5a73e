"""The public site: a function of the content, the language and the time, the same for every visitor.

Previews show the same pages of what is not public yet to whoever has a link, or writes it in the admin.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import Prefetch
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import get_language_info
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conference import previewing, sharing
from conference.agenda import edition_items, programme, visible_appearances, webinars_with_people, with_people
from conference.calendars import agenda_file, calendar_file, entry_of
from conference.feeds import changes_feed, schedule, schedule_xml
from conference.models import Appearance, Edition, Organisation, Page, Partnership, Speaker, Webinar, next_opening
from conference.pictures import find_card

# A title or summary with one of these words gives its page a link by which it is left quickly.
VIOLENCE = re.compile(r"\b(kekerasan|violence)\b", re.IGNORECASE)


@require_safe
def home(request):
    edition = Edition.objects.current()
    others = Edition.objects.published().newest_first()
    context = {
        "current_edition": edition,
        "earlier": others.filter(year__lt=edition.year) if edition else others,
        "now": timezone.now(),
    }
    if edition:
        webinars = webinars_with_people(edition)
        context |= {
            "webinars": webinars,
            "roles": by_role(edition),
            "opens_at": next_opening(edition, webinars, context["now"]),
            "registration": registration_state(edition, webinars, context["now"]),
        }
    return render(request, "conference/home.html", context)


def registration_state(edition, webinars, now):
    """open, ahead (opens at a known time), unknown or closed; each webinar may have hours of its own."""
    if any(webinar.is_open_for_registration(now) for webinar in webinars):
        return "open"
    if next_opening(edition, webinars, now):
        return "ahead"
    if not webinars and edition.is_registration_open(now):
        return "open"
    is_unknown = edition.registration_opens_at is None and timezone.localdate(now) <= edition.ends_on
    return "unknown" if is_unknown else "closed"


def by_role(edition):
    """Its organisations as (role in words, partnerships), organisers first."""
    grouped = groupby(edition.ordered_partnerships(), key=lambda partnership: partnership.role)
    return [(Partnership.Role(role), list(group)) for role, group in grouped]


@require_safe
def agenda(request):
    edition = Edition.objects.current()
    days = programme(edition) if edition else []
    address = sharing.full_address(reverse("conference:agenda_ics"))
    context = {
        "current_edition": edition,
        "days": days,
        "now": timezone.now(),
        "webcal": sharing.webcal_address(address),
        "google": sharing.google_subscription(address),
    }
    return render(request, "conference/agenda.html", context)


@require_safe
def agenda_ics(request):
    edition = current_edition_or_404()
    return calendar_response(agenda_file(edition), f"kpt{edition.year}.ics")


@require_safe
def agenda_json(request):
    return JsonResponse(schedule(current_edition_or_404()), json_dumps_params={"ensure_ascii": False})


@require_safe
def agenda_xml(request):
    return HttpResponse(schedule_xml(current_edition_or_404()), "application/xml; charset=utf-8")


@require_safe
def changes_atom(request):
    return HttpResponse(changes_feed(current_edition_or_404()), "application/atom+xml; charset=utf-8")


def current_edition_or_404():
    edition = Edition.objects.current()
    if edition is None:
        raise Http404
    return edition


def calendar_response(content, filename):
    response = HttpResponse(content, "text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{filename}"'
    return response


@require_safe
def webinar(request, slug):
    return webinar_page(request, Webinar.objects.published(), slug=slug)


def webinar_page(request, webinars, preview=None, **wanted):
    """Of published webinars to visitors, of any as a preview."""
    complete = with_people(webinars.select_related("edition")).prefetch_related("hosts", "materials")
    webinar = get_object_or_404(complete, **wanted)
    now = timezone.now()
    context = {
        "webinar": webinar,
        "now": now,
        "preview": preview,
        "can_register": not preview and webinar.is_open_for_registration(now),
        "opens_at": next_opening(webinar.edition, [webinar], now),
        "languages": [language_name(code) for code in webinar.languages],
        "materials": webinar.ordered_materials(),
        "whatsapp": sharing.whatsapp_address(webinar),
        "short_path": sharing.short_path(webinar),
        "short_address": sharing.short_address(webinar),
        "google": sharing.google_address(webinar),
        "outlook": sharing.outlook_address(webinar),
        "outlook_work": sharing.outlook_address(webinar, "work"),
        "touches_violence": touches_violence(webinar.title, webinar.summary),
    }
    return render(request, "conference/webinar.html", context)


def language_name(code):
    try:
        return get_language_info(code)["name_translated"]
    except KeyError:
        return code


def touches_violence(*texts):
    return any(VIOLENCE.search(text) for text in texts)


@require_safe
def webinar_ics(request, slug):
    webinar = get_object_or_404(Webinar.objects.published(), slug=slug)
    return calendar_response(calendar_file([entry_of(webinar)]), f"{webinar.slug}.ics")


@require_safe
def speakers(request):
    edition = Edition.objects.current()
    appearances = visible_appearances().filter(edition=edition) if edition else Appearance.objects.none()
    people = Speaker.objects.filter(appearances__in=appearances).distinct().select_related("organisation")
    context = {"current_edition": edition, "speakers": people.order_by("name", "pk")}
    return render(request, "conference/speakers.html", context)


@require_safe
def speaker(request, slug):
    appearances = visible_appearances().select_related("edition", "webinar", "agenda_item__webinar")
    parts = Prefetch("appearances", appearances.order_by("-edition__year", "order", "pk"), "parts")
    speaker = get_object_or_404(Speaker.objects.select_related("organisation").prefetch_related(parts), slug=slug)
    if not speaker.parts:
        raise Http404
    return render(request, "conference/speaker.html", {"speaker": speaker})


@require_safe
def organisations(request):
    edition = Edition.objects.current()
    context = {"current_edition": edition, "roles": by_role(edition) if edition else []}
    return render(request, "conference/organisations.html", context)


@require_safe
def organisation(request, slug):
    organisation = get_object_or_404(Organisation, slug=slug)
    speakers = organisation.speakers.filter(appearances__in=visible_appearances()).distinct().order_by("name", "pk")
    context = {
        "organisation": organisation,
        "partnerships": organisation.partnerships.filter(edition__in=Edition.objects.published())
        .select_related("edition")
        .order_by("-edition__year"),
        "webinars": with_people(organisation.hosted_webinars.published().in_order()),
        "speakers": speakers,
        "now": timezone.now(),
    }
    return render(request, "conference/organisation.html", context)


@require_safe
def editions(request):
    return render(request, "conference/editions.html", {"editions": Edition.objects.published().newest_first()})


@require_safe
def edition(request, year):
    return edition_page(request, Edition.objects.published(), year=year)


def edition_page(request, editions, preview=None, **wanted):
    """A preview names its drafts too."""
    edition = get_object_or_404(editions, **wanted)
    webinars = webinars_with_people(edition, Webinar.objects.all()) if preview else webinars_with_people(edition)
    context = {
        "edition": edition,
        "preview": preview,
        "webinars": webinars,
        "items": edition_items(edition),
        "roles": by_role(edition),
        "now": timezone.now(),
    }
    return render(request, "conference/edition.html", context)


@require_safe
def page(request, slug):
    return written_page(request, Page.objects.published(), slug=slug)


def written_page(request, pages, preview=None, **wanted):
    page = get_object_or_404(pages, **wanted)
    context = {"page": page, "preview": preview, "touches_violence": touches_violence(page.title)}
    return render(request, "conference/page.html", context)


@require_safe
def picture(request, kind, name=""):
    """Its address in a page names its content, so that whoever asks by that address never need ask again."""
    card = find_card(kind, name)
    if card is None:
        raise Http404
    tag = quote_etag(card.version)
    response = get_conditional_response(request, etag=tag) or HttpResponse(card.png(), "image/png")
    response["ETag"] = tag
    is_exact = request.GET.get("v") == card.version
    response["Cache-Control"] = "public, max-age=31536000, immutable" if is_exact else "public, max-age=300"
    return response


@require_safe
def short(request, number):
    """An address to be read aloud: the webinar of this number in the current edition."""
    webinars = Webinar.objects.published().filter(edition__is_current=True)
    return redirect(get_object_or_404(webinars, number=number))


# ---- Previews


@dataclass(frozen=True)
class Preview:
    """Where the pages beneath it are; until when, for those who came by a link."""

    token: str = ""
    until: datetime | None = None


@never_cache
@require_safe
def preview(request, token):
    return previewed(request, token, show_preview)


@never_cache
@require_safe
def preview_webinar(request, token, slug):
    """Of an edition's preview: its link opens its webinars too."""

    def show(request, row, preview):
        webinar = get_object_or_404(Webinar, slug=slug, edition=row) if isinstance(row, Edition) else None
        if webinar is None:
            raise Http404
        return show_preview(request, webinar, preview)

    return previewed(request, token, show)


def previewed(request, token, show):
    try:
        opened = previewing.open_link(token, now=timezone.now())
    except previewing.Ended:
        response = render(request, "conference/preview_ended.html", status=410)
    else:
        if opened is None:
            raise Http404
        response = show(request, opened.row, Preview(token, opened.until))
    response["X-Robots-Tag"] = "noindex"
    return response


def show_preview(request, row, preview):
    if previewing.is_shown(row):
        return redirect(row)
    match row:
        case Webinar():
            return webinar_page(request, Webinar.objects.all(), preview, pk=row.pk)
        case Page():
            return written_page(request, Page.objects.all(), preview, pk=row.pk)
        case Edition():
            return edition_page(request, Edition.objects.all(), preview, pk=row.pk)
