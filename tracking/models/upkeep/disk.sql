-- name: sizes
-- The size of each daily partition in bytes, indexes included.
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relname ~ '^hitstream_(hit|outcome|attempt)_\d{8}$' AND relkind = 'r'
  AND relnamespace = (
      SELECT hits.relnamespace FROM pg_class AS hits WHERE hits.oid = to_regclass('hitstream_hit')
  )
