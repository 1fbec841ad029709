"""Operations as an operator asks for them and a worker carries them out."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from tests.support.hits import Send, hit
from tests.support.vendor import open_vendor, reply
from tracking.delivery.engine import engine
from tracking.models import Integration, Operation
from tracking.models.deliveries.criteria import Criteria
from tracking.models.operations.backfill import Backfill
from tracking.models.operations.operation import run_operations
from tracking.models.operations.replay import Replay


def post(send: Send, *names: str, **changes: Any) -> None:
    """A hit for each event name."""
    for name in names:
        event = {"name": name, "user": {"userId": "u1"}}
        assert send(hit(event=event, **changes)).status_code == 204


def deliver() -> None:
    """What is due is sent, by a thread of its own, as a worker does: Playwright's event loop runs
    in that of the test."""

    def run() -> None:
        engine.run()
        connections.close_all()

    with ThreadPoolExecutor(1) as worker:
        worker.submit(run).result()


def let_die(send: Send, integration: Integration, *names: str, status: int = 400) -> None:
    """A dead letter for each event name."""
    with open_vendor(reply(status, b"no such thing")) as vendor:
        config = {**integration.config, "url": vendor.url}
        Integration.objects.filter(pk=integration.pk).update(config=config)
        post(send, *names)
        deliver()
    integration.refresh_from_db()


def replay(integration: Integration, *, rate: int | None = None, **criteria: Any) -> Operation:
    operation = Replay(integration, Criteria(**criteria))
    return Operation.objects.request(operation, by="anna", rate=rate)


def backfill(integration: Integration, *, rate: int | None = None, **criteria: Any) -> Operation:
    operation = Backfill(integration, Criteria(**criteria))
    return Operation.objects.request(operation, by="anna", rate=rate)


def work(seconds: float = 20.0) -> list[int]:
    """A worker carries out what was asked for; how far it was after each chunk."""
    told: list[int] = []

    def tell(operation: Operation) -> None:
        operation.refresh_from_db()
        told.append(operation.done)

    run_operations(seconds, on_chunk=tell)
    return told
