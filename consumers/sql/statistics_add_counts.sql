-- Add to the counts.
INSERT INTO statistics.counts AS kept (year, population, key, number)
SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::bigint[])
ON CONFLICT (year, population, key) DO UPDATE SET number = kept.number + excluded.number;
