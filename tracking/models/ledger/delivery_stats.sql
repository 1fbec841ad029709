-- name: results
-- How many deliveries of each integration ended how, since a moment.
SELECT integration_id, kind, sum(count)::bigint FROM hitstream_counts
WHERE integration_id = ANY(%(ids)s) AND quarter_hour >= %(since)s
GROUP BY 1, 2

-- name: result_series
-- How many deliveries of each integration ended how, in each equal part of the time since a moment.
SELECT integration_id, kind,
    floor(extract(EPOCH FROM quarter_hour - %(since)s::timestamptz) / %(width)s::float)::int AS part,
    sum(count)::bigint
FROM hitstream_counts
WHERE integration_id = ANY(%(ids)s) AND quarter_hour >= %(since)s AND kind IN ('delivered', 'dead')
GROUP BY 1, 2, 3

-- name: latency
-- Median and 95th percentile of the seconds from queueing to delivery, of the latest deliveries.
SELECT id, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY waited)
FROM unnest(%(ids)s::bigint[]) AS id, LATERAL (
    SELECT waited FROM (
        SELECT hit_id, result, waited FROM hitstream_outcome
        WHERE {of_token} AND integration_id = id AND hit_id >= %(since)s
        ORDER BY hit_id DESC LIMIT %(reach)s
    ) AS ended
    WHERE result = 'delivered' AND waited IS NOT NULL ORDER BY hit_id DESC LIMIT %(limit)s
) AS latest
GROUP BY 1
