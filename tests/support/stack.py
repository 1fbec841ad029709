"""All of Hitstream as `make run` starts it, on a Postgres and a broker of the test's own."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from cryptography.fernet import Fernet

from tests.support.ports import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
SENDERS = 16


@dataclass
class Answer:
    status: int
    seconds: float
    retry_after: str | None


@dataclass
class Stack:
    port: int
    environment: dict[str, str]
    log: Path
    run: subprocess.Popen[bytes] = field(init=False)

    def manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def issue(self, name: str) -> str:
        token: str = json.loads(self.manage("issue_token", name, "--json"))["api_token"]
        return token

    def forward(self, name: str, url: str, **config: Any) -> str:
        """The token's hits go to this webhook; its signing secret."""
        text = json.dumps({"url": url, **config})
        made = self.manage("add_integration", name, "webhook", "--config", text, "--json")
        return str(json.loads(made)["signing_secret"])

    def processes(self, *words: str) -> list[psutil.Process]:
        """The stack's processes that have all these words on their command line."""
        found = psutil.Process(self.run.pid).children(recursive=True)
        return [each for each in found if set(words) <= set(command_of(each))]

    def kill(self, *words: str) -> int:
        processes = self.processes(*words)
        for process in processes:
            process.send_signal(signal.SIGKILL)
        return len(processes)

    def sender(self, token: str) -> Sender:
        return Sender(self.port, token)

    def post_many(self, token: str, count: int, *, prefix: str) -> list[Answer]:
        """So many different hits, from several connections at once."""

        def post(numbers: range) -> list[Answer]:
            sender = self.sender(token)
            return [sender.post(f"{prefix}-{number}") for number in numbers]

        with ThreadPoolExecutor(SENDERS) as pool:
            parts = pool.map(post, [range(start, count, SENDERS) for start in range(SENDERS)])
            return [answer for part in parts for answer in part]


class Sender:
    """One keep-alive connection that posts hits."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {
            "Authorization": "Basic " + base64.b64encode(f"{token}:".encode()).decode(),
            "Content-Type": "application/json",
        }

    def post(self, hit_id: str) -> Answer:
        hit = {"hitId": hit_id, "event": {"name": "Registered", "user": {"userId": "u1"}}}
        started = time.monotonic()
        self.connection.request("POST", "/track", json.dumps(hit), self.headers)
        response = self.connection.getresponse()
        response.read()
        seconds = time.monotonic() - started
        return Answer(response.status, seconds, response.headers.get("Retry-After"))


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@contextmanager
def running(
    directory: Path, database_url: str, broker_url: str, **environment: str
) -> Iterator[Stack]:
    """Everything is up and answers; at the end it is told to stop and does."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not ours(name)},
        "HITSTREAM_VAR": str(directory / "var"),
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url,
        "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS": "1",
        "DJANGO_SECRET_KEY": "stack",
        "HITSTREAM_SECRET_KEYS": Fernet.generate_key().decode(),
        "HITSTREAM_RESTART_DELAY": "0.01",
        "PORT": str(port),
        **environment,
    }
    stack = Stack(port, environment, directory / "log")
    with stack.log.open("wb") as log:
        stack.run = subprocess.Popen(
            [sys.executable, "-m", "project.run"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: "ready in" in stack.log.read_text() or stack.run.poll(), within=120)
        assert stack.run.poll() is None, stack.log.read_text()
        yield stack
    finally:
        stack.run.terminate()
        code = stack.run.wait(40)
        print(stack.log.read_text()[-20_000:])  # noqa: T201 (shown where a test fails)
    assert code == 0


def ours(name: str) -> bool:
    return name.startswith("HITSTREAM_") or name in {"DJANGO_SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
