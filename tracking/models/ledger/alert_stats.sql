-- name: attempts
-- Of each integration's latest requests since a moment, how many hits they tried and did not deliver.
SELECT integration.id, coalesce(sum(hits), 0)::bigint, coalesce(sum(failed_hits), 0)::bigint
FROM unnest(%(integrations)s::bigint[]) AS integration (id) CROSS JOIN LATERAL (
    SELECT CASE WHEN code = '' THEN hits ELSE failed_hits END AS hits, failed_hits
    FROM hitstream_attempt
    WHERE {of_token} AND integration_id = integration.id AND id >= %(first)s
    ORDER BY id DESC LIMIT %(limit)s
) AS latest
GROUP BY 1

-- name: regular_senders
-- On how many days each token sent hits in these hours. The hours are at least a day old, so all of
-- their tallies are consolidated.
SELECT token.id, count(DISTINCT date_trunc('day', sent.quarter_hour, 'UTC'))
FROM unnest(%(tokens)s::bigint[]) AS token (id) JOIN LATERAL (
    SELECT quarter_hour FROM hitstream_ledger
    WHERE {of_token} AND token_id = token.id AND quarter_hour = ANY(%(quarters)s)
      AND integration_id = 0 AND kind = 'accepted' AND count > 0
) AS sent ON true
GROUP BY 1

-- name: tokens_with_hits_since
-- The tokens that have stored a hit since then.
SELECT token.id FROM unnest(%(tokens)s::bigint[]) AS token (id) CROSS JOIN LATERAL (
    SELECT FROM hitstream_hit
    WHERE {of_token} AND token_id = token.id AND id >= %(first)s ORDER BY id LIMIT 1
) AS hit
