-- fragment: access
-- What requests need to know of a token, with the number of its enabled integrations.
id, rate_limit, ip_policy, origins, project_id, path,
    (
        SELECT count(*) FROM hitstream_integration AS integration
        WHERE integration.token_id = hitstream_token.id AND integration.enabled
    ),
    digest, CASE WHEN retiring_until > now() THEN retiring_digest END

-- fragment: usable
-- Whether a token may send.
enabled AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())

-- name: look_up
-- The usable tokens behind these digests, project ids and first-party paths.
SELECT {access}
FROM hitstream_token
WHERE (digest = ANY(%(digests)s) OR retiring_digest = ANY(%(digests)s)
    OR project_id = ANY(%(projects)s) OR path = ANY(%(paths)s))
  AND {usable}

-- name: known
-- Every usable token, with the times when the token and its retiring secret end.
SELECT expires_at, retiring_until, {access}
FROM hitstream_token
WHERE {usable}

-- name: touch
-- Note that tokens were used, to the minute; a row that another transaction holds is left out.
UPDATE hitstream_token SET last_used_at = now() WHERE id IN (
    SELECT id FROM hitstream_token
    WHERE id = ANY(%(tokens)s) AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
    FOR UPDATE SKIP LOCKED
)
