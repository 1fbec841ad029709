"""The command `hitstream` of a wheel with the extra `server`, outside a checkout."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg.conninfo import make_conninfo

from tests.support.form_client import FormClient
from tests.support.hits import basic, hit
from tests.support.ports import free_port
from tests.support.waiting import wait_until
from tests.wheel.stranger import install

NAME = "hitstream_server"


@dataclass(frozen=True)
class Command:
    """The command, and the environment of an operator who keeps all secrets in files."""

    path: Path
    env: dict[str, str]

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        return self.start_into(subprocess.PIPE, *arguments, **env)

    def start_into(
        self, output: IO[str] | int, *arguments: str, **env: str
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [self.path, *arguments],
            cwd=self.path.parent,
            env={**self.env, **env},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **env: str) -> tuple[int, str]:
        process = self.start(*arguments, **env)
        said, _ = process.communicate(timeout=60)
        return process.returncode, said


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    directory = tmp_path_factory.mktemp("server")
    venv = install(directory, wheel, more=(), extra="server")
    url = os.environ["DATABASE_URL"].replace("/hitstream?", f"/{NAME}?")
    secrets = {
        "DATABASE_URL": url,
        "BROKER_URL": os.environ["BROKER_URL"],
        "DJANGO_SECRET_KEY": "".join(chr(33 + number) for number in range(90)),
        "HITSTREAM_SECRET_KEYS": Fernet.generate_key().decode(),
    }
    env = {"PATH": os.environ["PATH"], "BEHIND_TLS_PROXY": "1", "ALLOWED_HOSTS": "127.0.0.1"}
    for name, text in secrets.items():
        (directory / name).write_text(f"{text}\n")
        env[f"{name}_FILE"] = str(directory / name)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as ours:
        ours.execute(f"CREATE DATABASE {NAME}")
        yield Command(venv / "bin" / "hitstream", env)
        ours.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    shutil.rmtree(venv)


@pytest.fixture(scope="module")
def migrated(command: Command) -> Command:
    """Two hosts migrate at once."""
    both = [command.start("migrate", "--verbosity", "0") for _ in range(2)]
    said = [process.communicate(timeout=90)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("waiting for it" in text for text in said) == 1
    return command


def test_it_checks_itself_behind_tls(migrated: Command) -> None:
    status, said = migrated.run("check")
    assert (status, said.strip()) == (0, "System check identified no issues (2 silenced)."), said


@pytest.mark.parametrize(
    ("role", "name", "value", "reason"),
    [
        ("web", "DJANGO_SECRET_KEY_FILE", "", "DJANGO_SECRET_KEY is not set"),
        ("worker", "DATABASE_URL_FILE", "/no", "DATABASE_URL_FILE: cannot read /no: No such file"),
        ("beat", "HITSTREAM_POOL", "many", "HITSTREAM_POOL must be a whole number, not 'many'"),
        ("migrate", "DJANGO_SECRET_KEY_FILE", "", "DJANGO_SECRET_KEY is not set"),
    ],
)
def test_a_wrong_setting_is_one_line_and_a_failure(
    command: Command, role: str, name: str, value: str, reason: str
) -> None:
    status, said = command.run(role, **{name: value})
    assert status == 1
    assert said.startswith(f"hitstream: {reason}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("value", "reason"), [("all", "a whole number, not 'all'"), ("0", "1 or more, not 0")]
)
def test_a_wrong_number_of_processes_is_one_line(command: Command, value: str, reason: str) -> None:
    status, said = command.run("web", HITSTREAM_WORKERS=value)
    assert (status, said) == (1, f"hitstream: HITSTREAM_WORKERS must be {reason}\n")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@contextmanager
def serving(command: Command, log: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A web server with one process, and its port."""
    port = free_port()
    with log.open("w") as output:
        process = command.start_into(output, "web", "--port", str(port), "--workers", "1")
    try:
        wait_until(lambda: process.poll() is not None or answers(port), within=30)
        assert process.poll() is None, log.read_text()
        yield process, port
    finally:
        process.terminate()
        process.wait(30)
    assert process.returncode == 0, log.read_text()


def test_it_answers_a_hit_and_replaces_its_processes_without_losing_one(
    migrated: Command, log: Path
) -> None:
    status, issued = migrated.run("manage", "issue_token", "site", "--json")
    assert status == 0, issued
    with serving(migrated, log) as (process, port):
        browser = FormClient(f"http://127.0.0.1:{port}")
        headers = {
            "Content-Type": "application/json",
            "Authorization": basic(json.loads(issued)["api_token"]),
        }

        def post() -> int:
            return browser.open("/track", json.dumps(hit()).encode(), headers).status

        assert post() == 204
        assert names_in_postgres() == {"hitstream-web"}
        process.send_signal(signal.SIGHUP)
        began = time.monotonic()
        while "Replaced worker-1" not in log.read_text():
            assert time.monotonic() < began + 30
            assert post() == 204
            time.sleep(0.05)
        assert post() == 204


def test_a_process_that_does_not_get_ready_replaces_none(
    migrated: Command, log: Path, tmp_path: Path
) -> None:
    """Its settings are wrong by now: the secret's file is gone."""
    secret = tmp_path / "secret"
    secret.write_text("".join(chr(33 + number) for number in range(90)))
    command = replace(migrated, env={**migrated.env, "DJANGO_SECRET_KEY_FILE": str(secret)})
    with serving(command, log) as (process, port):
        secret.unlink()
        process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: "The new worker-1 is not ready: the old one stays" in log.read_text(), within=30
        )
        assert answers(port)
        assert process.poll() is None
        # What was wrong is right again.
        secret.write_text("".join(chr(33 + number) for number in range(90)))
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "Replaced worker-1" in log.read_text(), within=30)
        assert answers(port)


def answers(port: int) -> bool:
    try:
        return FormClient(f"http://127.0.0.1:{port}").open("/healthz").status == 200
    except OSError:
        return False


def names_in_postgres() -> set[str]:
    with psycopg.connect(make_conninfo(os.environ["DATABASE_URL"])) as ours:
        rows = ours.execute(
            "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = %s", [NAME]
        )
        return {name for (name,) in rows}
