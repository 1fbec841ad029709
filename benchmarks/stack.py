"""The servers that a benchmark needs, each started by the benchmark itself, all on this machine."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from cryptography.fernet import Fernet

from project.embedded.paths import ROOT
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from project.run import web

PYTHON = (sys.executable, "-m")


@dataclass
class Bench:
    """A Postgres with default durability, a broker, and whatever is started on them."""

    database_url: str
    environment: dict[str, str]
    processes: ExitStack = field(repr=False)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.database_url, autocommit=True)

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def issue(self, name: str) -> str:
        """The Authorization header of a new token."""
        token = json.loads(self.manage("issue_token", name, "--json"))["api_token"]
        return "Basic " + base64.b64encode(f"{token}:".encode()).decode()

    def serve(self, port: int, **environment: str) -> subprocess.Popen[bytes]:
        """Hitstream's own server, as `make run` starts it."""
        environment = {**environment, "DJANGO_SETTINGS_MODULE": "benchmarks.stock.settings"}
        command = web().replace("tracking.server.app", "benchmarks.stock.server")
        return self.start(port, *PYTHON, *command.split(), "--port", str(port), **environment)

    def start(self, port: int | None, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """The process runs, and answers if it has a port, until the benchmark is over."""
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**self.environment, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not os.environ.get("BENCH_LOG") else None,
        )
        self.processes.callback(stop, process)
        if port is not None:
            wait_for(port)
        return process

    def count(self, table: str) -> int:
        with self.connect() as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # type: ignore[index]

    def settle(self) -> None:
        """What Postgres put off is done now, so that no run pays for the one before."""
        with self.connect() as connection:
            connection.execute("CHECKPOINT")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(port: int) -> None:
    ends = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/track", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)


@contextmanager
def bench() -> Iterator[Bench]:
    with ExitStack() as outer:
        directory = Path(
            outer.enter_context(tempfile.TemporaryDirectory(prefix="hitstream-bench-"))
        )
        directory.chmod(0o755)
        postgres = outer.enter_context(EmbeddedPostgres(directory, keep=False))
        broker = outer.enter_context(EmbeddedValkey(directory, keep=False))
        environment = {
            **os.environ,
            "HITSTREAM_VAR": str(directory),
            "DATABASE_URL": postgres.url,
            "BROKER_URL": broker.url,
            "DJANGO_SECRET_KEY": "benchmark",
            "HITSTREAM_SECRET_KEYS": Fernet.generate_key().decode(),
            "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS": "1",
        }
        environment["DJANGO_SETTINGS_MODULE"] = "project.settings"
        processes = outer.enter_context(ExitStack())
        made = Bench(postgres.url, environment, processes)
        made.manage("migrate")
        yield made
