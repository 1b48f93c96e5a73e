"""What organisers and visitors may write: no text of theirs stops a mail, and no address leads to somebody else."""

import pytest

from registration.models import MailText, OutgoingMail, Participant
from registration.models.mail import new_message_id
from tests.factories import OutgoingMailFactory
from tests.servers import wait_until

pytestmark = pytest.mark.fault

Status = OutgoingMail.Status
BROKEN = [
    ("Halo {name}", "Sampai jumpa, {tidak_ada}."),  # no such placeholder, and the webinars are missing
    ("Halo\r\nBcc: pencuri@example.org", "{webinars}"),  # a subject that would be two headers
    ("{% load x %}{{ settings.SECRET_KEY }}", "{webinars} {{ settings.SECRET_KEY }}"),  # another language of templates
]
EVIL = "pencuri@example.org"
ADDRESSES = [
    f"korban1@example.org\r\nBcc: {EVIL}",
    f"korban2@example.org\nTo: {EVIL}",
    f"korban3@example.org>\r\nRCPT TO:<{EVIL}",
    f"korban4@example.org, {EVIL}",
    f"korban5@example.org> ORCPT=rfc822;{EVIL}",
    f"<{EVIL}>korban6@example.org",
]


def test_texts_that_organisers_broke_give_way_to_the_shipped_ones(worker, mailbox, ledger):
    ledger.queue(6 * len(BROKEN))
    worker.start()
    rows = list(OutgoingMail.objects.values_list("pk", flat=True))
    OutgoingMail.objects.update(status=Status.CANCELLED)
    for version, (subject, body) in enumerate(BROKEN, start=1):
        MailText.objects.create(kind="confirmation", language="id", version=version, subject=subject, body=body)
        OutgoingMail.objects.filter(pk__in=rows[version - 1 :: len(BROKEN)]).update(status=Status.QUEUED)
        worker.tick("deliver_due_mail")
        ledger.wait_for_the_end()
        wait_until(lambda version=version: MailText.objects.filter(version=version).exclude(broken_at=None).exists())
        worker.stop()  # a new process reads the texts anew
        if version < len(BROKEN):
            worker.start()
    ledger.check()
    said = "".join(message.as_string() for message in mailbox.messages)
    assert EVIL not in said
    assert "tidak_ada" not in said
    assert "SECRET_KEY" not in said
    assert MailText.objects.exclude(broken_at=None).exclude(fault="").count() == len(BROKEN)


def test_an_address_that_would_be_a_header_or_a_command_reaches_nobody(worker, mailbox, ledger):
    ledger.queue(8)
    evil = [
        OutgoingMailFactory.build(kind="unknown_account", participant=None, to=to, message_id=new_message_id())
        for to in ADDRESSES
    ]
    OutgoingMail.objects.bulk_create(evil)
    named = Participant.objects.order_by("pk").first()
    Participant.objects.filter(pk=named.pk).update(
        name=f"Peserta Contoh 99\r\nBcc: {EVIL}\r\n\r\n.\r\nRCPT TO:<{EVIL}>"
    )
    worker.start()
    worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    reached = {address for message in mailbox.messages for address in message["X-Envelope-To"].split()}
    assert EVIL not in reached
    assert reached == set(OutgoingMail.objects.filter(kind="confirmation").values_list("to", flat=True))
    assert {message["Bcc"] for message in mailbox.messages} == {None}
    refused = OutgoingMail.objects.filter(kind="unknown_account")
    assert set(refused.values_list("status", flat=True)) == {Status.FAILED}
    assert all("address" in error for error in refused.values_list("error", flat=True))
    Participant.objects.filter(pk=named.pk).update(name="Peserta Contoh 99")
    ledger.check(never=len(ADDRESSES))
