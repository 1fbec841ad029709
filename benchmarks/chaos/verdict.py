"""What must hold when all is over, and what does not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from dataclasses import dataclass, field

import psycopg

from benchmarks.chaos.client import Client
from benchmarks.chaos.stack import url_of
from benchmarks.chaos.vendor import Vendor
from project.embedded.paths import ROOT
from tests.support.stack import Stack

#: Until nothing is queued: leases run out, and what failed twice waits for up to a minute.
PATIENCE = 300.0
QUEUED = "SELECT count(*) FROM hitstream_queue"
STUCK = """
    SELECT hit_id, due_at - now() AS due_in, claims, attempts FROM hitstream_queue
    ORDER BY due_at LIMIT 5
"""
COUNTS = """
    SELECT (SELECT count(*) FROM hitstream_hit), (SELECT count(DISTINCT hit_id) FROM hitstream_hit),
           (SELECT count(*) FROM hitstream_queue), (SELECT count(*) FROM hitstream_deadletter)
"""


@dataclass
class Verdict:
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def check(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def ask(stack: Stack, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url_of(stack), connect_timeout=5) as connection:
        return connection.execute(question.encode()).fetchall()


async def settled(stack: Stack) -> float:
    """Seconds until nothing was queued any more, or until patience ended."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        try:
            if await asyncio.to_thread(ask, stack, QUEUED) == [(0,)]:
                break
        except psycopg.OperationalError:
            pass  # It is being started again.
        await asyncio.sleep(0.5)
    return time.monotonic() - began


def judge(stack: Stack, client: Client, vendor: Vendor, waited: float) -> Verdict:
    verdict = Verdict()
    stored, distinct, queued, dead = ask(stack, COUNTS)[0]
    lost = client.accepted - vendor.received.keys()
    again = [number for number, times in vendor.received.items() if times > 1]
    renamed = [number for number, names in vendor.names.items() if len(names) > 1]
    named = len(set().union(*vendor.names.values()))
    verdict.lines = [
        f"answers: {dict(client.answers)}; the vendor's: {dict(vendor.moods)}",
        f"{len(client.accepted):,} answered 204, {len(lost)} of them never received",
        f"{len(again)} received more than once, {len(renamed)} of all under another id",
        f"{stored:,} stored, {queued} queued {waited:.0f} s after the last hit, {dead} dead",
    ]
    verdict.check(not lost, f"answered 204 and never received: {sorted(lost)[:10]}")
    verdict.check(not renamed, f"sent again under another idempotency id: {renamed[:10]}")
    verdict.check(named == len(vendor.names), "two hits had the same idempotency id")
    verdict.check(stored == distinct == client.hits, f"{stored} rows of {distinct} hits stored")
    strange = client.answers.keys() - {"204", "503", "no connection"}
    verdict.check(not strange, f"answered neither 204 nor 503: {sorted(strange)}")
    verdict.check(dead == 0, f"{dead} dead letters")
    verdict.check(queued == 0, f"{queued} still queued: {ask(stack, STUCK)}")
    reconcile(stack, verdict)
    return verdict


def reconcile(stack: Stack, verdict: Verdict) -> None:
    """`manage.py reconcile` finds that everything adds up."""

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=stack.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    if manage("help", "reconcile").returncode != 0:
        verdict.lines.append("manage.py reconcile is missing: not asked")
        return
    asked = manage("reconcile")
    verdict.lines.append(f"manage.py reconcile: {asked.stdout.strip()}")
    verdict.check(asked.returncode == 0, f"reconcile: {asked.stdout}{asked.stderr}")
