from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from conference.models import Organisation, Webinar
from conference.timezones import WITA
from registration import breach as rules
from registration.models import Breach, OutgoingMail


class Command(BaseCommand):
    help = (
        "In a data breach: whom to tell, of which data, until when, in which words. "
        "With --csv the list is written too, and the breach is recorded as in the admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--everything", action="store_true")
        what.add_argument("--webinar", metavar="SLUG")
        what.add_argument("--organisation", metavar="SLUG", help="Whose downloads leaked.")
        what.add_argument("--mail", metavar="KIND", choices=OutgoingMail.Kind.values)
        parser.add_argument("--known-since", metavar="2027-06-01T09:00", help="In WITA. Without it: now.")
        parser.add_argument("--csv", metavar="FILE", type=Path)

    def handle(self, *args: Any, csv: Path | None, known_since: str | None, **options: Any) -> None:
        breach = described(options)
        breach.known_at = moment(known_since)
        try:
            breach.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.tell(breach)
        if csv:
            breach.note = f"manage.py breach_notice, {csv.name}"
            breach.save()
            with csv.open("wb") as file:
                number = rules.write_csv(file, breach)
            self.stdout.write(f"{number} lines in {csv}")

    def tell(self, breach: Breach) -> None:
        figures = rules.figures(breach)
        self.stdout.write(f"Tell them until {rules.deadline(breach).astimezone(WITA.info):%Y-%m-%d %H:%M} WITA.")
        self.stdout.write(
            f"{figures.people} people ({figures.by_mail} by mail, {figures.through_carer} through their carer, "
            f"{figures.under_18} under 18), {figures.accounts} further accounts."
        )
        for word, number, is_specific in figures.by_kind:
            self.stdout.write(f"- {word}{' (specific)' if is_specific else ''}: {number}")
        for language in ("id", "en"):
            self.stdout.write(f"\n{rules.notice(breach, language)}")


def described(options: dict[str, Any]) -> Breach:
    try:
        if slug := options["webinar"]:
            return Breach(scope=Breach.Scope.WEBINAR, webinar=Webinar.objects.get(slug=slug))
        if slug := options["organisation"]:
            return Breach(scope=Breach.Scope.DOWNLOADS, organisation=Organisation.objects.get(slug=slug))
    except (Webinar.DoesNotExist, Organisation.DoesNotExist) as error:
        raise CommandError(f"There is no {slug}.") from error
    if kind := options["mail"]:
        return Breach(scope=Breach.Scope.MAILS, mail_kind=kind)
    return Breach(scope=Breach.Scope.EVERYTHING)


def moment(text: str | None) -> Any:
    if text is None:
        return timezone.now()
    try:
        known = parse_datetime(text)
    except ValueError:
        known = None
    if known is None:
        raise CommandError(f"{text} is no time such as 2027-06-01T09:00.")
    return known if known.tzinfo else known.replace(tzinfo=WITA.info)
