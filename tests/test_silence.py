"""Django's connections leave a primary that does not answer, and no other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from tests.support.pgbouncer import of_a_session
from tests.support.proxy import Proxy, proxy
from tests.support.waiting import wait_until
from tracking import silence

pytestmark = [pytest.mark.django_db, of_a_session]
SILENT = 0.3


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "SILENT_SECONDS", SILENT)
    monkeypatch.setattr(silence, "LOOK_SECONDS", 0.05)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> silence.Watch:
    """A watch of its own: that of this process looks at the tests' connections, too."""
    made = silence.Watch()
    monkeypatch.setattr(silence, "watch", made)
    return made


@pytest.fixture
def network() -> Iterator[Proxy]:
    """A proxy before Postgres; what was connected before a silence stays silent, and open."""
    folder = connection.settings_dict["HOST"]

    def connect() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(Path(folder) / ".s.PGSQL.5432"))
        return made

    with proxy(connect, forgets=True) as between:
        yield between


@contextmanager
def another(**settings: Any) -> Iterator[Any]:
    """Another connection of Django to the primary, of no pool."""
    made = connections.create_connection("default")
    options = {key: value for key, value in made.settings_dict["OPTIONS"].items() if key != "pool"}
    made.settings_dict = {**made.settings_dict, "OPTIONS": options, **settings}
    try:
        yield made
    finally:
        made.close()


def test_a_statement_without_an_answer_fails(network: Proxy, watch: silence.Watch) -> None:
    with another(HOST="127.0.0.1", PORT=str(network.port)) as proxied, proxied.cursor() as cursor:
        cursor.execute("SELECT 1")
        network.go_silent()
        began = time.monotonic()
        with pytest.raises(OperationalError):
            cursor.execute("SELECT 2")
        assert SILENT <= time.monotonic() - began < SILENT + 5


def test_a_commit_without_an_answer_fails(network: Proxy, watch: silence.Watch) -> None:
    with another(HOST="127.0.0.1", PORT=str(network.port)) as proxied:
        proxied.set_autocommit(False)
        with proxied.cursor() as cursor:
            cursor.execute("SELECT 1")
        network.go_silent()
        with pytest.raises(OperationalError):
            proxied.commit()


def test_a_long_statement_goes_on(watch: silence.Watch) -> None:
    with another() as slow, slow.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [4 * SILENT])
        assert cursor.fetchone() is not None


def test_a_busy_connection_is_not_cut(watch: silence.Watch) -> None:
    """It waits whenever one looks, each time for another statement."""
    with another() as busy, busy.cursor() as cursor:
        ends = time.monotonic() + 3 * SILENT
        while time.monotonic() < ends:
            cursor.execute("SELECT pg_sleep(0.1)")
            assert cursor.fetchone() is not None


def test_what_waits_for_a_lock_goes_on(watch: silence.Watch) -> None:
    with another() as other, other.cursor() as cursor:
        got = threading.Event()

        def wait() -> None:
            cursor.execute("SELECT pg_advisory_lock(815)")
            got.set()

        with another() as holder:
            holder.cursor().execute("SELECT pg_advisory_lock(815)")
            waiting = threading.Thread(target=wait)
            waiting.start()
            assert not got.wait(3 * SILENT)
        assert got.wait(5)
        waiting.join()


def test_while_the_primary_is_away_nothing_is_cut(
    network: Proxy, watch: silence.Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with another(HOST="127.0.0.1", PORT=str(network.port)) as proxied, proxied.cursor() as cursor:
        cursor.execute("SELECT 1")
        failed = threading.Event()

        def wait() -> None:
            with pytest.raises(OperationalError):
                cursor.execute("SELECT 2")
            failed.set()

        away = pytest.MonkeyPatch()
        away.setitem(connections.settings["default"], "HOST", "/nowhere")
        waiting = threading.Thread(target=wait)
        try:
            network.go_silent()
            waiting.start()
            assert not failed.wait(3 * SILENT)
        finally:
            away.undo()
        wait_until(failed.is_set, within=5)
        waiting.join()
