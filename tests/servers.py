"""A pytest plugin: a real Postgres and a real broker for the whole run, of each process.

Loaded by `-p` before Django's settings are, since those read the addresses from the environment.
"""

import logging
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

from project.embedded.paths import broker_url, database_url
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey

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


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    if session.config.getoption("numprocesses", None):
        # The processes that run the tests have servers of their own, each its own.
        return (yield)
    with EmbeddedPostgres(directory, keep=False), EmbeddedValkey(directory, keep=False):
        # Emptying all tables after a test writes a hundred small files; none has to survive.
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        result = yield
        # A thread that still rings finds no broker soon; pytest's closing line is the last word.
        logging.disable()
    return result
