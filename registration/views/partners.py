"""The room of a partner organisation's people: its webinars, what must be removed, and the lists as partners' scripts take them."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from tempfile import TemporaryFile
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from conference.models import Organisation, Webinar
from registration import accounts, exports, files, partners, withdrawals
from registration.choices import Choice
from registration.models import Download, Registration, User, Withdrawal


@never_cache
@login_required
@require_GET
def partner_room(request: HttpRequest) -> HttpResponse:
    organisations = partners.organisations_of(request.user)
    if not organisations:
        return render(request, "registration/no_room.html", status=404)
    if accounts.lacks_second_factor(request.user):
        return ask_for_second_factor(request)
    to_remove = withdrawals.open_for(organisations)
    rooms = [
        (organisation, list(partners.webinars_of(organisation)), to_remove.get(organisation.pk, []))
        for organisation in organisations
    ]
    context = {
        "rooms": rooms,
        "is_one_room": len(rooms) == 1,
        "managed": partners.managed_by(request.user),
        "files": files.of(request.user, now=timezone.now()),
        "big": files.BIG,
    }
    return render(request, "registration/partner_room.html", context)


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


def for_hosts(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Gives it the webinar of the address and the one organisation of hers whose list she means."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
        hosts = partners.hosts_for(request.user, slug)
        if wanted := request.POST.get("mitra") or request.GET.get("mitra"):
            hosts = [host for host in hosts if host.slug == wanted]
        if not hosts:
            raise Http404
        if accounts.lacks_second_factor(request.user):
            return ask_for_second_factor(request)
        if len(hosts) > 1:
            messages.info(request, _("Several of your organisations host this webinar. Choose whose list you need."))
            return redirect("registration:partner_room")
        return view(request, hosts[0], Webinar.objects.get(slug=slug), **kwargs)

    return guarded


@require_GET  # HEAD would record a download that nobody got
@for_hosts
def attendees_csv(request: HttpRequest, organisation: Organisation, webinar: Webinar) -> HttpResponseBase:
    """However long it is: block by block as PostgreSQL writes it, and no cursor waits for a slow line."""
    found = partners.begin_list(request.user, organisation, webinar, now=timezone.now())
    response = StreamingHttpResponse(exports.csv_blocks(found), content_type=exports.CONTENT_TYPES["csv"])
    response["Content-Disposition"] = content_disposition_header(True, f"{list_name(organisation, webinar)}.csv")
    # The file itself has no room for them.
    response["Link"] = (
        f'<{request.build_absolute_uri(reverse("registration:partner_room"))}#terms>; rel="terms-of-service"'
    )
    return response


@require_GET
@for_hosts
def attendees_xlsx(request: HttpRequest, organisation: Organisation, webinar: Webinar) -> HttpResponseBase:
    if Registration.objects.shared_with(organisation).filter(webinar=webinar).count() > files.BIG_FOR_SCRIPTS:
        messages.info(
            request, _("This list is long: choose “Excel” below, and it is written while you do something else.")
        )
        return redirect(
            f"{reverse('registration:attendees', args=[webinar.slug])}?{urlencode({'mitra': organisation.slug})}"
        )
    name = f"{list_name(organisation, webinar)}.xlsx"
    return short_list(request.user, organisation, webinar, Download.Format.XLSX, Choice(), name)


def short_list(
    user: User, organisation: Organisation, webinar: Webinar, format: Download.Format, choice: Choice, name: str
) -> FileResponse:
    """Into a temporary file first: a failure is then no half list, and no download."""
    with ExitStack() as on_failure:
        file = on_failure.enter_context(TemporaryFile())
        partners.take_file(file, user, organisation, webinar, format, choice, now=timezone.now())
        on_failure.pop_all()  # the response closes the file
    file.seek(0)
    content_type = exports.CONTENT_TYPES[name.rpartition(".")[2]]
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)


def list_name(organisation: Organisation, webinar: Webinar) -> str:
    return f"peserta-{webinar.slug}-{organisation.slug}"


def ask_for_second_factor(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("Lists of people need a second factor. Set one up, then come back to the partners' room."))
    return redirect("mfa_index")
