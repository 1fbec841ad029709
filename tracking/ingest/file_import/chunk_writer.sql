-- name: claim
-- Move the import from the chunk's first line to its last, unless another process did.
UPDATE hitstream_fileimport SET lines = %(end)s WHERE id = %(import)s AND lines = %(start)s

-- name: count
-- Add the chunk's results to the import.
UPDATE hitstream_fileimport
SET stored = stored + %(stored)s, duplicate = duplicate + %(duplicate)s,
    refused = refused + %(refused)s
WHERE id = %(import)s
