"""A primary with a synchronous standby, promoted by hand: web and worker find it by themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from project.embedded.binaries import postgres_binaries
from project.embedded.paths import DATABASE, ROLE
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.failover.load import under_load
from tests.support.cluster import MigratedPostgres
from tests.support.stack import running
from tests.support.waiting import wait_until

#: Seconds without a 204 that a promotion may cost, and those until somebody promotes.
GAP, REACTION = 15.0, 2.0


class Standby(EmbeddedPostgres):
    """A server whose new cluster follows another one."""

    def __init__(self, directory: Path, primary: EmbeddedPostgres) -> None:
        super().__init__(directory)
        self._primary = primary

    def create_cluster(self, draft: Path) -> None:
        subprocess.run(
            [
                str(postgres_binaries(self.account) / "pg_basebackup"),
                *("-D", str(draft), "-h", str(self._primary.sockets), "-U", ROLE),
                *("--write-recovery-conf", "--checkpoint=fast"),
            ],
            check=True,
            cwd=self.home,
            **self.account.identity,
        )

    def promote(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hitstream-failover-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def primary(directory: Path) -> Iterator[EmbeddedPostgres]:
    server = MigratedPostgres(directory / "one")
    with server:
        yield server
    server.remove()


@pytest.fixture
def standby(directory: Path, primary: EmbeddedPostgres) -> Iterator[Standby]:
    server = Standby(directory / "two", primary)
    with server:
        synchronous(primary, "*")
        yield server
    server.remove()


def synchronous(server: EmbeddedPostgres, names: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        connection.execute("SELECT pg_reload_conf()")


def test_a_killed_primary_is_replaced_by_its_standby(
    directory: Path, primary: EmbeddedPostgres, standby: Standby
) -> None:
    hosts = f"{primary.sockets},{standby.sockets}"
    url = f"postgresql:///{DATABASE}?host={hosts}&user={ROLE}"

    def kill_and_promote() -> None:
        time.sleep(4)
        pid = primary.running_pid()
        assert pid
        os.kill(pid, signal.SIGKILL)
        time.sleep(REACTION)
        synchronous_off(standby)
        standby.promote()

    with (
        EmbeddedValkey(directory / "broker") as broker,
        running(directory, url, broker.url) as stack,
    ):
        found = under_load(stack, kill_and_promote, hits=2000, rate=100)
    print(f"longest time without a 204: {found.gap:.1f} s; answers {found.answers}")  # noqa: T201
    assert not found.lost
    assert not found.is_blamed
    assert found.answers["204"] == 2000
    assert found.answers.keys() <= {"204", "503"}
    assert found.gap < GAP


def synchronous_off(standby: Standby) -> None:
    """The copy of the setting must not wait for a standby that nobody has."""
    with psycopg.connect(standby.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
        connection.execute("SELECT pg_reload_conf()")


def test_a_primary_that_turns_read_only_is_left(
    directory: Path, primary: EmbeddedPostgres, standby: Standby
) -> None:
    """Its connections stay: only their errors say that it takes no writes."""
    hosts = f"{primary.sockets},{standby.sockets}"
    url = f"postgresql:///{DATABASE}?host={hosts}&user={ROLE}"

    def demote() -> None:
        time.sleep(4)
        with psycopg.connect(primary.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: caught_up(primary, standby), within=10)
        synchronous_off(standby)
        standby.promote()

    with (
        EmbeddedValkey(directory / "broker") as broker,
        running(directory, url, broker.url) as stack,
    ):
        found = under_load(stack, demote, hits=2000, rate=100)
    print(f"longest time without a 204: {found.gap:.1f} s; answers {found.answers}")  # noqa: T201
    assert not found.lost
    assert not found.is_blamed
    assert found.answers.keys() <= {"204", "503"}
    assert found.gap < GAP


def caught_up(primary: EmbeddedPostgres, standby: Standby) -> bool:
    with psycopg.connect(primary.url) as one, psycopg.connect(standby.url) as two:
        ((written,),) = one.execute("SELECT pg_current_wal_flush_lsn()").fetchall()
        ((replayed,),) = two.execute(
            "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written]
        ).fetchall()
    return bool(replayed)
