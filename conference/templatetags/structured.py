from datetime import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from conference import structured
from conference.agenda import Day
from conference.models import Edition, Organisation, Partnership, Speaker, Webinar

register = template.Library()


def script(*things: structured.Facts) -> SafeString:
    # Its escapes are those of JSON: an HTML entity would be no part of the data.
    data = SafeString(structured.as_json(list(things)))  # nosec B703
    return format_html('<script type="application/ld+json">{}</script>', data)


@register.simple_tag
def home_facts(edition: Edition | None, webinars: list[Webinar], roles: list[tuple[Any, list[Partnership]]]) -> str:
    if not edition:
        return script(structured.website())
    return script(structured.website(), structured.edition_event(edition, webinars or [], organisers(roles or [])))


def organisers(roles: list[tuple[Any, list[Partnership]]]) -> list[Organisation]:
    leading = {Partnership.Role.ORGANISER, Partnership.Role.CO_ORGANISER}
    return [partnership.organisation for role, partnerships in roles if role in leading for partnership in partnerships]


@register.simple_tag
def agenda_facts(edition: Edition | None, days: list[Day]) -> str:
    if not edition:
        return ""
    webinars = [slot.webinar for day in days for slot in day.slots if slot.webinar]
    here = structured.trail((_("Agenda"), reverse("conference:agenda")))
    return script(structured.edition_event(edition, webinars), here)


@register.simple_tag
def edition_facts(edition: Edition, webinars: list[Webinar], roles: list[tuple[Any, list[Partnership]]]) -> str:
    here = structured.trail((_("Editions"), reverse("conference:editions")), (edition.name, edition.get_absolute_url()))
    return script(structured.edition_event(edition, webinars, organisers(roles)), here)


@register.simple_tag
def webinar_facts(webinar: Webinar, now: datetime) -> str:
    above = (_("Agenda"), reverse("conference:agenda"))
    if not webinar.edition.is_current:
        above = (webinar.edition.name, webinar.edition.get_absolute_url())
    here = structured.trail(above, (webinar.title, webinar.get_absolute_url()))
    return script(structured.webinar_event(webinar, now), here)


@register.simple_tag
def speaker_facts(speaker: Speaker) -> str:
    here = structured.trail((_("Speakers"), reverse("conference:speakers")), (speaker.name, speaker.get_absolute_url()))
    return script(structured.person_facts(speaker), here)


@register.simple_tag
def organisation_facts(organisation: Organisation) -> str:
    here = structured.trail(
        (_("Partners"), reverse("conference:organisations")), (organisation.name, organisation.get_absolute_url())
    )
    return script(structured.organisation_facts(organisation), here)
