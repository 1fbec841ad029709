"""What a load balancer is told while Postgres, the broker and the workers come and go."""

import http.client
import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.stack.test_web_faults import hang
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def probe(stack: Stack, path: str) -> tuple[int, Any, float]:
    """Status, body and seconds, asked by a name that no setting knows."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    began = time.monotonic()
    connection.request("GET", path, headers={"Host": "10.9.8.7:1234"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    assert answer.headers.get("Set-Cookie") is None
    connection.close()
    return answer.status, body, time.monotonic() - began


def is_ok(stack: Stack) -> bool:
    return bool(probe(stack, "/readyz")[1]["status"] == "ok")


def all_say(stack: Stack, status: int) -> bool:
    """Each process remembers for a second what it was told."""
    return all(probe(stack, "/readyz")[0] == status for _ in range(20))


def state_of(stack: Stack, part: str) -> str:
    return str(probe(stack, "/readyz")[1]["parts"][part])


def test_it_is_ready_once_worker_and_beat_were_seen(stack: Stack) -> None:
    wait_until(lambda: is_ok(stack), within=40)
    assert probe(stack, "/healthz")[:2] == (200, {"status": "ok"})


def test_without_postgres_it_is_alive_and_not_ready(
    stack: Stack, postgres: EmbeddedPostgres
) -> None:
    postgres.stop()
    wait_until(lambda: all_say(stack, 503), within=5)
    status, body, seconds = probe(stack, "/readyz")
    assert (status, body["status"], seconds < 4) == (503, "unavailable", True)
    assert probe(stack, "/healthz")[0] == 200
    postgres.start()
    wait_until(lambda: all_say(stack, 200), within=15)


def test_with_a_hung_postgres_many_probes_starve_nobody(
    stack: Stack, postgres: EmbeddedPostgres
) -> None:
    assert all_say(stack, 200)
    backends = hang(postgres)
    try:
        time.sleep(1.1)  # What was answered is forgotten.
        with ThreadPoolExecutor(100) as pool:
            ready = [pool.submit(probe, stack, "/readyz") for _ in range(300)]
            alive = [probe(stack, "/healthz") for _ in range(50)]
            answers = [each.result() for each in ready]
    finally:
        for backend in backends:
            backend.send_signal(signal.SIGCONT)
    assert {status for status, *_ in answers} == {503}
    assert max(seconds for *_, seconds in answers) < 4
    assert {status for status, *_ in alive} == {200}
    assert max(seconds for *_, seconds in alive) < 3
    wait_until(lambda: all_say(stack, 200), within=15)


def test_without_a_broker_it_is_degraded_and_ready(stack: Stack, broker: EmbeddedValkey) -> None:
    broker.stop()
    wait_until(lambda: {state_of(stack, "Broker") for _ in range(20)} == {"poor"}, within=10)
    status, body, seconds = probe(stack, "/readyz")
    assert (status, body["status"], seconds < 4) == (200, "degraded", True)
    broker.start()
    wait_until(lambda: is_ok(stack), within=60)
