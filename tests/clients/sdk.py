"""What the SDKs are asked to send, and each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.support.stack import ROOT

HERE = Path(__file__).parent
CALLS: list[dict[str, Any]] = json.loads((HERE / "calls.json").read_text())
#: Seconds until the last SDK has sent again what was refused.
PATIENCE = 40.0
#: What an SDK has no call for.
UNKNOWN = {
    "jitsu-node.mjs": {"screen", "alias"},
    "jitsu.html": {"screen", "alias"},
    "rudder.html": {"screen"},
}


def asked(sdk: str) -> list[dict[str, Any]]:
    """The calls that this driver or page makes, as far as its SDK takes what they say."""
    made = [call for call in CALLS if call["type"] not in UNKNOWN.get(sdk, ())]
    if sdk.startswith("jitsu"):
        # Its events have the time at which they are sent.
        return [{k: v for k, v in call.items() if k != "timestamp"} for call in made]
    if sdk == "analytics-next.html":
        # As the new id it sends that of whoever is identified.
        return [{**call, "userId": "u-1"} if call["type"] == "alias" else call for call in made]
    return made


class Driver:
    """Up and ready, and told by `go` to make its calls."""

    def __init__(self, name: str, host: str, key: str) -> None:
        program = Path(name)
        python = (sys.executable, "-m", f"tests.clients.drivers.{program.stem}")
        node = ("node", HERE / "drivers" / program)
        self.process = subprocess.Popen(
            (*(python if program.suffix == ".py" else node), host, key),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            self.finish()
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def finish(self) -> str:
        """What it complained about. Its calls are made, its queue is flushed, and it takes all
        for delivered."""
        _, complaints = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, complaints
        return complaints
