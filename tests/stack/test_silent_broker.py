"""The broker's connections go silent and come back: deliveries resume by themselves."""

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from project.embedded.valkey import EmbeddedValkey
from tests.stack.rabbitmq import rabbitmq
from tests.support.cluster import MigratedPostgres
from tests.support.proxy import proxy
from tests.support.stack import running
from tests.support.vendor import open_vendor, reply
from tests.support.waiting import wait_until

IS_FULL = os.environ.get("HITSTREAM_TEST_FAULTS") == "full"
#: Seconds of silence, and after which deliveries have resumed.
SILENCE, RESUMED = 25.0 if IS_FULL else 8.0, 15.0

Connect = Callable[[], socket.socket]
Broker = Callable[[Path], AbstractContextManager[tuple[Connect, str]]]


@contextmanager
def valkey(directory: Path) -> Iterator[tuple[Connect, str]]:
    with EmbeddedValkey(directory) as server:

        def connect() -> socket.socket:
            made = socket.socket(socket.AF_UNIX)
            made.connect(str(server.socket))
            return made

        yield connect, "redis://127.0.0.1:{}/0"


@contextmanager
def rabbit(directory: Path) -> Iterator[tuple[Connect, str]]:
    with rabbitmq(directory) as server:
        yield (
            lambda: socket.create_connection(("127.0.0.1", server.port)),
            "amqp://guest:guest@127.0.0.1:{}//",
        )


KINDS = [(broker, forgets) for broker in (valkey, rabbit) for forgets in (True, False)]


@pytest.mark.faults
@pytest.mark.parametrize(("broker", "forgets"), KINDS if IS_FULL else KINDS[:1])
def test_deliveries_resume_after_a_silence(broker: Broker, forgets: bool) -> None:
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="hitstream-silent-"))
        directory = Path(name)
        directory.chmod(0o755)
        postgres = stack.enter_context(MigratedPostgres(directory, keep=False))
        connect, url = stack.enter_context(broker(directory))
        between = stack.enter_context(proxy(connect, forgets=forgets))
        everything = stack.enter_context(
            running(directory, postgres.url, url.format(between.port), HITSTREAM_WORKERS="1")
        )
        vendor = stack.enter_context(open_vendor(reply()))
        token = everything.issue("silent")
        everything.forward("silent", vendor.url)
        sender = everything.sender(token)
        assert sender.post("first").status == 204
        wait_until(lambda: len(vendor.received) == 1, within=10)
        between.go_silent()
        ends, sent = time.monotonic() + SILENCE, 0
        while time.monotonic() < ends:
            sent += 1
            assert sender.post(f"silent-{sent}").status == 204
            time.sleep(0.5)
        between.come_back()
        came_back = time.monotonic()
        wait_until(lambda: len(vendor.received) == sent + 1, within=60)
        assert time.monotonic() - came_back < RESUMED
        # The other processes notice the return of their own connections.
        assert everything.sender(token).post("last").status == 204
        wait_until(lambda: len(vendor.received) == sent + 2, within=RESUMED)
