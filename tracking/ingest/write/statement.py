"""The statement that stores a batch of arrivals, queues their deliveries and counts them.

In: `arrivals`, a JSON array of Arrivals, `window`, the least id of a hit that a repeated hitId
still repeats, and `late_after`, the age at which a hit is marked late (see `models/late.py`).
Out: a row: whether anything is queued, and the ids of what was stored before.
"""

from __future__ import annotations

from tracking.ingest.parse.arrival import Arrival

#: An arrival is an array of these, in the order of its fields: objects, which would name each of
#: them in each row, take a tenth longer to encode, send and parse.
COLUMNS = {
    "id": "(hit ->> {})::uuid",
    "token_id": "(hit ->> {})::bigint",
    "hit_id": "hit ->> {}",
    "digest": "(hit ->> {})::uuid",
    "type": "hit ->> {}",
    "name": "hit ->> {}",
    "user_id": "hit ->> {}",
    "anonymous_id": "hit ->> {}",
    "email_hash": "hit ->> {}",
    "sent_at": "(hit ->> {})::timestamptz",
    "received_at": "(hit ->> {})::timestamptz",
    "occurred_at": "(hit ->> {})::timestamptz",
    "clock": "hit ->> {}",
    "ip": "(hit ->> {})::inet",
    "user_agent": "hit ->> {}",
    "payload": "hit -> {}",
    "switches": "nullif(hit -> {}, 'null')",
    "copies": "(hit ->> {})::integer",
}
INCOMING = ", ".join(
    f"{COLUMNS[name].format(place)} AS {name}"
    for place, name in enumerate(Arrival.__struct_fields__)
)
STORE = """
WITH incoming AS MATERIALIZED (
    SELECT INCOMING FROM jsonb_array_elements(%(arrivals)s::jsonb) AS hit
), fresh AS (
    INSERT INTO hitstream_hitkey AS seen (token_id, digest, hit_id)
    SELECT token_id, digest, id FROM incoming WHERE digest IS NOT NULL
    ON CONFLICT (token_id, digest) DO UPDATE SET hit_id = excluded.hit_id
        WHERE seen.hit_id < %(window)s
    RETURNING hit_id
), stored AS (
    INSERT INTO hitstream_hit (
        id, token_id, revision, hit_id, type, name, user_id, anonymous_id, email_hash,
        sent_at, received_at, occurred_at, clock, ip, user_agent, payload
    )
    SELECT
        incoming.id, token_id, coalesce(token.revision, 0), hit_id, type, incoming.name, user_id,
        anonymous_id, email_hash, sent_at, received_at, occurred_at, clock, ip, user_agent,
        payload
    FROM incoming LEFT JOIN hitstream_token AS token ON token.id = incoming.token_id
    WHERE incoming.digest IS NULL OR incoming.id IN (SELECT hit_id FROM fresh)
    RETURNING id, received_at AS stored_at
), late AS (
    INSERT INTO hitstream_latearrival (hit_id)
    SELECT id FROM stored WHERE stored_at < statement_timestamp() - %(late_after)s::interval
        OR id <= (SELECT position FROM hitstream_watermark)
), queued AS (
    INSERT INTO hitstream_queue (
        integration_id, hit_id, due_at, queued_at, ordering_key, claims, attempts
    )
    SELECT integration.id, incoming.id, statement_timestamp(), statement_timestamp(),
        CASE WHEN integration.ordered THEN hitstream_ordering_key(anonymous_id, user_id) END, 0, 0
    FROM incoming
    JOIN stored ON stored.id = incoming.id
    JOIN hitstream_integration AS integration ON integration.token_id = incoming.token_id
    WHERE integration.enabled
      AND (integration.event_names = '{}' OR incoming.name = ANY(integration.event_names))
      AND coalesce(
          (switches -> 'names' -> integration.handle)::boolean,
          (switches -> 'destinations' -> integration.destination)::boolean,
          (switches -> 'all' -> 'all')::boolean,
          true
      )
    ORDER BY incoming.id
    RETURNING integration_id, hit_id
), counted AS (
    SELECT date_trunc('hour', received_at, 'UTC') AS hour, token_id, sum(copies) AS accepted,
        sum(copies) - count(stored.id) AS duplicate
    FROM incoming LEFT JOIN stored ON stored.id = incoming.id GROUP BY 1, 2
), tallied AS (
    INSERT INTO hitstream_tally (hour, token_id, integration_id, kind, reason, count)
    SELECT hour, token_id, 0, 'accepted', '', accepted FROM counted
    UNION ALL
    SELECT hour, token_id, 0, 'duplicate', '', duplicate FROM counted WHERE duplicate > 0
    UNION ALL
    SELECT date_trunc('hour', received_at, 'UTC'), token_id, integration_id, 'matched', '', count(*)
    FROM queued JOIN incoming ON incoming.id = queued.hit_id GROUP BY 1, 2, 3
)
SELECT EXISTS (SELECT FROM queued), ARRAY(SELECT id FROM incoming EXCEPT SELECT id FROM stored)
""".replace("INCOMING", INCOMING)
