"""`python -m project.run` with its own embedded servers, in a directory that goes with it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from project.embedded.paths import ROOT, database_url
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.support.ports import free_port
from tests.support.stack import Stack, ours
from tests.support.waiting import wait_until

REPLACED = {"DATABASE_URL", "BROKER_URL", "HOST"}


@contextmanager
def running(log: Path) -> Iterator[Stack]:
    """Everything is up and answers; in the end all of it has stopped as it should."""
    with tempfile.TemporaryDirectory(prefix="hitstream-chaos-") as name:
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


def url_of(stack: Stack) -> str:
    """Where its Postgres is."""
    return database_url(Path(stack.environment["HITSTREAM_VAR"]).resolve())
