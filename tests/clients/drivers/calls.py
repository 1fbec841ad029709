"""What every driver is told: the server's address, its key, and what to call. It says that it is
ready and then waits for a line."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

HOST, KEY = sys.argv[1:3]
CALLS = Path(__file__).resolve().parents[1] / "calls.json"


def start() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each call's name and its arguments, named and typed as Python has them."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for call in json.loads(CALLS.read_text()):
        if "timestamp" in call:
            call["timestamp"] = datetime.fromisoformat(call["timestamp"])
        yield call.pop("type"), {snake(name): value for name, value in call.items()}


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def fail(error: Exception, items: Any) -> None:
    """What the SDK gives up becomes the exit code."""
    sys.stderr.write(f"{error}: {items}\n")
    failed.append(error)


failed: list[Exception] = []
