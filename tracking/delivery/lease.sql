-- name: take
-- Lease the slots that no other holder has. A lease that is held is only read.
INSERT INTO hitstream_lease AS lease (integration_id, slot, holder, expires_at)
SELECT id, part, %(holder)s, statement_timestamp() + make_interval(secs => %(seconds)s)
FROM unnest(%(integrations)s::bigint[], %(slots)s::smallint[]) AS wanted (id, part)
WHERE NOT EXISTS (
    SELECT FROM hitstream_lease AS held
    WHERE held.integration_id = id AND held.slot = part AND held.expires_at > statement_timestamp()
)
ORDER BY id, part
ON CONFLICT (integration_id, slot) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE lease.expires_at <= statement_timestamp()
RETURNING integration_id, slot

-- name: renew
-- Renew the holder's leases, expired ones that nobody took included. Returns whose they are.
UPDATE hitstream_lease AS lease
SET expires_at = statement_timestamp() + make_interval(secs => %(seconds)s)
FROM unnest(%(integrations)s::bigint[], %(slots)s::smallint[]) AS held (id, part)
WHERE lease.integration_id = held.id AND lease.slot = held.part AND lease.holder = %(holder)s
RETURNING lease.integration_id, lease.slot

-- name: leave
-- End the holder's leases of slots. The rows stay, to be updated in place.
UPDATE hitstream_lease AS lease SET expires_at = 'epoch'
FROM unnest(%(integrations)s::bigint[], %(slots)s::smallint[]) AS held (id, part)
WHERE lease.integration_id = held.id AND lease.slot = held.part AND lease.holder = %(holder)s
RETURNING lease.integration_id, lease.slot
