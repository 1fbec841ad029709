-- name: failures
-- The latest failed attempts, grouped by cause. Numbers differ from one message to the next: ids,
-- times, lengths.
SELECT code, status, count(*), sum(hits), min(made_at), max(made_at), max(id::text)::uuid
FROM (
    SELECT id, made_at, hits, code, status, message FROM hitstream_attempt
    WHERE integration_id = %(integration)s AND id >= %(since)s
    ORDER BY id DESC LIMIT %(limit)s
) AS latest
WHERE code <> ''
GROUP BY code, status, regexp_replace(left(message, 200), '[0-9]+', '#', 'g')
ORDER BY max(made_at) DESC LIMIT %(causes)s

-- name: reasons
-- Why deliveries became dead letters or were skipped, as long as the integration exists.
SELECT kind, reason, sum(count)::bigint FROM hitstream_lifetime
WHERE integration_id = %(integration)s AND kind IN ('dead', 'skipped')
GROUP BY 1, 2 HAVING sum(count) > 0
ORDER BY 3 DESC
