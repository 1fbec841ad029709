-- name: take
-- Lease the integrations that no other holder has. A lease that is held is only read.
INSERT INTO hitstream_lease AS lease (integration_id, holder, expires_at)
SELECT id, %(holder)s, statement_timestamp() + make_interval(secs => %(seconds)s)
FROM unnest(%(integrations)s::bigint[]) AS id
WHERE NOT EXISTS (
    SELECT FROM hitstream_lease AS held
    WHERE held.integration_id = id AND held.expires_at > statement_timestamp()
)
ORDER BY id
ON CONFLICT (integration_id) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE lease.expires_at <= statement_timestamp()
RETURNING integration_id

-- name: renew
-- Renew the holder's leases, expired ones that nobody took included. Returns whose they are.
UPDATE hitstream_lease
SET expires_at = statement_timestamp() + make_interval(secs => %(seconds)s)
WHERE integration_id = ANY(%(integrations)s::bigint[]) AND holder = %(holder)s
RETURNING integration_id

-- name: leave
-- End the holder's leases of integrations. The rows stay, to be updated in place.
UPDATE hitstream_lease SET expires_at = 'epoch'
WHERE integration_id = ANY(%(integrations)s::bigint[]) AND holder = %(holder)s
RETURNING integration_id
