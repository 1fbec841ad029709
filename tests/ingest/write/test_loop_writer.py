"""The event loop's own way to Postgres keeps what the thread's promises."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
import pytest
from django.db import connection

from tests.ingest.write.test_store import arrivals
from tests.support.pgbouncer import of_a_session
from tracking.ingest.errors import BadRequest, Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write import store
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.loop_writer import LoopWriter, PendingArrival
from tracking.ingest.write.outcome import Stored
from tracking.models import Hit, Token

NEW, DUPLICATE = Stored.NEW, Stored.DUPLICATE


Outcomes = list[Stored | Exception]


class Driver:
    """A lane with a thread behind it, and a loop that runs as long as a test wants."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = BatchThread("test", store.store)
        self.lane = LoopWriter(self.thread)

    def hand(self, arrivals: list[Arrival]) -> list[PendingArrival]:
        """In one turn of the loop."""

        async def on_the_loop() -> list[PendingArrival]:
            tickets = [self.lane.hand(arrival, lambda: None) for arrival in arrivals]
            await asyncio.sleep(0)
            return tickets

        return self.loop.run_until_complete(on_the_loop())

    def wait(self, tickets: list[PendingArrival], *, within: float = 5.0) -> Outcomes:
        """The outcomes; whatever is not settled in time is Unavailable."""
        self.run_until(lambda: all(ticket.is_settled for ticket in tickets), within=within)
        return [outcome_of(ticket) for ticket in tickets]

    def store(self, arrivals: list[Arrival]) -> Outcomes:
        return self.wait(self.hand(arrivals))

    def run_until(self, happens: Callable[[], bool], *, within: float = 5.0) -> None:
        async def wait() -> None:
            ends = time.monotonic() + within
            while not happens() and time.monotonic() < ends:
                await asyncio.sleep(0.01)

        self.loop.run_until_complete(wait())

    def close(self) -> None:
        self.lane.drain()
        self.thread.drain()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


def is_idle(thread: BatchThread[Arrival, Stored]) -> bool:
    """Whether nothing was handed to the thread since it was drained."""
    return thread._thread is None or not thread._thread.is_alive()


def outcome_of(ticket: PendingArrival) -> Stored | Exception:
    try:
        return ticket.open()
    except Exception as error:
        return error


@pytest.fixture
def driver(token: Token) -> Iterator[Driver]:
    """The first arrival has made the connection, and has gone by the thread meanwhile."""
    driver = Driver()
    assert driver.store(arrivals(token, ["first"])) == [NEW]
    driver.run_until(lambda: driver.lane._connection is not None)
    # Nothing gets past the lane from here on, but what it passes on itself.
    driver.thread.drain()
    yield driver
    driver.close()


def backend(driver: Driver) -> int:
    assert driver.lane._connection is not None
    return driver.lane._connection._connection.info.backend_pid


def terminate(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@contextmanager
def stalled() -> Iterator[None]:
    """No statement that stores hits gets on."""
    with other() as own:
        own.execute("LOCK TABLE hitstream_hitkey IN EXCLUSIVE MODE")
        yield
        own.rollback()


def other() -> psycopg.Connection[Any]:
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        parameters.pop(name, None)
    return psycopg.connect(**parameters)


def test_what_arrives_during_a_statement_goes_together(driver: Driver, token: Token) -> None:
    with stalled():
        tickets = driver.hand(arrivals(token, ["a", "b", "b", "c"]))
        time.sleep(0.05)
        tickets += driver.hand(arrivals(token, ["a", "first"]))
        assert not any(ticket.is_settled for ticket in tickets)
    assert driver.wait(tickets) == [NEW, NEW, DUPLICATE, NEW, DUPLICATE, DUPLICATE]
    assert is_idle(driver.thread)
    assert set(Hit.objects.values_list("hit_id", flat=True)) == {"first", "a", "b", "c"}


def test_a_poison_row_fails_alone(driver: Driver, token: Token) -> None:
    batch = arrivals(token, [str(number) for number in range(10)])
    # What the parser lets nobody send: a value that a column cannot hold.
    batch[5] = msgspec.structs.replace(batch[5], ip="moon")
    pid = backend(driver)
    outcomes = driver.store(batch)
    assert isinstance(outcomes.pop(5), BadRequest)
    assert outcomes == [NEW] * 9
    assert driver.store(arrivals(token, ["after"])) == [NEW]
    assert backend(driver) == pid


@of_a_session
def test_a_connection_closed_while_idle_costs_nobody_anything(driver: Driver, token: Token) -> None:
    pid = backend(driver)
    terminate(pid)
    assert driver.store(arrivals(token, ["at once"])) == [NEW]
    driver.lane._connect_after = 0.0
    assert driver.store(arrivals(token, ["next"])) == [NEW]
    driver.run_until(lambda: driver.lane._connection is not None)
    driver.thread.drain()
    assert driver.store(arrivals(token, ["later"])) == [NEW]
    assert is_idle(driver.thread)
    assert backend(driver) != pid


@of_a_session
def test_a_connection_lost_under_way_is_unavailable_for_what_was_sent(
    driver: Driver, token: Token
) -> None:
    with stalled():
        (sent,) = driver.hand(arrivals(token, ["sent"]))
        waiting = driver.hand(arrivals(token, ["waiting", "too"]))
        terminate(backend(driver))
        driver.run_until(lambda: sent.is_settled)
    assert isinstance(outcome_of(sent), Unavailable)
    assert driver.wait(waiting) == [NEW, NEW]
    assert not Hit.objects.filter(hit_id="sent").exists()


def test_nobody_joins_a_statement_that_outlasts_the_deadline(
    driver: Driver, token: Token, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "REQUEST_DEADLINE": 0.1}
    with stalled():
        (first,) = driver.hand(arrivals(token, ["first one"]))
        (given_up,) = driver.hand(arrivals(token, ["given up"]))
        assert isinstance(outcome_of(given_up), Unavailable)
        time.sleep(0.15)
        with pytest.raises(Unavailable, match="does not answer"):
            driver.hand(arrivals(token, ["late"]))
    assert driver.wait([first]) == [NEW]
    assert driver.store(arrivals(token, ["after"])) == [NEW]
    assert not Hit.objects.filter(hit_id="given up").exists()


def test_a_full_queue_is_answered_at_once(driver: Driver, token: Token, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "QUEUE_SIZE": 3}
    with stalled():
        tickets = driver.hand(arrivals(token, ["0"]))
        tickets += driver.hand(arrivals(token, ["1", "2", "3"]))
        with pytest.raises(Unavailable, match="waiting"):
            driver.hand(arrivals(token, ["4"]))
    assert driver.wait(tickets) == [NEW] * 4


def test_a_statement_takes_so_many_rows_and_of_any_size(
    driver: Driver, token: Token, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "MAX_STATEMENT_ROWS": 300}
    large = arrivals(token, [str(number) for number in range(700)])
    for arrival in large:
        arrival.payload["padding"] = "x" * 60_000
    assert driver.wait(driver.hand(large), within=30) == [NEW] * 700
    assert is_idle(driver.thread)


def test_a_drain_leaves_nothing_undone(driver: Driver, token: Token) -> None:
    tickets = driver.hand(arrivals(token, [str(number) for number in range(50)]))
    driver.lane.drain()
    assert [outcome_of(ticket) for ticket in tickets] == [NEW] * 50
    assert Hit.objects.count() == 51


@of_a_session
def test_a_read_only_database_is_unavailable_and_recovers(driver: Driver, token: Token) -> None:
    assert driver.lane._connection is not None
    driver.lane._connection._connection.pgconn.exec_(b"SET default_transaction_read_only = on")
    (outcome,) = driver.store(arrivals(token, ["refused"]))
    assert isinstance(outcome, Unavailable)
    assert driver.store(arrivals(token, ["taken"])) == [NEW]


def test_a_fork_leaves_the_parents_connection_alone(driver: Driver, token: Token) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0 if driver.lane._connection is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert driver.store(arrivals(token, ["after"])) == [NEW]
