-- name: configure
-- Set the session of a new connection, or, through a pooler, this transaction only. `pid` is the process
-- id that the client was given. Returns whether a pooler answers.
SELECT pooled,
    set_config('statement_timeout', %(statement_timeout)s, pooled),
    set_config('lock_timeout', %(lock_timeout)s, pooled),
    set_config('timezone', 'UTC', pooled),
    set_config('role', coalesce(nullif(%(role)s, ''), current_setting('role')), pooled)
FROM (SELECT pg_backend_pid() <> %(pid)s AS pooled) AS backend

-- name: configure_transaction
-- Set this transaction.
SELECT set_config('statement_timeout', %(statement_timeout)s, true),
    set_config('lock_timeout', %(lock_timeout)s, true),
    set_config('timezone', 'UTC', true),
    set_config('role', coalesce(nullif(%(role)s, ''), current_setting('role')), true)
