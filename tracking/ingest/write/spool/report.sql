-- name: report
-- Write what is in the spool of a node; `oldest` is the age of its oldest hit in seconds, or null.
INSERT INTO hitstream_nodespool (node, bytes, hits, oldest_at, limit_bytes, reported_at)
VALUES (
    %(node)s, %(bytes)s, %(hits)s,
    clock_timestamp() - make_interval(secs => %(oldest)s), %(limit)s, clock_timestamp()
)
ON CONFLICT (node) DO UPDATE SET bytes = excluded.bytes, hits = excluded.hits,
    oldest_at = excluded.oldest_at, limit_bytes = excluded.limit_bytes,
    reported_at = excluded.reported_at
