-- name: announce
-- Announce the run for `seconds`. Returns its rank among the live runs, and how many these are.
WITH announced AS (
    INSERT INTO hitstream_run (holder, expires_at)
    VALUES (%(holder)s, statement_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (holder) DO UPDATE SET expires_at = excluded.expires_at
)
SELECT count(*) FILTER (WHERE holder < %(holder)s), count(*) + 1
FROM hitstream_run WHERE holder <> %(holder)s AND expires_at > statement_timestamp()

-- name: retire
-- End the run, and remove runs that ended without a word.
DELETE FROM hitstream_run
WHERE holder = %(holder)s OR expires_at < statement_timestamp() - interval '1 minute'
