"""Regular maintenance, run by beat or by `manage.py sweep`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db import (
    DatabaseError,
    OperationalError,
    ProgrammingError,
    connections,
    transaction,
)
from psycopg.errors import InsufficientPrivilege

from tracking import db
from tracking.conf import conf
from tracking.models.hits import partitions
from tracking.models.hits.duplicate import Duplicate
from tracking.models.hits.hit import HitKey
from tracking.models.hits.refused_request import RefusedRequest
from tracking.uuid7 import first_uuid7

Written = TypeVar("Written")

logger = logging.getLogger(__name__)

#: Seconds that a DDL statement waits for a lock, and how many attempts it has.
DDL_LOCK_TIMEOUT = 0.1
DDL_TRIES = 20
#: Blocks of 8 KiB that one DELETE reads.
PRUNE_BLOCKS = 1000


def run() -> tuple[list[str], int]:
    """Create partitions and prune dedup keys with their counts. Returns the new partitions and the
    number of keys."""
    return make_partitions(), prune_rows()


def prune_rows() -> int:
    """Prune dedup keys and the counts of duplicates. Returns the number of keys."""
    forgotten = prune_keys()
    Duplicate.objects.prune()
    RefusedRequest.objects.prune()
    return forgotten


@contextmanager
def left_to_the_owner() -> Iterator[None]:
    """Leave a change of tables to their owner, whose `manage.py sweep` makes it, where this
    process's role only reads and writes rows."""
    try:
        yield
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        logger.info("Left to the owner of the tables: %s", str(error).splitlines()[0])


def make_partitions() -> list[str]:
    """Create every missing partition up to the horizon. Other statements queue behind a waiting DDL
    statement, so it waits for a moment only, and tries again."""
    for _ in range(DDL_TRIES - 1):
        with suppress(OperationalError):
            return _make_partitions()
        time.sleep(DDL_LOCK_TIMEOUT)
    return _make_partitions()


def _make_partitions() -> list[str]:
    alias = db.write_alias()
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:

        def execute(sql: str, params: list[Any] | None = None) -> Any:
            cursor.execute(sql, params)
            return cursor

        execute("SELECT set_config('lock_timeout', %s, true)", [f"{DDL_LOCK_TIMEOUT}s"])
        made = partitions.make_ahead(execute)
    if made:
        logger.info("Made %s partitions, the last %s", len(made), made[-1])
    if partitions.days_ahead() < partitions.ALARM_DAYS <= conf.PARTITION_DAYS_AHEAD:
        logger.error("Partitions lie only %s days ahead.", partitions.days_ahead())
    return made


def retry_with_partitions(write: Callable[[], Written]) -> Written:
    """Call `write`, and once more if it fails for a missing partition ("no partition of relation
    found for row"), which is then created. Returns what `write` returns."""
    try:
        return write()
    except DatabaseError as error:
        if not (partitions.is_missing(error) and make_partitions()):
            raise
        return write()


def prune_keys() -> int:
    """Delete the dedup keys that are older than the window. Returns how many. The table is read
    block by block, so that no index on the age is needed and no statement is long."""
    window = first_uuid7(datetime.now(UTC) - timedelta(seconds=conf.DEDUP_WINDOW))
    table = HitKey._meta.db_table
    pruned = 0
    with db.write_cursor() as cursor:
        size = "pg_relation_size(%s::regclass)"
        if db.is_distributed():
            size = "(SELECT max(shard_size) FROM citus_shards WHERE table_name = %s::regclass)"
        cursor.execute(f"SELECT {size} / 8192", [table])
        blocks = cursor.fetchone()[0]
        for block in range(0, blocks, PRUNE_BLOCKS):
            cursor.execute(
                "DELETE FROM hitstream_hitkey WHERE ctid >= %s::tid AND ctid < %s::tid"
                " AND hit_id < %s",
                [f"({block},0)", f"({block + PRUNE_BLOCKS},0)", window],
            )
            pruned += cursor.rowcount
    return pruned
