"""The record of hits that could not be stored names them, and the requests that brought them."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.ingest.write.test_loop_writer import Driver, backend, stalled, terminate
from tests.ingest.write.test_store import arrivals
from tests.support.log import logged
from tracking.current_request import environ_of_request
from tracking.ingest.errors import Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.loop_writer import PendingArrival
from tracking.models import Token


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


def hand(driver: Driver, arrival: Arrival, request_id: str) -> PendingArrival:
    """In the context of a request of its own, as the front serves it."""

    async def serve() -> PendingArrival:
        environ_of_request.set({"HTTP_X_REQUEST_ID": request_id})
        return driver.lane.hand(arrival, lambda: None)

    return driver.loop.run_until_complete(driver.loop.create_task(serve()))


def test_a_lost_statement_names_its_hits_and_their_requests(token: Token, driver: Driver) -> None:
    first, *rest = arrivals(token, [str(number) for number in range(14)])
    driver.wait([hand(driver, first, "first")])
    driver.run_until(lambda: driver.lane._connection is not None)
    with logged() as log, stalled():
        # One statement takes all that arrives in the same turn.
        tickets = [hand(driver, rest[0], "edge-0")]
        driver.run_until(lambda: bool(driver.lane._sent))
        tickets += [hand(driver, each, f"edge-{n}") for n, each in enumerate(rest[1:], 1)]
        terminate(backend(driver))
        driver.run_until(lambda: tickets[0].is_settled)
    (record,) = log.records("could not store 1 hits")
    assert record["hit_ids"] == [str(rest[0].id)]
    assert record["request_ids"] == ["edge-0"]
    assert record["token"] == token.pk
    # The connection was made during the first request, but serves all of them.
    assert "request_id" not in record


def test_a_record_names_ten_hits_at_most(token: Token, driver: Driver) -> None:
    (first,) = arrivals(token, ["first"])
    driver.wait([hand(driver, first, "first")])
    driver.run_until(lambda: driver.lane._connection is not None)
    batch = arrivals(token, [str(number) for number in range(12)])
    with logged() as log, stalled():
        tickets = driver.hand(batch)
        terminate(backend(driver))
        driver.run_until(lambda: tickets[0].is_settled)
    (record,) = log.records("could not store 12 hits")
    assert record["hit_ids"] == [str(each.id) for each in batch[:10]]


def test_a_token_that_cannot_be_looked_up_names_the_requests(transactional_db: None) -> None:
    def fail(connection: object, keys: object) -> list[None]:
        raise psycopg.OperationalError("gone")

    thread: BatchThread[bytes, None] = BatchThread("test", fail)
    with logged() as log:
        environ_of_request.set({"HTTP_X_REQUEST_ID": "edge-1"})
        with pytest.raises(Unavailable):
            thread.submit(b"key", within=5.0)
    thread.drain()
    (record,) = log.records("could not handle 1 items")
    assert record["request_ids"] == ["edge-1"]
    assert "request_id" not in record
