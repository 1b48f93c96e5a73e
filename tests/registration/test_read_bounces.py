"""`manage.py read_bounces`: files of every kind, and a mailbox behind IMAP."""

import mailbox as boxes
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kpt import embedded
from registration import bounces, tasks
from tests.factories import OutgoingMailFactory, ParticipantFactory
from tests.imap import Mailbox
from tests.registration import returned

pytestmark = pytest.mark.django_db

LETTER = b"From: maria@example.com\r\nTo: kpt@example.org\r\nSubject: Tanya\r\n\r\nJam berapa?\r\n"


@pytest.fixture
def sent(now):
    return OutgoingMailFactory(participant=ParticipantFactory(email="maria@example.com"), sent=True)


@pytest.fixture
def put_off(now):
    mail = OutgoingMailFactory(participant=ParticipantFactory(email="penuh@example.com"), sent=True)
    return returned.postfix(mail, status="5.2.2", words="552 5.2.2 Mailbox full")


def run(*paths):
    out = StringIO()
    call_command("read_bounces", *map(str, paths), stdout=out)
    return out.getvalue()


def says(read, reports, final, other):
    return (
        f"{read} mails read, {reports} reports, new: {final} addresses that do not exist, "
        f"{other} mails not delivered for another reason.\n"
    )


def test_a_single_mail(sent, tmp_path):
    path = tmp_path / "returned.eml"
    path.write_bytes(returned.postfix(sent))
    assert run(path) == says(1, 1, 1, 0)
    assert run(path) == says(1, 1, 0, 0)
    assert bounces.of(sent.to)


def test_a_folder_of_mails(sent, put_off, tmp_path):
    for name, raw in (("1", returned.postfix(sent)), ("2", put_off), ("3", LETTER)):
        (tmp_path / name).write_bytes(raw)
    assert run(tmp_path) == says(3, 2, 1, 1)


def test_an_mbox_and_a_maildir_are_left_as_they_are(sent, put_off, tmp_path):
    mbox, maildir = boxes.mbox(tmp_path / "mbox"), boxes.Maildir(tmp_path / "maildir")
    for raw in (returned.postfix(sent), put_off, LETTER):
        mbox.add(raw)
    mbox.close()
    maildir.add(returned.postfix(sent))
    maildir.add(LETTER)
    before = (tmp_path / "mbox").read_bytes()
    assert run(tmp_path / "mbox", tmp_path / "maildir") == says(3, 2, 1, 1) + says(2, 1, 0, 0)
    assert (tmp_path / "mbox").read_bytes() == before
    assert len(list((tmp_path / "maildir" / "new").iterdir())) == 2
    maildir.close()


def test_what_is_not_there_is_said(tmp_path, settings):
    with pytest.raises(CommandError, match="There is nothing at"):
        run(tmp_path / "no")
    settings.BOUNCE_IMAP_URL = ""
    with pytest.raises(CommandError, match="BOUNCE_IMAP_URL"):
        run()


@pytest.fixture
def imap(sent, put_off, settings):
    mailbox = Mailbox([returned.postfix(sent), LETTER, put_off], password="s:e/cret")
    settings.BOUNCE_IMAP_URL = f"imap://kpt%40example.org:s%3Ae%2Fcret@127.0.0.1:{mailbox.port}/INBOX"
    yield mailbox
    mailbox.stop()


def test_the_beat_reads_the_mailbox_too(imap, sent):
    tasks.read_bounces()
    assert bounces.of(sent.to)


def test_behind_imap_reports_are_marked_as_seen_and_letters_left_unread(imap):
    assert run() == says(2, 2, 1, 1)
    assert [is_seen for _raw, is_seen in imap.mails] == [True, False, True]
    assert (2, "all") not in imap.fetched
    assert run() == says(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("imap://kpt:wrong@127.0.0.1:{port}/INBOX", "wrong password"),
        ("imap://kpt:s%3Ae%2Fcret@127.0.0.1:{port}/Other", "no folder Other"),
    ],
)
def test_a_mailbox_that_does_not_open_is_said_without_the_password(url, words, imap, settings):
    settings.BOUNCE_IMAP_URL = url.format(port=imap.port)
    with pytest.raises(CommandError, match=words) as error:
        run()
    assert "s:e/cret" not in str(error.value)


def test_a_mailbox_that_nobody_listens_at(settings, db):
    settings.BOUNCE_IMAP_URL = f"imap://kpt:x@127.0.0.1:{embedded.free_port()}/"
    with pytest.raises(CommandError, match="can't be read"):
        run()
