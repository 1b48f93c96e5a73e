"""The headers of the contract, as a mail server receives them, for every kind of mail."""

import re

import pytest
from django.utils import timezone

from registration import delivery, letters
from registration.models import OutgoingMail
from tests.kpt.test_project import mail_of

pytestmark = pytest.mark.django_db

KINDS = sorted(set(letters.FACTS) - {OutgoingMail.Kind.ANNOUNCEMENT})


def sent(kind, mailbox):
    row = mail_of(kind)
    OutgoingMail.objects.exclude(pk=row.pk).delete()
    assert delivery.deliver_due() == 1
    return row, mailbox.messages[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_headers_of_the_contract(kind, mailbox):
    row, message = sent(kind, mailbox)
    assert message["Message-ID"] == message["X-KPT-Mail"] == row.message_id
    assert re.fullmatch(r"<[0-9a-f-]{36}@localhost>", row.message_id)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Content-Language"] == row.language
    assert message["From"] == "KPT <kpt@example.org>"
    assert message["To"] == row.to
    assert message["Precedence"] is None
    for name in ("Message-ID", "Date", "From", "To", "Subject", "MIME-Version"):
        assert len(message.get_all(name)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_only_announcements_have_a_way_to_unsubscribe_in_the_header(kind, mailbox):
    _row, message = sent(kind, mailbox)
    assert [name for name in message if name.lower().startswith("list-")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_message_id_stays_however_often_a_mail_is_tried(kind, mailbox):
    row = mail_of(kind)
    OutgoingMail.objects.exclude(pk=row.pk).delete()
    heard = []
    mailbox.behave(lambda message: heard.append(message["Message-ID"]) or "451 4.3.2 later")
    for _time in range(2):
        OutgoingMail.objects.filter(pk=row.pk).update(not_before=timezone.now())
        delivery.deliver_due()
    assert heard == [row.message_id] * 2
