-- name: results
-- How many deliveries of each integration ended how, since a moment.
SELECT integration_id, kind, sum(count)::bigint FROM (
    SELECT hourly.integration_id, hourly.kind, hourly.count
    FROM unnest(%(integrations)s::bigint[]) AS integration (id) CROSS JOIN LATERAL (
        SELECT integration_id, kind, count FROM hitstream_hourly
        WHERE integration_id = integration.id AND hour >= %(since)s
    ) AS hourly
) AS counted
GROUP BY 1, 2

-- name: regular_senders
-- On how many days each token sent hits in these hours. The hours are at least a day old, so all of
-- their tallies are consolidated.
SELECT token.id, count(DISTINCT date_trunc('day', sent.hour, 'UTC'))
FROM unnest(%(tokens)s::bigint[]) AS token (id) JOIN LATERAL (
    SELECT hour FROM hitstream_ledger
    WHERE token_id = token.id AND hour = ANY(%(hours)s)
      AND integration_id = 0 AND kind = 'accepted' AND count > 0
) AS sent ON true
GROUP BY 1

-- name: tokens_with_hits_since
-- The tokens that have stored a hit since then.
SELECT token.id FROM unnest(%(tokens)s::bigint[]) AS token (id) CROSS JOIN LATERAL (
    SELECT FROM hitstream_hit WHERE token_id = token.id AND id >= %(first)s ORDER BY id LIMIT 1
) AS hit
