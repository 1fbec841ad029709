-- name: probe
-- What a probe of Postgres reports: version, clock, connections, size in bytes.
SELECT current_setting('server_version'), clock_timestamp(),
    current_setting('max_connections')::int,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    pg_database_size(current_database())
