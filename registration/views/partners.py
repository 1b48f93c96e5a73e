"""The room of a partner organisation's people."""

from contextlib import ExitStack
from tempfile import TemporaryFile

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from conference.models import Organisation, Webinar
from registration import accounts, partners, withdrawals
from registration.models import Download, User, Withdrawal

CONTENT_TYPES = {
    Download.Format.CSV: "text/csv; charset=utf-8",
    Download.Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@never_cache
@login_required
@require_GET
def partner_room(request: HttpRequest) -> HttpResponse:
    organisations = partners.organisations_of(request.user)
    if not organisations:
        raise Http404
    if accounts.lacks_second_factor(request.user):
        return ask_for_second_factor(request)
    to_remove = withdrawals.open_for(organisations)
    rooms = [
        (organisation, list(partners.webinars_of(organisation)), to_remove.get(organisation.pk, []))
        for organisation in organisations
    ]
    return render(request, "registration/partner_room.html", {"rooms": rooms, "is_one_room": len(rooms) == 1})


@never_cache
@login_required
@require_POST
def removed(request: HttpRequest, pk: int) -> HttpResponse:
    """Said twice it is harmless."""
    if not Withdrawal.objects.filter(pk=pk, organisation__members__user=request.user).exists():
        raise Http404
    if accounts.lacks_second_factor(request.user):
        return ask_for_second_factor(request)
    if withdrawals.settle(pk, request.user, now=timezone.now()):
        messages.success(request, _("Thank you: noted as removed."))
    return redirect("registration:partner_room")


@never_cache
@login_required
@require_GET  # HEAD would record a download that nobody got
def attendees_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    return attendees(request, slug, Download.Format.CSV)


@never_cache
@login_required
@require_GET
def attendees_xlsx(request: HttpRequest, slug: str) -> HttpResponseBase:
    return attendees(request, slug, Download.Format.XLSX)


def attendees(request: HttpRequest, slug: str, format: Download.Format) -> HttpResponseBase:
    hosts = partners.hosts_for(request.user, slug)
    if wanted := request.GET.get("mitra"):
        hosts = [host for host in hosts if host.slug == wanted]
    if not hosts:
        raise Http404
    if accounts.lacks_second_factor(request.user):
        return ask_for_second_factor(request)
    if len(hosts) > 1:
        messages.info(request, _("Several of your organisations host this webinar. Choose whose list you need."))
        return redirect("registration:partner_room")
    return list_of(hosts[0], Webinar.objects.get(slug=slug), format, request.user)


def list_of(organisation: Organisation, webinar: Webinar, format: Download.Format, user: User) -> FileResponse:
    """Into a temporary file first: a slow line then holds no database cursor, and a failure is no half list."""
    with ExitStack() as on_failure:
        file = on_failure.enter_context(TemporaryFile())
        partners.take_list(file, user, organisation, webinar, format, now=timezone.now())
        on_failure.pop_all()  # the response closes the file
    file.seek(0)
    name = f"peserta-{webinar.slug}-{organisation.slug}.{format}"
    return FileResponse(file, as_attachment=True, filename=name, content_type=CONTENT_TYPES[format])


def ask_for_second_factor(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("Lists of people need a second factor. Set one up, then come back to the partners' room."))
    return redirect("mfa_index")
