from __future__ import annotations

from typing import Any

from tracking import wakeup
from tracking.management.confirm import AskingCommand, find
from tracking.models.operations import backlog


class Command(AskingCommand):
    help = "Owe nothing more to an integration, but send what it is queued. Enabling it ends that."

    def handle(self, *args: Any, integration: str, **options: Any) -> None:
        found = find(integration)
        if self.is_meant("Hits still to be sent", backlog.preview(found), options):
            found.drain(by="manage.py drain")
            wakeup.wake_dispatcher()
            self.stdout.write(f"{found} drains.")
