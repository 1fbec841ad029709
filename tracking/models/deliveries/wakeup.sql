-- name: claim
-- Claim the next wake-up unless another process did within `interval` seconds. Returns whether it is
-- claimed, and the age of the last wake-up in seconds.
WITH before AS (
    SELECT extract(epoch FROM clock_timestamp() - woken_at)::float8 AS age FROM hitstream_wakeup
), claimed AS (
    INSERT INTO hitstream_wakeup AS wakeup (id, woken_at) VALUES (1, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET woken_at = clock_timestamp()
        WHERE wakeup.woken_at NOT BETWEEN clock_timestamp() - make_interval(secs => %(interval)s)
            AND clock_timestamp()
    RETURNING true
)
SELECT EXISTS (SELECT FROM claimed), coalesce((SELECT age FROM before), 'infinity'::float8)
