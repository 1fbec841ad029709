"""`hitstream migrate`: Django's command, one at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

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
        call_command("migrate", *arguments, skip_checks=False)


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
