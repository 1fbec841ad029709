from __future__ import annotations

from contextlib import suppress
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from kombu.exceptions import OperationalError

from tracking import tasks
from tracking.delivery.due import due
from tracking.delivery.engine import engine
from tracking.models import Heartbeat, Ledger
from tracking.models.analytics import rollup_job
from tracking.models.analytics.watermark import Busy
from tracking.models.operations.operation import run_operations
from tracking.models.upkeep import maintenance, retention
from tracking.tasks import OPERATE_SECONDS


class Command(BaseCommand):
    help = (
        "Do the work of Celery beat, for cron in projects without it: create partitions ahead, "
        "delete old dedup keys, drop what is past retention, count new hits, evaluate alerts, send "
        "due deliveries."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--deliver",
            action="store_true",
            help="Send due deliveries in this process, without a worker.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for name in ("sweep", "deliver") if options["deliver"] else ("sweep",):
            Heartbeat.objects.beat(name)
        created, deleted = maintenance.run()
        dropped = retention.prune().dropped
        self.stdout.write(
            f"{len(created)} partitions created, {deleted} dedup keys deleted, "
            f"{len(dropped)} partitions dropped."
        )
        Ledger.objects.consolidate()
        with suppress(Busy):
            rollup_job.run(tasks.SUMMARISE_SECONDS)
        tasks.evaluate_alerts()
        integrations = due()
        self.stdout.write(f"{len(integrations)} integrations have due deliveries.")
        if not options["deliver"]:
            self.wake_worker()
            return
        while run_operations(OPERATE_SECONDS, on_chunk=lambda operation: None):
            pass
        unfinished = Event()
        unfinished.set()
        while unfinished.is_set():
            unfinished.clear()
            engine.run(again=unfinished.set)

    def wake_worker(self) -> None:
        """Wake a worker. Without a broker it looks by itself, as soon as there is one."""
        try:
            tasks.dispatch.apply_async(retry=False)
        except OperationalError as error:
            self.stderr.write(f"The broker is away, so no worker was woken: {error}")
