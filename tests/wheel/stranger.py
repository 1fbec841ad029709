"""Somebody else's project: what `django-admin startproject` makes and host/ adds, in a virtual
environment of its own with the wheel in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import psycopg
from cryptography.fernet import Fernet
from packaging.requirements import Requirement
from psycopg.conninfo import conninfo_to_dict, make_conninfo

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "hitstream_host"
#: The wheel that is tried: never the checkout, which another wheel may require.
OURS = "hitstream"
#: As with short-lived credentials: who logs in may do nothing but become the owner.
OWNER, LOGIN = "hitstream_host_owner", "hitstream_host_login"
START_SECONDS = 30.0


def run(*command: str | Path, **options: Any) -> str:
    """What the command says; fails with it where the command fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options
    )
    said = bytes(done.stdout).decode()
    assert done.returncode == 0, said
    return said


@dataclass(frozen=True)
class Stranger:
    """The project's directory, its environment's executables, and what its processes get."""

    directory: Path
    bin: Path
    env: dict[str, str]

    def run(self, command: str, *arguments: str, **env: str) -> str:
        return run(
            *self.command(command),
            *arguments,
            cwd=self.directory,
            env={**self.env, **env},
            timeout=120,
        )

    def command(self, name: str) -> list[str]:
        """Return the arguments that run this program, a module of the environment's Python."""
        python = str(self.bin / "python")
        return [python] if name == "python" else [python, "-m", name]

    def manage(self, *arguments: str, **env: str) -> str:
        return self.run("python", "manage.py", *arguments, **env)

    @contextmanager
    def running(self, log: Path, sign: str, command: str, *arguments: str) -> Iterator[None]:
        """The command runs, and has written the sign to its log."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self.command(command), *arguments],
                cwd=self.directory,
                env=self.env,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while sign not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(30)

    def query(self, sql: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(make_conninfo(os.environ["DATABASE_URL"], dbname=DATABASE)) as ours:
            return ours.execute(sql).fetchall()


def settle_in(directory: Path, *wheels: Path) -> Stranger:
    """The project is there, with the wheels installed beside it, and what they depend on: as the
    tests' own environment has it, which pip then finds to be enough."""
    venv = install(directory, *wheels, more=("celery[redis]", "gunicorn"))
    stranger = Stranger(directory / "site", venv / "bin", environment())
    stranger.directory.mkdir()
    stranger.run("django", "startproject", "host", ".")
    package = stranger.directory / "host"
    (package / "settings.py").rename(package / "stock.py")
    shutil.copytree(Path(__file__).parent / "host", package, dirs_exist_ok=True)
    return stranger


def install(directory: Path, *wheels: Path, more: Iterable[str], extra: str = "") -> Path:
    """Return a new virtual environment with the wheels, and with what this extra adds."""
    venv = directory / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--quiet", "--no-compile", "--no-deps", *wheels)
    packages = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    )
    lend(packages, installed(python), *more, extra=extra)
    run(*pip, "check")
    return venv


def installed(python: Path) -> list[str]:
    """Return what the distributions of this environment require, as their metadata has it."""
    code = (
        "from importlib.metadata import distributions\n"
        "for each in distributions(): print(*(each.requires or ()), sep='\\n')"
    )
    return [line for line in run(python, "-c", code).splitlines() if line]


def lend(packages: Path, required: Iterable[str], *more: str, extra: str) -> None:
    """Link the tests' own copies of what is required, and of what that requires in turn, into
    `packages`."""
    waiting = [(Requirement(text), extra) for text in (*required, *more)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, wanted_by = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": wanted_by}):
            continue
        for wanted in ("", *requirement.extras):
            if (requirement.name, wanted) not in seen:
                seen.add((requirement.name, wanted))
                found = distribution(requirement.name)
                if requirement.name != OURS:
                    link(found, packages)
                waiting += [(Requirement(text), wanted) for text in found.requires or ()]


def link(found: Distribution, packages: Path) -> None:
    """Link the folders and files of a distribution that lie beside each other in site-packages."""
    for name in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
        target = packages / name
        if name != "__pycache__" and not target.exists():
            target.symlink_to(Path(str(found.locate_file(name))))


def environment() -> dict[str, str]:
    """The addresses of the servers, and nothing else of the tests' own settings."""
    postgres = conninfo_to_dict(os.environ["DATABASE_URL"])
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PGHOST": str(postgres["host"]),
        "PGUSER": LOGIN,
        "HOST_ROLE": OWNER,
        "HOST_DATABASE": DATABASE,
        "HOST_SECRET_KEY": Fernet.generate_key().decode(),
        "BROKER_URL": os.environ["BROKER_URL"],
        "DJANGO_SUPERUSER_PASSWORD": "secret",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def database() -> Iterator[None]:
    """A database for the project, beside that of the tests."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as ours:
        ours.execute(f"CREATE ROLE {OWNER} CREATEDB")
        ours.execute(f"CREATE ROLE {LOGIN} LOGIN NOINHERIT IN ROLE {OWNER}")
        ours.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        yield
        ours.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        ours.execute(f"DROP ROLE {LOGIN}, {OWNER}")
