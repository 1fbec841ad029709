"""A pytest plugin: the tests run in a database of a Citus cluster, migrated and distributed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
URL = os.environ["HITSTREAM_TEST_CITUS"]
#: Tests that are about one server.
NOT_OF_A_CLUSTER = {
    "tests/console/test_plans.py": "reads the plans of one server",
    "test_a_pass_that_fails_leaves_nothing": "counts all tokens in one pass",
    "test_a_lost_lease_is_due_again_by_itself": "its own UPDATE is none for a cluster",
    "hit_id_stalls_only_that_hit": "no lock timeout reaches the other servers",
    "hit_ids_stall_the_others_no_longer_than_one": "no lock timeout reaches the other servers",
    "test_a_reader_delays_the_drop_and_nobody_else": "a partition is dropped, not detached",
    "tests/ingest/write/test_silent_postgres.py": "puts a proxy before the one server",
    "tests/admin/test_permissions.py": "changes rules, which the reset restores on one server",
    "tests/models/upkeep/test_disk.py": "measures the disk of one server",
    "tests/models/test_migrations.py": "takes back the tables, which are distributed",
    "test_the_migration_makes_both_groups": "takes back the tables, which are distributed",
    "without_today": "its role is not known to the other servers",
    "test_all_parts_are_there": "the part Disk is that of one server",
}

os.environ.update(DATABASE_URL=URL, DJANGO_SETTINGS_MODULE="tests.citus.settings")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Migrate and distribute. The database may be that of an earlier run."""
    with psycopg.connect(URL) as connection:
        found = connection.execute("SELECT to_regclass('hitstream_hit') IS NOT NULL").fetchone()
    if found != (True,):
        for command in (["migrate", "--verbosity", "0"], ["distribute", "--yes"]):
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left = [item for item in items if any(name in item.nodeid for name in NOT_OF_A_CLUSTER)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]
