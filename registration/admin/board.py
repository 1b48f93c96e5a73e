"""The mail board's numbers as its page shows them."""

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registration import board, pace
from registration.models import OutgoingMail
from registration.models.mail import in_words

LOG = "admin:registration_outgoingmail_changelist"
Status = OutgoingMail.Status
TRIED = ",".join([Status.FAILED, Status.BOUNCED, Status.RETRY])
GIVEN_UP = ",".join([Status.FAILED, Status.BOUNCED])
WAITING = ",".join([Status.QUEUED, Status.RETRY])
SHOWN_REASONS = 15
# The chart in its own units; the page scales it.
WIDTH, HEIGHT, STEP = 600, 120, 10


def board_facts(now, *, may_mend):
    state = board.board(now)
    mendable = board.mendable(now)
    return {
        "board": state,
        "as_of": clock(now, seconds=True),
        "end": pace.expected_end_in_words(now),
        "limits": limits(),
        "queues": [queue_row(queue, now=now) for queue in state.queues],
        "chart": chart(state.minutes),
        "minutes": [(clock(minute.starts_at), minute.sent) for minute in state.minutes[::-1]],
        "failures": [failure_row(failure) for failure in state.failures[:SHOWN_REASONS]],
        "more_reasons": max(len(state.failures) - SHOWN_REASONS, 0),
        "works": [work_row(work, now=now) for work in state.works],
        "mendable": mendable,
        "troubles": [*silences(state), *troubles(state, mendable)],
        "may_mend": may_mend,
        "log": reverse(LOG),
        "failed_log": reverse(LOG, query={"status__in": GIVEN_UP}),
    }


def limits():
    words = []
    if settings.MAIL_PER_MINUTE:
        words.append(_("at most %(number)d a minute") % {"number": settings.MAIL_PER_MINUTE})
    if settings.MAIL_PER_DAY:
        words.append(_("at most %(number)d a day") % {"number": settings.MAIL_PER_DAY})
    return words


def queue_row(queue, *, now):
    return {
        "name": queue.priority.label,
        "due": queue.due,
        "later": queue.later,
        "retrying": queue.retrying,
        "oldest": age(queue.oldest, now=now) if queue.oldest else "-",
        "link": reverse(LOG, query={"status__in": WAITING, "priority__exact": int(queue.priority)}),
    }


def failure_row(failure):
    # A comma would part the reason in two, so it goes by `exact`.
    link = reverse(LOG, query={"reason__exact": failure.reason, "status__in": TRIED})
    newest = date_format(timezone.localtime(failure.newest), "j F, H.i") if failure.newest else "-"
    return {"failure": failure, "reason": in_words(failure.reason), "link": link, "newest": newest}


def work_row(work, *, now):
    seen = _("%(age)s ago") % {"age": age(work.seen_at, now=now)} if work.seen_at else _("never")
    return {"name": work.role.label, "seen": seen, "processes": work.processes, "is_silent": work.is_silent}


def silences(state):
    words = _("“%(work)s” gave its last sign %(age)s ago. Is its process running?")
    return [
        words % {"work": work.role.label, "age": age(work.seen_at, now=state.now)}
        for work in state.works
        if work.has_fallen_silent
    ]


def troubles(state, mendable):
    """What is stuck and why, each in a sentence; empty when all is well."""
    words = []
    if state.is_stalled:
        words.append(_("Mail is due, but no worker sends it. Is the worker running? See “Workers” below."))
    if mendable.left_behind:
        words.append(
            ngettext(
                "%d mail was left in the hands of a worker that has ended.",
                "%d mails were left in the hands of a worker that has ended.",
                mendable.left_behind,
            )
            % mendable.left_behind
        )
    if mendable.put_off:
        words.append(
            ngettext("%d mail waits for its next try.", "%d mails wait for their next try.", mendable.put_off)
            % mendable.put_off
        )
    if mendable.given_up:
        words.append(
            ngettext(
                "%d mail was given up: the line or the text was bad. It can be tried again.",
                "%d mails were given up: the line or the text was bad. They can be tried again.",
                mendable.given_up,
            )
            % mendable.given_up
        )
    return words


def chart(minutes):
    """Bars in units of the drawing; the highest fills it."""
    most = max(max(minute.sent for minute in minutes), 1)
    heights = [round(minute.sent * HEIGHT / most) for minute in minutes]
    bars = [
        {"x": number * STEP, "y": HEIGHT - height, "width": STEP - 2, "height": height}
        for number, height in enumerate(heights)
    ]
    return {
        "bars": bars,
        "width": WIDTH,
        "height": HEIGHT,
        "most": max(minute.sent for minute in minutes),
        "from": clock(minutes[0].starts_at),
        "to": clock(minutes[-1].starts_at),
    }


def clock(moment, *, seconds=False):
    return f"{timezone.localtime(moment):{'%H.%M.%S' if seconds else '%H.%M'}}"


def age(moment, *, now):
    """In the two largest units: 3 min 20 s, 2 h 5 min, 4 d 3 h."""
    seconds = max(int((now - moment).total_seconds()), 0)
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": seconds}
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    days, hours = divmod(hours, 24)
    return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
