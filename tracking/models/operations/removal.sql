-- name: remove_hits
-- Delete the token's hits from `first` to `last`, and take them from its count of accepted hits.
-- Returns how many.
WITH hits AS (
    DELETE FROM hitstream_hit
    WHERE token_id = %(token)s AND id >= %(first)s AND id <= %(last)s
    RETURNING id
), late_arrivals AS (
    DELETE FROM hitstream_latearrival
    WHERE token_id = %(token)s AND hit_id >= %(first)s AND hit_id <= %(last)s
), corrections AS (
    INSERT INTO hitstream_tally (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT hitstream_quarter_hour(id), %(token)s, 0, 'accepted', '', -count(*) FROM hits GROUP BY 1
)
SELECT count(*) FROM hits

-- name: remove_visitors
-- Delete the users of the token, on the days for which it has counts.
DELETE FROM hitstream_visitor
WHERE token_id = %(token)s AND day IN (
    SELECT (at AT TIME ZONE 'UTC')::date FROM hitstream_rollup
    WHERE token_id = %(token)s AND dimension = 'day'
)

-- name: remove_rollups
-- Delete the counts of the token.
DELETE FROM hitstream_rollup WHERE token_id = %(token)s
