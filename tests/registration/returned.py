"""Mail that comes back, as the usual servers write it; every name and address is made up."""

from textwrap import dedent

OUR_HEADERS = """\
From: KPT <kpt@example.org>
To: {to}
Subject: Konfirmasi
Message-ID: {message_id}
X-KPT-Mail: {message_id}
"""


def returned(text, *, to, message_id, **facts):
    lines = dedent(text).lstrip("\n").format(to=to, message_id=message_id, our=OUR, **facts)
    return lines.replace("@OUR@\n", OUR_HEADERS.format(to=to, message_id=message_id)).replace("\n", "\r\n").encode()


OUR = "@OUR@"

POSTFIX = """
    Return-Path: <>
    Date: Tue, 1 Jun 2027 09:00:05 +0800
    From: MAILER-DAEMON@relay.example.net (Mail Delivery System)
    Subject: Undelivered Mail Returned to Sender
    To: kpt@example.org
    Auto-Submitted: auto-replied
    MIME-Version: 1.0
    Message-ID: <returned-1@relay.example.net>
    Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

    --b1
    Content-Type: text/plain; charset=us-ascii

    I could not deliver your letter to the person below.

    --b1
    Content-Type: message/delivery-status

    Reporting-MTA: dns; relay.example.net
    X-Postfix-Queue-ID: 4F00AA
    Arrival-Date: Tue, 1 Jun 2027 09:00:01 +0800

    Final-Recipient: rfc822; {to}
    Original-Recipient: rfc822;{to}
    Action: {action}
    Status: {status}
    Remote-MTA: dns; mx.example.com
    Diagnostic-Code: smtp; {words}

    --b1
    Content-Type: text/rfc822-headers

    {our}
    --b1--
"""

# With the whole mail behind it, and the address as it is written after a semicolon and in angle brackets.
EXCHANGE = """
    From: Postmaster <postmaster@mail.example.com>
    To: kpt@example.org
    Date: Tue, 1 Jun 2027 01:00:05 +0000
    Content-Type: multipart/report; report-type=delivery-status; boundary="b2"
    MIME-Version: 1.0
    Message-ID: <returned-2@mail.example.com>
    In-Reply-To: {message_id}
    References: {message_id}
    Subject: Undeliverable: Konfirmasi

    --b2
    Content-Type: multipart/alternative; boundary="b3"

    --b3
    Content-Type: text/plain

    Nobody of this name is here.
    --b3
    Content-Type: text/html

    <p>Nobody of this name is here.</p>
    --b3--
    --b2
    Content-Type: message/delivery-status

    Reporting-MTA: dns;mail.example.com
    Received-From-MTA: dns;relay.example.net

    Original-Recipient: rfc822;<{to}>
    Final-Recipient: rfc822;<{to}>
    Action: Failed
    Status: 5.1.10 (a comment)
    Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound;
     Recipient not found by lookup
    --b2
    Content-Type: message/rfc822

    {our}
    Halo
    --b2--
"""

OTHER_LETTERS = """
    Return-Path: <>
    From: mailer-daemon@relay.example.net
    To: kpt@example.org
    Date: Tue, 1 Jun 2027 01:00:05 +0000
    Content-Type: multipart/report; report-type=delivery-status; boundary="b4"
    MIME-Version: 1.0
    Message-ID: <returned-3@relay.example.net>

    --b4
    Content-Type: text/plain; charset=utf-8

    Gone.
    --b4
    Content-Type: message/global-delivery-status

    Reporting-MTA: dns; relay.example.net

    Original-Recipient: utf-8; {to}
    Final-Recipient: utf-8; {to}
    Action: failed
    Status: 5.1.1
    Diagnostic-Code: smtp; 550 5.1.1 no such user
    --b4
    Content-Type: message/global-headers

    {our}
    --b4--
"""

EXIM = """
    Return-path: <>
    X-Failed-Recipients: {to}
    Auto-Submitted: auto-replied
    From: Mail Delivery System <Mailer-Daemon@host.example.net>
    To: kpt@example.org
    Subject: Mail delivery failed: returning message to sender
    Message-Id: <returned-4@host.example.net>
    Date: Tue, 01 Jun 2027 09:00:05 +0800

    Your letter could not be delivered to this address, and that is final:

      {to}
        host mx.example.com [192.0.2.7]
        SMTP error from remote mail server after RCPT TO:<{to}>:
        550 5.1.1 User unknown

    ------ This is a copy of the message's headers. ------

    {our}
"""

QMAIL = """
    Return-Path: <>
    Date: 1 Jun 2027 01:00:05 -0000
    From: MAILER-DAEMON@old.example.net
    To: kpt@example.org
    Subject: failure notice

    Hi. This is the qmail-send program at old.example.net.
    It did not work out for the following address, for good.

    <{to}>:
    192.0.2.9 does not like recipient.
    Remote host said: 550 5.1.1 unknown user
    Giving up on 192.0.2.9.

    --- Below this line is a copy of the message.

    {our}
    Halo
"""

OUT_OF_OFFICE = """
    From: {to}
    To: kpt@example.org
    Subject: Re: Konfirmasi
    In-Reply-To: {message_id}
    Auto-Submitted: auto-replied
    Content-Type: text/plain

    I am away. 550 5.1.1 User unknown
"""

COMPLAINT = """
    From: abuse@mail.example.com
    To: kpt@example.org
    Content-Type: multipart/report; report-type=feedback-report; boundary="b5"
    MIME-Version: 1.0

    --b5
    Content-Type: message/feedback-report

    Feedback-Type: abuse
    --b5
    Content-Type: message/rfc822

    {our}
    --b5--
"""


def postfix(mail, *, status="5.1.1", words="550 5.1.1 User unknown", action="failed", to=None):
    return returned(POSTFIX, to=to or mail.to, message_id=mail.message_id, status=status, words=words, action=action)
