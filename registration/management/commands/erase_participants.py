from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from registration import erasure
from registration.models import Participant


class Command(BaseCommand):
    help = (
        "Deletes everything about these participants, as they do themselves. For a database that was restored from a "
        "backup: the log names the numbers of those who were deleted after it was made."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("numbers", type=int, nargs="+", metavar="NUMBER")

    def handle(self, *args: Any, numbers: list[int], **options: Any) -> None:
        for person in Participant.objects.filter(pk__in=numbers).order_by("pk"):
            if erasure.erase(person, now=timezone.now()):
                self.stdout.write(f"{person.pk} deleted")
        self.stdout.write(f"{Participant.objects.filter(pk__in=numbers).count()} of {len(numbers)} are left.")
