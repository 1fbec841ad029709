-- name: partitions
-- Every daily partition, whether it is being detached, and whether it has a parent. One without a
-- parent was detached, but not yet dropped.
SELECT child.relname, coalesce(inhdetachpending, false), inhparent IS NOT NULL
FROM pg_class AS child LEFT JOIN pg_inherits ON child.oid = inhrelid
WHERE child.relname ~ '^hitstream_(hit|outcome|attempt)_\d{8}$' AND child.relkind = 'r'
  AND child.relnamespace = (
      SELECT hits.relnamespace FROM pg_class AS hits WHERE hits.oid = to_regclass('hitstream_hit')
  )
ORDER BY 1
