-- name: consolidate
-- Move a chunk of the tallies into the ledger, by hour, and into the lifetime totals.
WITH tallies AS (
    DELETE FROM hitstream_tally WHERE id IN (
        SELECT id FROM hitstream_tally ORDER BY id LIMIT %(chunk)s FOR UPDATE SKIP LOCKED
    ) RETURNING hour, token_id, integration_id, kind, reason, count
), hours AS (
    INSERT INTO hitstream_ledger AS ledger
        (hour, token_id, integration_id, kind, reason, count)
    SELECT hour, token_id, integration_id, kind, reason, sum(count) FROM tallies
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (hour, token_id, integration_id, kind, reason)
    DO UPDATE SET count = ledger.count + excluded.count
), totals AS (
    INSERT INTO hitstream_lifetimetotal AS total (token_id, integration_id, kind, reason, count)
    SELECT token_id, integration_id, kind, reason, sum(count) FROM tallies
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (integration_id, token_id, kind, reason)
    DO UPDATE SET count = total.count + excluded.count
)
SELECT count(*) FROM tallies

-- name: token_hours
-- What became of a token's hits, by hour.
SELECT hour, kind, sum(count)::bigint FROM hitstream_hourly
WHERE token_id = %(owner)s AND integration_id = 0 AND hour >= %(since)s
GROUP BY 1, 2 ORDER BY 1 DESC

-- name: counted_integration_hours
-- What became of an integration's deliveries, by hour, without those that are still queued.
SELECT hour, kind, sum(count)::bigint FROM hitstream_hourly
WHERE integration_id = %(owner)s AND hour >= %(since)s
GROUP BY 1, 2 ORDER BY 1 DESC

-- name: integration_hours
-- What became of an integration's deliveries, by hour. One statement, so one snapshot: what is
-- counted and what is still queued add up at any moment.
SELECT hour, kind, sum(count)::bigint FROM (
    SELECT hour, kind, count FROM hitstream_hourly
    WHERE integration_id = %(owner)s AND hour >= %(since)s
    UNION ALL
    SELECT hitstream_hour(hit_id), CASE WHEN attempts > 0 THEN 'retrying' ELSE 'pending' END, 1
    FROM hitstream_queue
    WHERE integration_id = %(owner)s AND hit_id >= %(first)s
) AS counted
GROUP BY 1, 2 ORDER BY 1 DESC
