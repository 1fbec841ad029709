from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from tracking.models.analytics import rollup_check, rollup_job


class Command(BaseCommand):
    help = (
        "Count the hits for analytics that nobody has counted yet, as the worker does every now "
        "and then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="Forget all counts first: everything that is still stored is counted anew.",
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask.")
        parser.add_argument(
            "--check",
            action="store_true",
            help="Compare with a plain count of all hits, hour by hour; fails if they differ.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rebuild"]:
            self.stdout.write("Hits that are not stored any more will not be counted any more.")
            if not options["yes"] and not self.is_meant():
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
                f"Nothing was changed. Does somebody read the counts, such as a backup? {error}"
            ) from error

    def is_meant(self) -> bool:
        try:
            return input("Go on? [y/N] ").strip().lower() in {"y", "yes"}
        except EOFError:
            return False

    def check_counts(self) -> None:
        found = list(rollup_check.compare())
        for difference in found:
            self.stdout.write(str(difference))
        if found:
            raise CommandError(f"{len(found)} hours differ.")
        self.stdout.write("Every hour is what a plain count says.")
