"""`python -m project.run` with its own embedded servers, in a directory that goes with it.

Pooled, Postgres is a server of this process instead, and all reach it through PgBouncer in
transaction mode; both are started again whenever they are killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cryptography.fernet import Fernet

from project.embedded.account import EmbeddedError
from project.embedded.paths import ROOT
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.support.pgbouncer import listens, pgbouncer, pooled_url
from tests.support.ports import free_port
from tests.support.stack import Stack, ours
from tests.support.waiting import wait_until

REPLACED = {"DATABASE_URL", "BROKER_URL", "HOST"}
DATABASE_FOLDER = "database"


@contextmanager
def running(log: Path, *, pooled: bool = False) -> Iterator[Stack]:
    """Everything is up and answers; in the end all of it has stopped as it should."""
    with (
        tempfile.TemporaryDirectory(prefix="hitstream-chaos-") as name,
        ExitStack() as servers,
    ):
        directory = Path(name)
        directory.chmod(0o755)
        var = directory / "var"
        port = free_port()
        kept = {key: value for key, value in os.environ.items() if not ours(key)}
        environment = {
            **{key: value for key, value in kept.items() if key not in REPLACED},
            "HITSTREAM_VAR": str(var),
            "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS": "1",
            "NO_COLOR": "1",
            "PORT": str(port),
        }
        if pooled:
            environment |= servers.enter_context(pooled_postgres(directory / DATABASE_FOLDER))
        stack = Stack(port, environment, log)
        try:
            with log.open("wb") as output:
                stack.run = subprocess.Popen(
                    [sys.executable, "-m", "project.run"],
                    cwd=ROOT,
                    env=environment,
                    stdout=output,
                    stderr=output,
                )
            try:
                wait_until(lambda: "ready in" in log.read_text(), within=60)
                yield stack
            finally:
                stack.run.terminate()
                code = stack.run.wait(60)
            assert code == 0, f"project.run ended with {code}"
        finally:
            EmbeddedPostgres(var).remove()
            EmbeddedValkey(var).remove()


@contextmanager
def pooled_postgres(directory: Path) -> Iterator[dict[str, str]]:
    """Run a Postgres behind PgBouncer, both started again whenever they are gone; the environment
    of its clients."""
    postgres, port, ended = EmbeddedPostgres(directory), free_port(), threading.Event()
    with postgres, ThreadPoolExecutor() as keepers:
        kept = [
            keepers.submit(keep_postgres, postgres, ended),
            keepers.submit(keep_pooler, f"host={postgres.sockets}", port, ended),
        ]
        try:
            wait_until(lambda: listens(port), within=10)
            yield {
                "DATABASE_URL": pooled_url(port),
                "DJANGO_SECRET_KEY": "chaos",
                "HITSTREAM_SECRET_KEYS": Fernet.generate_key().decode(),
            }
        finally:
            ended.set()
            for each in kept:
                each.result()
    postgres.remove()


def keep_postgres(postgres: EmbeddedPostgres, ended: threading.Event) -> None:
    while not ended.wait(0.1):
        if postgres.running_pid() is None:
            # It may be killed again while it starts.
            with suppress(EmbeddedError):
                postgres.start()


def keep_pooler(target: str, port: int, ended: threading.Event) -> None:
    while not ended.is_set():
        with pgbouncer(target, port) as process:
            while process.poll() is None and not ended.wait(0.1):
                pass


def postgres_of(stack: Stack) -> EmbeddedPostgres:
    """Its Postgres, whoever started it."""
    var = Path(stack.environment["HITSTREAM_VAR"]).resolve()
    separate = var.parent / DATABASE_FOLDER
    return EmbeddedPostgres(separate if separate.exists() else var)


def url_of(stack: Stack) -> str:
    """Where its Postgres is, without a pooler."""
    return postgres_of(stack).url
