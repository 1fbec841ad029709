"""Through PgBouncer in transaction mode sessions change, and nothing depends on one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection

from tests.ingest.write.test_loop_writer import Driver
from tests.ingest.write.test_store import arrivals
from tests.pooling.conftest import Pooling, forget
from tests.support.hits import Send, hit
from tests.support.posting import get
from tracking import db
from tracking.ingest.errors import Unavailable
from tracking.ingest.write.connection import connect
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.store import store
from tracking.models import Hit, Token
from tracking.models.hits.partitions import Partition
from tracking.models.upkeep import retention
from tracking.server import migration

#: As in the configuration of PgBouncer.
SESSIONS = 8


@contextmanager
def taken(count: int = 1) -> Iterator[list[psycopg.Connection[Any]]]:
    """So many sessions are in the hands of others: the ones used last."""
    with ExitStack() as stack:
        others = []
        for _ in range(count):
            other = stack.enter_context(psycopg.connect(**db.raw_parameters()))
            other.execute("SELECT")
            others.append(other)
        yield others
        for other in others:
            other.rollback()


def settings_of_all() -> list[tuple[str, ...]]:
    """What each session of the pool was left with."""
    names = ("statement_timeout", "lock_timeout", "role")
    question = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
    with taken(SESSIONS) as others:
        return [other.execute(question.encode()).fetchone() or () for other in others]


def checked() -> list[tuple[str, str]]:
    found = run_checks(tags=["hitstream"], databases=["default"])
    return [(str(each.id), f"{each.msg} {each.hint or ''}") for each in found]


@pytest.mark.usefixtures("pooled")
def test_a_session_that_lacks_the_statement_gets_it(token: Token) -> None:
    driver = Driver()
    assert driver.store(arrivals(token, ["first"])) == [Stored.NEW]
    driver.run_until(lambda: driver.lane._connection is not None)
    driver.thread.drain()
    for number in range(SESSIONS - 1):
        with taken(number):
            assert driver.store(arrivals(token, [f"a{number}", f"a{number}"])) == [
                Stored.NEW,
                Stored.DUPLICATE,
            ]
    # Another client has the same statement under the same name.
    second = Driver()
    second.store(arrivals(token, ["second"]))
    second.run_until(lambda: second.lane._connection is not None)
    second.thread.drain()
    for number in range(SESSIONS - 1):
        with taken(number):
            assert second.store(arrivals(token, [f"b{number}", f"a{number}"])) == [
                Stored.NEW,
                Stored.DUPLICATE,
            ]
    driver.close()
    second.close()
    assert Hit.objects.count() == 2 * SESSIONS


@pytest.mark.usefixtures("pooled")
def test_the_settings_of_ingest_reach_no_other_client(send: Send, token: Token) -> None:
    with taken(2):
        assert send(hit()).status_code == 204
    driver = Driver()
    for name in ("one", "two"):
        driver.store(arrivals(token, [name]))
        driver.run_until(lambda: driver.lane._connection is not None)
    driver.close()
    assert get("/readyz").status_code == 200
    assert settings_of_all() == [("0", "0", "none")] * SESSIONS


@pytest.mark.usefixtures("pooled")
def test_a_batch_still_waits_no_longer_than_its_timeouts(token: Token, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "LOCK_TIMEOUT": 0.1}
    with connect() as own, taken() as (other,):
        assert store(own, arrivals(token, ["known"])) == [Stored.NEW]
        other.execute("SELECT FROM hitstream_hitkey FOR UPDATE")
        other.execute("UPDATE hitstream_hitkey SET hit_id = hit_id")
        outcomes = store(own, arrivals(token, ["a", "known", "b"]))
    assert [outcomes[0], outcomes[2]] == [Stored.NEW, Stored.NEW]
    assert isinstance(outcomes[1], Unavailable | Stored)


@pytest.mark.usefixtures("pooled")
def test_one_migrate_waits_for_another_and_may_make_an_index_meanwhile() -> None:
    order: list[str] = []
    began, may_end = threading.Event(), threading.Event()

    def first() -> None:
        with migration.alone():
            began.set()
            may_end.wait(10)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert began.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX CONCURRENTLY during ON hitstream_heartbeat (name)")
        cursor.execute("DROP INDEX during")
    assert not order
    threading.Timer(0.3, may_end.set).start()
    with migration.alone():
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.usefixtures("pooled")
def test_an_old_day_is_dropped_and_leaves_no_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "DDL_TRIES", 2)
    partition = Partition("hitstream_hit", date(2020, 1, 2))
    with connection.cursor() as cursor:
        for statement in partition.statements():
            cursor.execute(statement)
    with taken() as (other,):
        other.execute("SELECT FROM hitstream_hit LIMIT 1")
        assert "lock timeout" in retention.drop(partition)
    assert retention.drop(partition) == ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [partition.name])
        assert cursor.fetchone() == (None,)
    assert settings_of_all() == [("0", "0", "none")] * SESSIONS


@pytest.mark.usefixtures("pooled")
def test_partitions_are_made_and_the_sweep_runs(send: Send) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE hitstream_hit_{datetime.now(UTC):%Y%m%d}")
    assert get("/readyz").status_code == 200
    assert send(hit()).status_code == 204
    call_command("sweep", stdout=StringIO())


@pytest.mark.usefixtures("pooled")
def test_the_pooler_is_named_with_what_it_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get("/readyz").json()["parts"]["Pooler"] == "good"
    assert "hitstream.I001" in dict(checked())
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", False)
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", 5)
    forget()
    assert get("/readyz").json()["parts"]["Pooler"] == "bad"
    found = [text for code, text in checked() if code == "hitstream.E018"]
    assert len(found) == 2
    assert "DISABLE_SERVER_SIDE_CURSORS" in found[0]
    forget()


def test_statement_mode_is_refused_by_name(pooling: Pooling, send: Send) -> None:
    with pooling("statement"):
        answer = get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reason"] == (
            "The pooler is in statement mode: set transaction or session mode."
        )
        assert "pool_mode" in dict(checked())["hitstream.E017"]


def test_session_mode_works(pooling: Pooling, send: Send) -> None:
    with pooling("session"):
        assert send(hit()).status_code == 204
        assert get("/readyz").json()["parts"]["Pooler"] == "good"


@pytest.mark.usefixtures("pooled")
def test_a_refused_option_is_answered_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "options", "-csearch_path=public")
    forget()
    answer, found = get("/readyz"), checked()
    monkeypatch.undo()
    forget()
    assert answer.status_code == 503
    assert answer.json()["reason"].startswith("The pooler refuses a parameter of the connection")
    ((code, text),) = found
    assert code == "hitstream.E017"
    assert "ALTER ROLE" in text
