"""`python -m project.run` with its own embedded servers, in a directory that goes with it.

Pooled, Postgres is a server of this process instead, started again whenever it is killed, and all
reach it through PgBouncer in transaction mode.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cryptography.fernet import Fernet

from project.embedded.account import EmbeddedError
from project.embedded.paths import ROOT
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.support.pgbouncer import pgbouncer, pooled_url
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
    """Run a Postgres that is started again whenever it is gone, behind PgBouncer; the environment
    of its clients."""
    postgres, port, ended = EmbeddedPostgres(directory), free_port(), threading.Event()

    def keep() -> None:
        while not ended.wait(0.1):
            if postgres.running_pid() is None:
                # It may be killed again while it starts.
                with suppress(EmbeddedError):
                    postgres.start()

    with postgres, pgbouncer(f"host={postgres.sockets}", port):
        keeper = threading.Thread(target=keep)
        keeper.start()
        try:
            yield {
                "DATABASE_URL": pooled_url(port),
                "DJANGO_SECRET_KEY": "chaos",
                "HITSTREAM_SECRET_KEYS": Fernet.generate_key().decode(),
            }
        finally:
            ended.set()
            keeper.join()
    postgres.remove()


def postgres_of(stack: Stack) -> EmbeddedPostgres:
    """Its Postgres, whoever started it."""
    var = Path(stack.environment["HITSTREAM_VAR"]).resolve()
    separate = var.parent / DATABASE_FOLDER
    return EmbeddedPostgres(separate if separate.exists() else var)


def url_of(stack: Stack) -> str:
    """Where its Postgres is, without a pooler."""
    return postgres_of(stack).url
