"""What is killed, stopped or stalled while hits are posted, and what becomes of them."""

import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.destinations.vendor import Vendor, open_vendor, reply
from tests.stack.stack import ROOT, Stack, running, wait_until

HITS = 2000


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    # Not pytest's own: Postgres runs as another user where the tests run as root.
    with tempfile.TemporaryDirectory(prefix="hitstream-stack-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def postgres(directory: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(directory)
    with server:
        yield server
    server.remove()


@pytest.fixture(scope="module")
def broker(directory: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(directory)
    with server:
        yield server
    server.remove()


@pytest.fixture(scope="module")
def stack(directory: Path, postgres: EmbeddedPostgres, broker: EmbeddedValkey) -> Iterator[Stack]:
    with running(directory, postgres.url, broker.url) as stack:
        yield stack


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with open_vendor(reply()) as vendor:
        yield vendor


def slowly(connection: socket.socket) -> None:
    """So that there is always something under way to be killed."""
    time.sleep(0.03)
    reply()(connection)


def arrived(vendor: Vendor) -> Counter[str]:
    """How often each hit arrived, by the sender's id."""
    return Counter(received.json["data"]["hitId"] for received in list(vendor.received))


def sent(prefix: str) -> set[str]:
    return {f"{prefix}-{number}" for number in range(HITS)}


def test_a_hit_reaches_the_vendor_within_two_seconds(stack: Stack, vendor: Vendor) -> None:
    token = stack.issue("first")
    stack.forward("first", vendor.url)
    started = time.monotonic()
    assert stack.sender(token).post("one").status == 204
    wait_until(lambda: vendor.received, within=2)
    assert time.monotonic() - started < 2


def test_a_stopped_broker_loses_nothing(
    stack: Stack, broker: EmbeddedValkey, vendor: Vendor
) -> None:
    token = stack.issue("broker")
    stack.forward("broker", vendor.url)
    broker.stop()
    answers = stack.post_many(token, HITS, prefix="b")
    assert {answer.status for answer in answers} == {204}
    assert max(answer.seconds for answer in answers) < 2
    broker.start()
    wait_until(lambda: len(vendor.received) >= HITS, within=60)
    assert arrived(vendor) == Counter(sent("b"))


def test_a_killed_worker_loses_nothing(stack: Stack, vendor: Vendor) -> None:
    token = stack.issue("worker")
    stack.forward("worker", vendor.url, timeout=1)
    vendor.answer = slowly

    def kill() -> int:
        killed = 0
        for _ in range(5):
            wait_until(lambda: stack.processes("celery", "worker"), within=10)
            time.sleep(1.5)
            killed += stack.kill("celery", "worker")
        return killed

    with ThreadPoolExecutor(1) as killer:
        killing = killer.submit(kill)
        answers = stack.post_many(token, HITS, prefix="w")
        assert killing.result() >= 5
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
            # The supervisor waits longer with each end that comes soon.
            wait_until(lambda: stack.processes("celery", "worker"), within=40)
            time.sleep(1)
            for worker in stack.processes("celery", "worker"):
                worker.terminate()
                worker.wait(15)
        assert {answer.status for answer in posting.result()} == {204}
    wait_until(lambda: arrived(vendor).keys() >= sent("s"), within=60)
    assert arrived(vendor) == Counter(sent("s"))


def test_a_killed_web_process_is_replaced(stack: Stack) -> None:
    token = stack.issue("web")
    web = stack.processes("granian")
    master, workers = web[0], web[0].children()
    assert len(workers) >= 2
    workers[0].send_signal(signal.SIGKILL)
    wait_until(lambda: len(set(master.children()) - set(workers)) >= 1, within=10)
    wait_until(
        lambda: all(stack.sender(token).post(f"k{n}").status == 204 for n in range(10)), within=10
    )


@pytest.mark.parametrize("fault", ["stopped", "hung"])
def test_without_postgres_the_answer_is_503_and_then_204(
    stack: Stack, postgres: EmbeddedPostgres, fault: str
) -> None:
    token = stack.issue(f"postgres-{fault}")
    assert stack.sender(token).post("before").status == 204
    backends = hang(postgres) if fault == "hung" else []
    if fault == "stopped":
        postgres.stop()
    answers = stack.post_many(token, 64, prefix=fault)
    assert {answer.status for answer in answers} == {503}
    assert {answer.retry_after for answer in answers} == {"5"}
    assert max(answer.seconds for answer in answers) < 2
    assert stack.sender("hs_never_seen").post("stranger").status == 503
    for backend in backends:
        backend.send_signal(signal.SIGCONT)
    if fault == "stopped":
        postgres.start()
    wait_until(lambda: stack.sender(token).post("after").status == 204, within=15)


def test_connections_that_postgres_closes_while_idle_fail_nobody(
    stack: Stack, postgres: EmbeddedPostgres
) -> None:
    token = stack.issue("closed")
    for number in range(3):
        answers = stack.post_many(token, 64, prefix=f"closed-{number}")
        assert {answer.status for answer in answers} == {204}
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
    assert stack.sender(token).post("after").status == 204
    assert stored(postgres, "closed-") == 3 * 64


def test_a_worker_goes_on_with_what_a_killed_command_began(
    stack: Stack, postgres: EmbeddedPostgres, vendor: Vendor
) -> None:
    token = stack.issue("backfilled")
    assert {answer.status for answer in stack.post_many(token, 100, prefix="past")} == {204}
    stack.forward("backfilled", vendor.url)
    backfill = ["manage.py", "backfill", "backfilled/Webhook", "--yes", "--rate", "20"]
    command = subprocess.Popen([sys.executable, *backfill], cwd=ROOT, env=stack.environment)

    def has_begun() -> bool:
        with psycopg.connect(postgres.url) as connection:
            query = "SELECT count(*) FROM tracking_operation WHERE done > 0 AND done < total"
            return connection.execute(query).fetchall() == [(1,)]

    wait_until(has_begun, within=30)
    command.kill()
    command.wait()
    wait_until(lambda: len(vendor.received) == 100, within=40)
    assert len({received.headers["webhook-id"] for received in vendor.received}) == 100
    assert "Everything adds up" in stack.manage("reconcile")


def stored(postgres: EmbeddedPostgres, prefix: str) -> int:
    """How many hits of the senders' ids that begin so."""
    with psycopg.connect(postgres.url) as connection:
        query = "SELECT count(*) FROM tracking_hit WHERE starts_with(hit_id, %s)"
        (row,) = connection.execute(query, [prefix]).fetchall()
        return int(row[0])


def hang(postgres: EmbeddedPostgres) -> list[psutil.Process]:
    """Every process of Postgres stands still, with its sockets open."""
    pid = postgres.running_pid()
    assert pid is not None
    postmaster = psutil.Process(pid)
    processes = [*postmaster.children(recursive=True), postmaster]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    return processes


def test_stalled_bodies_do_not_slow_others(stack: Stack) -> None:
    token = stack.issue("stall")
    sender = stack.sender(token)
    before = statistics.median(sender.post(f"before{n}").seconds for n in range(200))
    stalled = [stall(stack.port) for _ in range(200)]
    during = [sender.post(f"during{n}") for n in range(200)]
    for connection in stalled:
        connection.close()
    assert {answer.status for answer in during} == {204}
    assert statistics.median(answer.seconds for answer in during) < 3 * before
    assert max(answer.seconds for answer in during) < 1


def stall(port: int) -> socket.socket:
    """A request whose body never comes."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        b"POST /track HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    return connection


def test_a_revoked_token_is_refused_by_every_process_within_five_seconds(stack: Stack) -> None:
    token = stack.issue("revoked")
    assert {stack.sender(token).post(f"r{n}").status for n in range(40)} == {204}
    stack.manage(
        "shell",
        "-c",
        "from tracking.models import Token; Token.objects.get(name='revoked').revoke()",
    )
    time.sleep(4.5)
    assert {stack.sender(token).post(f"s{n}").status for n in range(40)} == {401}


def test_a_reload_of_the_web_server_fails_nobody(stack: Stack, postgres: EmbeddedPostgres) -> None:
    token = stack.issue("reload")
    master = stack.processes("granian")[0]
    before = set(master.children())

    def post(number: int) -> int:
        return stack.sender(token).post(f"reload-{number}").status

    with ThreadPoolExecutor(8) as pool:
        first = pool.map(post, range(400))
        master.send_signal(signal.SIGHUP)
        second = pool.map(post, range(400, 4000))
        assert {*first, *second} == {204}
    assert stored(postgres, "reload-") == 4000
    wait_until(lambda: not before & set(master.children()), within=20)
