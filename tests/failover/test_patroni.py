"""Patroni with three nodes, synchronous: its leader dies three times and is cut off once."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from project.embedded.paths import DATABASE
from project.embedded.valkey import EmbeddedValkey
from tests.failover.load import under_load
from tests.failover.patroni import Cluster, cluster, is_missing
from tests.support.stack import running

#: Seconds between two faults, at least.
PAUSE = 5.0
RATE = 100
#: Seconds without a 204: the ttl of the leader's lock, 20 s at least, and the promotion. With the
#: spool those in which a hit may wait for Postgres before it is written to the disk instead.
GAP, SPOOLED_GAP = 40.0, 5.0


def hurt(nodes: Cluster) -> None:
    """Kill Postgres of the leader twice, the whole node once, then cut the leader's network."""
    for fault in ("postgres", "postgres", "machine", "network"):
        time.sleep(PAUSE)
        nodes.wait_until_whole()
        leader = nodes.leader()
        print(f"{fault} of {leader.name} at {time.strftime('%X')}", flush=True)  # noqa: T201
        if fault == "postgres":
            leader.kill_postgres()
        elif fault == "machine":
            leader.kill_machine()
            time.sleep(30)
            leader.start()
        else:
            leader.cut()
            time.sleep(40)
            leader.reconnect()


@pytest.mark.skipif(is_missing(), reason="It needs patroni, etcd-server and postgresql of Debian.")
@pytest.mark.parametrize("spools", [False, True], ids=["refused", "spooled"])
def test_the_leader_dies_and_is_cut_off_and_no_hit_is_lost(spools: bool) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="hitstream-failover-") as name,
        cluster() as nodes,
        EmbeddedValkey(Path(name) / "broker") as broker,
    ):
        elsewhere = f"{nodes.url('postgres')}?target_session_attrs=read-write"
        with psycopg.connect(elsewhere, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        spool = {"HITSTREAM_SPOOL": f"{name}/spool"} if spools else {}
        with running(Path(name), nodes.url(DATABASE), broker.url, **spool) as stack:
            found = under_load(stack, lambda: hurt(nodes), hits=12_000, rate=RATE)
    print(f"longest time without a 204: {found.gap:.1f} s; answers {found.answers}")  # noqa: T201
    print(found.reconciled)  # noqa: T201
    assert not found.lost
    assert not found.is_blamed
    assert found.answers.keys() <= ({"204"} if spools else {"204", "503"})
    assert found.gap < (SPOOLED_GAP if spools else GAP)
