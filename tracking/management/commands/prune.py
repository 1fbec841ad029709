from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from tracking.models.upkeep import retention


class Command(BaseCommand):
    help = (
        "Drop the days that are older than HIT_DAYS and ATTEMPT_DAYS. Days with queued "
        "deliveries or dead letters stay, and the command names their integrations."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        pruned = retention.prune()
        for name in pruned.dropped:
            self.stdout.write(f"{name} is dropped.")
        for name, reason in pruned.kept.items():
            self.stderr.write(f"{name} is kept: {reason}")
