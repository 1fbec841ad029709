-- The token is part of every key, so that the tables of hits can be distributed by token over several
-- servers. It comes last where one server reads by the other columns alone.
ALTER TABLE hitstream_hit DROP CONSTRAINT hitstream_hit_pkey, ADD PRIMARY KEY (id, token_id);
ALTER TABLE hitstream_attempt DROP CONSTRAINT hitstream_attempt_pkey, ADD PRIMARY KEY (id, token_id);
ALTER TABLE hitstream_deadletter
    DROP CONSTRAINT hitstream_deadletter_pkey, ADD PRIMARY KEY (id, token_id);
ALTER TABLE hitstream_duplicate
    DROP CONSTRAINT hitstream_duplicate_pkey, ADD PRIMARY KEY (hit_id, token_id);
ALTER TABLE hitstream_latearrival
    DROP CONSTRAINT hitstream_latearrival_pkey, ADD PRIMARY KEY (hit_id, token_id);
ALTER TABLE hitstream_tally DROP CONSTRAINT hitstream_tally_pkey, ADD PRIMARY KEY (id, token_id);
ALTER TABLE hitstream_ledger DROP CONSTRAINT hitstream_ledger_pkey, ADD PRIMARY KEY (id, token_id);
ALTER TABLE hitstream_lifetimetotal
    DROP CONSTRAINT hitstream_lifetimetotal_pkey, ADD PRIMARY KEY (id, token_id);
ALTER TABLE hitstream_revision
    DROP CONSTRAINT hitstream_revision_pkey, ADD PRIMARY KEY (id, token_id);
