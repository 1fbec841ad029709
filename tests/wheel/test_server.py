"""The command `hitstream` of a wheel with the extra `server`, outside a checkout."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg.conninfo import make_conninfo

from tests.support.form_client import FormClient
from tests.support.hits import basic, hit
from tests.support.ports import free_port
from tests.wheel.stranger import install

NAME = "hitstream_server"


@dataclass(frozen=True)
class Command:
    """The command, and the environment of an operator who keeps all secrets in files."""

    path: Path
    env: dict[str, str]

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [self.path, *arguments],
            cwd=self.path.parent,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
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
    ("name", "value", "reason"),
    [
        ("DJANGO_SECRET_KEY_FILE", "", "DJANGO_SECRET_KEY is not set"),
        ("DATABASE_URL_FILE", "/nowhere", "DATABASE_URL_FILE: cannot read /nowhere: No such file"),
        ("HITSTREAM_POOL", "many", "HITSTREAM_POOL must be a whole number, not 'many'"),
    ],
)
@pytest.mark.parametrize("role", ["web", "worker", "beat", "migrate"])
def test_a_wrong_setting_is_one_line_and_a_failure(
    command: Command, role: str, name: str, value: str, reason: str
) -> None:
    status, said = command.run(role, **{name: value})
    assert status == 1
    assert said.startswith(f"hitstream: {reason}")
    assert said.count("\n") == 1


def test_it_answers_a_hit_and_replaces_its_processes_without_losing_one(migrated: Command) -> None:
    status, issued = migrated.run("manage", "issue_token", "site", "--json")
    assert status == 0, issued
    port = free_port()
    process = migrated.start("web", "--port", str(port), "--workers", "1", "--replace-seconds", "8")
    try:
        browser = FormClient(f"http://127.0.0.1:{port}")
        headers = {
            "Content-Type": "application/json",
            "Authorization": basic(json.loads(issued)["api_token"]),
        }

        def post() -> int:
            return browser.open("/track", json.dumps(hit()).encode(), headers).status

        deadline = time.monotonic() + 30
        while not answers(port):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert post() == 204
        assert names_in_postgres() == {"hitstream-web"}
        process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 11
        while time.monotonic() < until:
            assert post() == 204
            time.sleep(0.05)
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert said.count("Started worker-1 runtime-1") == 2, said


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
