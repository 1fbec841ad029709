-- name: add
-- Add counted duplicates to those of their hits. In the order of the hits: two writers that take the
-- same rows in another order would deadlock.
INSERT INTO hitstream_duplicate AS known (hit_id, token_id, count, last_at)
SELECT seen.hit_id, seen.token_id, noted.count, noted.last_at
FROM unnest(
    %(tokens)s::bigint[], %(digests)s::uuid[], %(counts)s::bigint[], %(moments)s::timestamptz[]
) AS noted (token_id, digest, count, last_at)
JOIN hitstream_hitkey AS seen USING (token_id, digest)
ORDER BY seen.hit_id
ON CONFLICT (hit_id, token_id) DO UPDATE SET count = known.count + excluded.count,
    last_at = greatest(known.last_at, excluded.last_at)

-- name: prune
-- Delete a chunk of the counts of hits before the dedup window.
DELETE FROM hitstream_duplicate WHERE hit_id IN (
    SELECT hit_id FROM hitstream_duplicate WHERE hit_id < %(window)s
    ORDER BY hit_id LIMIT %(chunk)s
)
