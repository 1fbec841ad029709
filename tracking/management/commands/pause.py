from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from tracking.management.confirm import AskingCommand, find
from tracking.models.operations import backlog


class Command(AskingCommand):
    help = "Send nothing to an integration until it is resumed. Hits go on being queued to it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", required=True, help="For everybody who wonders.")

    def handle(self, *args: Any, integration: str, reason: str, **options: Any) -> None:
        found = find(integration)
        if self.is_meant("Hits held back so far", backlog.preview(found), options):
            found.pause(reason=reason, by="manage.py pause")
            self.stdout.write(f"{found} is paused by {found.paused_by}: {found.paused_reason}")
