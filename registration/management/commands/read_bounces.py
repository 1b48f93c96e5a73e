import imaplib
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from registration import bouncebox


class Command(BaseCommand):
    help = (
        "Reads mail that came back: from files, Maildirs or mboxes, or, without any, from the mailbox that "
        "BOUNCE_IMAP_URL names. Safe to run again: a report counts once."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "paths", nargs="*", type=Path, metavar="PATH", help="one mail, an mbox, a Maildir, a folder"
        )

    def handle(self, *args, paths, **options):
        now = timezone.now()
        for path in paths:
            if not path.exists():
                raise CommandError(f"There is nothing at {path}.")
            self.tell(bouncebox.read_path(path, now=now))
        if not paths:
            self.tell(self.from_mailbox(now))

    def from_mailbox(self, now):
        if not settings.BOUNCE_IMAP_URL:
            raise CommandError("Name a file or folder, or set BOUNCE_IMAP_URL (imaps://user:password@host/INBOX).")
        try:
            return bouncebox.read_imap(settings.BOUNCE_IMAP_URL, now=now)
        except (OSError, imaplib.IMAP4.error) as error:
            raise CommandError(f"The mailbox can't be read: {error}") from error

    def tell(self, tally):
        self.stdout.write(
            f"{tally.read} mails read, {tally.reports} reports, new: {tally.final} addresses that do not exist, "
            f"{tally.put_off} mails not delivered for another reason."
        )
