-- name: counts
-- Every count since the beginning.
SELECT token_id, integration_id, kind, reason, sum(count)::bigint FROM hitstream_lifetime
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
