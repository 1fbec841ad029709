"""The web server and Postgres are killed, hung and reloaded: every answer stays true."""

import signal
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import psycopg
import pytest

from project.embedded.postgres import EmbeddedPostgres
from tests.support.stack import Stack
from tests.support.waiting import wait_until

#: Requests at once during a reload.
SENDING = 8


def test_a_killed_web_process_is_replaced(stack: Stack) -> None:
    token = stack.issue("web")
    web = stack.processes("tracking.server.web")
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
    assert max(answer.seconds for answer in answers) < 4
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


def stored(postgres: EmbeddedPostgres, prefix: str) -> int:
    """How many hits of the senders' ids that begin so."""
    with psycopg.connect(postgres.url) as connection:
        query = "SELECT count(*) FROM hitstream_hit WHERE starts_with(hit_id, %s)"
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
    assert max(answer.seconds for answer in during) < 5


def stall(port: int) -> socket.socket:
    """A request whose body never comes."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        b"POST /track HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    return connection


def test_a_revoked_token_is_refused_by_every_process_once_it_is_no_longer_remembered(
    stack: Stack,
) -> None:
    token = stack.issue("revoked")
    assert {stack.sender(token).post(f"r{n}").status for n in range(40)} == {204}
    stack.manage(
        "shell",
        "-c",
        "from tracking.models import Token; Token.objects.get(name='revoked').revoke()",
    )
    # A process remembers a token for TOKEN_CACHE_SECONDS and looks it up again within half of that.
    time.sleep(1.5)
    assert {stack.sender(token).post(f"s{n}").status for n in range(40)} == {401}


def test_a_reload_of_the_web_server_fails_nobody(stack: Stack, postgres: EmbeddedPostgres) -> None:
    token = stack.issue("reload")
    master = stack.processes("tracking.server.web")[0]
    before = set(master.children())
    unanswered: list[int] = []

    def post(number: int) -> int:
        """A process that stops closes the connections on which it has read nothing: their senders
        connect again, as HTTP clients do."""
        try:
            return stack.sender(token).post(f"reload-{number}").status
        except ConnectionError:
            unanswered.append(number)
            return stack.sender(token).post(f"reload-{number}").status

    with ThreadPoolExecutor(SENDING) as pool:
        first = pool.map(post, range(400))
        master.send_signal(signal.SIGHUP)
        second = pool.map(post, range(400, 4000))
        assert {*first, *second} == {204}
    assert len(unanswered) <= SENDING * len(before)
    assert stored(postgres, "reload-") == 4000
    wait_until(lambda: not before & set(master.children()), within=60)
