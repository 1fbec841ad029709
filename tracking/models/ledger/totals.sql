-- name: by_integration
-- What became of each integration's deliveries, as long as it exists.
SELECT integration_id, kind, sum(count)::bigint FROM hitstream_lifetime
WHERE integration_id > 0
GROUP BY 1, 2
