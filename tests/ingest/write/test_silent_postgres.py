"""A server that is cut off, or demoted, is left for the one that answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from tests.ingest.write.test_loop_writer import Driver
from tests.ingest.write.test_store import arrivals
from tests.support.pgbouncer import of_a_session
from tests.support.proxy import Proxy, proxy
from tracking.ingest.errors import Unavailable
from tracking.ingest.write import connection as ours
from tracking.ingest.write import store
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.outcome import Stored
from tracking.models import Token

pytestmark = [pytest.mark.django_db(transaction=True), of_a_session]


@pytest.fixture
def network(token: Token, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What lies between ingest and Postgres; what was connected before a silence stays silent."""
    settings.HITSTREAM = {**settings.HITSTREAM, "STATEMENT_TIMEOUT": 0.4}
    monkeypatch.setattr(ours, "SLACK", 0.1)
    folder = connection.settings_dict["HOST"]

    def connect() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(Path(folder) / ".s.PGSQL.5432"))
        return made

    with proxy(connect, forgets=True) as between, pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        patch.setitem(connection.settings_dict, "PORT", str(between.port))
        yield between


def wait_for(outcome: Callable[[], object], wanted: object, *, within: float = 5.0) -> None:
    ends = time.monotonic() + within
    while (found := outcome()) != wanted:
        assert time.monotonic() < ends, found


def test_the_loop_leaves_a_server_that_is_cut_off(network: Proxy, token: Token) -> None:
    driver = Driver()
    assert driver.store(arrivals(token, ["first"])) == [Stored.NEW]
    driver.run_until(lambda: driver.lane._connection is not None)
    silent = driver.lane._connection
    network.go_silent()
    (lost,) = driver.hand(arrivals(token, ["lost"]))
    driver.run_until(lambda: False, within=0.6)
    network.come_back()
    driver.hand(arrivals(token, ["next"]))
    assert lost.is_settled
    assert isinstance(lost.outcome, Unavailable)
    driver.run_until(lambda: driver.lane._connection not in (None, silent), within=5)
    assert driver.store(arrivals(token, ["last"])) == [Stored.NEW]
    driver.close()


def test_the_thread_leaves_a_server_that_is_cut_off(network: Proxy, token: Token) -> None:
    thread = BatchThread("test", store.store)
    first, lost, last = arrivals(token, ["first", "lost", "last"])
    assert thread.submit(first, within=5) == Stored.NEW
    network.go_silent()
    with pytest.raises(Unavailable):
        thread.submit(lost, within=0.6)
    network.come_back()

    def outcome() -> object:
        try:
            return thread.submit(last, within=0.5)
        except Unavailable as error:
            return error

    wait_for(outcome, Stored.NEW)
    thread.drain()


@pytest.mark.django_db(transaction=True)
def test_django_leaves_a_server_that_was_demoted(token: Token) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    with pytest.raises(OperationalError, match="read-only"):
        token.save()
    connection.close()
    token.save()
