-- name: events
-- The hits as destinations see them, in the order of an Event's fields, without the last. The bounds
-- keep Postgres from planning for every partition.
SELECT id, hit_id, type, name, user_id, anonymous_id, email_hash,
    sent_at AT TIME ZONE 'UTC', received_at AT TIME ZONE 'UTC', occurred_at AT TIME ZONE 'UTC',
    clock, host(ip), user_agent, payload::text
FROM hitstream_hit
WHERE token_id = %(token)s AND id = ANY(%(ids)s) AND id >= %(first)s AND id <= %(last)s
