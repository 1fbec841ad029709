"""Workers and the broker are killed, stopped and told to end: every hit arrives."""

import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg

from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.support.stack import ROOT, Stack
from tests.support.vendor import Vendor, reply
from tests.support.waiting import wait_until
from tracking.server import commands

HITS = 1000
#: Hits that a backfill sends, at 20 a second.
PAST = 60


def slowly(connection: socket.socket) -> None:
    """So that there is always something under way to be killed."""
    time.sleep(0.03)
    reply()(connection)


def arrived(vendor: Vendor) -> Counter[str]:
    """How often each hit arrived, by the sender's id."""
    return Counter(received.json["data"]["hitId"] for received in list(vendor.received))


def sent(prefix: str) -> set[str]:
    return {f"{prefix}-{number}" for number in range(HITS)}


def wait_for_work(stack: Stack, vendor: Vendor) -> None:
    """A worker runs and delivers: what it has claimed is under way."""
    wait_until(lambda: stack.processes("celery", "worker"), within=40)
    seen = len(vendor.received)
    wait_until(lambda: len(vendor.received) > seen, within=40)


def test_a_hit_reaches_the_vendor_before_the_next_sweep(stack: Stack, vendor: Vendor) -> None:
    token = stack.issue("first")
    stack.forward("first", vendor.url)
    assert stack.sender(token).post("one").status == 204
    # Beat sweeps every five seconds.
    wait_until(lambda: vendor.received, within=4)


def test_a_stopped_broker_loses_nothing(
    stack: Stack, broker: EmbeddedValkey, vendor: Vendor
) -> None:
    token = stack.issue("broker")
    stack.forward("broker", vendor.url)
    broker.stop()
    answers = stack.post_many(token, HITS, prefix="b")
    assert {answer.status for answer in answers} == {204}
    assert max(answer.seconds for answer in answers) < 4
    broker.start()
    wait_until(lambda: len(vendor.received) >= HITS, within=60)
    assert arrived(vendor) == Counter(sent("b"))


def test_a_killed_worker_loses_nothing(stack: Stack, vendor: Vendor) -> None:
    token = stack.issue("worker")
    stack.forward("worker", vendor.url, timeout=1)
    vendor.answer = slowly

    def kill() -> int:
        killed = 0
        while killed < 3:
            wait_for_work(stack, vendor)
            killed += stack.kill("celery", "worker")
        return killed

    with ThreadPoolExecutor(1) as killer:
        killing = killer.submit(kill)
        answers = stack.post_many(token, HITS, prefix="w")
        assert killing.result() >= 3
    assert {answer.status for answer in answers} == {204}
    wait_until(lambda: arrived(vendor).keys() >= sent("w"), within=90)
    ids = {
        (received.json["data"]["hitId"], received.headers["webhook-id"])
        for received in vendor.received
    }
    assert len(ids) == HITS, "a hit that arrives twice carries the same idempotency id"


def test_a_worker_that_is_told_to_stop_sends_nothing_twice(stack: Stack, vendor: Vendor) -> None:
    token = stack.issue("stopped")
    stack.forward("stopped", vendor.url)
    vendor.answer = slowly
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(stack.post_many, token, HITS, prefix="s")
        for _ in range(3):
            wait_for_work(stack, vendor)
            for worker in stack.processes("celery", "worker"):
                worker.terminate()
                worker.wait(15)
        assert {answer.status for answer in posting.result()} == {204}
    wait_until(lambda: arrived(vendor).keys() >= sent("s"), within=60)
    assert arrived(vendor) == Counter(sent("s"))


def test_a_worker_goes_on_with_what_a_killed_command_began(
    stack: Stack, postgres: EmbeddedPostgres, vendor: Vendor
) -> None:
    token = stack.issue("backfilled")
    assert {answer.status for answer in stack.post_many(token, PAST, prefix="past")} == {204}
    stack.forward("backfilled", vendor.url)
    backfill = ["manage.py", "backfill", "backfilled/Webhook", "--yes", "--rate", "20"]
    command = subprocess.Popen([sys.executable, *backfill], cwd=ROOT, env=stack.environment)

    def has_begun() -> bool:
        with psycopg.connect(postgres.url) as connection:
            query = "SELECT count(*) FROM hitstream_operation WHERE done > 0 AND done < total"
            return connection.execute(query).fetchall() == [(1,)]

    wait_until(has_begun, within=30)
    command.kill()
    command.wait()
    wait_until(lambda: len(vendor.received) == PAST, within=40)
    assert len({received.headers["webhook-id"] for received in vendor.received}) == PAST
    assert "Everything adds up" in stack.manage("reconcile")


def test_a_worker_that_is_stopped_dead_keeps_nothing(stack: Stack, vendor: Vendor) -> None:
    """Its connections stay open, as they do when the power of its machine fails."""
    token = stack.issue("dead")
    stack.forward("dead", vendor.url, timeout=1)
    vendor.answer = slowly
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(stack.post_many, token, HITS, prefix="d")
        wait_for_work(stack, vendor)
        stopped = stack.processes("celery", "worker")
        for process in stopped:
            process.suspend()
        try:
            with another_worker(stack):
                assert {answer.status for answer in posting.result()} == {204}
                wait_until(lambda: arrived(vendor).keys() >= sent("d"), within=60)
        finally:
            for process in stopped:
                process.resume()
    assert len({received.headers["webhook-id"] for received in vendor.received}) == HITS


@contextmanager
def another_worker(stack: Stack) -> Iterator[None]:
    worker = subprocess.Popen(
        [sys.executable, "-m", *commands.worker(threads=4)],
        cwd=ROOT,
        env=stack.environment,
    )
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(30)
