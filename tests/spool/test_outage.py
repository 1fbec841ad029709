"""Postgres is away for minutes and the web server is killed meanwhile: no hit is refused, none is
lost, none is doubled.

HITSTREAM_TEST_SPOOL=120 is the length of the outage in seconds.
"""

import http.client
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.support.cluster import MigratedPostgres
from tests.support.stack import Sender, Stack, running
from tests.support.waiting import wait_until

SECONDS = float(os.environ.get("HITSTREAM_TEST_SPOOL") or 12)
RATE = 500
SENDERS = 20
KILLS = 5


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hitstream-spool-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def postgres(directory: Path) -> Iterator[EmbeddedPostgres]:
    server = MigratedPostgres(directory)
    with server:
        yield server
    server.remove()


@pytest.fixture(scope="module")
def stack(directory: Path, postgres: EmbeddedPostgres) -> Iterator[Stack]:
    broker = EmbeddedValkey(directory)
    with (
        broker,
        running(
            directory,
            postgres.url,
            broker.url,
            HITSTREAM_SPOOL=str(directory / "spool"),
            DJANGO_SETTINGS_MODULE="tests.stack.settings",
        ) as stack,
    ):
        yield stack
    broker.remove()


class Load:
    """Senders that keep a rate, and send again what a killed server did not answer."""

    def __init__(self, stack: Stack, token: str, prefix: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.unanswered = 0
        self.sent: list[str] = []
        self.slowest = 0.0
        self._stack, self._token, self._prefix = stack, token, prefix
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _send(self, number: int) -> None:
        sender = self._stack.sender(self._token)
        due, count = time.monotonic(), 0
        while not self._ends.is_set():
            due += SENDERS / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            hit_id = f"{self._prefix}-{number}-{count}"
            count += 1
            sender = self._post(sender, hit_id)
            self.sent.append(hit_id)

    def _post(self, sender: Sender, hit_id: str) -> Sender:
        """Post until the server answers; it is given half a minute to start again."""
        ends = time.monotonic() + 30
        while True:
            try:
                answer = sender.post(hit_id)
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                assert time.monotonic() < ends, "the web server does not start again"
                time.sleep(0.2)
                sender = self._stack.sender(self._token)
                continue
            self.statuses[answer.status] += 1
            self.slowest = max(self.slowest, answer.seconds)
            return sender


def test_no_hit_of_an_outage_is_refused_lost_or_doubled(
    stack: Stack, postgres: EmbeddedPostgres, directory: Path
) -> None:
    token = stack.issue("outage")
    folder = directory / "spool"
    assert stack.sender(token).post("first").status == 204
    # The copy of the known tokens that holds this one.
    time.sleep(11)
    with Load(stack, token, "hit") as load:
        time.sleep(2)
        postgres.stop()
        for _ in range(KILLS):
            time.sleep(SECONDS / (KILLS + 1))
            assert stack.kill("tracking.server.web")
        time.sleep(SECONDS / (KILLS + 1))
        wait_until(lambda: answers(stack), within=20)
        assert stack.sender("hs_never_seen").post("stranger").status == 503
        assert stack.sender(token).post("last").status == 204
        size = sum(path.stat().st_size for path in folder.glob("*-*.hits"))
        postgres.start()
        began = time.monotonic()
        time.sleep(3)
    wait_until(lambda: not [*folder.glob("*-*.hits")], within=60 + SECONDS)
    print(  # noqa: T201 (the figures)
        f"\n{len(load.sent):,} hits, statuses {dict(load.statuses)}, {load.unanswered} connections "
        f"ended by a kill, slowest answer {load.slowest:.2f} s, spool {size / 1e6:.1f} MB, "
        f"stored {time.monotonic() - began:.1f} s after the start of Postgres"
    )
    assert {*load.statuses} == {204}
    assert load.unanswered > 0
    with psycopg.connect(postgres.url) as connection:
        rows = connection.execute("SELECT hit_id FROM hitstream_hit").fetchall()
    stored = Counter(row[0] for row in rows)
    assert max(stored.values()) == 1
    assert {*stored} == {*load.sent, "first", "last"}
    wait_until(lambda: '"status": "ok"' in ready(stack), within=30)


def answers(stack: Stack) -> bool:
    with suppress(OSError):
        return "degraded" in ready(stack)
    return False


def ready(stack: Stack) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    connection.request("GET", "/readyz")
    return connection.getresponse().read().decode()
