-- name: take
-- Take the session locks of these integrations that no other session holds.
SELECT id FROM unnest(%(integrations)s::bigint[]) AS id
WHERE pg_try_advisory_lock(hashtextextended('hitstream-deliver', id))

-- name: leave
-- Release the session lock of an integration.
SELECT pg_advisory_unlock(hashtextextended('hitstream-deliver', %(integration)s))
