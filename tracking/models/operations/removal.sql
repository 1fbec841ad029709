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

-- name: remove_dead_letters
-- Delete these dead letters of the token, and take each from what its integration matched and from its
-- dead letters. Returns how many.
WITH letters AS (
    DELETE FROM hitstream_deadletter WHERE token_id = %(token)s AND id = ANY(%(ids)s)
    RETURNING integration_id, hit_id, code
), corrections AS (
    INSERT INTO hitstream_tally (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT hitstream_quarter_hour(hit_id), %(token)s, integration_id, 'dead', code, -count(*)
    FROM letters GROUP BY 1, 3, 5
    UNION ALL
    SELECT hitstream_quarter_hour(hit_id), %(token)s, integration_id, 'matched', '', -count(*)
    FROM letters GROUP BY 1, 3
)
SELECT count(*) FROM letters

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
