from __future__ import annotations

from django.core.management.base import CommandParser

from tracking.management.operation_command import OperatingCommand
from tracking.models.deliveries.dead_letter import CODES
from tracking.models.operations.replay import Replay


class Command(OperatingCommand):
    help = "Make dead letters of an integration due again, with all their attempts before them."
    operation_class = Replay
    times = "Died since"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--code", choices=CODES, help="Only those that died of this.")
        parser.add_argument("--message", help="Only those with these words in their message.")
