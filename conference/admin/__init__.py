"""The organisers' pages for the content. Other apps may put classes of their own in the place of these."""

from conference.admin.changes import ProgrammeChangeAdmin
from conference.admin.content import ContentAdmin, OrganiserFields
from conference.admin.editions import EditionAdmin
from conference.admin.materials import MaterialAdmin
from conference.admin.organisations import OrganisationAdmin, PartnershipAdmin
from conference.admin.pages import PageAdmin
from conference.admin.programme import AgendaItemAdmin
from conference.admin.speakers import AppearanceAdmin, SpeakerAdmin
from conference.admin.webinars import WebinarAdmin

__all__ = [
    "AgendaItemAdmin",
    "AppearanceAdmin",
    "ContentAdmin",
    "EditionAdmin",
    "MaterialAdmin",
    "OrganisationAdmin",
    "OrganiserFields",
    "PageAdmin",
    "PartnershipAdmin",
    "ProgrammeChangeAdmin",
    "SpeakerAdmin",
    "WebinarAdmin",
]
