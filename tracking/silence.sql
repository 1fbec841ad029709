-- name: runs
-- Whether the server runs a statement of this role for so many seconds, on another connection.
SELECT count(*) > 0
FROM pg_stat_activity
WHERE datname = current_database() AND usename = session_user AND pid <> pg_backend_pid()
  AND state = 'active' AND query_start < clock_timestamp() - %(seconds)s * interval '1 second'
