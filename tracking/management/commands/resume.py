from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from tracking import wakeup
from tracking.management.confirm import AskingCommand, find
from tracking.models.operations import backlog


class Command(AskingCommand):
    help = "Send what a paused integration was queued meanwhile, and go on sending."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--rate", type=int, help="From now on at most so many requests a second."
        )

    def handle(self, *args: Any, integration: str, rate: int | None, **options: Any) -> None:
        if rate is not None and rate < 1:
            raise CommandError("--rate must be at least 1.")
        found = find(integration)
        if self.is_meant("Hits to send", backlog.preview(found), options):
            found.resume(by="manage.py resume", rate_limit=rate)
            wakeup.wake_dispatcher()
            self.stdout.write(f"{found} is resumed.")
