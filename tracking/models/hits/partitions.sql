-- name: partitions
-- The partitions of these tables.
SELECT child.relname FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
JOIN pg_class AS parent ON parent.oid = inhparent
WHERE parent.relname = ANY(%(tables)s)
  AND parent.relnamespace = current_schema()::text::regnamespace
