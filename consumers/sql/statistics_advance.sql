-- Note how far was counted.
INSERT INTO statistics.counted AS kept (partition, position, newest)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::text[])
ON CONFLICT (partition) DO UPDATE SET position = excluded.position, newest = greatest(kept.newest, excluded.newest);
