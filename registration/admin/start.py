"""The admin's start page: what is ahead, who waits, which mail is stuck."""

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conference.models import Edition, Webinar
from registration.models import OutgoingMail, Registration

STUCK = [OutgoingMail.Status.FAILED, OutgoingMail.Status.BOUNCED]
ON_ITS_WAY = [OutgoingMail.Status.QUEUED, OutgoingMail.Status.SENDING, OutgoingMail.Status.RETRY]


def overview(request, context):
    user = request.user
    if user.has_perm("conference.view_webinar"):
        context["webinars"] = webinars(with_people=user.has_perm("registration.view_registration"))
    if user.has_perm("registration.view_outgoingmail"):
        context["mail"] = mail()
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


def mail():
    counts = {
        name: OutgoingMail.objects.filter(status__in=statuses).count()
        for name, statuses in {"stuck": STUCK, "on_its_way": ON_ITS_WAY}.items()
    }
    log = reverse("admin:registration_outgoingmail_changelist", query={"status__in": ",".join(STUCK)})
    return {
        "log": log,
        "is_stuck": counts["stuck"] > 0,
        "stuck": ngettext("%d mail could not be sent", "%d mails could not be sent", counts["stuck"]) % counts["stuck"],
        "on_its_way": ngettext("%d mail is on its way", "%d mails are on their way", counts["on_its_way"])
        % counts["on_its_way"],
    }
