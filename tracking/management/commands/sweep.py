from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tracking import tasks
from tracking.models import maintenance, retention
from tracking.outbox import deliver
from tracking.outbox.dispatch import due


class Command(BaseCommand):
    help = (
        "Do what Celery beat does, for cron in projects without it: make partitions ahead, "
        "forget old dedup keys, drop what is past retention, send what is due."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--deliver", action="store_true", help="Send here and now, without a worker."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        made, forgotten = maintenance.run()
        dropped = retention.prune().dropped
        self.stdout.write(
            f"{len(made)} partitions made, {forgotten} dedup keys forgotten, "
            f"{len(dropped)} partitions dropped."
        )
        integrations = due()
        for integration_id in [] if options["deliver"] else integrations:
            tasks.deliver.apply_async((integration_id,), retry=False)
        busy = integrations if options["deliver"] else []
        while busy:
            # In turn, so that none waits for another's whole backlog.
            busy = [integration_id for integration_id in busy if deliver.deliver(integration_id)]
        self.stdout.write(f"{len(integrations)} integrations had something due.")
