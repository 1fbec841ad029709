"""The tables of hits, distributed by token over the servers of a Citus cluster.

All rows of a token lie on one server, so that its statements are run there alone. Tokens, their
configuration and its history are small, and copied to every server. What is left is of the whole
installation, and stays on the server that clients connect to.
"""

from __future__ import annotations

from pathlib import Path

from django.db.backends.utils import CursorWrapper

from tracking import db
from tracking.sql import load

FIRST = "hitstream_hit"
#: By token, each token's rows beside its hits.
BESIDE = (
    "hitstream_hitkey",
    "hitstream_queue",
    "hitstream_outcome",
    "hitstream_attempt",
    "hitstream_deadletter",
    "hitstream_duplicate",
    "hitstream_latearrival",
    "hitstream_tally",
    "hitstream_ledger",
    "hitstream_lifetimetotal",
    "hitstream_rollup",
    "hitstream_visitor",
    "hitstream_watermark",
)
EVERYWHERE = ("hitstream_token", "hitstream_integration", "hitstream_revision")
VIEWS = ("hitstream_counts", "hitstream_lifetime", "hitstream_delivery")
MIGRATION_SQL = Path(__file__).parents[2] / "migrations" / "sql"

SQL = load(__file__)


class DistributionError(Exception):
    """The tables cannot be distributed here; the message says what is missing."""


def distribute() -> int:
    """Distribute the tables, whole or not at all. Returns over how many servers.

    It locks all tables while it copies them. Raises DistributionError.
    """
    with db.atomic(), db.write_cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass('pg_catalog.pg_dist_node') IS NOT NULL,"
            " to_regclass('hitstream_hit') IS NOT NULL"
        )
        has_citus, is_migrated = cursor.fetchone()
        if not has_citus:
            raise DistributionError(
                "The database has no extension citus: create it on every server "
                "(CREATE EXTENSION citus), and add the servers (citus_add_node)."
            )
        if not is_migrated:
            raise DistributionError("Hitstream's tables are not there yet: run migrate first.")
        cursor.execute(SQL["has_citus"])
        _, servers = cursor.fetchone()
        if not servers:
            raise DistributionError("No server of the cluster takes shards: see citus_add_node.")
        if db.is_distributed():
            raise DistributionError("The tables are distributed already.")
        _distribute(cursor)
    db.forget_distribution()
    return int(servers)


def _distribute(cursor: CursorWrapper) -> None:
    cursor.execute(SQL["one_by_one"])
    tables = [FIRST, *BESIDE, *EVERYWHERE]
    # A table that refers to one on this server alone cannot be distributed.
    cursor.execute(SQL["foreign_keys"], {"tables": tables})
    keys = cursor.fetchall()
    for table, name, _ in keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute(f"DROP VIEW {', '.join(VIEWS)}")
    cursor.execute(SQL["split_watermark"])
    cursor.execute(SQL["remove_watermark"])
    cursor.execute(SQL["distribute"], {"table": FIRST})
    for table in BESIDE:
        cursor.execute(SQL["distribute_beside"], {"table": table, "beside": FIRST})
    for table in EVERYWHERE:
        cursor.execute(SQL["copy_everywhere"], {"table": table})
    for table, name, definition in keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    cursor.execute((MIGRATION_SQL / "0001_views.sql").read_text())
    # Sessions to come: a transaction that wrote hits on many servers may write a token.
    cursor.execute("SELECT quote_ident(current_database())")
    (database,) = cursor.fetchone()
    cursor.execute(f"ALTER DATABASE {database} SET citus.multi_shard_modify_mode TO 'sequential'")
