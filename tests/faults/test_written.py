"""What organisers and visitors may write: no text of theirs stops a mail, and no address leads to somebody else."""

import pytest

from registration.models import MailText, OutgoingMail, Participant
from registration.models.mail import new_message_id
from tests.factories import OutgoingMailFactory

pytestmark = pytest.mark.fault

Status = OutgoingMail.Status
BROKEN = {
    # No such placeholder, and the webinars are missing.
    ("confirmation", "id"): ("Halo {name}", "Sampai jumpa, {tidak_ada}."),
    # A subject that would be two headers.
    ("confirmation", "en"): ("Hello\r\nBcc: pencuri@example.org", "{webinars}"),
    # The words of another language of templates.
    ("promoted", "id"): ("{% load x %}{{ settings.SECRET_KEY }}", "{webinars} {{ settings.SECRET_KEY }}"),
}
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
    ledger.queue(18)
    for number, row in enumerate(OutgoingMail.objects.select_related("participant")):
        row.kind, row.language = list(BROKEN)[number % len(BROKEN)]
        row.registration = row.participant.registrations.get()
        row.save()
    for (kind, language), (subject, body) in BROKEN.items():
        MailText.objects.create(kind=kind, language=language, version=1, subject=subject, body=body)
    worker.start()
    worker.tick("deliver_due_mail")
    ledger.wait_for_the_end()
    ledger.check()
    said = " ".join(
        f"{message['Subject']} {message.get_body(('plain',)).get_content()}" for message in mailbox.messages
    )
    for words in (EVIL, "tidak_ada", "SECRET_KEY", "{", "}", "Sampai jumpa,"):
        assert words not in said
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
