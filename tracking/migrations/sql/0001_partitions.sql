-- The first daily partitions, from yesterday on: `hitstream.days_ahead` says how many.
DO $$
DECLARE
    parent text;
    first_day timestamptz := date_trunc('day', now(), 'UTC');
    low timestamptz;
    high timestamptz;
BEGIN
    FOREACH parent IN ARRAY ARRAY['hitstream_hit', 'hitstream_outcome', 'hitstream_attempt'] LOOP
        FOR n IN -1 .. current_setting('hitstream.days_ahead')::integer LOOP
            low := first_day + n * interval '24 hours';
            high := low + interval '24 hours';
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)'
                ' WITH (autovacuum_vacuum_insert_scale_factor = 0.05)',
                parent || to_char(low AT TIME ZONE 'UTC', '_YYYYMMDD'),
                parent,
                rpad(lpad(to_hex((extract(epoch FROM low) * 1000)::bigint), 12, '0'), 32, '0'),
                rpad(lpad(to_hex((extract(epoch FROM high) * 1000)::bigint), 12, '0'), 32, '0')
            );
        END LOOP;
    END LOOP;
END $$;
