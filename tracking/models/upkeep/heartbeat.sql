-- name: beat
-- Note a beat, unless one was noted within `interval` seconds.
INSERT INTO hitstream_heartbeat AS known (name, beat_at) VALUES (%(name)s, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET beat_at = clock_timestamp()
    WHERE known.beat_at NOT BETWEEN clock_timestamp() - make_interval(secs => %(interval)s)
        AND clock_timestamp()
