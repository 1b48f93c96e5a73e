from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.urls import reverse

from conference.agenda import visible_appearances
from conference.models import Edition, Organisation, Page, Speaker, Webinar


class BilingualSitemap(Sitemap):
    i18n = True
    alternates = True
    x_default = True
    protocol = urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: object = None) -> str:
        return urlsplit(settings.SITE_URL).netloc


class ListSitemap(BilingualSitemap):
    def items(self) -> list[str]:
        pages = ["home", "agenda", "speakers", "organisations", "editions"]
        return [*(f"conference:{page}" for page in pages), "registration:sign_up"]

    def location(self, item: str) -> str:
        return reverse(item)


class WebinarSitemap(BilingualSitemap):
    def items(self) -> QuerySet[Webinar]:
        return Webinar.objects.published().order_by("pk")

    def lastmod(self, item: Webinar) -> datetime:
        return item.revised_at


class SpeakerSitemap(BilingualSitemap):
    def items(self) -> QuerySet[Speaker]:
        return Speaker.objects.filter(appearances__in=visible_appearances()).distinct().order_by("pk")


class OrganisationSitemap(BilingualSitemap):
    def items(self) -> QuerySet[Organisation]:
        return Organisation.objects.order_by("pk")


class EditionSitemap(BilingualSitemap):
    def items(self) -> QuerySet[Edition]:
        return Edition.objects.published().newest_first()


class PageSitemap(BilingualSitemap):
    def items(self) -> QuerySet[Page]:
        return Page.objects.published().order_by("pk")


SITEMAPS = {
    "lists": ListSitemap,
    "webinars": WebinarSitemap,
    "speakers": SpeakerSitemap,
    "organisations": OrganisationSitemap,
    "editions": EditionSitemap,
    "pages": PageSitemap,
}
