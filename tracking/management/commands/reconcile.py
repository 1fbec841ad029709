from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracking.management.confirm import moment
from tracking.models import Ledger
from tracking.models.upkeep.reconcile import reconcile


class Command(BaseCommand):
    help = (
        "Check that everything adds up: what was accepted is stored, what was matched is delivered,"
        " queued, dead, skipped or cancelled. Names every hit that does not, and then fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=moment, help="ISO-8601, in UTC unless it says otherwise; a day ago."
        )
        parser.add_argument("--until", type=moment, help="Until now.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        until = options["until"] or now + timedelta(hours=1)
        since = options["since"] or now - timedelta(days=1)
        Ledger.objects.consolidate()
        found = reconcile(since, until)
        for discrepancy in found:
            self.stdout.write(str(discrepancy))
        if found:
            raise CommandError(f"{len(found)} things do not add up.")
        self.stdout.write(f"Everything adds up since {since:%Y-%m-%d %H:00} UTC.")
