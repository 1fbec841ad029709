from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracking.models.upkeep.distribution import DistributionError, distribute


class Command(BaseCommand):
    help = (
        "Distribute the tables of hits by token over the servers of a Citus cluster. Stop web, "
        "worker and beat before: the tables are locked while they are copied. There is no way back "
        "but a new database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        question = "Are web, worker and beat stopped, and is there a backup? [y/N] "
        if not options["yes"] and input(question).strip().lower() != "y":
            raise CommandError("Nothing was changed.")
        try:
            servers = distribute()
        except DistributionError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"The tables of hits are distributed over {servers} servers: start web, worker, beat."
        )
