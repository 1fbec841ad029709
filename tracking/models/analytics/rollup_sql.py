"""The statement that counts hits: what each says becomes counts in the rollups and sets of users.

In: the ids (`first`, `last`] and those of `late`, which lie from `oldest` to `newest`. Out: how
many hits they were. Whoever calls it is alone with the rollups.
"""

from __future__ import annotations

from typing import LiteralString

#: Dimensions: all hits by hour and by day, users by day, and by day what further ones say.
HOUR, DAY, USER, PAGE, CAMPAIGN = "hour", "day", "user", "page", "campaign"
#: A breakdown's dimension is this and the property's name.
PROPERTY = "property:"
#: What stands for the values that have no row of their own.
OTHER = "(other)"
#: Values that have one, of a token's day, event and dimension; and events, of a token's day.
MAX_VALUES = 200
MAX_NAMES = 500

# As Event.properties reads the two payload shapes.
PROPERTIES: LiteralString = """CASE jsonb_typeof(payload -> 'event') WHEN 'object'
        THEN (payload -> 'event') - 'name' - 'user' ELSE payload -> 'properties' END"""
WHO: LiteralString = """CASE
            WHEN user_id <> '' THEN 'user ' || user_id
            WHEN anonymous_id <> '' THEN 'anonymous ' || anonymous_id
            WHEN email_hash <> '' THEN 'e-mail ' || email_hash
        END"""
WHERE: LiteralString = """coalesce(
            hitstream_scalar(payload #> '{context,page,path}'),
            hitstream_path(hitstream_scalar(payload #> '{context,page,url}')),
            CASE WHEN hit.type = 'page' OR hit.name = 'Viewed Page' THEN coalesce(
                hitstream_scalar(said -> 'path'),
                hitstream_path(hitstream_scalar(said -> 'url')),
                hitstream_scalar(said #> '{page,path}'),
                hitstream_path(hitstream_scalar(said #> '{page,url}'))
            ) END
        )"""
WHENCE: LiteralString = """nullif(concat_ws(' / ',
            hitstream_scalar(payload #> '{context,campaign,source}'),
            hitstream_scalar(payload #> '{context,campaign,medium}'),
            hitstream_scalar(payload #> '{context,campaign,name}')
        ), '')"""

FACTS: LiteralString = """
WITH heard AS MATERIALIZED (
    -- No more of each hit than is counted: all of a pass is kept, and payloads may be long.
    SELECT token_id,
        date_trunc('hour', occurred_at, 'UTC') AS hour,
        date_trunc('day', occurred_at, 'UTC') AS day,
        coalesce(nullif(hit.name, ''), nullif(hit.type, ''), '(none)') AS called,
        md5(<WHO>)::uuid AS who,
        left(<WHERE>, 100) AS page,
        left(<WHENCE>, 100) AS campaign,
        breakdowns,
        ARRAY(
            SELECT left(hitstream_scalar(said -> property), 100) FROM unnest(breakdowns) AS property
        ) AS told
    FROM (
        SELECT * FROM hitstream_hit WHERE id > %(first)s AND id <= %(last)s
        UNION ALL
        SELECT * FROM hitstream_hit
        WHERE id = ANY(%(late)s::uuid[]) AND id >= %(oldest)s AND id <= %(newest)s
    ) AS hit
    -- OFFSET: it is made once a hit, not wherever it is looked into.
    CROSS JOIN LATERAL (SELECT <PROPERTIES> AS said OFFSET 0) AS properties
    LEFT JOIN hitstream_token AS token ON token.id = hit.token_id
), called AS (
    -- Not EXISTS, which may be planned as a scan of all the rollups.
    SELECT spoken.*, (
        SELECT true FROM hitstream_rollup AS kept
        WHERE (kept.token_id, kept.dimension, kept.at, kept.name, kept.value)
            = (spoken.token_id, '<DAY>', spoken.day, spoken.called, '')
    ) IS NOT NULL AS is_known
    FROM (
        SELECT token_id, day, called, count(*) AS count FROM heard GROUP BY 1, 2, 3
    ) AS spoken
), places AS MATERIALIZED (
    SELECT *, <MAX_NAMES> - (
        SELECT count(*) FROM hitstream_rollup AS kept
        WHERE (kept.token_id, kept.dimension, kept.at) = (new.token_id, '<DAY>', new.day)
          AND kept.name <> '<OTHER>'
    ) AS places
    FROM (SELECT DISTINCT token_id, day FROM called WHERE NOT is_known) AS new
), named AS MATERIALIZED (
    SELECT token_id, day, called, CASE WHEN is_known OR places >= row_number() OVER (
        PARTITION BY token_id, day, is_known ORDER BY count DESC, called
    ) THEN called ELSE '<OTHER>' END AS name
    FROM called LEFT JOIN places USING (token_id, day)
), found AS MATERIALIZED (
    SELECT * FROM heard JOIN named USING (token_id, day, called)
), hours AS (
    SELECT token_id, hour, day, name, count(*) AS count FROM found GROUP BY 1, 2, 3, 4
), valued AS MATERIALIZED (
    -- Of each event and, under no name, of any.
    SELECT token_id, dimension, day AS at, coalesce(name, '') AS name, value, count(*) AS count
    FROM (
        SELECT token_id, '<PAGE>' AS dimension, day, name, page AS value FROM found
        UNION ALL
        SELECT token_id, '<CAMPAIGN>', day, name, campaign FROM found
        UNION ALL
        SELECT token_id, '<PROPERTY>' || property, day, name, said
        FROM found CROSS JOIN LATERAL unnest(breakdowns, told) AS each (property, said)
    ) AS said
    WHERE value IS NOT NULL
    GROUP BY token_id, dimension, day, value, GROUPING SETS ((said.name), ())
), known AS (
    SELECT valued.*, (
        SELECT true FROM hitstream_rollup AS kept
        WHERE (kept.token_id, kept.dimension, kept.at, kept.name, kept.value)
            = (valued.token_id, valued.dimension, valued.at, valued.name, valued.value)
    ) IS NOT NULL AS is_known
    FROM valued
), room AS MATERIALIZED (
    SELECT *, <MAX_VALUES> - (
        SELECT count(*) FROM hitstream_rollup AS kept
        WHERE (kept.token_id, kept.dimension, kept.at, kept.name)
            = (new.token_id, new.dimension, new.at, new.name) AND kept.value <> '<OTHER>'
    ) AS room
    FROM (SELECT DISTINCT token_id, dimension, at, name FROM known WHERE NOT is_known) AS new
), ranked AS (
    SELECT known.*, room, row_number() OVER (
        PARTITION BY token_id, dimension, at, name, is_known ORDER BY count DESC, value
    ) AS rank
    FROM known LEFT JOIN room USING (token_id, dimension, at, name)
), met AS (
    INSERT INTO hitstream_visitor (day, token_id, name, who)
    SELECT DISTINCT (day AT TIME ZONE 'UTC')::date, token_id, event, who
    FROM found CROSS JOIN LATERAL (VALUES (''), (name)) AS events (event)
    WHERE who IS NOT NULL ORDER BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING
    RETURNING day, token_id, name
), counted AS (
    SELECT token_id, '<HOUR>' AS dimension, hour AS at, name, '' AS value, count FROM hours
    UNION ALL
    SELECT token_id, '<DAY>', day, name, '', count FROM hours
    UNION ALL
    SELECT token_id, '<USER>', day::timestamp AT TIME ZONE 'UTC', name, '', 1 FROM met
    UNION ALL
    SELECT token_id, dimension, at, name,
        CASE WHEN is_known OR rank <= room THEN value ELSE '<OTHER>' END, count FROM ranked
), summed AS (
    INSERT INTO hitstream_rollup AS kept (token_id, dimension, at, name, value, count)
    SELECT token_id, dimension, at, name, value, sum(count) FROM counted
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (token_id, dimension, at, name, value)
    DO UPDATE SET count = kept.count + excluded.count
)
SELECT coalesce(sum(count), 0)::bigint FROM hours
"""
FACTS = (
    FACTS.replace("<WHO>", WHO)
    .replace("<WHERE>", WHERE)
    .replace("<WHENCE>", WHENCE)
    .replace("<PROPERTIES>", PROPERTIES)
    .replace("<HOUR>", HOUR)
    .replace("<DAY>", DAY)
    .replace("<USER>", USER)
    .replace("<PAGE>", PAGE)
    .replace("<CAMPAIGN>", CAMPAIGN)
    .replace("<PROPERTY>", PROPERTY)
    .replace("<OTHER>", OTHER)
    .replace("<MAX_VALUES>", str(MAX_VALUES))
    .replace("<MAX_NAMES>", str(MAX_NAMES))
)
