from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from tracking.management.confirm import confirmed
from tracking.models.analytics import rollup_check, rollup_job


class Command(BaseCommand):
    help = "Count new hits for analytics, as the worker does every 15 seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="Delete all counts first, and count every stored hit again.",
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask for confirmation.")
        parser.add_argument(
            "--check",
            action="store_true",
            help="Compare the rollups with a plain count of all hits, hour by hour; fail if they "
            "differ.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rebuild"]:
            self.stdout.write("Hits that are no longer stored will no longer be counted.")
            if not options["yes"] and not confirmed():
                raise CommandError("Nothing was changed.")
            self.forget_all()
        self.stdout.write(f"{rollup_job.catch_up():,} hits counted.")
        if options["check"]:
            self.check_counts()

    def forget_all(self) -> None:
        try:
            rollup_job.forget_all()
        except OperationalError as error:
            raise CommandError(
                "Nothing was changed. Another session, such as a backup, may be reading the "
                f"counts: {error}"
            ) from error

    def check_counts(self) -> None:
        differences = list(rollup_check.compare())
        for difference in differences:
            self.stdout.write(str(difference))
        if differences:
            raise CommandError(f"{len(differences)} hours differ.")
        self.stdout.write("Every hour agrees with a plain count.")
