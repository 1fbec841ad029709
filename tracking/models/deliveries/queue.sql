-- fragment: due_rows
-- The rows to claim. They are addressed by ctid, so that stale planner statistics cannot choose an
-- index scan over the dead rows of a queue that has just been emptied.
due AS MATERIALIZED (
    SELECT ctid AS place, due_at,
        statement_timestamp() + make_interval(secs => %(lease)s) AS leased_until
    FROM hitstream_queue
    WHERE token_id = %(token)s AND integration_id = %(integration)s AND claims BETWEEN %(least)s AND %(most)s
      AND due_at <= statement_timestamp() AND due_at >= %(bound)s
    ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)

-- name: claim
-- Claim the next due deliveries of an integration under a lease of `lease` seconds.
WITH {due_rows}
UPDATE hitstream_queue AS queued
SET due_at = statement_timestamp() + make_interval(secs => %(lease)s), claims = claims + 1
WHERE queued.token_id = %(token)s AND queued.ctid = ANY(ARRAY(SELECT place FROM due))
RETURNING hit_id, (SELECT max(due_at) FROM due), due_at, claims, attempts, queued_at, true

-- name: claim_in_order
-- Claim like `claim`, but of each user only the earliest delivery. A delivery behind an earlier one
-- of its ordering key is parked: settling the earlier one makes it due; should that be missed, it is
-- due when the earlier one is, or after `parking` seconds. The last column tells claimed from parked.
WITH {due_rows}
UPDATE hitstream_queue AS queued
SET (due_at, claims) = (
    SELECT CASE WHEN max(earlier.due_at) IS NULL
               THEN statement_timestamp() + make_interval(secs => %(lease)s)
               ELSE interval '1 ms' + greatest(
                   max(earlier.due_at),
                   statement_timestamp() + make_interval(secs => %(parking)s)
               )
           END,
           queued.claims + (max(earlier.due_at) IS NULL)::integer
    FROM (VALUES (1)) AS one LEFT JOIN LATERAL (
        SELECT before.due_at FROM hitstream_queue AS before
        WHERE before.token_id = %(token)s AND before.integration_id = %(integration)s
          AND before.ordering_key = queued.ordering_key AND before.seq < queued.seq
        ORDER BY before.seq LIMIT 1
    ) AS earlier ON true
)
WHERE queued.token_id = %(token)s AND queued.ctid = ANY(ARRAY(SELECT place FROM due))
RETURNING hit_id, (SELECT max(due_at) FROM due), due_at, claims, attempts, queued_at,
    due_at = (SELECT max(leased_until) FROM due)

-- name: oldest
-- Since when each integration has its oldest queued hit. An index by age covers retried deliveries.
-- The others are due in the order in which they were queued, except for those that a replay or a
-- release has put before them: the first 100 suffice.
SELECT integration.id, least(retried.queued_at, waiting.queued_at)
FROM unnest(%(integrations)s::bigint[]) AS integration (id)
LEFT JOIN LATERAL (
    SELECT queued_at FROM hitstream_queue
    WHERE {of_token} AND integration_id = integration.id AND attempts > 0
    ORDER BY queued_at LIMIT 1
) AS retried ON true
LEFT JOIN LATERAL (
    SELECT min(queued_at) AS queued_at FROM (
        SELECT queued_at FROM hitstream_queue
        WHERE {of_token} AND integration_id = integration.id ORDER BY due_at LIMIT 100
    ) AS first
) AS waiting ON true
WHERE least(retried.queued_at, waiting.queued_at) IS NOT NULL

-- name: retrying
-- How many deliveries of hits since `first` are retrying, up to `limit`. In the index's order: the
-- limit alone would make the planner read the whole table for an integration that has none.
SELECT integration.id, counted.count
FROM unnest(%(integrations)s::bigint[]) AS integration (id) CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE hit_id >= %(first)s) AS count FROM (
        SELECT hit_id FROM hitstream_queue
        WHERE {of_token} AND integration_id = integration.id AND attempts > 0
          AND queued_at >= %(since)s
        ORDER BY queued_at LIMIT %(limit)s
    ) AS retries
) AS counted
