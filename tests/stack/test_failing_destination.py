"""A destination that is down for a minute, at two hits a second: it is left alone, and then gets
everything."""

import os
import threading
import time

import psycopg
import pytest

from project.embedded.postgres import EmbeddedPostgres
from tests.support.stack import Stack
from tests.support.vendor import Vendor, reply
from tests.support.waiting import wait_until

IS_FULL = os.environ.get("HITSTREAM_TEST_FAULTS") == "full"
#: Seconds that the destination is down; hits a second.
DOWN, RATE = 60.0 if IS_FULL else 8.0, 2
#: The longest gap between two probes after so long.
GAP = 45.0 if IS_FULL else 12.0


@pytest.mark.faults
def test_a_destination_that_is_down_gets_few_requests_and_then_everything(
    stack: Stack, postgres: EmbeddedPostgres, vendor: Vendor
) -> None:
    token = stack.issue("failing")
    stack.forward("failing", vendor.url)
    vendor.answer = reply(500, b"broken")
    sender = stack.sender(token)
    began = time.monotonic()
    seen: dict[str, float] = {}

    def watch() -> None:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            while time.monotonic() - began < DOWN:
                failures, paused = connection.execute(
                    "SELECT consecutive_failures, paused_cause FROM hitstream_integration AS each"
                    " JOIN hitstream_token AS token ON token.id = each.token_id"
                    " WHERE token.name = 'failing'"
                ).fetchone() or (0, "")
                for state, holds in (("failing", failures >= 2), ("paused", paused == "down")):
                    if holds:
                        seen.setdefault(state, time.monotonic() - began)
                time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(int(DOWN * RATE)):
        assert sender.post(f"f{number}").status == 204
        time.sleep(max(0.0, began + (number + 1) / RATE - time.monotonic()))
    watcher.join()
    assert seen["failing"] < 10
    assert seen["paused"] < 30
    refused = len(vendor.received)
    assert 10 <= refused <= 15
    vendor.received.clear()
    vendor.answer = reply()
    wait_until(lambda: len(vendor.received) == int(DOWN * RATE), within=GAP)
    time.sleep(0.5)
    assert len(vendor.received) == int(DOWN * RATE), "each once"
