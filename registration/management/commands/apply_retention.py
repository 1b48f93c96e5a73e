from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from registration import retention
from registration.models import RetentionPeriod, RetentionRun


class Command(BaseCommand):
    help = (
        "Removes the data whose time is over and that was announced a week ago, then announces what comes next. "
        "The beat does the same each night."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say how many rows it would be.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        if dry_run:
            return self.forecast(retention.today(now), retention.today(now + retention.NOTICE))
        for run in retention.apply_all(now=now):
            run.refresh_from_db()
            self.stdout.write(f"{run.kind}: {run.removed} removed of {run.planned} announced")
        for run in RetentionRun.objects.open().order_by("due_at", "pk"):
            self.stdout.write(f"{run.kind}: {run.planned} announced for {run.due_at:%Y-%m-%d}")

    def forecast(self, today: Any, in_a_week: Any) -> None:
        for period in RetentionPeriod.objects.order_by("kind"):
            now, later = (retention.forecast(period, on=day) for day in (today, in_a_week))
            self.stdout.write(
                f"{period.kind} ({period.days} days): {now.number} past their time, {later.number} in a week"
            )
