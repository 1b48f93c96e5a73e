"""Retrying, cancelling and repeating mails, few or all that match a filter: a page says how many before it is done."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Max
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conference.admin.steps import back_to, page
from registration import audit, maillog
from registration.models import OutgoingMail


@dataclass(frozen=True)
class Wish:
    """What the page said, so that nothing else is done: no mail that came later, and not more than was told."""

    up_to: int
    number: int
    moment: datetime

    @classmethod
    def made_in(cls, posted):
        """None before the page was seen, or when what it said comes back damaged."""
        try:
            moment = parse_datetime(posted["moment"])
            if moment is None or timezone.is_naive(moment):
                return None
            # In UTC: the database knows no offset beyond sixteen hours.
            return cls(int(posted["up_to"]), int(posted["number"]), moment.astimezone(UTC))
        except (KeyError, OverflowError, ValueError):
            return None


@dataclass(frozen=True)
class Deed:
    """`which` picks the mails that it can be done to; `do` does it in one statement."""

    name: str
    title: Any
    lead: Any
    send: Any
    done: Any
    which: Any
    do: Any
    is_final: bool = False

    def ask(self, request, model_admin, queryset, *, back=None):
        now = timezone.now()
        wish = Wish.made_in(request.POST) if "is_sent" in request.POST else None
        if wish is None:
            return self.page(request, model_admin, queryset, now=now, back=back)
        able = self.which(maillog.chosen(queryset, up_to=wish.up_to), now=now)
        if able.count() > wish.number:
            return self.page(request, model_admin, queryset, now=now, back=back, has_grown=True)
        with transaction.atomic():
            meant = list(able.only("kind", "to", "participant", "registration")[:2])
            count = self.do(able, now=now, moment=wish.moment)
            words = self.done(count) % count
            note(request, words)
            row, facts = meant[0] if len(meant) == 1 else OutgoingMail, {"actor": request.user, "now": now}
            audit.note(audit.Action.ACTED, row, rows=count, details=self.english_title(), **facts)
        back = back or request.get_full_path()
        return back_to(request, model_admin, words, messages.SUCCESS if count else messages.WARNING, back)

    def english_title(self):
        """As it is called in the catalogue."""
        with translation.override("en"):
            return str(self.title)

    def page(self, request, model_admin, queryset, *, now, back, has_grown=False):
        rows = maillog.chosen(queryset)
        up_to = rows.aggregate(last=Max("pk"))["last"] or 0
        able = self.which(rows.filter(pk__lte=up_to), now=now)
        kinds = maillog.by_kind(able)
        number, total = sum(number for _kind, number in kinds), rows.filter(pk__lte=up_to).count()
        wish = [("is_sent", "yes"), ("up_to", up_to), ("number", number), ("moment", now.isoformat())]
        return page(
            request,
            model_admin,
            title=self.title,
            form=(),
            lead=[*([GROWN] if has_grown else []), said(number, total), self.lead],
            facts=[f"{kind}: {number}" for kind, number in kinds],
            send=self.send,
            back=back or request.get_full_path(),
            is_final=self.is_final,
            hidden=[*repeated(request), *wish],
        )


GROWN = _("Meanwhile there are more than the page said. Nothing has been done yet; please look at the number again.")


def said(number, total):
    words = ngettext(
        "This would be done to %(number)s of the %(total)s mail you chose. The others stay as they are.",
        "This would be done to %(number)s of the %(total)s mails you chose. The others stay as they are.",
        total,
    )
    return words % {"number": number, "total": total}


def repeated(request):
    """What the list needs to know again: the chosen rows, or that all that match its address are meant."""
    names = ("action", "select_across", ACTION_CHECKBOX_NAME)
    return [(name, value) for name in names for value in request.POST.getlist(name)]


def note(request, words):
    """One line in the admin's log for the whole: a line a mail would be thousands."""
    LogEntry.objects.create(
        user=request.user,
        content_type=ContentType.objects.get_for_model(OutgoingMail),
        object_repr=str(words)[:200],
        action_flag=CHANGE,
    )


RETRY = Deed(
    name="retry",
    title=_("Send again what failed"),
    lead=_(
        "Mails that failed or came back are queued again, each to the address that its person has by now. Codes are "
        "never sent again."
    ),
    send=_("Send them again"),
    done=lambda count: ngettext("%d mail is queued again.", "%d mails are queued again.", count),
    which=maillog.retryable,
    do=lambda rows, *, now, moment: maillog.retry(rows, now=now),
)
CANCEL = Deed(
    name="cancel",
    title=_("Cancel what is still queued"),
    lead=_(
        "Mails that wait are not sent. What a worker has in hand at this moment still leaves. This can't be undone."
    ),
    send=_("Cancel the mails"),
    done=lambda count: ngettext("%d mail is cancelled.", "%d mails are cancelled.", count),
    which=maillog.cancellable,
    do=lambda rows, *, now, moment: maillog.cancel(rows, now=now),
    is_final=True,
)
REPEAT = Deed(
    name="repeat",
    title=_("Send once more what was sent"),
    lead=_(
        "Each of these people gets the mail a second time, with the newest facts, at the address she has by now. Codes "
        "are never sent again."
    ),
    send=_("Send them once more"),
    done=lambda count: ngettext("%d mail is queued once more.", "%d mails are queued once more.", count),
    which=maillog.repeatable,
    do=maillog.repeat,
)
