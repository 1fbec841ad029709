-- The state of every delivery. No WHERE inside: it would keep Postgres from reading the branches in
-- the order of their indexes, so the view also has the outcomes of attempts that settled nothing.
CREATE VIEW hitstream_delivery AS
SELECT hit_id, integration_id,
       CASE WHEN attempts > 0 THEN 'retrying' ELSE 'queued' END AS state,
       due_at AS since, ''::text AS reason
FROM hitstream_queue
UNION ALL
SELECT hit_id, integration_id, 'dead'::text, failed_at, message
FROM hitstream_deadletter
UNION ALL
SELECT hit_id, integration_id, result::text, settled_at, reason
FROM hitstream_outcome;

-- The ledger and the tallies that are not yet consolidated. Each row stands in one of both tables at
-- any moment, so a sum over one statement is exact.
CREATE VIEW hitstream_counts AS
SELECT quarter_hour, token_id, integration_id, kind, reason, count FROM hitstream_ledger
UNION ALL
SELECT quarter_hour, token_id, integration_id, kind, reason, count FROM hitstream_tally;

-- The totals since the beginning and the tallies that are not yet consolidated.
CREATE VIEW hitstream_lifetime AS
SELECT token_id, integration_id, kind, reason, count FROM hitstream_lifetimetotal
UNION ALL
SELECT token_id, integration_id, kind, reason, count FROM hitstream_tally;
