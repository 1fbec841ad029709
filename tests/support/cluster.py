"""One migrated Postgres cluster for a whole run: made once, copied wherever one is needed."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from project.embedded.file_lock import locked
from project.embedded.paths import DATABASE, ROOT
from project.embedded.postgres import EmbeddedPostgres

#: The variable that names the run's folder to the processes of the run.
VARIABLE = "HITSTREAM_TESTS_TEMPLATE"


def name_template() -> bool:
    """Choose the folder of the template. Returns whether this process did, and so removes it."""
    if VARIABLE in os.environ:
        return False
    folder = tempfile.mkdtemp(prefix="hitstream-template-")
    Path(folder).chmod(0o755)
    os.environ[VARIABLE] = folder
    return True


def remove_template() -> None:
    folder = Path(os.environ.pop(VARIABLE))
    EmbeddedPostgres(folder).remove()
    shutil.rmtree(folder, ignore_errors=True)


def template() -> EmbeddedPostgres:
    """Return the stopped server whose cluster is copied, made by the first process that asks."""
    folder = Path(os.environ[VARIABLE])
    with locked(folder / "template.lock"):
        if not (folder / "made").exists():
            _make(folder)
            (folder / "made").touch()
    return EmbeddedPostgres(folder)


def _make(folder: Path) -> None:
    """Create the database and that of the tests, both migrated."""
    with EmbeddedPostgres(folder) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            # What a test writes has to survive a killed process, not a power failure.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": server.url,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
            },
            check=True,
        )
        elsewhere = server.url.replace(f"/{DATABASE}?", "/postgres?")
        with psycopg.connect(elsewhere, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE test_{DATABASE} TEMPLATE {DATABASE}")


class MigratedPostgres(EmbeddedPostgres):
    """An embedded Postgres whose new cluster is a copy of the run's template."""

    def create_cluster(self, draft: Path) -> None:
        source = template().data
        subprocess.run(["cp", "-a", f"{source}/.", draft], check=True)
