"""Another database has each hit once, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.destinations.samples import SALE, SAMPLES, sales
from tests.support.ports import free_port
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.spec.rows import COLUMNS, row
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.postgresql.config import PostgreSQLConfig
from tracking.destinations.vendors.postgresql.destination import PostgreSQL
from tracking.events import Event, Receipt
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError

PASSWORD = "password-secret"


class Relay(socketserver.BaseRequestHandler):
    """From TCP to the tests' Postgres, which listens on a unix socket alone."""

    def handle(self) -> None:
        host = parse_qs(urlsplit(os.environ["DATABASE_URL"]).query)["host"][0]
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(f"{host}/.s.PGSQL.5432")
            back = threading.Thread(target=pump, args=(server, self.request), daemon=True)
            back.start()
            pump(self.request, server)
            back.join(5)


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def config() -> Iterator[dict[str, Any]]:
    """A database of its own, of a role that has to give its password."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE loader LOGIN PASSWORD {}").format(PASSWORD))
        admin.execute("CREATE DATABASE elsewhere OWNER loader")
        (file, before), *_ = admin.execute("""SELECT name, pg_read_file(name)
            FROM current_setting('hba_file') AS name""").fetchall()
        write(admin, file, f"local all loader scram-sha-256\n{before}")
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        with socketserver.ThreadingTCPServer(("127.0.0.1", free_port()), Relay) as relay:
            relay.daemon_threads = True
            threading.Thread(target=relay.serve_forever, daemon=True).start()
            yield {
                "host": "localhost",
                "port": relay.server_address[1],
                "database": "elsewhere",
                "user": "loader",
                "password": PASSWORD,
                "sslmode": "prefer",
            }
            relay.shutdown()
        write(admin, file, before)
        admin.execute("DROP DATABASE elsewhere WITH (FORCE)")
        admin.execute("DROP ROLE loader")


def write(admin: psycopg.Connection[Any], file: str, text: str) -> None:
    lines = sql.SQL("COPY (SELECT unnest({}::text[])) TO {}")
    admin.execute(lines.format(text.splitlines(), file))
    admin.execute("SELECT pg_reload_conf()")


def make(config: dict[str, Any], **other: Any) -> PostgreSQL:
    form = PostgreSQLConfig({**config, **other})
    assert form.is_valid(), form.errors
    plain, secrets = form.split()
    return PostgreSQL({**plain, **secrets})


def deliver(destination: PostgreSQL, events: Sequence[Event]) -> Receipt:
    async def run() -> Receipt:
        async with Client() as client:
            return await destination.deliver(events, client)

    return asyncio.run(run())


def fail(destination: PostgreSQL, event: Event = SALE) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        deliver(destination, [event])
    assert caught.value.exchange is not None
    assert PASSWORD not in f"{caught.value} {caught.value.exchange.said}"
    return caught.value


@contextlib.contextmanager
def database(config: dict[str, Any]) -> Iterator[psycopg.Connection[Any]]:
    known = {k: config[k] for k in ("host", "port", "user", "password", "sslmode")}
    with psycopg.connect(dbname=config["database"], autocommit=True, **known) as connection:
        yield connection


def rows(config: dict[str, Any], table: str) -> list[tuple[Any, ...]]:
    with database(config) as connection:
        query = sql.SQL("SELECT * FROM {} ORDER BY id").format(sql.Identifier(table))
        return connection.execute(query).fetchall()


def test_the_table_is_made_and_has_what_was_sent(config: dict[str, Any]) -> None:
    events = list(SAMPLES.values())
    receipt = deliver(make(config, table='odd "name"; --'), events)
    assert receipt.refused == {}
    assert "4 of them new" in receipt.exchange.said.response_body
    for found, event in zip(rows(config, 'odd "name"; --'), events, strict=True):
        told = dict(zip(COLUMNS, found, strict=True))
        assert {**told, "ip": str(told["ip"])} == row(event)


def test_hits_that_come_again_in_other_groups_are_not_there_twice(config: dict[str, Any]) -> None:
    many = sales(12)
    destination = make(config, table="again")
    for batch in (many[2:5], many[:4], many[4:10], many):
        deliver(destination, batch)
    assert [found[0] for found in rows(config, "again")] == [event.id for event in many]


def test_what_one_hit_does_wrong_is_permanent(config: dict[str, Any]) -> None:
    odd = replace(SALE, payload={"nul": "\0"})
    assert isinstance(fail(make(config), odd), PermanentError)
    assert isinstance(fail(make(config), replace(SALE, name="\0")), PermanentError)
    exact = replace(SALE, payload={"n": 12345678901234567890123, "text": "a\tb\\N\nü"})
    deliver(make(config, table="exact"), [exact])
    assert rows(config, "exact")[0][-1] == exact.payload


def test_a_locked_table_is_retried(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.destinations.vendors.postgresql.destination.STATEMENT_SECONDS", 1)
    deliver(make(config, table="locked"), [SALE])
    with database(config) as connection, connection.transaction():
        connection.execute("LOCK TABLE locked")
        assert isinstance(fail(make(config, table="locked")), RetryableError)


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong"},
        {"user": "nobody"},
        {"database": "nowhere"},
        {"schema": "nowhere"},
        {"sslmode": "require"},
        {"host": "no-such-host.invalid"},
    ],
)
def test_a_wrong_configuration_says_so(config: dict[str, Any], wrong: dict[str, Any]) -> None:
    assert isinstance(fail(make(config, **wrong)), SetupError)
    assert not check_connection(make(config, **wrong)).works


def test_a_server_that_is_away_is_asked_again_later(config: dict[str, Any]) -> None:
    assert isinstance(fail(make(config, port=free_port())), RetryableError)


@pytest.mark.usefixtures("private_refused")
def test_a_private_host_is_not_called(config: dict[str, Any]) -> None:
    assert "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS" in str(fail(make(config)))
    assert "host" in PostgreSQLConfig({**config, "host": "10.0.0.1"}).errors
    assert "host" in PostgreSQLConfig({**config, "host": "/var/run/postgresql"}).errors


def test_verify_says_what_the_role_may(config: dict[str, Any]) -> None:
    assert (
        check_connection(make(config, table="new")).message
        == '"public"."new" is created with the first hit.'
    )
    with database(config) as connection:
        assert connection.execute("SELECT to_regclass('new')").fetchone() == (None,)
        connection.execute("CREATE TABLE shut ()")
        connection.execute("REVOKE ALL ON shut FROM loader")
    assert "lacks SELECT or INSERT" in check_connection(make(config, table="shut")).message
    deliver(make(config, table="new"), [SALE])
    assert check_connection(make(config, table="new")).message == '"public"."new" exists.'
    assert json.dumps(make(config).config)
