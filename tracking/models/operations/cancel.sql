-- name: cancel
-- Cancel a chunk of what is queued for an integration, except what a live lease holds: a worker may be
-- sending it this very moment.
WITH unclaimed AS MATERIALIZED (
    SELECT hit_id FROM hitstream_queue
    WHERE token_id = %(token)s AND integration_id = %(integration)s
      AND NOT (claims > 0 AND due_at > statement_timestamp())
    LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), cancelled AS (
    DELETE FROM hitstream_queue AS queued USING unclaimed
    WHERE queued.token_id = %(token)s AND queued.integration_id = %(integration)s
      AND queued.hit_id = unclaimed.hit_id
    RETURNING queued.hit_id
), outcomes AS (
    INSERT INTO hitstream_outcome
        (token_id, hit_id, integration_id, attempt_id, result, reason, settled_at)
    SELECT %(token)s, hit_id, %(integration)s, %(attempt)s, 'cancelled', %(reason)s, statement_timestamp()
    FROM cancelled
), tallies AS (
    INSERT INTO hitstream_tally (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT hitstream_quarter_hour(hit_id), %(token)s, %(integration)s, 'cancelled', '', count(*)
    FROM cancelled GROUP BY 1
)
SELECT count(*) FROM cancelled
