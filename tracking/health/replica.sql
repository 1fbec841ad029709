-- name: lag
-- How many seconds the replica lags. While it receives from the primary and has replayed everything, it
-- does not lag, however long ago the last commit was. A server that is no replica does not lag.
SELECT CASE
    WHEN NOT pg_is_in_recovery() THEN 0
    WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
        AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
    ELSE coalesce(
        date_part('epoch', clock_timestamp() - pg_last_xact_replay_timestamp()), 'infinity'
    )
END::float8
