"""The line to the mail server: one for each process, kept from mail to mail and from task to task.

Its steps are apart, so that a worker can do something else while the server reads.
"""

import contextlib
import os
import smtplib
import time

from django.core.mail.backends.smtp import EmailBackend

# Seconds. Most servers end a silent line after some minutes; one that was silent for a moment is asked first.
MOST_IDLE = 60
UNASKED = 2
REFUSALS = (smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)
CLOSING = 421


class NoLine(OSError):
    """The server does not let us in: nothing may be sent over this line."""


class Line:
    def __init__(self) -> None:
        self.backend: EmailBackend | None = None
        self.pid = 0
        self.used_at = 0.0
        self.carried = 0

    @property
    def server(self) -> smtplib.SMTP:
        assert self.backend  # nosec B101
        assert self.backend.connection  # nosec B101
        return self.backend.connection

    # ---- Opening and closing

    def open(self) -> None:
        if self.backend and not self.is_good():
            self.hang_up()
        if self.backend:
            return
        backend = EmailBackend()
        try:
            backend.open()
            if backend.connection:
                backend.connection.ehlo_or_helo_if_needed()
        except OSError as error:
            with contextlib.suppress(OSError):
                backend.close()
            if isinstance(error, smtplib.SMTPResponseException):
                raise NoLine(words_of(error.smtp_code, error.smtp_error)) from error
            raise
        self.backend, self.pid, self.carried, self.used_at = backend, os.getpid(), 0, time.monotonic()

    def is_good(self) -> bool:
        idle = time.monotonic() - self.used_at
        if self.pid != os.getpid() or idle > MOST_IDLE or self.server.sock is None:
            return False
        try:
            return idle < UNASKED or self.server.noop()[0] == 250
        except OSError:
            return False

    def rest(self) -> None:
        """Nothing is to be sent at the moment."""
        if self.backend and time.monotonic() - self.used_at > MOST_IDLE:
            self.hang_up()

    def hang_up(self) -> None:
        backend, self.backend = self.backend, None
        if backend is None or backend.connection is None:
            return
        if self.pid != os.getpid():  # our copy of the parent's line: it goes on using it
            backend.connection.close()
            return
        with contextlib.suppress(OSError):
            backend.close()

    # ---- One mail: `begin`, `write`, `hear`

    def begin(self, sender: str, recipient: str, size: int) -> None:
        """Up to the server's word that the text may come. A line that has ended since the last mail is opened anew."""
        envelope = (sender.encode("ascii").decode(), recipient.encode("ascii").decode())
        self.open()
        try:
            self.announce(*envelope, size)
        except (smtplib.SMTPServerDisconnected, *REFUSALS) as error:
            if not self.carried or code_of(error) not in (None, CLOSING):
                raise
            self.hang_up()
            self.open()
            self.announce(*envelope, size)

    def announce(self, sender: str, recipient: str, size: int) -> None:
        server = self.server
        options = f" size={size}" if server.has_extn("size") else ""
        options += " body=8bitmime" if server.has_extn("8bitmime") else ""
        commands = [f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>", "DATA"]
        answers = self.ask_at_once(commands) if server.has_extn("pipelining") else self.ask_in_turn(commands)
        code, words = next(((code, words) for code, words in answers if code >= 400), (0, b""))
        if not code:
            return
        self.calm(answers)
        position = [code for code, _words in answers].index(code)
        if position == 0:
            raise smtplib.SMTPSenderRefused(code, words, sender)
        if position == 1:
            raise smtplib.SMTPRecipientsRefused({recipient: (code, words)})
        raise smtplib.SMTPDataError(code, words)

    def ask_in_turn(self, commands: list[str]) -> list[tuple[int, bytes]]:
        answers: list[tuple[int, bytes]] = []
        for command in commands:
            self.server.putcmd(command)
            answers.append(self.server.getreply())
            if answers[-1][0] >= 400:
                break
        return answers

    def ask_at_once(self, commands: list[str]) -> list[tuple[int, bytes]]:
        """RFC 2920: one way there and back for all, which counts when the server is far away."""
        self.server.send("".join(f"{command}\r\n" for command in commands))
        return [self.server.getreply() for _command in commands]

    def calm(self, answers: list[tuple[int, bytes]]) -> None:
        """After a refusal: the line is as before it, or it is closed."""
        try:
            if any(code == CLOSING for code, _words in answers):
                self.hang_up()
                return
            if answers[-1][0] == 354:  # it waits for the text of a mail that it refused
                self.server.send(b".\r\n")
                self.server.getreply()
            self.server.rset()
        except OSError:
            self.hang_up()

    def write(self, content: bytes) -> None:
        end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
        start = b"." if content.startswith(b".") else b""
        self.server.send(start + content.replace(b"\n.", b"\n..") + end)

    def hear(self) -> None:
        """The server's word that the mail is its own from now on."""
        code, words = self.server.getreply()
        self.used_at = time.monotonic()
        if code == CLOSING:
            self.hang_up()
        if code != 250:
            raise smtplib.SMTPDataError(code, words)
        self.carried += 1


line = Line()


def code_of(error: Exception) -> int | None:
    """None when the line itself is broken."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))[0]
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None


def said(error: Exception) -> str:
    """The server's words."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return words_of(*next(iter(error.recipients.values())))
    assert isinstance(error, smtplib.SMTPResponseException)  # nosec B101
    return words_of(error.smtp_code, error.smtp_error)


def words_of(code: int, words: bytes | str) -> str:
    return f"{code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"
