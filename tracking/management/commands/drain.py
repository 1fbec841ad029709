from __future__ import annotations

from typing import Any

from tracking import wakeup
from tracking.management.confirm import ConfirmingCommand, find
from tracking.models.operations import backlog


class Command(ConfirmingCommand):
    help = "Queue no new hits for an integration, but send the queued ones. Enabling it ends that."

    def handle(self, *args: Any, integration: str, **options: Any) -> None:
        target = find(integration)
        if self.is_confirmed("Hits still to be sent", backlog.preview(target), options):
            target.drain(by="manage.py drain")
            wakeup.wake_dispatcher()
            self.stdout.write(f"{target} is draining.")
