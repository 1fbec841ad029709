"""`hitstream migrate`: Django's command, one at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from django.core.management import call_command

from tracking import db

#: The key of the advisory lock: "hitstrm" in ASCII.
LOCK = 0x68_69_74_73_74_72_6D
WAIT_SECONDS = 0.2

logger = logging.getLogger(__name__)


def migrate(arguments: Sequence[str]) -> None:
    """Apply migrations with these arguments of Django's command. Of two at once, one waits."""
    with alone():
        call_command("migrate", *arguments, skip_checks=False)


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock on a connection of its own, which ends it with the process. The connection is
    in no transaction: `CREATE INDEX CONCURRENTLY` would wait for that for ever."""
    with psycopg.connect(**db.raw_parameters(), autocommit=True) as connection:
        taken = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
        if taken != (True,):
            logger.info("Another migrate is running: waiting for it")
            while connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone() != (
                True,
            ):
                time.sleep(WAIT_SECONDS)
        yield
