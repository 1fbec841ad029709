-- name: store
-- Store a batch of arrivals: new hits, the deliveries that they queue, and the counts, all or nothing.
-- `arrivals` is a JSON array with an array for each arrival, in the order of the fields of `Arrival`;
-- objects, which would name each field in each row, take a tenth longer to encode, send and parse.
-- `window` is the least id of a hit that a repeated hitId still repeats, `late_after` the age from
-- which a hit is marked late, `watermark` the token of the watermark, 0 for that of all. Returns whether anything is queued, and the ids of the duplicates.
WITH arrivals AS MATERIALIZED (
    SELECT
        (hit ->> 0)::uuid AS id,
        (hit ->> 1)::bigint AS token_id,
        hit ->> 2 AS hit_id,
        (hit ->> 3)::uuid AS digest,
        hit ->> 4 AS type,
        hit ->> 5 AS name,
        hit ->> 6 AS user_id,
        hit ->> 7 AS anonymous_id,
        hit ->> 8 AS email_hash,
        (hit ->> 9)::timestamptz AS sent_at,
        (hit ->> 10)::timestamptz AS received_at,
        (hit ->> 11)::timestamptz AS occurred_at,
        hit ->> 12 AS clock,
        (hit ->> 13)::inet AS ip,
        hit ->> 14 AS user_agent,
        hit -> 15 AS payload,
        nullif(hit -> 16, 'null') AS switches,
        (hit ->> 17)::integer AS copies,
        (hit ->> 18)::uuid AS email_digest
    FROM jsonb_array_elements(%(arrivals)s::jsonb) AS hit
), new_keys AS (
    INSERT INTO hitstream_hitkey AS known (token_id, digest, hit_id)
    SELECT token_id, digest, id FROM arrivals WHERE digest IS NOT NULL
    ON CONFLICT (token_id, digest) DO UPDATE SET hit_id = excluded.hit_id
        WHERE known.hit_id < %(window)s
    RETURNING hit_id
), new_hits AS (
    INSERT INTO hitstream_hit (
        id, token_id, revision, hit_id, type, name, user_id, anonymous_id, email_hash,
        email_digest, sent_at, received_at, occurred_at, clock, ip, user_agent, payload
    )
    SELECT
        arrivals.id, token_id, coalesce(token.revision, 0), hit_id, type, arrivals.name, user_id,
        anonymous_id, email_hash, email_digest, sent_at, received_at, occurred_at, clock, ip,
        user_agent, payload
    FROM arrivals LEFT JOIN hitstream_token AS token ON token.id = arrivals.token_id
    WHERE arrivals.digest IS NULL OR arrivals.id IN (SELECT hit_id FROM new_keys)
    RETURNING id, token_id, received_at AS stored_at
), late_arrivals AS (
    INSERT INTO hitstream_latearrival (hit_id, token_id)
    SELECT id, token_id FROM new_hits
    WHERE stored_at < statement_timestamp() - %(late_after)s::interval
        OR id <= (SELECT position FROM hitstream_watermark WHERE token_id = %(watermark)s)
), deliveries AS (
    INSERT INTO hitstream_queue (
        token_id, integration_id, hit_id, due_at, queued_at, ordering_key, claims, attempts
    )
    SELECT arrivals.token_id, integration.id, arrivals.id,
        statement_timestamp(), statement_timestamp(),
        CASE WHEN integration.ordered THEN hitstream_ordering_key(anonymous_id, user_id) END, 0, 0
    FROM arrivals
    JOIN new_hits ON new_hits.id = arrivals.id
    JOIN hitstream_integration AS integration ON integration.token_id = arrivals.token_id
    WHERE integration.enabled
      AND hitstream_is_routed(
          integration.event_names, integration.handle, integration.destination, arrivals.name, switches
      )
    ORDER BY arrivals.id
    RETURNING integration_id, hit_id
), counts AS (
    SELECT date_bin('15 minutes', received_at, 'epoch') AS quarter_hour, arrivals.token_id,
        sum(copies) AS accepted,
        sum(copies) - count(new_hits.id) AS duplicate,
        count(new_hits.id) FILTER (WHERE clock = 'unreadable') AS unreadable
    FROM arrivals LEFT JOIN new_hits ON new_hits.id = arrivals.id GROUP BY 1, 2
), tallies AS (
    INSERT INTO hitstream_tally (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT quarter_hour, token_id, 0, 'accepted', '', accepted FROM counts
    UNION ALL
    SELECT quarter_hour, token_id, 0, 'duplicate', '', duplicate FROM counts WHERE duplicate > 0
    UNION ALL
    SELECT quarter_hour, token_id, 0, 'noted', 'time_unreadable', unreadable
    FROM counts WHERE unreadable > 0
    UNION ALL
    SELECT date_bin('15 minutes', received_at, 'epoch'), arrivals.token_id, integration_id, 'matched', '',
        count(*)
    FROM deliveries JOIN arrivals ON arrivals.id = deliveries.hit_id GROUP BY 1, 2, 3
)
SELECT EXISTS (SELECT FROM deliveries),
    ARRAY(SELECT id FROM arrivals EXCEPT SELECT id FROM new_hits)

-- name: set_lock_timeout
-- Set how long this transaction waits for a lock.
SELECT set_config('lock_timeout', %(timeout)s, true)
