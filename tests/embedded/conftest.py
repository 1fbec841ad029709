"""Real servers in temporary directories; nothing of them is left when a test is over."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.support import ports

Spawn = Callable[..., "subprocess.Popen[str]"]
ROOT = Path(__file__).resolve().parents[2]
#: Servers of the run's own, not those of the tests.
EMBEDDED = {"DATABASE_URL": "", "BROKER_URL": ""}


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """A var directory whose servers' files go with it."""
    directory = tmp_path / "var"
    directory.mkdir(mode=0o700)
    yield directory
    EmbeddedPostgres(directory).remove()
    EmbeddedValkey(directory).remove()


@pytest.fixture
def spawn(var: Path) -> Iterator[Spawn]:
    """Starts Python with these arguments on that var directory; it is killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "HITSTREAM_VAR": str(var), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def free_port() -> int:
    return ports.free_port()
