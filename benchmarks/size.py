"""`python -m benchmarks.size`: is ingest as fast with ten million hits stored as with none?

Thirty days of hits, a dedup window of seven, the same load before and after; then a day is dropped
and one is made under load, beside a reader's open transaction.
"""

from __future__ import annotations

import os
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import django

from benchmarks.hotpath import OURS, median
from benchmarks.load import Run, load
from benchmarks.stack import Bench, bench

HITS = int(os.environ.get("BENCH_HITS", "10000000"))
DAYS, WINDOW, ROUNDS = 30, 7, 5
FILL = """
    WITH made AS (
        INSERT INTO {leaf} (id, token_id, revision, hit_id, type, name, user_id, anonymous_id,
            email_hash, sent_at, received_at, occurred_at, clock, ip,
            user_agent, payload)
        SELECT (lpad(to_hex({start} + n * {step}), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
                || 'a' || substr(md5(n::text), 1, 15))::uuid,
            1, 1, 'fill-{day}-' || n, 'track', 'Added Product', 'u' || n % 100000,
            md5((n % 1000000)::text), '', to_timestamp({start} / 1000.0), now(), now(), 'sent',
            '127.0.0.1', 'fill',
            jsonb_build_object('hitId', 'fill-{day}-' || n, 'pad', repeat('x', 450))
        FROM generate_series(1, {rows}) n
        RETURNING id, hit_id
    )
    INSERT INTO hitstream_hitkey (token_id, digest, hit_id)
    SELECT 1, md5(hit_id)::uuid, id FROM made WHERE {keyed}
"""


def fill(servers: Bench) -> None:
    """Ten million hits stand in the thirty days before today, with the keys of the last seven."""
    today = datetime.now(UTC).date()

    os.environ.update(servers.environment, DJANGO_SETTINGS_MODULE="project.settings")
    django.setup()
    from tracking.models.hits.partitions import Partition  # noqa: PLC0415 (only once the apps are loaded)

    def fill_day(ago: int) -> None:
        leaf = Partition("hitstream_hit", today - timedelta(days=ago))
        start = int(
            datetime(leaf.day.year, leaf.day.month, leaf.day.day, tzinfo=UTC).timestamp() * 1000
        )
        rows = HITS // DAYS
        with servers.connect() as connection:
            if ago > 1:
                for statement in leaf.statements():
                    connection.execute(statement)
            connection.execute(
                FILL.format(
                    leaf=leaf.name,
                    day=ago,
                    start=start,
                    step=86_400_000 // (rows + 1),
                    rows=rows,
                    keyed="true" if ago <= WINDOW else "false",
                )
            )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill_day, range(DAYS, 0, -1)))
    with servers.connect() as connection:
        connection.execute("VACUUM ANALYZE")


def measure(authorization: str, servers: Bench) -> list[Run]:
    runs = []
    for _ in range(ROUNDS):
        servers.settle()
        runs.append(load(OURS, authorization))
    return runs


def drop_under_load(authorization: str, servers: Bench) -> tuple[Run, str]:
    """A load of 15 s during which the oldest day is dropped, with a reader in its way for 5 s."""
    with ThreadPoolExecutor(2) as pool, servers.connect() as reader:
        running = pool.submit(load, OURS, authorization, seconds=15)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM hitstream_hit WHERE hit_id = 'nobody'")
        first = pool.submit(servers.manage, "shell", "-v", "0", "-c", DROP)
        kept = first.result()
        reader.execute("COMMIT")
        dropped = servers.manage("shell", "-v", "0", "-c", DROP)
        return running.result(), f"{kept.strip()}; then {dropped.strip()}"


DROP = f"""
from django.conf import settings
from django.db import connection
settings.HITSTREAM['HIT_DAYS'] = {DAYS - 1}
settings.HITSTREAM['PARTITION_DAYS_AHEAD'] = 31
from tracking.models import maintenance, retention
pruned = retention.prune()
print('dropped', pruned.dropped, 'kept', list(pruned.kept), 'made', maintenance.make_partitions())
"""


def main() -> int:
    with bench() as servers:
        authorization = servers.issue("size")
        servers.serve(OURS)
        load(OURS, authorization, seconds=3)
        before = measure(authorization, servers)
        fill(servers)
        stored = servers.count("hitstream_hit")
        load(OURS, authorization, seconds=3)
        after = measure(authorization, servers)
        dropping, what = drop_under_load(authorization, servers)
    rate = median(after) / median(before)
    p95 = statistics.median(run.p95 for run in after) / statistics.median(r.p95 for r in before)
    sys.stdout.write(
        f"with {stored:,} hits stored: {median(after):,.0f} hits/s ÷ {median(before):,.0f} on the "
        f"empty table = {rate:.2f}; p95 {median(after, 'p95'):.1f} ÷ {median(before, 'p95'):.1f} ms"
        f" = {p95:.2f}\n{what}\nwhile a day is dropped and made beside a reader: "
        f"{dropping.rate:,.0f} hits/s, longest {dropping.longest:.0f} ms, {dropping.statuses}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
