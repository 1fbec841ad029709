"""The embedded Postgres: one cluster in one directory, on a unix socket only."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from project.embedded.account import Account, EmbeddedError
from project.embedded.binaries import postgres_binaries
from project.embedded.paths import (
    DATABASE,
    POSTGRES_SOCKET,
    ROLE,
    database_url,
    digest_of,
    postgres_sockets,
)
from project.embedded.process import end_all, exists, read_pid, runs_with, working_in
from project.embedded.server import Server

MAJOR = "18"


class EmbeddedPostgres(Server):
    """`with EmbeddedPostgres(directory) as postgres: connect(postgres.url)`.

    With keep=False the data is deleted when the server stops.
    """

    name = "postgres"
    stop_signal = signal.SIGINT
    hurry_signal = signal.SIGQUIT

    def __init__(self, directory: Path, *, keep: bool = True) -> None:
        super().__init__(directory, keep=keep)
        self.account = Account.for_postgres()
        self.sockets = postgres_sockets(self.directory)

    @property
    def url(self) -> str:
        return database_url(self.directory)

    @property
    def home(self) -> Path:
        """The folder of the cluster: `postgres` in the directory, or the target of that symlink."""
        return (self.directory / "postgres").resolve()

    @property
    def data(self) -> Path:
        return self.home / "data"

    def command(self) -> list[str]:
        return [
            str(postgres_binaries(self.account) / "postgres"),
            *("-D", str(self.data)),
            *("-c", "listen_addresses="),
            *("-c", f"unix_socket_directories={self.sockets}"),
            *("-c", "unix_socket_permissions=0700"),
        ]

    def prepare(self) -> None:
        self._place()
        self.account.own(self.sockets)
        if not self.data.exists():
            self._add_cluster()
        self._check_version()
        self._clear_leftovers()

    def running_pid(self) -> int | None:
        pid = read_pid(self.data / "postmaster.pid")
        return pid if runs_with(pid, "postgres", f"-D {self.data} ") else None

    def accepts(self) -> bool:
        """Return whether the server answers; then the database exists, too."""
        try:
            with psycopg.connect(
                host=str(self.sockets),
                user=ROLE,
                dbname="postgres",
                connect_timeout=5,
                autocommit=True,
            ) as connection:
                names = connection.execute("SELECT datname FROM pg_database").fetchall()
                if (DATABASE,) not in names:
                    connection.execute(
                        sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE))
                    )
        except psycopg.OperationalError:
            return False
        return True

    def remove(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)
        (self.directory / "postgres").unlink(missing_ok=True)

    def _place(self) -> None:
        """Create the home where the account can reach it."""
        link = self.directory / "postgres"
        if (
            not link.exists()
            and not link.is_symlink()
            and not self.account.can_enter(self.directory)
        ):
            base = Path("/var/lib" if self.keep else tempfile.gettempdir())
            name = f"hitstream-{digest_of(self.directory)}-"
            link.symlink_to(tempfile.mkdtemp(prefix=name, dir=base))
        self.account.own(self.home)

    def _add_cluster(self) -> None:
        """Create the cluster, whole or not at all: an incomplete one never gets the name `data`."""
        for remains in self.home.glob("new-*"):
            shutil.rmtree(remains, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix="new-", dir=self.home))
        self.account.own(draft)
        self.create_cluster(draft)
        draft.rename(self.data)

    def create_cluster(self, draft: Path) -> None:
        """Make a cluster in this empty folder of the account's."""
        made = subprocess.run(  # noqa: S603
            [
                str(postgres_binaries(self.account) / "initdb"),
                *("-D", str(draft), "-U", ROLE, "-A", "trust", "-E", "UTF8"),
                # Postgres' own C.UTF-8 sorts alike on every system, whatever its locales.
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            **self.account.identity,
        )
        if made.returncode != 0:
            raise EmbeddedError(f"initdb failed:\n{made.stdout}{made.stderr}")

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise EmbeddedError(
                f"{self.data} was made by Postgres {found}, this is {MAJOR}: "
                "dump it with the old one, or move it away"
            )

    def _clear_leftovers(self) -> None:
        """End processes of a dead postmaster, and remove stale files that name a live pid.

        The order matters: Postgres' own check for such processes reads the stale pid file.
        """
        orphans = ((None, 1.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0))
        if not end_all(lambda: working_in(self.data, "postgres"), orphans):
            raise EmbeddedError(f"processes of a dead Postgres still work on {self.data}")
        socket_lock = self.sockets / f"{POSTGRES_SOCKET}.lock"
        holder = read_pid(socket_lock)
        if runs_with(holder, "postgres", f"unix_socket_directories={self.sockets} "):
            raise EmbeddedError(
                f"another Postgres (pid {holder}) uses {self.sockets}: stop it first"
            )
        for path in (self.data / "postmaster.pid", socket_lock):
            # Postgres removes a dead pid itself, but takes a zombie or another program for a rival.
            if exists(read_pid(path)):
                path.unlink()
