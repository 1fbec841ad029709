"""wrk: one thread, so many connections, a different hit with each request."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path

SCRIPT = Path(__file__).with_name("hits.lua")
runs = count(1)


@dataclass(frozen=True)
class Run:
    """What a load came to; latencies in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    longest: float
    statuses: dict[str, int]
    unanswered: int

    @property
    def accepted(self) -> int:
        return self.statuses.get("204", 0)


def load(
    port: int,
    authorization: str,
    *,
    path: str = "/track",
    connections: int = 32,
    seconds: int = 5,
    hits: int = 1,
) -> Run:
    """Requests of so many hits each."""
    executable = shutil.which("wrk")
    assert executable, "wrk is missing: apt-get install wrk"
    prefix = f"bench{next(runs)}"
    said = subprocess.run(
        [
            *(executable, "--threads", "1", "--connections", str(connections)),
            *("--duration", f"{seconds}s", "--timeout", "30s", "--script", str(SCRIPT)),
            *(f"http://127.0.0.1:{port}", "--", path, authorization, prefix, str(hits)),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()[-1]
    found = json.loads(said)
    return Run(
        rate=found["requests"] / found["seconds"],
        p50=found["p50"],
        p95=found["p95"],
        p99=found["p99"],
        longest=found["max"],
        statuses=found["statuses"],
        unanswered=found["unanswered"],
    )
