"""The organisers' desk, the admin's start page: how full the webinars are, what waits for a decision, what was done last."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conference import readiness, timezones
from conference.models import Edition, Webinar
from registration import board, breach, duties, mailtexts, records, roles, waitinglist
from registration.admin.board import GIVEN_UP, age
from registration.admin.charts import PAGE as CHARTS
from registration.admin.charts import counted, spoken
from registration.models import AuditEntry, Figure, RetentionRun

SHOWN_DEEDS = 8
# One busy reader, or one who is refused again and again, would push everything else off the desk.
SEARCHED_DEEDS = 200
# Of what a webinar lacks: what the lines that need a decision say already, and where it is mended.
TOLD = {"hour": "starts_at", "room": "zoom_url"}
NO_DEEDS = {AuditEntry.Action.LOOKED_AT, AuditEntry.Action.LISTED, AuditEntry.Action.REFUSED}
# The bar in its own units.
BAR = 300


def overview(request, context):
    may, now = request.user.has_perm, timezone.now()
    sees_numbers = may(roles.SEE_NUMBERS) or may("registration.view_registration")
    todo = []
    if may("conference.view_webinar") or sees_numbers:
        edition = Edition.objects.current()
        all_seats = seats(edition, now)
        context["edition"] = edition
        shown = set() if may("registration.view_registration") else shown_totals(edition)
        lacks = [lack for lack in duties.lacks(all_seats, now=now) if concerns(lack, may)]
        gaps = gaps_of(edition, lacks, now) if edition and may("conference.change_webinar") else {}
        context["webinars"] = [
            card(own, may, sees_numbers=sees_numbers, shown=shown, now=now) | {"gaps": gaps.get(own.webinar.pk, [])}
            for own in all_seats
        ]
        todo += [lack_words(lack, may) for lack in lacks]
    if may("registration.view_outgoingmail"):
        context["mail"] = mail(now)
    if may(roles.SEE_NUMBERS):
        context["charts"], context["counted"] = reverse(CHARTS), counted()
    context["todo"] = sorted([*todo, *others(may, now)], key=lambda line: line["is_urgent"], reverse=True)
    if may("registration.view_auditentry"):
        context["deeds"] = deeds(may)
    return context


# ---- Webinars


def seats(edition, now):
    """Of those to come or running, then of those that are over; none that is cancelled."""
    rows = Webinar.objects.filter(edition=edition).exclude(status=Webinar.Status.CANCELLED).in_order()
    rows = rows.select_related("seat_count", "edition").annotate(waiting_count=waitinglist.lengths())
    return [duties.seats_of(row, row.waiting_count) for row in sorted(rows, key=lambda row: row.is_over(now))]


def gaps_of(edition, lacks, now):
    """What each of its webinars still lacks, by its key: without what is told as a lack, and that it is a draft."""
    told = {(lack.seats.webinar.pk, TOLD.get(lack.kind)) for lack in lacks}
    return {
        webinar.pk: [gap for gap in gaps if gap.part != "status" and (webinar.pk, gap.part) not in told]
        for webinar, gaps in readiness.of_coming(edition, now=now)
    }


def shown_totals(edition):
    """Keys of webinars of which charts and reports tell how many are in them; the bars tell no more to their readers."""
    totals = Figure.objects.filter(edition=edition, dimension=Figure.Dimension.ALL, webinar__isnull=False)
    return set(totals.filter(shown_registered__isnull=False).values_list("webinar", flat=True))


def card(own, may, *, sees_numbers, shown, now):
    webinar = own.webinar
    hour = (
        f"{timezones.clock(timezone.localtime(webinar.starts_at))} WITA"
        if webinar.starts_at
        else _("hour to be confirmed")
    )
    found = {
        "title": f"{webinar.number}. {webinar.title}",
        "link": reverse("admin:conference_webinar_change", args=[webinar.pk]) if may("conference.view_webinar") else "",
        "when": f"{timezones.day(webinar.date)}, {hour}",
        "state": state_of(webinar, now),
    }
    is_anybody_in_it = own.taken or own.waiting
    if is_anybody_in_it and sees_numbers and not (webinar.pk in shown or may("registration.view_registration")):
        return found | {"words": [spoken("registered", None)]}
    return found | ({"bar": bar(own), "words": seat_words(own)} if sees_numbers else {})


def state_of(webinar, now):
    if webinar.status == Webinar.Status.DRAFT:
        return {"words": _("draft"), "type": "info"}
    if webinar.is_over(now):
        return {"words": _("over"), "type": ""}
    if webinar.is_running(now):
        return {"words": _("running"), "type": "success"}
    return {"words": _("coming up"), "type": "primary"}


def bar(own):
    """Its parts from the left: confirmed, held for a code or an answer, kept for guests; none without a limit."""
    capacity = own.webinar.capacity
    if capacity is None:
        return None
    whole = max(capacity, own.taken + own.reserved)
    parts, x = [], 0.0
    for name, number in (("confirmed", own.confirmed), ("held", own.held), ("reserved", own.reserved)):
        width = number * BAR / whole
        parts.append({"name": name, "x": round(x, 1), "width": round(width, 1)})
        x += width
    return {"parts": parts, "width": BAR}


def seat_words(own):
    """What the bar shows, in words."""
    capacity, taken = own.webinar.capacity, grouped(own.taken)
    if capacity is None:
        words = [
            ngettext("%(taken)s seat taken, no limit", "%(taken)s seats taken, no limit", own.taken) % {"taken": taken}
        ]
    else:
        facts = {"taken": taken, "capacity": grouped(capacity)}
        words = [_("%(taken)s of %(capacity)s seats taken") % facts]
    if own.held:
        words.append(_("%(number)s of them held for an answer") % {"number": grouped(own.held)})
    if own.reserved:
        words.append(_("%(number)s more kept for guests") % {"number": grouped(own.reserved)})
    if own.waiting:
        words.append(
            ngettext("%(number)s person waits", "%(number)s people wait", own.waiting)
            % {"number": grouped(own.waiting)}
        )
    return words


def grouped(number):
    return number_format(number, force_grouping=True)


# ---- What needs a decision


def concerns(lack, may):
    if lack.kind in ("free", "full"):
        return may("registration.view_registration")
    return may("conference.change_webinar") and (lack.kind != "room" or may("conference.change_room"))


def lack_words(lack, may):
    webinar, waiting = lack.seats.webinar, lack.seats.waiting
    page = reverse("admin:conference_webinar_change", args=[webinar.pk])
    facts = {"webinar": webinar.title, "number": grouped(waiting), "day": timezones.day(webinar.date)}
    match lack.kind:
        case "full":
            words = ngettext(
                "“%(webinar)s” is full and %(number)s person waits: raise the capacity?",
                "“%(webinar)s” is full and %(number)s people wait: raise the capacity?",
                waiting,
            )
            return line(words % facts, _("Change the capacity"), page)
        case "free":
            query = {"webinar__id__exact": webinar.pk, "status__exact": "WAITLISTED"}
            words = ngettext(
                "“%(webinar)s” has free seats and %(number)s person waits, perhaps because she let an offer pass.",
                "“%(webinar)s” has free seats and %(number)s people wait, perhaps because they let an offer pass.",
                waiting,
            )
            return line(
                words % facts, _("See who waits"), reverse("admin:registration_registration_changelist", query=query)
            )
        case "hour":
            return line(_("“%(webinar)s” on %(day)s has no hour yet.") % facts, _("Set the hour"), page)
        case _other:
            words = _("“%(webinar)s” on %(day)s has no Zoom address yet: nobody could get in.") % facts
            return line(words, _("Enter the address"), page, is_urgent=True)


def others(may, now):
    """Each only for whoever may do something about it."""
    if may("registration.view_breach"):
        yield from map(breach_words, duties.running_breaches(now=now))
    if may("registration.view_mailtext"):
        yield from map(broken, mailtexts.broken_ones())
    if may("registration.view_withdrawal"):
        yield from some(duties.late_withdrawals(now=now), late_words)
    if may("registration.view_bouncedaddress"):
        yield from some(duties.bouncing(), bounce_words)
    if may("registration.view_invitation"):
        yield from some(duties.ending_invitations(now=now), invitation_words)
    if may("registration.view_webhookendpoint"):
        yield from map(silenced, duties.silenced_webhooks())
    if may("registration.view_retentionrun"):
        yield from map(announced, RetentionRun.objects.open().order_by("due_at", "pk"))


def some(found, words):
    return [words(found)] if found.number else []


def line(words, deed, link, *, is_urgent=False):
    return {"words": words, "deed": deed, "link": link, "is_urgent": is_urgent}


def breach_words(row):
    facts = {"breach": row, "moment": timezones.moment(row.known_at + breach.DEADLINE)}
    words = _("Data breach “%(breach)s”: people and the authority must be told until %(moment)s.") % facts
    return line(
        words, _("See whom to tell"), reverse("admin:registration_breach_change", args=[row.pk]), is_urgent=True
    )


def broken(row):
    words = _("The text of the mail “%(kind)s” can't be used, the shipped one goes out instead: %(fault)s")
    link = reverse("admin:registration_mailtext_edit", args=[row.kind])
    return line(words % {"kind": row.get_kind_display(), "fault": row.fault}, _("Mend the text"), link, is_urgent=True)


def late_words(late):
    words = ngettext(
        "%(number)d person who took her consent back is still in a partner's list after %(days)d days.",
        "%(number)d people who took their consent back are still in partners' lists after %(days)d days.",
        late.number,
    )
    link = reverse("admin:registration_withdrawal_changelist", query={"done_at__isempty": 1})
    facts = {"number": late.number, "days": duties.WITHDRAWAL_OPEN // timedelta(days=1)}
    return line(words % facts, _("See whom to remind"), link, is_urgent=True)


def bounce_words(found):
    words = ngettext(
        "Mail to %(number)d address comes back: its person gets no link.",
        "Mail to %(number)d addresses comes back: their people get no link.",
        found.number,
    )
    link = reverse("admin:registration_bouncedaddress_changelist", query={"state": "bounces"})
    return line(words % {"number": found.number}, _("Correct the addresses"), link)


def invitation_words(found):
    words = ngettext(
        "%(number)d invitation ends without an answer, on %(day)s.",
        "%(number)d invitations end without an answer, the first on %(day)s.",
        found.number,
    )
    link = reverse("admin:registration_invitation_changelist", query={"status__exact": "open"})
    facts = {"number": found.number, "day": timezones.day(timezone.localtime(found.at))}
    return line(words % facts, _("Ask the guests"), link)


def silenced(endpoint):
    words = _("“%(system)s” gets nothing any more: too much failed, so its webhook has switched itself off.")
    link = reverse("admin:registration_webhookendpoint_change", args=[endpoint.pk])
    return line(words % {"system": endpoint.name}, _("See what went wrong"), link, is_urgent=True)


def announced(run):
    words = ngettext(
        "On %(date)s %(number)d row goes: %(kind)s", "On %(date)s %(number)d rows go: %(kind)s", run.planned
    )
    facts = {"number": run.planned, "kind": run.get_kind_display()}
    facts["date"] = date_format(timezone.localtime(run.due_at), "j F Y")
    return line(words % facts, _("Look or stop it"), reverse("admin:registration_retentionrun_change", args=[run.pk]))


# ---- Mail, and what was done


def mail(now):
    """Its health in one line."""
    state = board.health(now)
    return {
        "board": reverse("admin:registration_outgoingmail_board"),
        "log": reverse("admin:registration_outgoingmail_changelist", query={"status__in": GIVEN_UP}),
        "state": state,
        "oldest": age(state.oldest, now=now) if state.oldest else "",
    }


def deeds(may):
    """The latest, from the record. A person's name only for whoever may see her."""
    latest = AuditEntry.objects.order_by("-at", "-pk")[:SEARCHED_DEEDS]
    rows = [row for row in latest if row.action not in NO_DEEDS][:SHOWN_DEEDS]
    sees_people = may("registration.view_participant")
    return [deed(row, sees_people=sees_people) for row in rows]


def deed(row, *, sees_people):
    is_person = row.participant_id is not None
    name = "" if is_person and not sees_people else Truncator(row.object_name).chars(60)
    local = timezone.localtime(row.at)
    is_today = local.date() == timezone.localdate()
    return {
        "when": timezones.clock(local) if is_today else f"{date_format(local, 'j M')}, {timezones.clock(local)}",
        "who": row.actor_name or _("a program"),
        "what": row.get_action_display(),
        "whom": name or (_("a person") if is_person else records.kind_word(row.object_type)),
    }
