"""A deployment that has been at work for a while: hits of five tokens over many days, each sent
to two integrations, the last of them queued or dead, and the ledger of it all.

One user in fifty hits is a bot, so that a search meets one with very many.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from tracking.models import Integration, Token
from tracking.models.hits.partitions import PARTITIONED, SQL, Partition

TOKENS = 5
#: Milliseconds of a day that hits come in: those of today are all in the past, but for the first
#: hours after midnight in UTC.
DAY = 86_400_000

HITS = """
    INSERT INTO hitstream_hit_{day} (id, token_id, revision, hit_id, type, name, user_id,
        anonymous_id, email_hash, sent_at, received_at, occurred_at, clock, ip, user_agent, payload)
    SELECT (lpad(to_hex({start} + n * {step} / 1000), 12, '0') || '7'
            || lpad(to_hex(n % 4096), 3, '0') || 'a' || substr(md5('{day}' || n), 1, 15))::uuid,
        ({tokens}::bigint[])[1 + least(n % 10, 9) / 2], 1, 'crowd-{day}-' || n, 'track',
        'Event ' || (n * 7) % 20,
        CASE WHEN n % 50 = 0 THEN 'bot' ELSE 'u' || (n * 31) % 200000 END,
        'a' || (n * 17) % 400000, CASE WHEN n % 4 = 0 THEN md5((n % 90000)::text) ELSE '' END,
        at, at, at, 'received', '127.0.0.1', 'crowd',
        jsonb_build_object('event', jsonb_build_object('name', 'Event ' || (n * 7) % 20,
                'plan', (ARRAY['free', 'pro', 'team', 'none'])[1 + n % 4],
                'user', jsonb_build_object('userId', 'u' || n)),
            'context', jsonb_build_object('page', jsonb_build_object('path', '/p/' || n % 500),
                'campaign', jsonb_build_object('source', 's' || n % 5, 'name', 'c' || n % 10),
                'pad', repeat('x', 200)))
    FROM generate_series(1::bigint, {rows}) AS n,
        LATERAL (SELECT to_timestamp(({start} + n * {step} / 1000) / 1000.0) AS at) AS moment
"""
# Batches of a hundred, of five hundred hits in a row. One in twenty fails at first, one hit in a
# hundred is skipped.
OUTCOMES = """
    INSERT INTO hitstream_outcome_{day}
        (token_id, hit_id, integration_id, attempt_id, result, reason, settled_at, waited)
    SELECT hit.token_id, hit.id, integration.id,
        CASE WHEN result = 'skipped' THEN hit.id ELSE (
            lpad(to_hex({start} + n / 500 * 500 * {step} / 1000), 12, '0') || '7'
            || CASE WHEN result = 'delivered' AND n / 500 % 20 = 0 THEN '001' ELSE '000' END
            || 'a' || lpad(to_hex(integration.id), 15, '0')
        )::uuid END,
        result,
        CASE result WHEN 'skipped' THEN 'No mapping' WHEN 'failed' THEN 'answered 503' ELSE '' END,
        hit.received_at + interval '0.2 s', CASE WHEN result <> 'failed' THEN 0.2 END
    FROM hitstream_hit_{day} AS hit
    JOIN hitstream_integration AS integration ON integration.token_id = hit.token_id
    CROSS JOIN LATERAL (SELECT split_part(hit.hit_id, '-', 3)::bigint AS n) AS hit_number
    CROSS JOIN LATERAL (
        SELECT CASE WHEN n % 100 = 7 THEN 'skipped' ELSE 'delivered' END AS result
        UNION ALL SELECT 'failed' WHERE n / 500 % 20 = 0 AND n % 100 <> 7
    ) AS results
"""
ATTEMPTS = """
    INSERT INTO hitstream_attempt_{day} (id, token_id, integration_id, made_at, hits, failed_hits,
        code, message, status, duration, method, url, request_headers, request_body,
        response_headers, response_body)
    SELECT id, token_id, integration_id, made_at, 100, CASE WHEN failed THEN 100 ELSE 0 END,
        CASE WHEN failed THEN 'server_error' ELSE '' END,
        CASE WHEN failed THEN 'The destination answered ' || status || ': try again in ' || n
            ELSE '' END,
        status, 0.05, 'POST', 'http://127.0.0.1:9/', '{{}}',
        CASE WHEN failed THEN repeat('x', 500) ELSE '' END, '{{}}',
        CASE WHEN failed THEN 'upstream ' || n || ' is overloaded' ELSE '' END
    FROM (
        SELECT id, token_id, integration_id, made_at, failed, n,
            CASE WHEN NOT failed THEN 200 WHEN n % 3 = 0 THEN 429 ELSE 503 END AS status
        FROM (
            SELECT attempt_id AS id, token_id, integration_id, min(settled_at) AS made_at,
                min(result) = 'failed' AND max(result) = 'failed' AS failed,
                row_number() OVER (ORDER BY attempt_id) AS n
            FROM hitstream_outcome_{day} WHERE result <> 'skipped' GROUP BY 1, 2, 3
        ) AS batch
    ) AS answered
"""
COUNTS = """
    INSERT INTO hitstream_ledger (quarter_hour, token_id, integration_id, kind, reason, count)
    WITH stored AS (
        SELECT hitstream_quarter_hour(id) AS at, token_id, count(*) AS count
        FROM hitstream_hit_{day} GROUP BY 1, 2
    )
    SELECT at, token_id, 0, 'accepted', '', count + 3 FROM stored
    UNION ALL SELECT at, token_id, 0, 'duplicate', '', 3 FROM stored
    UNION ALL SELECT at, token_id, 0, 'refused', 'user_required', 2 FROM stored
    UNION ALL SELECT at, stored.token_id, id, kind, '', count
        FROM stored JOIN hitstream_integration AS integration USING (token_id),
            unnest(ARRAY['matched', 'delivered']) AS kind
"""
# The last hits are still queued, some of them after a failure, or died.
WAITING = """
    WITH last AS (
        SELECT *, row_number() OVER (ORDER BY hit_id DESC) AS n FROM (
            SELECT outcome.token_id, hit_id, outcome.integration_id, settled_at,
                coalesce(failure.id, attempt_id) AS attempt_id
            FROM hitstream_outcome_{day} AS outcome LEFT JOIN LATERAL (
                SELECT id FROM hitstream_attempt_{day} AS attempt
                WHERE attempt.integration_id = outcome.integration_id AND code <> ''
                ORDER BY id DESC LIMIT 1
            ) AS failure ON true
            WHERE result = 'delivered' AND NOT EXISTS (
                SELECT FROM hitstream_outcome_{day} AS before
                WHERE before.hit_id = outcome.hit_id AND before.result = 'failed'
            )
            ORDER BY hit_id DESC LIMIT {waiting}
        ) AS latest
    ), gone AS (
        DELETE FROM hitstream_outcome_{day} AS outcome USING last
        WHERE outcome.hit_id = last.hit_id AND outcome.integration_id = last.integration_id
          AND n % 10 > 1
    ), failed AS (
        UPDATE hitstream_outcome_{day} AS outcome
        SET result = CASE WHEN n % 10 = 0 THEN 'dead_letter' ELSE 'failed' END,
            attempt_id = last.attempt_id, reason = 'answered 503', waited = NULL
        FROM last
        WHERE outcome.hit_id = last.hit_id AND outcome.integration_id = last.integration_id
          AND n % 10 <= 1
    ), dead AS (
        INSERT INTO hitstream_deadletter
            (token_id, integration_id, hit_id, failed_at, code, message, attempts, attempt_id)
        SELECT token_id, integration_id, hit_id, settled_at, 'permanent', 'answered 400', 1,
            attempt_id
        FROM last WHERE n % 10 = 0
    ), queued AS (
        INSERT INTO hitstream_queue
            (token_id, integration_id, hit_id, due_at, queued_at, claims, attempts)
        SELECT token_id, integration_id, hit_id,
            settled_at + CASE WHEN n % 10 = 1 THEN interval '1 h'
            ELSE interval '0' END, settled_at, 0, CASE WHEN n % 10 = 1 THEN 2 ELSE 0 END
        FROM last WHERE n % 10 > 0
    )
    INSERT INTO hitstream_ledger (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT hitstream_quarter_hour(hit_id), integration.token_id, integration_id, kind, reason,
        sum(count)
    FROM (
        SELECT hit_id, integration_id, 'delivered' AS kind, '' AS reason, -1 AS count FROM last
        UNION ALL
        SELECT hit_id, integration_id, 'dead', 'permanent', 1 FROM last WHERE n % 10 = 0
    ) AS change JOIN hitstream_integration AS integration ON integration.id = integration_id
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (quarter_hour, token_id, integration_id, kind, reason)
    DO UPDATE SET count = hitstream_ledger.count + excluded.count
"""
TOTALS = """
    INSERT INTO hitstream_lifetimetotal (token_id, integration_id, kind, reason, count)
    SELECT token_id, integration_id, kind, reason, sum(count) FROM hitstream_ledger
    GROUP BY 1, 2, 3, 4
    ON CONFLICT (integration_id, token_id, kind, reason) DO UPDATE SET count = excluded.count
"""


def crowd(hits: int, days: int, *, waiting: int) -> list[Token]:
    """So many hits stand in the last days, today included, twice as many deliveries beside them,
    the last `waiting` of which are queued or dead. Returns their tokens."""
    tokens = [make_token(number) for number in range(TOKENS)]
    now = datetime.now(UTC)
    for ago in range(days - 1, -1, -1):
        fill(now.date() - timedelta(days=ago), hits // days, now, [token.pk for token in tokens])
    with connection.cursor() as cursor:
        cursor.execute(WAITING.format(day=f"{now:%Y%m%d}", waiting=waiting))
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(TOTALS)
        cursor.execute("VACUUM ANALYZE")
    return tokens


def make_token(number: int) -> Token:
    token, _ = Token.objects.issue(f"site {number}", breakdowns=["plan"])
    for name in ("Warehouse", "Webhook"):
        Integration.objects.create(
            token=token, name=name, destination="webhook", config={"url": "http://127.0.0.1:9/"}
        )
    return token


def fill(day: date, rows: int, now: datetime, tokens: list[int]) -> None:
    """A day's leaves, made if they are not there."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    # In microseconds, for a day of many hits, or what has passed of it.
    passed = min(timedelta(days=1), now - start).total_seconds()
    values: dict[str, Any] = {
        "day": f"{day:%Y%m%d}",
        "start": int(start.timestamp() * 1000),
        "step": max(1, int(passed * 1_000_000) // (rows + 1)),
        "rows": rows,
        "tokens": f"'{{{','.join(map(str, tokens))}}}'",
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL["partitions"], {"tables": list(PARTITIONED)})
        present = {name for (name,) in cursor.fetchall()}
        for leaf in (Partition(parent, day) for parent in PARTITIONED):
            for statement in leaf.statements() if leaf.name not in present else ():
                cursor.execute(statement)
        for statement in (HITS, OUTCOMES, ATTEMPTS, COUNTS):
            cursor.execute(statement.format(**values))


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Those that are sent to the database meanwhile, each with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen
