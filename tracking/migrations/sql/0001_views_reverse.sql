DROP VIEW hitstream_delivery;
