"""The account at the end of a fault: what was due, what the mail server took, what it took twice, and from whom to whom."""

import random
import re
from collections import Counter
from datetime import timedelta
from email.message import EmailMessage

from django.utils import timezone

from registration import delivery, links
from registration.models import OutgoingMail
from registration.models.mail import new_message_id
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, WebinarFactory
from tests.servers import MailServer, wait_until

Status = OutgoingMail.Status
PERSON = re.compile(r"Peserta Contoh \d+")
PAGE = re.compile(r"/tautan/([^/\s\"]+)/")


class Ledger:
    """`check` holds the promises of the mail engine against what happened; `counts` says it in numbers."""

    def __init__(self, mailbox: MailServer, dice: random.Random) -> None:
        self.mailbox = mailbox
        self.dice = dice
        self.kills = 0
        self.counts: list[str] = []

    # ---- Before

    def queue(self, count: int, **fields: object) -> None:
        """So many confirmations, each to a person of her own."""
        webinar = WebinarFactory()
        rows = []
        for participant in ParticipantFactory.create_batch(count):
            RegistrationFactory(participant=participant, webinar=webinar)
            rows.append(OutgoingMailFactory.build(participant=participant, message_id=new_message_id(), **fields))
        OutgoingMail.objects.bulk_create(rows)

    # ---- Meanwhile: the clock of the rows

    def let_the_lease_pass(self) -> None:
        """Some minutes later, for rows that a dead worker holds. Only while no living one holds any."""
        stuck = OutgoingMail.objects.filter(status=Status.SENDING)
        stuck.update(claimed_at=timezone.now() - delivery.LEASE - timedelta(seconds=1))

    def let_waits_pass(self) -> None:
        """Some hours later, for mails that wait for their next try."""
        OutgoingMail.objects.filter(status=Status.RETRY).update(not_before=timezone.now(), error="")

    def wait_for_the_end(self, seconds: float = 30) -> None:
        wait_until(lambda: not self.open_ones().exists(), seconds, self.what_is_open)

    def open_ones(self):
        return OutgoingMail.objects.filter(status__in=[Status.QUEUED, Status.RETRY, Status.SENDING])

    def what_is_open(self) -> str:
        return f"still open: {Counter(self.open_ones().values_list('status', 'error'))}"

    # ---- Afterwards

    def check(self, *, never: int = 0, unheard: int = 0) -> None:
        """`never`: mails that can't reach anybody; `unheard`: those that the server kept without saying so."""
        rows = {row.message_id: row for row in OutgoingMail.objects.exclude(status=Status.CANCELLED)}
        copies = Counter(message["Message-ID"] for message in self.mailbox.messages)
        lost = [row.key for message_id, row in rows.items() if message_id not in copies]
        again = {message_id for message_id, count in copies.items() if count > 1}
        twice = sum(copies.values()) - len(copies)
        strangers = [message["To"] for message in self.mailbox.messages if is_astray(message, rows)]
        self.count(
            f"{len(rows) - never} due, {len(copies)} accepted, {twice} twice after {self.kills} kills"
            + (f" and {unheard} that the server kept without a word" if unheard else "")
            + f", {len(lost) - never} lost, {len(strangers)} to a wrong person"
        )
        said = self.counts[-1]
        assert strangers == [], said
        assert len(lost) == never, f"{said}: {lost}"
        assert twice <= self.kills + unheard, said
        went_on = "".join(map(self.outlived, again))
        assert not went_on, f"{said}: {went_on}"
        wrong = set(OutgoingMail.objects.filter(message_id__in=copies).values_list("status", flat=True))
        assert wrong <= {Status.SENT}, f"{said}: accepted, but {wrong}"

    def count(self, words: str) -> None:
        self.counts.append(words)

    def outlived(self, message_id: str) -> str:
        """A mail leaves twice only if the line ended with it: whoever goes on over the line has heard the answer."""
        last_of_line = {message["X-Line"]: message["Message-ID"] for message in self.mailbox.messages}
        lines = [message["X-Line"] for message in self.mailbox.messages if message["Message-ID"] == message_id]
        on = [line for line in lines[:-1] if last_of_line[line] != message_id]
        return f"{message_id} left again although its line {on} went on" if on else ""


def is_astray(message: EmailMessage, rows: dict[str, OutgoingMail]) -> bool:
    """To another than the row's person in the envelope or the head, or with another's name or link inside."""
    row = rows.get(message["Message-ID"])
    envelope = message["X-Envelope-To"].split()
    if (
        row is None
        or envelope != [row.to]
        or message["To"] != row.to
        or message.get_all("Bcc")
        or message.get_all("Cc")
    ):
        return True
    if row.participant is None:
        return False
    text = "".join(part.get_content() for part in message.walk() if part.get_content_maintype() == "text")
    names, tokens = set(PERSON.findall(text)), set(PAGE.findall(text))
    people = {links.read_page(token) for token in tokens}
    return not names <= {row.participant.name} or not people <= {row.participant}
