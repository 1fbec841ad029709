-- name: compare
-- The hours in which the roll-up differs from the hits. One statement, so one snapshot. A hit that
-- is marked late before the watermark is not counted yet.
WITH watermark AS (
    SELECT position FROM hitstream_watermark WHERE token_id = %(watermark)s
), hits AS (
    SELECT token_id, date_trunc('hour', occurred_at, 'UTC') AS at, count(*) AS count
    FROM hitstream_hit
    WHERE {of_token} AND id <= (SELECT position FROM watermark) AND occurred_at >= %(since)s
      AND (name, anonymous_id) <> (%(test_event)s, %(test_user)s)
      AND NOT EXISTS (
          SELECT FROM hitstream_latearrival AS late
          WHERE {late.of_token} AND late.hit_id = hitstream_hit.id
      )
    GROUP BY 1, 2
), rollups AS (
    SELECT token_id, at, sum(count) AS count FROM hitstream_rollup
    WHERE {of_token} AND dimension = %(dimension)s AND at >= %(since)s GROUP BY 1, 2
)
SELECT token_id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
    coalesce(hits.count, 0), coalesce(rollups.count, 0)
FROM hits FULL JOIN rollups USING (token_id, at)
WHERE hits.count IS DISTINCT FROM rollups.count ORDER BY 1, 2
