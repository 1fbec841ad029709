from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracking.management.arguments import moment
from tracking.models import Ledger
from tracking.models.upkeep.reconcile import reconcile
from tracking.terminal import escape_controls


class Command(BaseCommand):
    help = (
        "Check the ledger: every accepted hit is stored, and every matched hit is delivered, "
        "queued, dead, skipped or cancelled. Prints each hit that does not add up, and then "
        "fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            type=moment,
            help="ISO-8601, in UTC unless it has an offset; by default a day ago.",
        )
        parser.add_argument("--until", type=moment, help="By default now.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        until = options["until"] or now + timedelta(hours=1)
        since = options["since"] or now - timedelta(days=1)
        Ledger.objects.consolidate()
        discrepancies = reconcile(since, until)
        for discrepancy in discrepancies:
            self.stdout.write(escape_controls(str(discrepancy)))
        if discrepancies:
            raise CommandError(f"{len(discrepancies)} discrepancies found.")
        self.stdout.write(f"Everything adds up since {since:%Y-%m-%d %H:00} UTC.")
