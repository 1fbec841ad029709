"""A pytest plugin: a real Postgres and a real broker for the whole run, of each process.

With HITSTREAM_TEST_POOLED=1 the tests reach Postgres through PgBouncer in transaction mode.

Loaded by `-p` before Django's settings are, since those read the addresses from the environment.
"""

import logging
import os
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from project.embedded.paths import broker_url, database_url
from project.embedded.valkey import EmbeddedValkey
from tests.support.cluster import MigratedPostgres, name_template, remove_template
from tests.support.pgbouncer import IS_POOLED, pgbouncer, pooled_url
from tests.support.ports import free_port

owns_template = name_template()
directory = Path(tempfile.mkdtemp(prefix="hitstream-tests-"))
directory.chmod(0o755)
os.environ.update(
    HITSTREAM_VAR=str(directory),
    DATABASE_URL=database_url(directory),
    BROKER_URL=broker_url(directory),
    DJANGO_SECRET_KEY="tests",
    HITSTREAM_SECRET_KEYS=Fernet.generate_key().decode(),
    HITSTREAM_ALLOW_PRIVATE_DESTINATIONS="1",
)
pooled_port = free_port() if IS_POOLED else None
if pooled_port:
    os.environ["DATABASE_URL"] = pooled_url(pooled_port)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    if session.config.getoption("numprocesses", None) or session.config.option.collectonly:
        # The processes that run the tests have servers of their own, each its own.
        return (yield)
    with ExitStack() as servers:
        postgres = servers.enter_context(MigratedPostgres(directory, keep=False))
        servers.enter_context(EmbeddedValkey(directory, keep=False))
        if pooled_port:
            servers.enter_context(pgbouncer(f"host={postgres.sockets}", pooled_port))
        result = yield
        # A thread that still rings finds no broker soon; pytest's closing line is the last word.
        logging.disable()
    return result


def pytest_unconfigure() -> None:
    if owns_template:
        remove_template()
