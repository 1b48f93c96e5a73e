"""The site's addresses and one page of personal data, for the tests of the fresh code."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from kpt.urls import handler403, handler404, handler500
from kpt.urls import urlpatterns as site_patterns
from registration.views.fresh import fresh_code_required


@fresh_code_required
def personal(request: HttpRequest) -> HttpResponse:
    return HttpResponse("personal")


urlpatterns = [path("dijaga/", personal), *site_patterns]
__all__ = ["handler403", "handler404", "handler500", "urlpatterns"]
