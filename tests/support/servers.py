"""A pytest plugin: a real Postgres and a real broker for the whole run, of each process.

Loaded by `-p` before Django's settings are, since those read the addresses from the environment.
"""

import logging
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from project.embedded.paths import broker_url, database_url
from project.embedded.valkey import EmbeddedValkey
from tests.support.cluster import MigratedPostgres, name_template, remove_template

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


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    if session.config.getoption("numprocesses", None):
        # The processes that run the tests have servers of their own, each its own.
        return (yield)
    with MigratedPostgres(directory, keep=False), EmbeddedValkey(directory, keep=False):
        result = yield
        # A thread that still rings finds no broker soon; pytest's closing line is the last word.
        logging.disable()
    return result


def pytest_unconfigure() -> None:
    if owns_template:
        remove_template()
