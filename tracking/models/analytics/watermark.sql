-- name: repeatable_read
-- Begin the snapshot after the lock is taken: it sees what the last holder wrote. Readers do not
-- wait.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
