from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from tracking import wakeup
from tracking.management.arguments import rate as at_least_one
from tracking.management.confirm import ConfirmingCommand, find
from tracking.models.operations import backlog
from tracking.models.operations.resume import resume


class Command(ConfirmingCommand):
    help = "Send the hits that were queued while an integration was paused, and all later ones."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--rate", type=at_least_one, help="From now on at most this many requests/s."
        )

    def handle(self, *args: Any, integration: str, rate: int | None, **options: Any) -> None:
        target = find(integration)
        if self.is_confirmed("Hits to send", backlog.preview(target), options):
            resume(target, by="manage.py resume", rate_limit=rate)
            wakeup.wake_dispatcher()
            self.stdout.write(f"{target} is resumed.")
