from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from registration import demo


class Command(BaseCommand):
    help = "Adds N made-up participants, marked so, with registrations for the current edition."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", type=int, metavar="N")

    def handle(self, *args: Any, count: int, **options: Any) -> None:
        if count < 0:
            raise CommandError("N must be 0 or more.")
        made = demo.make_participants(count, now=timezone.now())
        self.stdout.write(f"{made} made-up participants added.")
