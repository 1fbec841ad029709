-- fragment: switches
-- What a hit's `integrations` object switches, without the options in it.
(SELECT jsonb_object_agg(key, CASE WHEN value IN ('false', 'null') THEN value ELSE 'true' END)
 FROM jsonb_each(CASE jsonb_typeof(payload -> 'integrations') WHEN 'object'
     THEN payload -> 'integrations' END))

-- fragment: is_known
-- Whether the integration has a record of the hit.
(EXISTS (SELECT FROM hitstream_queue AS queued
         WHERE queued.hit_id = hit.id AND queued.token_id = hit.token_id
           AND queued.integration_id = %(integration)s)
 OR EXISTS (SELECT FROM hitstream_deadletter AS letter
            WHERE letter.hit_id = hit.id AND letter.token_id = hit.token_id
              AND letter.integration_id = %(integration)s)
 OR EXISTS (SELECT FROM hitstream_outcome AS outcome
            WHERE outcome.hit_id = hit.id AND outcome.token_id = hit.token_id
              AND outcome.integration_id = %(integration)s
              AND outcome.hit_id >= %(first)s AND outcome.hit_id <= %(last)s))

-- fragment: is_in_range
-- Whether the hit is one of the token's, within the criteria.
token_id = %(token)s AND id >= %(first)s AND id < %(last)s
AND (%(names)s::text[] = '{}' OR name = ANY(%(names)s))

-- name: count
-- How many hits without a record there are, by event name and switches.
SELECT name, {switches}::text, count(*), min(id::text)::uuid, max(id::text)::uuid
FROM hitstream_hit AS hit WHERE {is_in_range} AND NOT {is_known} GROUP BY 1, 2

-- name: look
-- The next hits, and whether the integration has a record of each.
SELECT id, name, {switches}::text, {is_known}
FROM hitstream_hit AS hit WHERE {is_in_range} ORDER BY id LIMIT %(limit)s

-- name: enqueue
-- Queue these hits for the integration, except those that it has a record of.
WITH queued AS (
    INSERT INTO hitstream_queue (
        token_id, integration_id, hit_id, due_at, queued_at, ordering_key, claims, attempts
    )
    SELECT hit.token_id, integration.id, hit.id, statement_timestamp(), statement_timestamp(),
        CASE WHEN integration.ordered
            THEN hitstream_ordering_key(hit.anonymous_id, hit.user_id) END, 0, 0
    FROM hitstream_hit AS hit
    JOIN hitstream_integration AS integration
      ON integration.id = %(integration)s AND integration.deleted_at IS NULL
    WHERE hit.token_id = %(token)s AND hit.id = ANY(%(ids)s) AND hit.id >= %(first)s AND hit.id <= %(last)s AND NOT {is_known}
    ORDER BY hit.id
    ON CONFLICT DO NOTHING
    RETURNING hit_id
), tallies AS (
    INSERT INTO hitstream_tally (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT hitstream_quarter_hour(hit_id), %(token)s, %(integration)s, 'matched', '', count(*)
    FROM queued GROUP BY 1
)
SELECT count(*) FROM queued
