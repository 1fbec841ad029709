-- fragment: user_key
-- The text whose digest is the key of a user.
CASE
    WHEN user_id <> '' THEN 'user ' || user_id
    WHEN anonymous_id <> '' THEN 'anonymous ' || anonymous_id
    WHEN email_hash <> '' THEN 'e-mail ' || email_hash
END

-- fragment: page
-- The path of the page that the hit names.
coalesce(
    hitstream_scalar(payload #> '{context,page,path}'),
    hitstream_path(hitstream_scalar(payload #> '{context,page,url}')),
    CASE WHEN hit.type = 'page' OR hit.name = 'Viewed Page' THEN coalesce(
        hitstream_scalar(properties -> 'path'),
        hitstream_path(hitstream_scalar(properties -> 'url')),
        hitstream_scalar(properties #> '{page,path}'),
        hitstream_path(hitstream_scalar(properties #> '{page,url}'))
    ) END
)

-- fragment: campaign
-- Source, medium and name of the campaign.
nullif(concat_ws(' / ',
    hitstream_scalar(payload #> '{context,campaign,source}'),
    hitstream_scalar(payload #> '{context,campaign,medium}'),
    hitstream_scalar(payload #> '{context,campaign,name}')
), '')

-- fragment: properties
-- The properties in both payload shapes, as `Event.properties` reads them.
CASE jsonb_typeof(payload -> 'event') WHEN 'object'
THEN (payload -> 'event') - 'name' - 'user' ELSE payload -> 'properties' END

-- name: count_hits
-- Count the hits of a pass: those in (first, last] and the late ones, which lie from `oldest` to
-- `newest`, without test events. Returns how many hits were counted.
WITH hits AS MATERIALIZED (
    -- No more of each hit than is counted: all of a pass is kept, and payloads may be long.
    SELECT token_id,
        date_trunc('hour', occurred_at, 'UTC') AS hour,
        date_trunc('day', occurred_at, 'UTC') AS day,
        coalesce(nullif(hit.name, ''), nullif(hit.type, ''), '(none)') AS event,
        md5({user_key})::uuid AS who,
        left({page}, 100) AS page,
        left({campaign}, 100) AS campaign,
        breakdowns,
        ARRAY(
            SELECT left(hitstream_scalar(properties -> property), 100)
            FROM unnest(breakdowns) AS property
        ) AS texts
    FROM (
        SELECT * FROM hitstream_hit WHERE {of_token} AND id > %(first)s AND id <= %(last)s
        UNION ALL
        SELECT * FROM hitstream_hit
        WHERE {of_token} AND id = ANY(%(late)s::uuid[]) AND id >= %(oldest)s AND id <= %(newest)s
    ) AS hit
    -- OFFSET 0: the properties are read once a hit, not wherever they are used.
    CROSS JOIN LATERAL (SELECT {properties} AS properties OFFSET 0) AS p
    LEFT JOIN hitstream_token AS token ON token.id = hit.token_id
    WHERE (hit.name, hit.anonymous_id) <> (%(test_event)s, %(test_user)s)
), events AS (
    -- Not EXISTS, which may be planned as a scan of all the rollups.
    SELECT day_counts.*, (
        SELECT true FROM hitstream_rollup AS kept
        WHERE {kept.of_token} AND (kept.token_id, kept.dimension, kept.at, kept.name, kept.value)
            = (day_counts.token_id, 'day', day_counts.day, day_counts.event, '')
    ) IS NOT NULL AS is_known
    FROM (
        SELECT token_id, day, event, count(*) AS count FROM hits GROUP BY 1, 2, 3
    ) AS day_counts
), event_slots AS MATERIALIZED (
    SELECT *, %(max_names)s - (
        SELECT count(*) FROM hitstream_rollup AS kept
        WHERE {kept.of_token} AND (kept.token_id, kept.dimension, kept.at) = (new.token_id, 'day', new.day)
          AND kept.name <> '(other)'
    ) AS slots
    FROM (SELECT DISTINCT token_id, day FROM events WHERE NOT is_known) AS new
), event_names AS MATERIALIZED (
    SELECT token_id, day, event, CASE WHEN is_known OR slots >= row_number() OVER (
        PARTITION BY token_id, day, is_known ORDER BY count DESC, event
    ) THEN event ELSE '(other)' END AS name
    FROM events LEFT JOIN event_slots USING (token_id, day)
), named_hits AS MATERIALIZED (
    SELECT * FROM hits JOIN event_names USING (token_id, day, event)
), hours AS (
    SELECT token_id, hour, day, name, count(*) AS count FROM named_hits GROUP BY 1, 2, 3, 4
), property_values AS MATERIALIZED (
    -- Of each event and, under no name, of any.
    SELECT token_id, dimension, day AS at, coalesce(name, '') AS name, value, count(*) AS count
    FROM (
        SELECT token_id, 'page' AS dimension, day, name, page AS value FROM named_hits
        UNION ALL
        SELECT token_id, 'campaign', day, name, campaign FROM named_hits
        UNION ALL
        SELECT token_id, 'property:' || property, day, name, text
        FROM named_hits CROSS JOIN LATERAL unnest(breakdowns, texts) AS each (property, text)
    ) AS named_values
    WHERE value IS NOT NULL
    GROUP BY token_id, dimension, day, value, GROUPING SETS ((named_values.name), ())
), known_values AS (
    SELECT new.*, (
        SELECT true FROM hitstream_rollup AS kept
        WHERE {kept.of_token} AND (kept.token_id, kept.dimension, kept.at, kept.name, kept.value)
            = (new.token_id, new.dimension, new.at, new.name, new.value)
    ) IS NOT NULL AS is_known
    FROM property_values AS new
), value_slots AS MATERIALIZED (
    SELECT *, %(max_values)s - (
        SELECT count(*) FROM hitstream_rollup AS kept
        WHERE {kept.of_token} AND (kept.token_id, kept.dimension, kept.at, kept.name)
            = (new.token_id, new.dimension, new.at, new.name) AND kept.value <> '(other)'
    ) AS slots
    FROM (SELECT DISTINCT token_id, dimension, at, name FROM known_values WHERE NOT is_known) AS new
), ranked_values AS (
    SELECT known_values.*, slots, row_number() OVER (
        PARTITION BY token_id, dimension, at, name, is_known ORDER BY count DESC, value
    ) AS rank
    FROM known_values LEFT JOIN value_slots USING (token_id, dimension, at, name)
), new_visitors AS (
    INSERT INTO hitstream_visitor (day, token_id, name, who)
    SELECT DISTINCT (day AT TIME ZONE 'UTC')::date, token_id, counted_name, who
    FROM named_hits CROSS JOIN LATERAL (VALUES (''), (name)) AS names (counted_name)
    WHERE who IS NOT NULL ORDER BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING
    RETURNING day, token_id, name
), counts AS (
    SELECT token_id, 'hour' AS dimension, hour AS at, name, '' AS value, count FROM hours
    UNION ALL
    SELECT token_id, 'day', day, name, '', count FROM hours
    UNION ALL
    SELECT token_id, 'user', day::timestamp AT TIME ZONE 'UTC', name, '', 1 FROM new_visitors
    UNION ALL
    SELECT token_id, dimension, at, name,
        CASE WHEN is_known OR rank <= slots THEN value ELSE '(other)' END, count FROM ranked_values
), stored_counts AS (
    INSERT INTO hitstream_rollup AS kept (token_id, dimension, at, name, value, count)
    SELECT token_id, dimension, at, name, value, sum(count) FROM counts
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (token_id, dimension, at, name, value)
    DO UPDATE SET count = kept.count + excluded.count
)
SELECT coalesce(sum(count), 0)::bigint FROM hours

-- name: make_watermark
-- Make the watermark, before all hits.
INSERT INTO hitstream_watermark (token_id, position) VALUES (%(watermark)s, %(position)s) ON CONFLICT DO NOTHING

-- name: read_watermark
-- The position and the start of the transaction, which lies before its snapshot.
SELECT position, transaction_timestamp() FROM hitstream_watermark WHERE token_id = %(watermark)s

-- name: end_of_pass
-- The last hit of the pass, if more hits follow.
SELECT id FROM hitstream_hit WHERE {of_token} AND id > %(first)s AND id <= %(settled)s
ORDER BY id OFFSET %(offset)s LIMIT 1

-- name: unmark
-- Remove the marks that the pass counts, and return the marked hits before the watermark. A marked
-- hit after it is counted in any case.
WITH before AS (
    DELETE FROM hitstream_latearrival WHERE {of_token} AND hit_id = ANY(ARRAY(
        SELECT hit_id FROM hitstream_latearrival WHERE {of_token} AND hit_id <= %(first)s
        ORDER BY hit_id LIMIT %(pass_size)s
    )) RETURNING hit_id
), after AS (
    DELETE FROM hitstream_latearrival
    WHERE {of_token} AND hit_id > %(first)s AND hit_id <= %(last)s
)
SELECT hit_id FROM before ORDER BY hit_id

-- name: set_planner
-- A pass fits into memory. Postgres knows no sizes of what it joins: with 500 events anything but a
-- hash join would compare each event with every hit.
SELECT set_config('work_mem', '64MB', true), set_config('enable_mergejoin', 'off', true),
    set_config('enable_nestloop', 'off', true)

-- name: move_watermark
-- Move the watermark.
UPDATE hitstream_watermark SET position = %(position)s WHERE token_id = %(watermark)s

-- name: forget_watermarks
-- Move all watermarks.
UPDATE hitstream_watermark SET position = %(position)s
