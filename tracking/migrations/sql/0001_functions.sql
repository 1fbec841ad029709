-- Functions that the statements of ingest, delivery and analytics call.

-- The quarter of an hour, by its beginning, in which a UUIDv7 was made. All time zones differ from UTC
-- by whole quarters, so hours and days of each of them are sums of these.
CREATE FUNCTION hitstream_quarter_hour(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT to_timestamp(
        ('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 900000 * 900
    )
$$;

-- The key that keeps one user's deliveries in order.
CREATE FUNCTION hitstream_ordering_key(anonymous_id text, user_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT hashtextextended(coalesce(nullif(anonymous_id, ''), user_id), 0) $$;

-- A JSON scalar as text; null for anything else and for an empty text.
CREATE FUNCTION hitstream_scalar(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN jsonb_typeof(value) IN ('string', 'number', 'boolean')
        THEN nullif(value #>> '{}', '') END
$$;

-- The path of a URL; "/" for an empty one.
CREATE FUNCTION hitstream_path(url text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN path = '' THEN '/' ELSE path END
    FROM (SELECT (
        regexp_match(url, '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)')
    )[1] AS path) AS match
$$;

-- Whether a hit is for an integration: its event names, and the `integrations` object of the hit.
-- `tracking/routing` decides the same in Python.
CREATE FUNCTION hitstream_is_routed(
    event_names varchar[], handle text, destination text, event text, switches jsonb
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (event_names = '{}' OR event = ANY(event_names)) AND coalesce(
        (switches -> 'names' -> handle)::boolean,
        (switches -> 'destinations' -> destination)::boolean,
        (switches -> 'all' -> 'all')::boolean,
        true
    )
$$;

-- The order in which deliveries were queued.
CREATE SEQUENCE hitstream_queue_seq;
