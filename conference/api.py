"""The public content for programs: the same as on the pages, kept and told anew in the same way."""

from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.fields.files import ImageFieldFile
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_noop as _
from ninja import Query, Router
from ninja.decorators import decorate_view

from conference import apischemas as schemas
from conference import photos
from conference.agenda import edition_items, visible_appearances, with_people
from conference.keeping import kept
from conference.models import (
    AgendaItem,
    Appearance,
    Edition,
    Material,
    Organisation,
    Partnership,
    Speaker,
    Webinar,
    WebinarQuerySet,
)
from conference.sharing import full_address

Facts = dict[str, Any]
router = Router(tags=["content"])
NOT_FOUND = {404: schemas.Problem}
YEAR: Any = Query(None, description=_("Only of this edition, by its year."))  # type: ignore[type-arg]


# ---- Editions


@router.get(
    "editions",
    response=list[schemas.EditionLine],
    url_name="editions",
    summary=_("All editions, the newest first"),
)
@decorate_view(kept)
def editions(request: HttpRequest) -> list[Facts]:
    return [edition_line(edition) for edition in Edition.objects.published().newest_first()]


@router.get(
    "editions/{int:year}",
    response={200: schemas.EditionWhole, **NOT_FOUND},
    url_name="edition",
    summary=_("One edition with its organisations, webinars and days"),
)
@decorate_view(kept)
def edition(request: HttpRequest, year: int) -> Facts:
    found = get_object_or_404(Edition.objects.published(), year=year)
    return edition_line(found) | {
        "summary": found.summary,
        "organisations": [partner(one) for one in found.ordered_partnerships()],
        "webinars": [webinar_line(webinar) for webinar in lines(Webinar.objects.filter(edition=found))],
        "items": [item(one) for one in edition_items(found)],
    }


def edition_line(edition: Edition) -> Facts:
    names = ("year", "slug", "number", "name", "theme", "place", "starts_on", "ends_on", "is_current", "is_rehearsal")
    return {name: getattr(edition, name) for name in names} | {"page": page_of(edition)}


def partner(partnership: Partnership) -> Facts:
    organisation = partnership.organisation
    return {"organisation": organisation.slug, "name": organisation.name, "role": partnership.role}


def item(one: AgendaItem) -> Facts:
    names = ("kind", "title", "note", "date", "starts_at", "ends_at")
    return {name: getattr(one, name) for name in names} | {"speakers": parts(one.appearances.all())}


def parts(appearances: "QuerySet[Appearance]") -> list[Facts]:
    return [{"speaker": one.speaker.slug, "name": one.speaker.name, "role": one.role} for one in appearances]


def page_of(row: Edition | Webinar | Speaker | Organisation) -> str:
    return full_address(row.get_absolute_url())


# ---- Webinars


@router.get(
    "webinars",
    response=list[schemas.WebinarLine],
    url_name="webinars",
    summary=_("All webinars that visitors may see, by day and hour"),
)
@decorate_view(kept)
def webinars(request: HttpRequest, edition: int | None = YEAR) -> list[Facts]:
    rows = Webinar.objects.filter(edition__year=edition) if edition else Webinar.objects.all()
    return [webinar_line(webinar) for webinar in lines(rows)]


@router.get(
    "webinars/{slug:slug}",
    response={200: schemas.WebinarWhole, **NOT_FOUND},
    url_name="webinar",
    summary=_("One webinar with its agenda, speakers and materials"),
)
@decorate_view(kept)
def webinar(request: HttpRequest, slug: str) -> Facts:
    rows = with_people(Webinar.objects.published().select_related("edition")).prefetch_related("hosts", "materials")
    found = get_object_or_404(rows, slug=slug)
    names = ("description", "languages", "has_sign_language", "has_captions", "capacity")
    return (
        webinar_line(found)
        | {name: getattr(found, name) for name in names}
        | {
            "is_registration_open": found.is_open_for_registration(timezone.now()),
            "registration_opens_at": found.sign_up_opens_at,
            "registration_closes_at": found.sign_up_closes_at,
            "speakers": parts(found.appearances.all()),
            "agenda": [item(one) for one in found.agenda_items.all()],
            "materials": [material_line(material) for material in found.ordered_materials()],
        }
    )


def lines(rows: WebinarQuerySet) -> WebinarQuerySet:
    return rows.published().in_order().select_related("edition").prefetch_related("hosts")


def webinar_line(webinar: Webinar) -> Facts:
    """Not its room: the Zoom address stands nowhere."""
    names = ("slug", "number", "title", "summary", "status", "date", "starts_at", "ends_at")
    hosts = sorted(host.slug for host in webinar.hosts.all())
    facts = {"edition": webinar.edition.year, "hosts": hosts, "page": page_of(webinar)}
    return {name: getattr(webinar, name) for name in names} | facts


def material_line(material: Material) -> Facts:
    address = full_address(material.address) if material.file else material.address
    return {"kind": material.kind, "title": material.title, "address": address, "size_bytes": material.size_bytes}


# ---- Speakers


@router.get(
    "speakers",
    response=list[schemas.SpeakerLine],
    url_name="speakers",
    summary=_("All speakers, by name"),
)
@decorate_view(kept)
def speakers(request: HttpRequest, edition: int | None = YEAR) -> list[Facts]:
    appearances = visible_appearances()
    if edition:
        appearances = appearances.filter(edition__year=edition)
    found = Speaker.objects.filter(appearances__in=appearances).distinct().select_related("organisation")
    return [speaker_line(speaker) for speaker in found.order_by("name", "pk")]


@router.get(
    "speakers/{slug:slug}",
    response={200: schemas.SpeakerWhole, **NOT_FOUND},
    url_name="speaker",
    summary=_("One speaker and where she or he appears"),
)
@decorate_view(kept)
def speaker(request: HttpRequest, slug: str) -> Facts:
    seen = visible_appearances().select_related("edition", "webinar", "agenda_item__webinar")
    ordered = Prefetch("appearances", seen.order_by("-edition__year", "order", "pk"))
    rows = Speaker.objects.filter(appearances__in=visible_appearances()).distinct().select_related("organisation")
    found: Speaker = get_object_or_404(rows.prefetch_related(ordered), slug=slug)
    facts = {"bio": found.bio, "appearances": [appears(one) for one in found.appearances.all()]}
    return speaker_line(found) | facts


def speaker_line(speaker: Speaker) -> Facts:
    return {
        "slug": speaker.slug,
        "name": speaker.name,
        "position": speaker.position,
        "organisation": speaker.organisation.slug if speaker.organisation else None,
        "photo": image(speaker.photo),
        "photo_alt": photos.alternative_text(speaker.photo),
        "page": page_of(speaker),
    }


def appears(appearance: Appearance) -> Facts:
    one = appearance.agenda_item
    webinar = appearance.webinar or (one.webinar if one else None)
    return {
        "edition": appearance.edition.year,
        "webinar": webinar.slug if webinar else None,
        "item": one.title if one else None,
        "role": appearance.role,
    }


def image(uploaded: ImageFieldFile) -> str | None:
    copies = photos.variants(uploaded)
    return full_address(copies.fallback(320)) if copies else None


# ---- Organisations


@router.get(
    "organisations",
    response=list[schemas.OrganisationLine],
    url_name="organisations",
    summary=_("All organisations that take part in an edition or host a webinar, by name"),
)
@decorate_view(kept)
def organisations(request: HttpRequest, edition: int | None = YEAR) -> list[Facts]:
    partnerships = Partnership.objects.filter(organisation=OuterRef("pk"), edition__in=Edition.objects.published())
    hosted = Webinar.objects.published().filter(hosts=OuterRef("pk"))
    if edition:
        partnerships, hosted = (rows.filter(edition__year=edition) for rows in (partnerships, hosted))
    found = Organisation.objects.filter(Q(Exists(partnerships)) | Q(Exists(hosted)))
    return [organisation_line(organisation) for organisation in found.order_by("name", "pk")]


@router.get(
    "organisations/{slug:slug}",
    response={200: schemas.OrganisationWhole, **NOT_FOUND},
    url_name="organisation",
    summary=_("One organisation with its editions, webinars and speakers"),
)
@decorate_view(kept)
def organisation(request: HttpRequest, slug: str) -> Facts:
    found = get_object_or_404(Organisation, slug=slug)
    shown = found.partnerships.filter(edition__in=Edition.objects.published()).select_related("edition")
    own = Speaker.objects.filter(organisation=found, appearances__in=visible_appearances()).distinct()
    return organisation_line(found) | {
        "about": found.about,
        "editions": [{"edition": one.edition.year, "role": one.role} for one in shown.order_by("-edition__year")],
        "webinars": [webinar.slug for webinar in Webinar.objects.published().hosted_by(found).in_order()],
        "speakers": [speaker.slug for speaker in own.order_by("name", "pk")],
    }


def organisation_line(organisation: Organisation) -> Facts:
    names = ("slug", "name", "acronym", "kind", "website")
    return {name: getattr(organisation, name) for name in names} | {
        "logo": image(organisation.logo),
        "logo_alt": photos.alternative_text(organisation.logo),
        "page": page_of(organisation),
    }
