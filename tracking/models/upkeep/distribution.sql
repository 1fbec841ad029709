-- name: has_citus
-- Whether the extension is there, and how many servers take shards.
SELECT extversion, (SELECT count(*) FROM pg_dist_node WHERE shouldhaveshards AND isactive)
FROM pg_extension WHERE extname = 'citus'

-- name: foreign_keys
-- The foreign keys of these tables, as they are made.
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid = ANY(%(tables)s::regclass[])

-- name: one_by_one
-- Change one shard after the other: the tables refer to each other.
SET LOCAL citus.multi_shard_modify_mode = 'sequential'

-- name: distribute
-- Distribute the first table by its token.
SELECT create_distributed_table(%(table)s, 'token_id')

-- name: distribute_beside
-- Distribute a table so that the rows of a token are where those of `beside` are.
SELECT create_distributed_table(%(table)s, 'token_id', colocate_with => %(beside)s)

-- name: copy_everywhere
-- Copy the table to every server.
SELECT create_reference_table(%(table)s)

-- name: split_watermark
-- Give each token a watermark of its own, where that of all tokens stands.
INSERT INTO hitstream_watermark (token_id, position)
SELECT token.id, watermark.position
FROM hitstream_watermark AS watermark CROSS JOIN hitstream_token AS token
WHERE watermark.token_id = 0

-- name: remove_watermark
-- Remove the watermark of all tokens.
DELETE FROM hitstream_watermark WHERE token_id = 0
