"""`python -m benchmarks.cluster URL…`: hits stored each second in several migrated databases, turn
by turn in one run: one Postgres, a Citus cluster of one server, one of two.

Processes store batches for many tokens as the writers do. Nothing is delivered. Load goes only to
the databases that are named.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOKENS, BATCH = 100, 100
MAKE = """
import sys
import django; django.setup()
from tracking.models import Token
for number in range(Token.objects.count(), int(sys.argv[1])):
    Token.objects.issue(f"bench {number}")
"""
STORE = """
import json, random, sys, time
import django; django.setup()
from tests.support.rollups import sender
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write import store
from tracking.ingest.write.connection import connect
from tracking.models import Token
tokens = list(Token.objects.all()[:int(sys.argv[1])])
event = {"name": "Registered", "user": {"userId": "u1"}, "plan": "pro"}
body = json.dumps({"event": event}).encode()
random.seed(int(sys.argv[4]))
with connect() as ours:
    store.store(ours, [parse(body, sender(tokens[0]))])
    print("ready", flush=True); sys.stdin.readline()
    stored, ends = 0, time.monotonic() + float(sys.argv[3])
    while time.monotonic() < ends:
        token = random.choice(tokens)
        store.store(ours, [parse(body, sender(token)) for _ in range(int(sys.argv[2]))])
        stored += int(sys.argv[2])
print(stored)
"""


def environment_of(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": url,
        "BROKER_URL": "redis://127.0.0.1:1/0",
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DJANGO_SECRET_KEY": "benchmark",
        "LOG_LEVEL": "ERROR",
    }


def turn(url: str, processes: int, seconds: float) -> float:
    """Return the hits that were stored each second."""
    arguments = [str(each) for each in (TOKENS, BATCH, seconds)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", STORE, *arguments, str(number)],
            cwd=ROOT,
            env=environment_of(url),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(processes)
    ]
    for each in running:
        assert each.stdout is not None
        if each.stdout.readline() != "ready\n":
            raise SystemExit(f"A process could not store in {url.rpartition('@')[2]}.")
    began = time.monotonic()
    stored = sum(int(each.communicate("\n")[0]) for each in running)
    return stored / (time.monotonic() - began)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("urls", nargs="+")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=8.0)
    options.add_argument("--processes", type=int, default=4)
    given = options.parse_args()
    found: dict[str, list[float]] = {url: [] for url in given.urls}
    for url in given.urls:
        make = [sys.executable, "-c", MAKE, str(TOKENS)]
        subprocess.run(make, cwd=ROOT, env=environment_of(url), check=True)
    for number in range(given.rounds):
        for url in given.urls[number % 2 :] + given.urls[: number % 2]:
            found[url].append(turn(url, given.processes, given.seconds))
    first = statistics.median(found[given.urls[0]])
    for url, rates in found.items():
        middle = statistics.median(rates)
        shown = {"hits/s": round(middle), "of the first": round(middle / first, 2)}
        sys.stdout.write(f"{url.rpartition('@')[2]}: {json.dumps(shown)}, {[*map(round, rates)]}\n")


if __name__ == "__main__":
    main()
