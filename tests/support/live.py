"""The web server as `make run` starts it, on the tests' own database."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import requests
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from project.embedded.paths import DATABASE
from tests.support.ports import free_port
from tests.support.reset import RESET
from tests.support.stack import ROOT
from tests.support.tap import HOST
from tracking.server import commands

#: By this Postgres knows the server's connections from ours.
NAME = "hitstream-clients"
START_SECONDS = 30.0


@contextlib.contextmanager
def serving(log: Path) -> Iterator[int]:
    """The port, once something answers there."""
    port = free_port()
    url = os.environ["DATABASE_URL"].replace(f"/{DATABASE}?", f"/{database_name()}?")
    # One process: tests/stack has several.
    one = {"HITSTREAM_WORKERS": "1"}
    environment = {**os.environ, "DATABASE_URL": url, "PGAPPNAME": NAME, **one}
    del environment["DJANGO_SETTINGS_MODULE"]
    command = (sys.executable, "-m", *commands.web(1), "--host", HOST, "--port", str(port))
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(port):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)
        # At its end it writes what it has counted: into a database that the last test has cleared.
        address = make_conninfo(os.environ["DATABASE_URL"], dbname=database_name())
        with psycopg.connect(address, autocommit=True) as ours:
            ours.execute(RESET)
        print(log.read_text()[-20_000:])  # noqa: T201 (shown where a test fails)


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://{HOST}:{port}/", timeout=5).status_code < 500
    except requests.RequestException:
        return False


def database_name() -> str:
    return str(connection.settings_dict["NAME"])


@contextlib.contextmanager
def outage() -> Iterator[None]:
    """Postgres has closed the server's connections and takes no new ones to this database."""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    name = sql.Identifier(database_name())
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as elsewhere:
        elsewhere.execute(allow.format(name, sql.SQL("false")))
        elsewhere.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            [NAME],
        )
        try:
            yield
        finally:
            elsewhere.execute(allow.format(name, sql.SQL("true")))
