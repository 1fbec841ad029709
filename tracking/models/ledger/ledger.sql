-- name: consolidate
-- Move a chunk of the tallies into the ledger, by quarter of an hour, and into the lifetime totals.
WITH tallies AS (
    DELETE FROM hitstream_tally WHERE id IN (
        SELECT id FROM hitstream_tally WHERE {of_token}
        ORDER BY id LIMIT %(chunk)s FOR UPDATE SKIP LOCKED
    ) AND {of_token}
    RETURNING quarter_hour, token_id, integration_id, kind, reason, count
), quarters AS (
    INSERT INTO hitstream_ledger AS ledger
        (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT quarter_hour, token_id, integration_id, kind, reason, sum(count) FROM tallies
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (quarter_hour, token_id, integration_id, kind, reason)
    DO UPDATE SET count = ledger.count + excluded.count
), totals AS (
    INSERT INTO hitstream_lifetimetotal AS total (token_id, integration_id, kind, reason, count)
    SELECT token_id, integration_id, kind, reason, sum(count) FROM tallies
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (integration_id, token_id, kind, reason)
    DO UPDATE SET count = total.count + excluded.count
)
SELECT count(*) FROM tallies

-- name: token_counts
-- What became of a token's hits, by quarter of an hour.
SELECT quarter_hour, kind, sum(count)::bigint FROM hitstream_counts
WHERE token_id = %(owner)s AND integration_id = 0 AND quarter_hour >= %(since)s
GROUP BY 1, 2 ORDER BY 1 DESC

-- name: settled_integration_counts
-- What became of an integration's deliveries, by quarter of an hour, without those that are still
-- queued.
SELECT quarter_hour, kind, sum(count)::bigint FROM hitstream_counts
WHERE integration_id = %(owner)s AND quarter_hour >= %(since)s
GROUP BY 1, 2 ORDER BY 1 DESC

-- name: integration_counts
-- What became of an integration's deliveries, by quarter of an hour. One statement, so one snapshot:
-- what is counted and what is still queued add up at any moment.
SELECT quarter_hour, kind, sum(count)::bigint FROM (
    SELECT quarter_hour, kind, count FROM hitstream_counts
    WHERE integration_id = %(owner)s AND quarter_hour >= %(since)s
    UNION ALL
    SELECT hitstream_quarter_hour(hit_id),
        CASE WHEN attempts > 0 THEN 'retrying' ELSE 'pending' END, 1
    FROM hitstream_queue
    WHERE integration_id = %(owner)s AND hit_id >= %(first)s
) AS counted
GROUP BY 1, 2 ORDER BY 1 DESC
