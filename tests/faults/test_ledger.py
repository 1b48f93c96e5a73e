"""Bait for the account itself: it sees what is lost, doubled and astray."""

import copy

import pytest

from registration import delivery

pytestmark = [pytest.mark.fault, pytest.mark.django_db]


@pytest.fixture
def dice():
    """Nothing depends on chance here: one round is enough."""


@pytest.fixture
def sent(ledger, mailbox):
    ledger.queue(3)
    assert delivery.deliver_due() == 3
    ledger.check()
    yield list(mailbox.messages)
    ledger.counts.clear()  # made up from here on


def test_a_lost_mail_is_seen(sent, ledger, mailbox):
    mailbox.messages.pop()
    with pytest.raises(AssertionError, match="1 lost"):
        ledger.check()


def test_a_doubled_mail_without_a_kill_is_seen(sent, ledger, mailbox):
    mailbox.messages.append(sent[2])
    with pytest.raises(AssertionError, match="1 twice after 0 kills"):
        ledger.check()


def test_a_doubled_mail_whose_line_went_on_is_seen_after_a_kill_too(sent, ledger, mailbox):
    again = copy.deepcopy(sent[0])
    again.replace_header("X-Line", "999")
    mailbox.messages.append(again)
    ledger.kills = 1
    with pytest.raises(AssertionError, match=r"its line .* went on"):
        ledger.check()


@pytest.mark.parametrize("header", ["X-Envelope-To", "To"])
def test_a_mail_to_another_address_is_seen(sent, ledger, mailbox, header):
    sent[0].replace_header(header, "pencuri@example.org")
    with pytest.raises(AssertionError, match="1 to a wrong person"):
        ledger.check()


def test_a_mail_with_anothers_name_or_link_inside_is_seen(sent, ledger, mailbox):
    """The head is right: as if the worker had filled in the facts of the next row."""
    first, second, _third = sent
    for header in ("X-Envelope-To", "To", "Message-ID"):
        second.replace_header(header, first[header])
    mailbox.messages = [second, *sent[2:]]
    with pytest.raises(AssertionError, match="1 to a wrong person"):
        ledger.check()
