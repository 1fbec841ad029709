-- name: due
-- Of the given integrations, those with a due delivery: at or above the integration's lower bound,
-- or suspect (claimed twice without an outcome) at any time.
SELECT bounded.id
FROM unnest(%(integrations)s::bigint[], %(bounds)s::timestamptz[]) AS bounded (id, bound)
WHERE EXISTS (
    SELECT FROM hitstream_queue
    WHERE {of_token} AND integration_id = bounded.id
      AND due_at <= statement_timestamp() AND due_at >= bounded.bound
) OR EXISTS (
    SELECT FROM hitstream_queue
    WHERE {of_token} AND integration_id = bounded.id AND due_at <= statement_timestamp()
      AND claims >= 2
)
