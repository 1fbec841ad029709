"""How fast hits come in by the hundred, and from a file, against COPY into the same tables."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from uuid_utils.compat import uuid7

from benchmarks.copying import BATCH, BATCHES, HIT, Writer, spend
from benchmarks.hotpath import OURS
from benchmarks.load import load
from benchmarks.stack import Bench
from project.embedded.paths import ROOT

if TYPE_CHECKING:
    from tracking.ingest.parse.arrival import Arrival

HITS = int(os.environ.get("BENCH_IMPORT_HITS", "1000000"))
PATHS = ("/v1/batch", "/track/batch")
HITS_A_REQUEST = 100
COPY_KEYS = "COPY hitstream_hitkey (token_id, digest, hit_id) FROM STDIN"


@dataclass(frozen=True)
class Imported:
    """Hits a second, the process' start included, and what memory it took: its peak ÷ what it had
    a tenth of the way."""

    hits: int
    rate: float
    growth: float


def measure(bench: Bench, rounds: int, hits: int = HITS) -> tuple[dict[str, list[float]], Imported]:
    """Hits a second in each round, through each route and by COPY; and of one import."""
    writer = Writer(bench)
    authorization = bench.issue("batches")

    def copy() -> float:
        return spend(
            lambda arrivals: copy_all(writer, arrivals),
            writer.batches(size=BATCH, count=BATCHES),
        )

    def post(path: str) -> Callable[[], float]:
        def run() -> float:
            found = load(
                OURS, authorization, path=path, connections=8, seconds=5, hits=HITS_A_REQUEST
            )
            assert set(found.statuses) == {"200"}, found
            return found.rate * HITS_A_REQUEST

        return run

    contenders = {"copy": copy, **{path: post(path) for path in PATHS}}
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for warm in contenders.values():
        warm()
    for _ in range(rounds):
        for name, work in contenders.items():
            bench.settle()
            rates[name].append(work())
    imported = import_file(bench, hits)
    rates["copy"].append(copy())
    writer.close()
    return rates, imported


def copy_all(writer: Writer, arrivals: list[Arrival]) -> None:
    """The hits and their keys, without asking whether a key was seen."""
    writer.copy(arrivals)
    with writer.connection.cursor() as cursor, cursor.copy(COPY_KEYS) as copy:
        for hit in arrivals:
            copy.write_row((hit.token_id, hit.digest, hit.id))


def import_file(bench: Bench, hits: int) -> Imported:
    with tempfile.TemporaryDirectory(prefix="hitstream-bench-") as folder:
        path = Path(folder, "hits.ndjson")
        with path.open("wb") as file:
            for _ in range(hits):
                file.write(HIT % uuid7().hex.encode() + b"\n")
        bench.settle()
        started = time.perf_counter()
        process = subprocess.Popen(
            [
                *(sys.executable, "manage.py", "import_hits", str(path)),
                "--token",
                "batches",
                "--yes",
            ],
            cwd=ROOT,
            env=bench.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        sizes: list[int] = []
        watcher = threading.Thread(target=watch, args=(process.pid, sizes))
        watcher.start()
        said, _ = process.communicate()
        seconds = time.perf_counter() - started
        watcher.join()
    assert f"stored: {hits:,}, duplicate: 0, refused: 0" in said, said
    return Imported(hits, rate=hits / seconds, growth=max(sizes) / sizes[len(sizes) // 10])


def watch(pid: int, sizes: list[int]) -> None:
    """The process' own memory, ten times a second, until it ends."""
    try:
        while True:
            sizes.append(psutil.Process(pid).memory_full_info().uss)
            time.sleep(0.1)
    except (psutil.Error, ProcessLookupError):
        return


def rows(rates: dict[str, list[float]], imported: Imported) -> dict[str, tuple[str, str]]:
    """What the report says of it."""
    copy = statistics.median(rates["copy"])
    told = {
        "(e) COPY of 500 into the tables of hits and of their keys": (f"{copy:,.0f} rows/s", "")
    }
    for path in PATHS:
        rate = statistics.median(rates[path])
        told[f"{path}, {HITS_A_REQUEST} hits a request"] = (
            f"{rate:,.0f} hits/s",
            f"÷ (e) = {rate / copy:.2f}",
        )
    told[f"import_hits, a file of {imported.hits:,}"] = (
        f"{imported.rate:,.0f} hits/s",
        f"÷ (e) = {imported.rate / copy:.2f}; memory {imported.growth:.2f} times the first tenth's",
    )
    return told
