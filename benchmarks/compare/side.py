"""One of the two sides: a revision with a Postgres, a broker and a token of its own.

Postgres and the broker run as long as the workload; the revision's own processes are started for
each turn, so that the other side has the machine for itself and every turn is another start.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
from cryptography.fernet import Fernet

from benchmarks.compare.revisions import CompareError, Revision
from benchmarks.stack import wait_for
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tracking.server.parent import die_with_parent

TOKEN = "compare"
PORTS = range(21100, 21200)
#: The table of hits, under the names that it has had.
TABLES = ("hitstream_hit", "tracking_hit")
START_SECONDS, STOP_SECONDS = 15.0, 25.0
#: CPU seconds in half a second.
IDLE = 0.05
#: The tables that autovacuum would look at, as regclass quotes them.
CHANGED = "SELECT relid::regclass::text FROM pg_stat_user_tables WHERE n_mod_since_analyze > 0"


@dataclass
class Side:
    revision: Revision
    postgres: EmbeddedPostgres
    broker: EmbeddedValkey
    environment: dict[str, str] = field(repr=False)
    folder: Path
    port: int
    authorization: str = field(default="", repr=False)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.revision.name

    def manage(self, *arguments: str) -> str:
        """Return what the management command prints.

        Raises CompareError with its messages if it fails.
        """
        done = subprocess.run(
            [self.revision.python, "manage.py", *arguments],
            cwd=self.revision.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CompareError(f"{self.name}: {arguments[0]}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def forward(self, url: str) -> None:
        """Add a webhook with its default configuration: a hit a request."""
        config = json.dumps({"url": url})
        self.manage("add_integration", TOKEN, "webhook", "--config", config)

    def import_file(self, path: Path) -> tuple[float, float]:
        """Import a file of hits; return the seconds and CPU seconds of the command, its start
        included."""
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        self.manage("import_hits", str(path), "--token", TOKEN, "--yes")
        took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    @contextmanager
    def started(self, *programs: str) -> Iterator[None]:
        """Run these of web, worker and beat as `make run` starts them."""
        with ExitStack() as stack:
            for program in programs:
                self._start(program, stack)
            yield

    def _start(self, program: str, stack: ExitStack) -> None:
        command = [self.revision.python, "-m", *self.revision.programs[program]]
        if program == "web":
            command += ["--host", "127.0.0.1", "--port", str(self.port)]
        elif program == "beat":
            command.append(str(self.folder / "schedule"))
        with self._log(program).open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.revision.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C reaches this program only, which ends the processes in order.
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        self.running.append(process)
        stack.callback(self._stop, process)
        if program == "web":
            try:
                wait_for(self.port)
            except OSError:
                text = f"{self.name}: the web server does not answer:\n{self.tail(program)}"
                raise CompareError(text) from None
        if program != "worker":
            self._wait_until_idle()

    def _wait_until_idle(self) -> None:
        """Wait, a limited time, until what was started does nothing any more: every process of the
        web server has begun, and none of its start is measured. A worker has work at once."""
        ends, spent = time.monotonic() + START_SECONDS, self.cpu()
        while time.monotonic() < ends:
            time.sleep(0.5)
            before, spent = spent, self.cpu()
            if spent - before < IDLE:
                return

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{self.name}: killed after {STOP_SECONDS:g} s: {process.args!r}", flush=True)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.running.remove(process)

    def tail(self, program: str) -> str:
        """Return the end of what a program printed in this turn."""
        return self._log(program).read_text(errors="replace")[-2000:]

    def _log(self, program: str) -> Path:
        return self.folder / f"{program}.log"

    def cpu(self) -> float:
        """Return the user and system seconds so far of Postgres, the broker and what is started,
        with all their children, those that have ended included."""
        servers = (self.postgres.running_pid(), self.broker.running_pid())
        pids = [pid for pid in servers if pid] + [process.pid for process in self.running]
        return sum(map(spent_by, pids))

    def settle(self) -> None:
        """Do now what Postgres put off, so that no turn pays for the one before."""
        with self.connect() as connection:
            for (table,) in connection.execute(CHANGED).fetchall():
                connection.execute(f"VACUUM (ANALYZE) {table}")
            connection.execute("CHECKPOINT")

    def stored(self) -> int:
        """Return how many hits the database has."""
        with self.connect() as connection:
            for table in TABLES:
                row = connection.execute("SELECT to_regclass(%s)", [table]).fetchone()
                if row and row[0]:
                    counted = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                    return int(counted[0]) if counted else 0
        raise CompareError(f"{self.name}: has none of the tables {', '.join(TABLES)}")

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.postgres.url, autocommit=True)


def spent_by(pid: int) -> float:
    """Return the CPU seconds of a process and its children: the living by themselves, the dead as
    their parents' account of them."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:4])
    return total


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise CompareError(f"no port is free from {PORTS.start} to {PORTS.stop - 1}")


@contextmanager
def prepared(revision: Revision, folder: Path) -> Iterator[Side]:
    """A side with empty servers of its own, migrated, with a token."""
    folder.mkdir(mode=0o755)
    with (
        EmbeddedPostgres(folder, keep=False) as postgres,
        EmbeddedValkey(folder, keep=False) as broker,
    ):
        environment = {
            **revision.environment,
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "HITSTREAM_VAR": str(folder),
            "DATABASE_URL": postgres.url,
            "BROKER_URL": broker.url,
            "DJANGO_SECRET_KEY": "benchmark",
            "HITSTREAM_SECRET_KEYS": Fernet.generate_key().decode(),
            "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS": "1",
        }
        side = Side(revision, postgres, broker, environment, folder, free_port())
        with side.connect() as connection:
            # At random moments it would favour one side; `settle` vacuums between turns instead.
            connection.execute("ALTER SYSTEM SET autovacuum = off")
            connection.execute("SELECT pg_reload_conf()")
        side.manage("migrate")
        secret = json.loads(side.manage("issue_token", TOKEN, "--json"))["api_token"]
        side.authorization = "Basic " + base64.b64encode(f"{secret}:".encode()).decode()
        yield side
