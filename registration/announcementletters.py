"""What an announcement's mail says: the organisers' own words, and for whom of a mailbox's people they are."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils.safestring import SafeString
from django.utils.translation import gettext_noop

from registration import audiences, links, mailbody
from registration.cards import Obsolete
from registration.models import Announcement, OutgoingMail, Participant, User
from registration.stencils import Own

# What stands at a mail that an organiser has held back, and that goes on when she lets it.
STOPPED = gettext_noop("The announcement was stopped.")
# What the text may say of whoever reads it.
PLACEHOLDERS = {"name", "page"}
WORDS = mailbody.Words(links=frozenset({"page"}))


def announcement(mail: OutgoingMail, *, now: datetime) -> dict[str, Any]:
    """To a mailbox, for the people there whom the audience still means; or a test, to whoever writes it."""
    if "announcement" in mail.context:
        row = Announcement.objects.get(pk=mail.context["announcement"])
        writer = User.objects.get(pk=mail.context["account"])
        return facts(row, name=writer.name, account_id=writer.pk, page=links.mine()) | {"is_test": True}
    if not (mail.announcement and mail.announcement.is_on_its_way):
        raise Obsolete(STOPPED)
    if mail.participant is None:
        raise Obsolete(gettext_noop("The participant is gone."))
    if "meant" not in mail.__dict__:
        gather([mail])
    meant: list[Participant] = mail.__dict__["meant"]
    if not meant:
        raise Obsolete(gettext_noop("She is not in the audience any more, or wants no announcements."))
    account = mail.participant.account
    own = next((person for person in meant if not person.is_in_care), None)
    return facts(
        mail.announcement,
        name=own.name if own else account.name,
        account_id=account.pk,
        page=links.page(meant[0]) if len(meant) == 1 else links.page_of(account),
        in_care=[Own(person.first_name) for person in meant if person.is_in_care],
    ) | {"is_hers": own is not None}


def facts(row: Announcement, *, name: str, account_id: int, page: str, in_care: Sequence[Own] = ()) -> dict[str, Any]:
    pieces, values = body_of(row.body), {"name": Own(name), "page": Own(page)}
    return {
        "name": values["name"],
        "mine": values["page"],
        "in_care": list(in_care),
        "subject": woven(mailbody.NAME.split(row.subject), values),
        "text": [woven(piece.text, values) for piece in pieces],
        # The parser has escaped the organisers' words; a person's own are escaped as they are filled in.
        "html": [woven([SafeString(part) for part in piece.html], values) for piece in pieces],  # nosec B703
        "is_service": not audiences.read(row.audience).needs_news_consent,
        "unsubscribe": Own(links.unsubscribe(account_id)),
    }


@lru_cache(20)
def body_of(markdown: str) -> list[mailbody.Piece]:
    return mailbody.read(markdown, WORDS)


def woven(parts: Sequence[str], values: dict[str, Own]) -> list[str]:
    """The words of a text and her own in turn; a template writes them one after the other."""
    return [values[part] if position % 2 else part for position, part in enumerate(parts)]


def gather(mails: Sequence[OutgoingMail]) -> None:
    """Whom each is for at this moment, in two queries for all mails of an announcement."""
    prefetch_related_objects(mails, "announcement", "participant__account")
    for row in {mail.announcement for mail in mails if mail.announcement}:
        about = [mail for mail in mails if mail.announcement == row and mail.participant]
        accounts = {mail.participant.account_id for mail in about if mail.participant}
        meant = audiences.meant(audiences.read(row.audience), accounts)
        for mail in about:
            mail.__dict__["meant"] = meant.get(audiences.mailbox_of(mail.participant), []) if mail.participant else []
