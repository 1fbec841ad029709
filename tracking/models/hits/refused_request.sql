-- name: trim
-- Delete the samples of a token and code but for the latest.
DELETE FROM hitstream_refusedrequest
WHERE token_id = %(token)s AND code = %(code)s AND id <= (
    SELECT id FROM hitstream_refusedrequest
    WHERE token_id = %(token)s AND code = %(code)s
    ORDER BY id DESC OFFSET %(kept)s LIMIT 1
)
