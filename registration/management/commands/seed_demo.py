from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from conference.models import Edition
from registration import demo
from registration.models import Participant


class Command(BaseCommand):
    help = "The demo's sign-ins and made-up participants. Running it again adds nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--participants", type=int, default=200)

    def handle(self, *args: Any, participants: int, **options: Any) -> None:
        edition = Edition.objects.current()
        if edition is None:
            raise CommandError("There is no current edition. Load one first: manage.py load_edition kpt2020")
        missing = participants - Participant.objects.filter(is_made_up=True).count()
        demo.make_participants(max(missing, 0), now=timezone.now())
        self.stdout.write(f"Demo organiser: {demo.make_organiser().email}")
        for organisation in edition.organisations.order_by("slug"):
            self.stdout.write(f"Demo partner {organisation.slug}: {demo.make_partner(organisation).email}")
