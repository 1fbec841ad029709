-- name: settle
-- Write the results of claimed deliveries: the queue, the dead letters, the outcomes, the attempts and
-- the tallies, all or nothing. A delivered hit leaves the queue whichever worker holds its lease by
-- now, and is no dead letter either; a hit that was not delivered is touched only by the holder of its lease.
WITH entries AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(entries)s::jsonb) AS entry (
        hit_id uuid, leased_until timestamptz, result text, attempt_id uuid, code text,
        reason text, wait float8, attempts smallint
    )
), attempts AS (
    INSERT INTO hitstream_attempt (id, token_id, integration_id, made_at, hits, failed_hits, code, message,
        status, duration, method, url, request_headers, request_body, response_headers,
        response_body)
    SELECT id, %(token)s, %(integration)s, made_at, hits, failed_hits, code, message, status, duration, method,
        url, request_headers, request_body, response_headers, response_body
    FROM jsonb_to_recordset(%(attempts)s::jsonb) AS attempt (
        id uuid, made_at timestamptz, hits integer, failed_hits integer, code text, message text,
        status smallint, duration float8, method text, url text, request_headers jsonb,
        request_body text, response_headers jsonb, response_body text
    )
), settled AS (
    DELETE FROM hitstream_queue AS queued USING entries AS entry
    WHERE queued.token_id = %(token)s AND queued.integration_id = %(integration)s
      AND queued.hit_id = entry.hit_id
      AND (entry.result IN ('delivered', 'skipped')
           OR entry.result = 'dead_letter' AND queued.due_at = entry.leased_until)
    RETURNING queued.hit_id, queued.ordering_key, queued.seq, queued.queued_at, entry.result,
        entry.attempt_id, entry.code, entry.reason, entry.attempts
), revived AS (
    DELETE FROM hitstream_deadletter AS letter USING entries AS entry
    WHERE letter.token_id = %(token)s AND letter.integration_id = %(integration)s
      AND letter.hit_id = entry.hit_id
      AND entry.result = 'delivered'
    RETURNING letter.hit_id, letter.code
), retries AS (
    UPDATE hitstream_queue AS queued
    SET due_at = to_timestamp(extract(EPOCH FROM statement_timestamp())::float8 + entry.wait),
        attempts = entry.attempts, claims = 0
    FROM entries AS entry
    WHERE queued.token_id = %(token)s AND queued.integration_id = %(integration)s
      AND queued.hit_id = entry.hit_id
      AND entry.result IN ('failed', '') AND queued.due_at = entry.leased_until
), dead_letters AS (
    INSERT INTO hitstream_deadletter
        (token_id, integration_id, hit_id, failed_at, code, message, attempts, attempt_id)
    SELECT %(token)s, %(integration)s, hit_id, statement_timestamp(), code, reason, attempts, attempt_id
    FROM settled WHERE result = 'dead_letter'
    ON CONFLICT (hit_id, integration_id, token_id) DO NOTHING
), outcomes AS (
    INSERT INTO hitstream_outcome
        (token_id, hit_id, integration_id, attempt_id, result, reason, settled_at, waited)
    SELECT %(token)s, entry.hit_id, %(integration)s, entry.attempt_id, entry.result, entry.reason,
        statement_timestamp(), extract(EPOCH FROM statement_timestamp() - settled.queued_at)
    FROM entries AS entry LEFT JOIN settled USING (hit_id)
    WHERE entry.result IN ('delivered', 'failed')
       OR entry.result IN ('dead_letter', 'skipped') AND settled.hit_id IS NOT NULL
), changes AS (
    SELECT hit_id, replace(result, 'dead_letter', 'dead') AS kind,
        CASE result WHEN 'dead_letter' THEN code WHEN 'skipped' THEN left(reason, 100) ELSE '' END
            AS reason, 1 AS count
    FROM settled
    UNION ALL SELECT hit_id, 'delivered', '', 1 FROM revived
    UNION ALL SELECT hit_id, 'dead', code, -1 FROM revived
), tallies AS (
    INSERT INTO hitstream_tally (quarter_hour, token_id, integration_id, kind, reason, count)
    SELECT hitstream_quarter_hour(hit_id), %(token)s, %(integration)s, kind, reason, sum(count)
    FROM changes GROUP BY 1, 4, 5
)
SELECT array_agg(ordering_key) FILTER (WHERE ordering_key IS NOT NULL) FROM settled

-- name: release
-- Make the next delivery of each ordering key due: it was parked, not claimed or tried.
UPDATE hitstream_queue AS queued SET due_at = statement_timestamp()
FROM unnest(%(ordering_keys)s::bigint[]) AS freed (ordering_key), LATERAL (
    SELECT hit_id FROM hitstream_queue AS next
    WHERE next.token_id = %(token)s AND next.integration_id = %(integration)s
      AND next.ordering_key = freed.ordering_key
    ORDER BY seq LIMIT 1
) AS first
WHERE queued.token_id = %(token)s AND queued.integration_id = %(integration)s
  AND queued.hit_id = first.hit_id
  AND queued.claims = 0 AND queued.attempts = 0 AND queued.due_at > statement_timestamp()

-- name: release_shared
-- Release like `release`, while other workers claim: one that saw the settled delivery may be parking
-- the next one at this moment. Locking the row waits until it has.
WITH next AS MATERIALIZED (
    SELECT first.hit_id
    FROM unnest(%(ordering_keys)s::bigint[]) AS freed (ordering_key) CROSS JOIN LATERAL (
        SELECT hit_id FROM hitstream_queue AS waiting
        WHERE waiting.token_id = %(token)s AND waiting.integration_id = %(integration)s
          AND waiting.ordering_key = freed.ordering_key
        ORDER BY seq LIMIT 1 FOR NO KEY UPDATE
    ) AS first
)
UPDATE hitstream_queue AS queued SET due_at = statement_timestamp()
FROM next
WHERE queued.token_id = %(token)s AND queued.integration_id = %(integration)s
  AND queued.hit_id = next.hit_id
  AND queued.claims = 0 AND queued.attempts = 0

-- name: streak
-- Continue the integration's failures in a row, or begin them again after a success.
UPDATE hitstream_integration
SET consecutive_failures =
        %(failures)s + CASE WHEN %(recovered)s THEN 0 ELSE consecutive_failures END,
    failing_since = CASE
        WHEN %(failures)s = 0 THEN NULL
        WHEN %(recovered)s OR failing_since IS NULL THEN %(since)s
        ELSE failing_since
    END,
    failure_status = %(status)s, failure_code = %(code)s, failure_message = %(message)s
WHERE id = %(integration)s
RETURNING consecutive_failures
