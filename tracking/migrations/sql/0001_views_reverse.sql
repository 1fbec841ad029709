DROP VIEW hitstream_lifetime;
DROP VIEW hitstream_hourly;
DROP VIEW hitstream_delivery;
