-- name: stored
-- Which of these ids, all between `first` and `last`, are stored. The bounds leave out the partitions
-- of other days.
SELECT id FROM hitstream_hit
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s
