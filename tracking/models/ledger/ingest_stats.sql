-- name: counts
-- What arrived and what became of it, by quarter of an hour and by token.
WITH counted AS MATERIALIZED (
    SELECT quarter_hour, token_id, kind, reason, sum(count) AS count FROM hitstream_counts
    WHERE integration_id = 0 AND quarter_hour >= %(since)s
      AND (%(tokens)s::bigint[] IS NULL OR token_id = ANY(%(tokens)s))
    GROUP BY 1, 2, 3, 4
)
SELECT quarter_hour, token_id, kind, reason, sum(count)::bigint FROM counted
GROUP BY GROUPING SETS ((quarter_hour, kind), (token_id, kind, reason))

-- name: stored
-- How many hits were stored between two moments, by whole quarters of an hour.
SELECT coalesce(sum(CASE kind WHEN 'accepted' THEN count ELSE -count END), 0)::bigint
FROM hitstream_counts
WHERE integration_id = 0 AND quarter_hour >= %(since)s AND quarter_hour < %(until)s
  AND kind IN ('accepted', 'duplicate')
  AND (%(tokens)s::bigint[] IS NULL OR token_id = ANY(%(tokens)s))

-- name: newest
-- How many of the latest hits are of each token except `without`, and its first of them.
SELECT token_id, count(*), min(id::text)::uuid FROM (
    SELECT id, token_id FROM hitstream_hit
    WHERE id >= %(since)s AND token_id <> ALL(%(without)s::bigint[])
    ORDER BY id DESC LIMIT %(limit)s
) AS newest
GROUP BY 1
