from __future__ import annotations

from django.core.management.base import CommandParser

from tracking.management.arguments import storable
from tracking.management.operation_command import OperationCommand
from tracking.models.deliveries.dead_letter import CODES
from tracking.models.operations.replay import Replay


class Command(OperationCommand):
    help = "Queue dead letters of an integration again, with a fresh retry budget."
    operation_class = Replay
    times = "Failed after"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--code", choices=CODES, help="Only dead letters with this code.")
        parser.add_argument(
            "--message", type=storable, help="Only dead letters whose message contains this text."
        )
