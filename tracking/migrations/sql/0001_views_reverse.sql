DROP VIEW hitstream_lifetime;
DROP VIEW hitstream_counts;
DROP VIEW hitstream_delivery;
