-- name: forget_rollups
-- Delete a chunk of the counts of what occurred before the day.
DELETE FROM hitstream_rollup WHERE {of_token} AND ctid = ANY(ARRAY(
    SELECT ctid FROM hitstream_rollup WHERE {of_token} AND at < %(before)s LIMIT %(chunk)s
))

-- name: forget_visitors
-- Delete a chunk of the users of the days before the day.
DELETE FROM hitstream_visitor WHERE {of_token} AND ctid = ANY(ARRAY(
    SELECT ctid FROM hitstream_visitor WHERE {of_token} AND day < %(before)s LIMIT %(chunk)s
))
