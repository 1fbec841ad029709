from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from tracking.management.arguments import filled
from tracking.management.confirm import ConfirmingCommand, find
from tracking.models.operations import backlog


class Command(ConfirmingCommand):
    help = "Send nothing to an integration until it is resumed. New hits are still queued."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--reason", required=True, type=filled, help="Shown wherever it is paused."
        )

    def handle(self, *args: Any, integration: str, reason: str, **options: Any) -> None:
        target = find(integration)
        if self.is_confirmed("Hits held back so far", backlog.preview(target), options):
            target.pause(reason=reason, by="manage.py pause")
            self.stdout.write(f"{target} is paused by {target.paused_by}: {target.paused_reason}")
