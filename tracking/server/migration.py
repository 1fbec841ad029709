"""`hitstream migrate`: Django's command, one at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import ProgrammingError
from django.db.migrations.exceptions import MigrationSchemaMissing

from tracking.connection import connect
from tracking.health import pooler

#: The key of the advisory lock: "hitstrm" in ASCII.
LOCK = 0x68_69_74_73_74_72_6D
#: Without parameters: a bound statement would keep its snapshot to the end of the transaction.
TAKE = b"SELECT pg_try_advisory_xact_lock(%d)" % LOCK
WAIT_SECONDS = 0.2

logger = logging.getLogger(__name__)


def migrate(arguments: Sequence[str]) -> None:
    """Apply migrations with these arguments of Django's command. Of two at once, one waits."""
    with alone():
        try:
            call_command("migrate", *arguments, skip_checks=False)
        except (MigrationSchemaMissing, ProgrammingError) as error:
            if not is_denied(error):
                raise
            raise ImproperlyConfigured(
                "The role of DATABASE_URL may not create or change tables. Run `hitstream migrate` "
                f"with the DATABASE_URL of their owner. Postgres says: {first_line(error)}"
            ) from error


def is_denied(error: BaseException | None) -> bool:
    """Return whether Postgres denied a right: the error or one that it came from says so."""
    while error is not None:
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return True
        error = error.__cause__ or error.__context__
    return False


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock on a connection of its own, which ends it with the process. The transaction has
    it, not the session: a pooler may give the session to others. `CREATE INDEX CONCURRENTLY` does
    not wait for a transaction that runs no statement and has no snapshot."""
    try:
        connection = connect(statement_timeout=0.0)
    except psycopg.Error as error:
        message = str(error).strip()
        raise ImproperlyConfigured(
            f"Postgres cannot be used: {message}. {pooler.remedy(message)}"
        ) from error
    with connection:
        while True:
            with connection.transaction():
                connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                if connection.execute(TAKE).fetchone() == (True,):
                    yield
                    return
            logger.info("Another migrate is running: waiting for it")
            time.sleep(WAIT_SECONDS)
