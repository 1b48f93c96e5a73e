from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _

from conference import loading
from conference.editionfile import EditionFileError
from conference.rehearsal import WrongStart, rehearsal_start


class Command(BaseCommand):
    help = "Load an edition of the conference from its YAML file. Loading it again changes only what the file changes."

    def add_arguments(self, parser):
        parser.add_argument(
            "file", metavar="FILE", help="a path, or the name of an edition that comes with the site, such as kpt2020"
        )
        parser.add_argument(
            "--rehearsal", action="store_true", help="move the dates, fill in example hours and open registration"
        )
        parser.add_argument(
            "--starts",
            metavar="WHEN",
            help="with --rehearsal: when the first webinar begins, an ISO time with offset or +10m, +2h, +7d "
            "(default: in seven days at 09.00 WITA)",
        )

    def handle(self, *args, file, rehearsal, starts, **options):
        if starts is not None and not rehearsal:
            raise CommandError(_("--starts needs --rehearsal: it says when the rehearsal begins."))
        try:
            self.load(file, starts, is_rehearsal=rehearsal)
        except (EditionFileError, WrongStart) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            words = {"why": str(error).strip().partition("\n")[0]}
            raise CommandError(_("Nothing was changed, for the database refused: %(why)s.") % words) from error

    def load(self, file, starts, *, is_rehearsal):
        now = timezone.now()
        begins = rehearsal_start(starts, now) if is_rehearsal else None
        changes = loading.load(file, now=now, rehearsal_starts=begins)
        counts = {key: changes[key] for key in ("created", "updated", "removed")}
        self.stdout.write(_("%(created)d created, %(updated)d updated, %(removed)d removed.") % counts)
        if begins:
            words = {"when": format_date(begins, "j F Y H.i")}
            self.stdout.write(_("Rehearsal: the first webinar begins on %(when)s WITA.") % words)
