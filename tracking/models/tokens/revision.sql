-- name: configuration
-- The integrations of a token as they were at a revision: the last change of each.
SELECT DISTINCT ON (integration.key) integration.key, integration.value
FROM hitstream_revision AS revision
CROSS JOIN LATERAL jsonb_each(revision.snapshot -> 'integrations') AS integration
WHERE revision.token_id = %(token_id)s AND revision.number <= %(number)s
ORDER BY integration.key, revision.number DESC

-- name: earlier
-- What the integrations that these revisions changed were before: those that were there.
SELECT changed.token_id, changed.number, integration.key, earlier.value
FROM unnest(%(token_ids)s::bigint[], %(numbers)s::int[]) AS changed (token_id, number)
JOIN hitstream_revision AS revision USING (token_id, number)
CROSS JOIN LATERAL jsonb_object_keys(revision.snapshot -> 'integrations') AS integration (key)
CROSS JOIN LATERAL (
    SELECT before.snapshot -> 'integrations' -> integration.key AS value
    FROM hitstream_revision AS before
    WHERE before.token_id = changed.token_id AND before.number < changed.number
      AND before.snapshot -> 'integrations' ? integration.key
    ORDER BY before.number DESC LIMIT 1
) AS earlier
