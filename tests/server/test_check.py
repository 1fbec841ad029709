"""`hitstream check` and `hitstream migrate` on a server that is set up wrongly say what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from tests.support.ports import HOST, free_port
from tracking.server import checks, migration

CLI = "import sys; from tracking.server.cli import main; sys.exit(main())"


@pytest.fixture
def closed() -> str:
    return f"redis://:hidden@{HOST}:{free_port()}/0"


def test_the_command_warns_of_a_broker_that_is_away(closed: str) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DATABASE_URL")}
    given = {
        "DJANGO_SECRET_KEY": "k" * 60,
        "DJANGO_SETTINGS_MODULE": "tracking.server.settings",
        "BROKER_URL": closed,
    }
    run = subprocess.run(
        [sys.executable, "-c", CLI, "check"],
        env={**kept, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "hitstream.W010" in run.stderr, run.stderr
    assert "BROKER_URL" in run.stderr
    assert "hidden" not in run.stdout + run.stderr


@pytest.mark.django_db
def test_a_migration_that_is_not_applied_is_an_error() -> None:
    assert checks.check_migrations(None, ["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'hitstream'")
    (found,) = checks.check_migrations(None, ["default"])
    assert found.id == "hitstream.E023"
    assert "hitstream migrate" in str(found.hint)


@pytest.fixture
def reader(transactional_db: None) -> Iterator[None]:
    """The role of the connection may create nothing."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE check_reader")
        cursor.execute("SET ROLE check_reader")
        yield
        cursor.execute("RESET ROLE")
        cursor.execute("DROP ROLE check_reader")


@pytest.mark.usefixtures("reader")
def test_migrate_by_a_role_that_may_not_names_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL of their owner") as raised:
        migration.migrate(["--verbosity", "0"])
    assert "permission denied" in str(raised.value)
    assert "\n" not in str(raised.value)
