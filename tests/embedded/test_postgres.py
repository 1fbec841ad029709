import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from project.embedded.account import EmbeddedError
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.process import command_line, pids, wait_for, working_in
from tests.embedded.conftest import Spawn

HOLD = """
import sys, time
from project.embedded.paths import var_directory
from project.embedded.postgres import EmbeddedPostgres
with EmbeddedPostgres(var_directory()):
    print("up", flush=True)
    time.sleep(600)
"""


@contextmanager
def query(postgres: EmbeddedPostgres) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        yield connection


def write(postgres: EmbeddedPostgres) -> None:
    with query(postgres) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")


def read(postgres: EmbeddedPostgres) -> object:
    with query(postgres) as connection:
        row = connection.execute("SELECT number FROM kept").fetchone()
    return row and row[0]


def postmaster(postgres: EmbeddedPostgres) -> int:
    pid = postgres.running_pid()
    assert pid is not None
    return pid


def test_data_survives_a_stop_and_a_start(var: Path) -> None:
    with EmbeddedPostgres(var) as postgres:
        write(postgres)
    assert postgres.running_pid() is None
    with EmbeddedPostgres(var) as postgres:
        assert read(postgres) == 7


def test_only_the_owner_can_reach_the_socket_and_nothing_listens_on_tcp(var: Path) -> None:
    with EmbeddedPostgres(var) as postgres, query(postgres) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert postgres.sockets.stat().st_mode & 0o777 == 0o700
        assert postgres.data.stat().st_mode & 0o777 == 0o700


def test_a_throwaway_server_leaves_no_data(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, keep=False) as postgres:
        home = postgres.home
        assert home.exists()
    assert not home.exists()
    assert not postgres.sockets.exists()


def test_two_servers_run_side_by_side(tmp_path: Path) -> None:
    with (
        EmbeddedPostgres(tmp_path / "one", keep=False) as one,
        EmbeddedPostgres(tmp_path / "two", keep=False) as two,
    ):
        write(one)
        write(two)
        assert one.url != two.url


def test_committed_rows_survive_kill_9_of_the_postmaster(var: Path) -> None:
    postgres = EmbeddedPostgres(var)
    postgres.start()
    write(postgres)
    os.kill(postmaster(postgres), signal.SIGKILL)
    postgres.stop()
    with EmbeddedPostgres(var) as again:
        assert read(again) == 7


def test_committed_rows_survive_kill_9_of_everything(var: Path, spawn: Spawn) -> None:
    owner = spawn("-c", HOLD)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    postgres = EmbeddedPostgres(var)
    write(postgres)
    for pid in (owner.pid, *working_in(postgres.data, "postgres")):
        # A backend whose client has just left may be gone.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with EmbeddedPostgres(var) as again:
        assert read(again) == 7


@pytest.mark.skipif(sys.platform != "linux", reason="finds such processes through /proc")
def test_a_backend_that_outlives_its_postmaster_is_ended_before_the_start(var: Path) -> None:
    postgres = EmbeddedPostgres(var)
    postgres.start()
    write(postgres)
    with query(postgres) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        os.kill(postmaster(postgres), signal.SIGKILL)
        postgres.stop()
        assert command_line(backend)
        with EmbeddedPostgres(var) as again:
            assert read(again) == 7
            assert not command_line(backend)


def test_the_server_ends_with_its_killed_owner_and_the_next_start_works(
    var: Path, spawn: Spawn
) -> None:
    owner = spawn("-c", HOLD)
    assert owner.stdout is not None
    owner.stdout.readline()
    write(EmbeddedPostgres(var))
    owner.kill()
    with EmbeddedPostgres(var) as again:
        assert read(again) == 7


def test_a_second_start_uses_the_running_server_and_does_not_stop_it(var: Path) -> None:
    with EmbeddedPostgres(var) as first:
        write(first)
        with EmbeddedPostgres(var) as second:
            assert read(second) == 7
        assert read(first) == 7


def test_a_server_without_an_owner_is_adopted_and_then_stopped(var: Path) -> None:
    postgres = EmbeddedPostgres(var)
    postgres.own()
    postgres.prepare()
    orphan = subprocess.Popen(
        postgres.command(), stderr=subprocess.DEVNULL, **postgres.account.identity
    )
    assert wait_for(postgres.accepts, 10)
    postgres.stop()
    orphan = (
        subprocess.Popen(postgres.command(), stderr=subprocess.DEVNULL, **postgres.account.identity)
        if orphan.wait(10) is not None
        else orphan
    )
    assert wait_for(postgres.accepts, 10)
    with EmbeddedPostgres(var) as adopter:
        assert postmaster(adopter) == orphan.pid
    assert orphan.wait(10) == 0


def test_a_stale_pid_file_is_removed_and_the_unrelated_process_lives(var: Path) -> None:
    with EmbeddedPostgres(var) as postgres:
        write(postgres)
    bystander = subprocess.Popen(["sleep", "600"], **postgres.account.identity)
    try:
        for path in (postgres.data / "postmaster.pid", postgres.sockets / ".s.PGSQL.5432.lock"):
            path.write_text(f"{bystander.pid}\n{postgres.data}\n1\n5432\n\n\n\n")
        with EmbeddedPostgres(var) as again:
            assert read(again) == 7
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def kill_those_of(postgres: EmbeddedPostgres) -> list[int]:
    """Kill the processes that have the server's folder on their command line. Returns their ids."""
    home = str(postgres.home)
    found = [pid for pid in pids() if any(home in word for word in command_line(pid))]
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def test_an_interrupted_initdb_does_not_spoil_the_next_start(var: Path, spawn: Spawn) -> None:
    owner = spawn("-c", HOLD)
    postgres = EmbeddedPostgres(var)
    assert wait_for(lambda: any(postgres.home.glob("new-*/base")), 20, every=0.001)
    owner.kill()
    # initdb may start another process meanwhile.
    assert wait_for(lambda: not kill_those_of(postgres), 20)
    assert not postgres.data.exists()
    with EmbeddedPostgres(var) as again:
        write(again)
        assert not list(again.home.glob("new-*"))


def test_a_cluster_of_another_version_is_refused_in_words(var: Path) -> None:
    with EmbeddedPostgres(var) as postgres:
        pass
    (postgres.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match="was made by Postgres 17"):
        EmbeddedPostgres(var).start()
