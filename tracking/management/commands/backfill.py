from __future__ import annotations

from tracking.management.operation_command import OperationCommand
from tracking.models.operations.backfill import Backfill


class Command(OperationCommand):
    help = (
        "Queue past hits for an integration: those of its token that match its current filters and "
        "were never queued for it."
    )
    operation_class = Backfill
    times = "Arrived after"
