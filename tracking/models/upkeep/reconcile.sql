-- name: snapshot
-- Read everything that follows from one snapshot.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- fragment: counted
-- What the ledger counts between `since` and `until`.
SELECT quarter_hour, token_id, integration_id, kind, sum(count) AS count
FROM hitstream_counts
WHERE {of_token} AND quarter_hour >= %(since)s AND quarter_hour < %(until)s GROUP BY 1, 2, 3, 4

-- fragment: delivery_state
-- The states of every delivery of the hits in [first, end).
SELECT hit_id, integration_id, array_agg(DISTINCT state ORDER BY state) AS states
FROM (
    SELECT hit_id, integration_id, 'queued' AS state FROM hitstream_queue
    WHERE {of_token} AND hit_id >= %(first)s AND hit_id < %(end)s
    UNION ALL SELECT hit_id, integration_id, 'dead' FROM hitstream_deadletter
    WHERE {of_token} AND hit_id >= %(first)s AND hit_id < %(end)s
    UNION ALL SELECT hit_id, integration_id, result FROM hitstream_outcome
    WHERE {of_token} AND hit_id >= %(first)s AND hit_id < %(end)s
      AND result IN ('delivered', 'skipped', 'cancelled')
) AS delivery GROUP BY 1, 2

-- fragment: both
-- Both, as part of each check.
WITH counted AS MATERIALIZED (
    {counted}
), delivery_state AS MATERIALIZED (
    {delivery_state}
)

-- name: make_counted
-- Write down what is counted.
CREATE TEMPORARY TABLE counted ON COMMIT DROP AS {counted}

-- name: make_delivery_state
-- Write down the states.
CREATE TEMPORARY TABLE delivery_state ON COMMIT DROP AS {delivery_state}

-- name: make_index
-- The checks look deliveries up by hit.
CREATE INDEX ON delivery_state (hit_id, integration_id)

-- fragment: wrong_tokens_check
-- Quarter-hours of tokens in which the stored hits differ from the counted ones.
SELECT quarter_hour, token_id, coalesce(counted.count, 0), coalesce(stored.count, 0)
FROM (
    SELECT quarter_hour, token_id,
        sum(CASE kind WHEN 'accepted' THEN count WHEN 'duplicate' THEN -count ELSE 0 END)
            AS count
    FROM counted WHERE integration_id = 0 GROUP BY 1, 2
) AS counted
FULL JOIN (
    SELECT hitstream_quarter_hour(id) AS quarter_hour, token_id, count(*) AS count FROM hitstream_hit
    WHERE {of_token} AND id >= %(first)s AND id < %(end)s GROUP BY 1, 2
) AS stored USING (quarter_hour, token_id)
WHERE coalesce(counted.count, 0) <> coalesce(stored.count, 0) ORDER BY 1, 2



-- name: wrong_tokens
-- The check, of what is written down.
{wrong_tokens_check}

-- name: wrong_tokens_alone
-- The check in a statement of its own.
{both}
{wrong_tokens_check}

-- fragment: wrong_counts_check
-- Quarter-hours of integrations in which the deliveries differ from the counted ones. A delivery that was
-- cancelled on its way to the vendor is counted as cancelled.
SELECT quarter_hour, integration_id, kind, coalesce(counted.count, 0), coalesce(found.count, 0)
FROM (
    SELECT quarter_hour, integration_id, kind, sum(count) AS count
    FROM counted WHERE integration_id <> 0 GROUP BY 1, 2, 3
) AS counted
FULL JOIN (
    SELECT hitstream_quarter_hour(hit_id) AS quarter_hour, integration_id,
        CASE WHEN 'cancelled' = ANY(states) THEN 'cancelled' ELSE states[1] END AS kind,
        count(*) AS count
    FROM delivery_state WHERE states <> ARRAY['queued'] GROUP BY 1, 2, 3
    UNION ALL
    SELECT hitstream_quarter_hour(hit_id), integration_id, 'matched', count(*)
    FROM delivery_state GROUP BY 1, 2
) AS found USING (quarter_hour, integration_id, kind)
WHERE coalesce(counted.count, 0) <> coalesce(found.count, 0) ORDER BY 1, 2, 3



-- name: wrong_counts
-- The check, of what is written down.
{wrong_counts_check}

-- name: wrong_counts_alone
-- The check in a statement of its own.
{both}
{wrong_counts_check}

-- fragment: two_states_check
-- Deliveries in two states that exclude each other.
SELECT integration_id, array_to_string(states, ' and '), array_agg(hit_id ORDER BY hit_id)
FROM delivery_state
WHERE cardinality(states) > 1 AND states <> ARRAY['cancelled', 'delivered'] GROUP BY 1, 2 ORDER BY 1, 2



-- name: two_states
-- The check, of what is written down.
{two_states_check}

-- name: two_states_alone
-- The check in a statement of its own.
{both}
{two_states_check}

-- name: stuck_hits
-- Deliveries that are due for longer than `stuck` and that no worker sends.
SELECT integration_id, array_agg(hit_id ORDER BY hit_id) FROM hitstream_queue
WHERE integration_id = ANY(%(running)s) AND due_at < statement_timestamp() - %(stuck)s::interval
  AND hit_id >= %(first)s AND hit_id < %(end)s GROUP BY 1 ORDER BY 1

-- fragment: nowhere_check
-- Hits that were for an integration, by the configuration at their arrival, and left no trace there.
-- The caller still applies the `integrations` object of each hit.
SELECT hit.id, integration.key::bigint, integration.value ->> 'name',
    integration.value ->> 'destination', (hit.payload -> 'integrations')::text
FROM hitstream_hit AS hit
JOIN (
    SELECT revision.token_id, changed.key, changed.value, revision.number AS since,
        lead(revision.number) OVER (
            PARTITION BY revision.token_id, changed.key ORDER BY revision.number
        ) AS until
    FROM hitstream_revision AS revision
    CROSS JOIN LATERAL jsonb_each(revision.snapshot -> 'integrations') AS changed
) AS integration
  ON integration.token_id = hit.token_id AND hit.revision >= integration.since
  AND (integration.until IS NULL OR hit.revision < integration.until)
WHERE {hit.of_token} AND hit.id >= %(first)s AND hit.id < %(end)s
  AND (integration.value -> 'enabled')::boolean
  AND (integration.value -> 'event_names' = '[]'
       OR integration.value -> 'event_names' ? hit.name)
  AND NOT EXISTS (
      SELECT FROM delivery_state AS delivery
      WHERE delivery.hit_id = hit.id AND delivery.integration_id = integration.key::bigint
  )
ORDER BY hit.id


-- name: nowhere
-- The check, of what is written down.
{nowhere_check}

-- name: nowhere_alone
-- The check in a statement of its own.
{both}
{nowhere_check}
