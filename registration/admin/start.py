"""The admin's start page: what is ahead, who waits, which mail is stuck."""

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conference.models import Edition, Webinar
from registration import board, mailtexts
from registration.admin.board import GIVEN_UP, age
from registration.models import Registration, RetentionRun


def overview(request, context):
    user = request.user
    if user.has_perm("conference.view_webinar"):
        context["webinars"] = webinars(with_people=user.has_perm("registration.view_registration"))
    if user.has_perm("registration.view_outgoingmail"):
        context["mail"] = mail(timezone.now())
    if user.has_perm("registration.view_mailtext"):
        context["broken_texts"] = [broken(row) for row in mailtexts.broken_ones()]
    if user.has_perm("registration.view_retentionrun"):
        context["retention"] = [announced(run) for run in RetentionRun.objects.open().order_by("due_at", "pk")]
    return context


def webinars(*, with_people):
    """Of the current edition, as Unfold's table takes them."""
    headers = [_("webinar"), _("date"), _("starts at"), _("status")]
    if with_people:
        headers += [_("seats taken"), _("capacity"), _("waiting")]
    rows = Webinar.objects.filter(edition=Edition.objects.current()).in_order().select_related("seat_count")
    waiting = Q(registrations__status=Registration.Status.WAITLISTED)
    rows = rows.annotate(waiting_count=Count("registrations", filter=waiting))
    return {"headers": headers, "rows": [cells(webinar, with_people=with_people) for webinar in rows]}


def cells(webinar, *, with_people):
    page = reverse("admin:conference_webinar_change", args=[webinar.pk])
    hour = f"{timezone.localtime(webinar.starts_at):%H.%M} WITA" if webinar.starts_at else _("to be confirmed")
    row = [
        format_html('<a class="font-medium text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, webinar),
        date_format(webinar.date, "j F Y"),
        hour,
        webinar.get_status_display(),
    ]
    if with_people:
        taken = webinar.seat_count.taken if hasattr(webinar, "seat_count") else 0
        row += [taken, webinar.capacity or _("no limit"), webinar.waiting_count]
    return row


def mail(now):
    """Its health in one line."""
    state = board.health(now)
    return {
        "board": reverse("admin:registration_outgoingmail_board"),
        "log": reverse("admin:registration_outgoingmail_changelist", query={"status__in": GIVEN_UP}),
        "state": state,
        "oldest": age(state.oldest, now=now) if state.oldest else "",
    }


def announced(run):
    words = ngettext(
        "On %(date)s %(number)d row goes: %(kind)s", "On %(date)s %(number)d rows go: %(kind)s", run.planned
    )
    day = date_format(timezone.localtime(run.due_at), "j F Y")
    return {
        "words": words % {"date": day, "number": run.planned, "kind": run.get_kind_display()},
        "link": reverse("admin:registration_retentionrun_change", args=[run.pk]),
    }


def broken(row):
    words = _("The text of the mail “%(kind)s” can't be used, the shipped one goes out instead: %(fault)s")
    return {
        "words": words % {"kind": row.get_kind_display(), "fault": row.fault},
        "link": reverse("admin:registration_mailtext_edit", args=[row.kind]),
    }
