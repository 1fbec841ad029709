-- name: bounds
-- The first and the last hit of these dead letters.
SELECT min(hit_id::text)::uuid, max(hit_id::text)::uuid
FROM hitstream_deadletter WHERE id = ANY(%(ids)s)

-- name: replay
-- Queue the hits of these dead letters again, and remove the dead letters. A dead letter whose hit is
-- queued at the same time stays: settling that delivery removes it. The bounds keep Postgres from
-- planning for every partition of the hits.
WITH letters AS MATERIALIZED (
    SELECT id, token_id, integration_id, hit_id, code FROM hitstream_deadletter
    WHERE {of_token} AND id = ANY(%(ids)s) ORDER BY id FOR UPDATE
), queued AS (
    INSERT INTO hitstream_queue (
        token_id, integration_id, hit_id, due_at, queued_at, ordering_key, claims, attempts
    )
    SELECT letters.token_id, letters.integration_id, letters.hit_id,
        statement_timestamp(), statement_timestamp(),
        CASE WHEN integration.ordered
            THEN hitstream_ordering_key(hit.anonymous_id, hit.user_id) END, 0, 0
    FROM letters
    JOIN hitstream_integration AS integration
      ON integration.id = letters.integration_id AND integration.deleted_at IS NULL
    LEFT JOIN hitstream_hit AS hit
      ON {hit.of_token} AND hit.id = letters.hit_id AND hit.token_id = letters.token_id AND hit.id >= %(first)s AND hit.id <= %(last)s
    ORDER BY letters.hit_id
    ON CONFLICT DO NOTHING
    RETURNING token_id, integration_id, hit_id
), replayed AS (
    DELETE FROM hitstream_deadletter AS dead USING letters, queued
    WHERE {dead.of_token} AND dead.id = letters.id AND dead.token_id = letters.token_id
      AND queued.hit_id = letters.hit_id AND queued.integration_id = letters.integration_id
      AND queued.token_id = letters.token_id
    RETURNING dead.token_id, dead.integration_id, dead.hit_id, dead.code
), tallies AS (
    INSERT INTO hitstream_tally (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT hitstream_quarter_hour(hit_id), token_id, integration_id, 'dead', code, -count(*)
    FROM replayed GROUP BY 1, 2, 3, 5
)
SELECT count(*) FROM replayed

-- name: count_since
-- How many hits failed for good since then, up to a limit; in the index's order, or the planner
-- reads the table for an integration that has none.
SELECT integration.id, counted.count
FROM unnest(%(integrations)s::bigint[]) AS integration (id) CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT FROM hitstream_deadletter
        WHERE {of_token} AND integration_id = integration.id AND failed_at >= %(since)s
        ORDER BY failed_at LIMIT %(limit)s
    ) AS failures
) AS counted
