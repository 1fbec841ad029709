"""Concurrent callers share one round trip, and none is left waiting."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from tests.support.hits import Send, hit
from tests.support.pgbouncer import of_a_session
from tracking.connection import OwnConnection
from tracking.ingest.errors import Unavailable
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.store import writer
from tracking.models import Hit

pytestmark = pytest.mark.django_db(transaction=True)

Batch = Sequence[Any]
Make = Callable[[Callable[[Batch], Batch]], BatchThread[Any, Any]]


@pytest.fixture
def make() -> Iterator[Make]:
    groups: list[BatchThread[Any, Any]] = []

    def group(handle: Callable[[Batch], Batch]) -> BatchThread[Any, Any]:
        def on_connection(connection: OwnConnection, items: Batch) -> Batch:
            return handle(items)

        groups.append(BatchThread("test", on_connection))
        return groups[-1]

    yield group
    for each in groups:
        each.drain()


def test_what_arrives_meanwhile_goes_together(make: Make) -> None:
    batches: list[Batch] = []
    entered, go_on = threading.Event(), threading.Event()

    def handle(items: Batch) -> Batch:
        batches.append(items)
        entered.set()
        go_on.wait(5)
        return [item * 2 for item in items]

    group = make(handle)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(group.submit, 1, within=5)
        entered.wait(5)
        others = [pool.submit(group.submit, number, within=5) for number in range(2, 8)]
        while group._queue.qsize() < 6:
            time.sleep(0.01)
        go_on.set()
        assert [first.result(), *(other.result() for other in others)] == [2, 4, 6, 8, 10, 12, 14]
    assert [len(batch) for batch in batches] == [1, 6]


def test_each_gets_its_own_outcome(make: Make) -> None:
    group = make(lambda items: [ValueError(item) if item == "bad" else item for item in items])
    assert group.submit("good", within=5) == "good"
    with pytest.raises(ValueError, match="bad"):
        group.submit("bad", within=5)
    assert group.submit(None, within=5) is None


def test_nobody_waits_past_the_deadline(make: Make) -> None:
    go_on = threading.Event()
    handled: list[Any] = []

    def handle(items: Batch) -> Batch:
        handled.extend(items)
        go_on.wait(5)
        return items

    group = make(handle)
    started = time.monotonic()
    for item in ("first", "second"):
        with pytest.raises(Unavailable):
            group.submit(item, within=0.1)
    assert time.monotonic() - started < 4
    go_on.set()
    assert group.submit("third", within=5) == "third"
    assert "second" not in handled, "what was given up is not done behind the caller's back"


def test_a_full_queue_is_answered_at_once(make: Make, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "QUEUE_SIZE": 3}
    go_on = threading.Event()

    def handle(items: Batch) -> Batch:
        go_on.wait(5)
        return items

    group = make(handle)
    tickets = [group.hand(0)]
    while group._queue.qsize():
        time.sleep(0.01)
    tickets += [group.hand(number) for number in range(1, 4)]
    with pytest.raises(Unavailable, match="waiting"):
        group.hand(4)
    go_on.set()
    assert [ticket.wait(5) for ticket in tickets] == [0, 1, 2, 3]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_is_replaced(make: Make) -> None:
    deaths = iter([True])

    def handle(items: Batch) -> Batch:
        if next(deaths, False):
            raise SystemExit
        return items

    group = make(handle)
    with pytest.raises(Unavailable):
        group.submit("lost", within=0.5)
    assert group.submit("found", within=5) == "found"


def test_a_drain_leaves_nothing_undone(make: Make) -> None:
    done: list[Any] = []

    def handle(items: Batch) -> Batch:
        time.sleep(0.05)
        done.extend(items)
        return items

    group = make(handle)
    for number in range(50):
        group.hand(number)
    group.drain()
    assert done == list(range(50))


def test_a_fork_has_a_writer_of_its_own(send: Send) -> None:
    assert send(hit(hitId="parent")).status_code == 204
    child = os.fork()
    if child == 0:
        connection.inc_thread_sharing()
        os._exit(0 if send(hit(hitId="child")).status_code == 204 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert send(hit(hitId="parent again")).status_code == 204
    assert set(Hit.objects.values_list("hit_id", flat=True)) == {"parent", "child", "parent again"}


@of_a_session
def test_a_read_only_database_is_answered_503_and_recovers(send: Send) -> None:
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    try:
        writer.drain()
        assert send(hit()).status_code == 503
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    assert [send(hit()).status_code for _ in range(3)] == [204] * 3
