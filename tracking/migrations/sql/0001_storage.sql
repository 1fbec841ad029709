-- Rows of the queue come and go: room to update them in place, and vacuum before the index grows.
ALTER TABLE hitstream_queue SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000
);

-- Tallies live for a minute.
ALTER TABLE hitstream_tally SET (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000
);

-- Leases of the delivery engine: worthless after a crash, and cheap to write.
ALTER TABLE hitstream_lease SET UNLOGGED;
ALTER TABLE hitstream_run SET UNLOGGED;
