from __future__ import annotations

from tracking.management.operation_command import OperatingCommand
from tracking.models.operations.backfill import Backfill


class Command(OperatingCommand):
    help = (
        "Owe past hits of its token to an integration: those that it wants as it is configured now "
        "and has no record of."
    )
    operation_class = Backfill
    times = "Arrived since"
