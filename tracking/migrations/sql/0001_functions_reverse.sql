DROP SEQUENCE hitstream_queue_seq;
DROP FUNCTION hitstream_is_routed(varchar[], text, text, text, jsonb);
DROP FUNCTION hitstream_path(text);
DROP FUNCTION hitstream_scalar(jsonb);
DROP FUNCTION hitstream_ordering_key(text, text);
DROP FUNCTION hitstream_quarter_hour(uuid);
