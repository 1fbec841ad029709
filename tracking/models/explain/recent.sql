-- name: hits
-- The latest hits, for the live page.
SELECT id, token_id, type, name, user_id, anonymous_id, hit_id, received_at AT TIME ZONE 'UTC'
FROM hitstream_hit ORDER BY id DESC LIMIT %(limit)s

-- name: states
-- How many deliveries of each hit are in each state, by integration.
SELECT hit_id, integration_id, state, count(*) FROM hitstream_delivery
WHERE hit_id = ANY(%(ids)s) AND hit_id >= %(first)s AND hit_id <= %(last)s
  AND state NOT IN ('failed', 'dead_letter')
GROUP BY 1, 2, 3 ORDER BY 2

-- name: integrations
-- The names of the integrations of those deliveries.
SELECT id, name FROM hitstream_integration WHERE id = ANY(%(ids)s)
