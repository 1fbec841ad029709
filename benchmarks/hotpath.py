"""How fast hits are stored, against four references in the same run."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import redis

from benchmarks.load import Run, load
from benchmarks.stack import PYTHON, Bench
from project.embedded.account import Account
from project.embedded.binaries import postgres_binaries

ROUNDS = 5
OURS, NAIVE = 21080, 21081
PGBENCH = Path(__file__).with_name("insert.sql")


def measure(bench: Bench, rounds: int = ROUNDS) -> dict[str, list[Run]]:
    """Every contender once a round, so that what the machine does otherwise hits all alike."""
    authorization = bench.issue("bench")
    bench.serve(OURS)
    naive = naive_app(bench)
    contenders: dict[str, Callable[[], Run]] = {
        "track": lambda: load(OURS, authorization),
        "stock": lambda: load(OURS, authorization, path="/stock"),
        "naive": lambda: load_naive(bench, naive),
        "track, one connection": lambda: load(OURS, authorization, connections=1, seconds=3),
        "null, one connection": lambda: load(
            OURS, authorization, path="/null", connections=1, seconds=3
        ),
    }
    for warm in (load(OURS, authorization, seconds=2), load(NAIVE, naive, seconds=2)):
        assert set(warm.statuses) == {"204"}, warm
    results: dict[str, list[Run]] = {name: [] for name in contenders}
    before = bench.count("hitstream_hit")
    accepted = 0
    for _ in range(rounds):
        for name, run in contenders.items():
            bench.settle()
            result = run()
            results[name].append(result)
            if name.startswith("track"):
                accepted += result.accepted
    stored = bench.count("hitstream_hit") - before
    # wrk stops in the middle of its last requests: they may be stored and not counted.
    assert 0 <= stored - accepted <= 64 * rounds, (stored, accepted)
    return results


def load_naive(bench: Bench, authorization: str) -> Run:
    """With its worker, which posts each hit to a sink. What it leaves undone is thrown away, so
    that the next contender has the machine for itself."""
    worker = naive_worker(bench, f"http://127.0.0.1:{OURS}/stock")
    time.sleep(2)
    try:
        return load(NAIVE, authorization)
    finally:
        worker.kill()
        worker.wait()
        socket = bench.environment["BROKER_URL"].partition("://")[2]
        redis.Redis(unix_socket_path=socket).flushall()


def naive_app(bench: Bench) -> str:
    """Two gunicorn workers; the Authorization header of its token."""
    settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.naive.settings"}
    code = (
        "import django; django.setup();"
        "from django.core.management import call_command;"
        "call_command('migrate', run_syncdb=True, verbosity=0);"
        "from benchmarks.naive.models import NaiveToken;"
        "NaiveToken.objects.create(key='naive', name='naive')"
    )
    subprocess.run([PYTHON[0], "-c", code], env={**bench.environment, **settings}, check=True)
    application = "benchmarks.naive.wsgi:application"
    bench.start(
        NAIVE,
        *PYTHON,
        *f"gunicorn --workers 2 --bind 127.0.0.1:{NAIVE} --log-level error {application}".split(),
        **settings,
    )
    return "Basic bmFpdmU6"


def naive_worker(bench: Bench, sink: str) -> subprocess.Popen[bytes]:
    """The Celery worker of the naive app, which posts each hit to the sink."""
    app = "benchmarks.naive.wsgi:celery"
    return bench.start(
        None,
        *PYTHON,
        *f"celery -A {app} worker --concurrency 2 --loglevel ERROR".split(),
        DJANGO_SETTINGS_MODULE="benchmarks.naive.settings",
        WEBHOOK_URL=sink,
    )


def pgbench(bench: Bench) -> float:
    """Single-row inserts of the same row into the same table a second, from 32 clients."""
    said = subprocess.run(
        [
            *(
                str(postgres_binaries(Account.for_postgres()) / "pgbench"),
                "--no-vacuum",
                "--client",
                "32",
                "--jobs",
                "1",
                "--time",
                "5",
            ),
            *("--protocol", "prepared", "--file", PGBENCH, bench.database_url),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    (line,) = [line for line in said.splitlines() if line.startswith("tps")]
    return float(line.split()[2])


def median(runs: list[Run], name: str = "rate") -> float:
    return float(statistics.median(getattr(run, name) for run in runs))
