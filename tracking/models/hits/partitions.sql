-- name: partitions
-- The partitions of these tables, wherever the search path finds the tables.
SELECT child.relname FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name)
-- name: schema
-- The schema of the tables, quoted. With several tenants in the search path it is not the first one.
SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass('hitstream_hit')
